"""Clients of a relay that mean harm: what one of them can make it hold in memory."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Any, cast

import pytest

from exile_tui.clock import SystemClock
from exile_tui.relay.bodies import Body
from exile_tui.relay.clients import Clients
from exile_tui.relay.limits import Limits
from exile_tui.relay.patience import Patience
from exile_tui.relay.service import RelaySettings
from exile_tui.relay.shares import Shares
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.relay.streams import Ahead, ReceiveStream
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import (
    Authorization,
    GetBlobs,
    Path,
    PutBlob,
    PutBlobs,
    encode_blob_answer,
)
from tests.integration.relay_support import ask, serving


@pytest.fixture
def rng() -> random.Random:
    return random.Random(66)


@pytest.fixture
async def relay(tmp_path: FilePath) -> AsyncIterator[RelayAddress]:
    async with serving(RelaySettings(directory=tmp_path)) as (address, _):
        yield address


async def test_one_blob_asked_for_a_thousand_times_is_answered_sixteen_times(
    relay: RelayAddress, rng: random.Random
) -> None:
    blob = PutBlob(rng.randbytes(16), bytes(32), int(time.time()) + 3600, rng.randbytes(65_536))
    putting = PutBlobs(Authorization(), [blob]).encode()
    assert await ask(relay, "POST", Path.BLOB_PUT, putting) == (200, b"\0")
    getting = GetBlobs([blob.blob_id] * 1024).encode()
    status, body = await ask(relay, "POST", Path.BLOB_GET, getting)
    assert status == 200
    assert body == encode_blob_answer(blob.blob) * 16
    absent = GetBlobs([bytes(16)] * 1024).encode()
    assert await ask(relay, "POST", Path.BLOB_GET, absent) == (200, b"\1\0\0\0\0" * 1024)


async def test_mailboxes_that_are_refused_cost_a_stream_nothing(
    tmp_path: FilePath, rng: random.Random
) -> None:
    engine = await SqliteEngine.open(tmp_path / "relay.db", Limits(), SystemClock())
    guesses = [(rng.randbytes(16), rng.randbytes(32)) for _ in range(1024)]
    stream = ReceiveStream(engine, guesses, Limits(), Ahead())
    sent = bytearray()

    async def send(data: bytes) -> None:
        sent.extend(data)
        if len(sent) == 1024 * 7:
            assert not stream._opened
            stream.stop()

    await stream.run(send)
    assert not stream._mailboxes
    assert len(sent) == 1024 * 7 + 5
    await engine.close()


async def test_a_body_that_broke_off_is_not_read_on_for_ever() -> None:
    """Granian hands out empty pieces, and no end, of a body whose client is gone."""

    class Broken:
        def __aiter__(self) -> Broken:
            return self

        async def __anext__(self) -> bytes:
            return b""

    clients = Clients(Shares(), SystemClock().monotonic)
    limits = Limits()
    patience = Patience(limits.patience)
    body = Body(cast(Any, Broken()), clients.enter("1.2.3.4:5"), clients, limits, patience)
    with pytest.raises(ConnectionError):
        async for _ in body.chunks(100):
            pass
