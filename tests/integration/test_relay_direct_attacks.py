"""Clients of a relay that mean harm, now that small bodies are asked for with their heads."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Any

import pytest

from exile_tui.relay.clients import Clients
from exile_tui.relay.direct import Runs
from exile_tui.relay.handlers import Handlers
from exile_tui.relay.service import RelaySettings
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Path
from tests.integration.relay_support import PATIENCE, Client, ask, serving
from tests.integration.test_relay_server import appending, created, receiving


@pytest.fixture
def rng() -> random.Random:
    return random.Random(81)


def made_since(before: list[Any], kind: type[Any]) -> Any:
    """Find the one object of a class that was not there before."""
    (found,) = (
        one
        for one in gc.get_objects()
        if isinstance(one, kind) and not any(one is other for other in before)
    )
    return found


@pytest.fixture
def before() -> list[Any]:
    """What there is before the relay is made."""
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, Handlers | Clients | Runs)]


@pytest.fixture
async def relay(tmp_path: FilePath, before: list[Any]) -> AsyncIterator[RelayAddress]:
    async with serving(RelaySettings(directory=tmp_path)) as (address, _):
        yield address


async def test_a_chunked_body_that_states_a_small_length_is_bounded_too(
    relay: RelayAddress,
) -> None:
    """What a request states and what comes are two things where it is chunked, too."""
    async with Client(relay) as client:
        head = f"POST {Path.CREATE} HTTP/1.1\r\nhost: relay\r\ncontent-length: 5"
        client.writer.write(head.encode() + b"\r\ntransfer-encoding: chunked\r\n\r\n")
        client.writer.write(b"f0000\r\n" + bytes(0xF0000) + b"\r\n")  # and its end never comes
        async with asyncio.timeout(5):
            status, _ = await client.head()
        assert status in {400, 413}


async def test_whoever_breaks_off_leaves_nothing_behind(
    relay: RelayAddress, rng: random.Random, before: list[Any]
) -> None:
    mine = await created(relay, rng)
    whole = appending(mine, rng.randbytes(4096))

    async def break_off(number: int) -> None:
        chance = random.Random(number)
        async with Client(relay) as client:
            path, body = chance.choice(
                [(Path.APPEND, whole), (Path.RECEIVE, receiving(mine)), (Path.CREATE, b"x" * 99)]
            )
            size = chance.choice([0, 1, len(body) // 2, len(body)])
            head = f"POST {path} HTTP/1.1\r\nhost: relay\r\ncontent-length: {len(body)}\r\n\r\n"
            client.writer.write(head.encode() + body[:size])
            await asyncio.sleep(chance.choice([0, 0.001, 0.02]))
            client.writer.transport.abort()

    for start in range(0, 60, 20):
        await asyncio.gather(
            *(break_off(number) for number in range(start, start + 20)), return_exceptions=True
        )
    handlers, clients, runs = (made_since(before, each) for each in (Handlers, Clients, Runs))
    async with asyncio.timeout(PATIENCE / 2):
        while (  # noqa: ASYNC110 - nobody tells
            handlers._under_way or clients._under_way or clients._held or len(runs)
        ):
            await asyncio.sleep(0.05)
    assert handlers._ahead.total == 0
    assert not handlers._streams
    assert (await ask(relay, "POST", Path.APPEND, whole))[0] == 200
