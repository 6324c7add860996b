"""What was handed to a stream and not sent yet is not sent once it was deleted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay.limits import Limits
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.relay import CaughtUp, EnvelopeFrame, RefusedFrame
from tests.unit.relay.support import Box, SettableClock, open_engine
from tests.unit.relay.test_streams import Reader, acknowledge, append, created, reading

LIMITS = Limits(fetch_bytes=40_960, unacknowledged_bytes=8192)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20261124)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    opened = await open_engine(tmp_path, SettableClock())
    yield opened
    await opened.close()


async def _held_back(
    engine: SqliteEngine, reader: Reader, mine: list[Box], rng: random.Random
) -> bytes:
    """Let a stream wait for acknowledgements while it holds one envelope of the second mailbox."""
    await reader.until(CaughtUp, 2)
    second = rng.randbytes(4096)
    await asyncio.gather(
        append(engine, mine[0], *(rng.randbytes(4096) for _ in range(4))),
        append(engine, mine[1], second),
    )
    await reader.until(EnvelopeFrame, 4)
    assert reader.envelopes(1) == []
    return second


async def test_of_a_mailbox_that_was_deleted_nothing_is_sent_any_more(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine = await created(engine, rng, 2)
    async with reading(Reader(engine, mine, LIMITS)) as reader:
        await _held_back(engine, reader, mine, rng)
        assert await engine.submit(ops.DeleteMailbox(mine[1].id, mine[1].receive_hash))
        await acknowledge(engine, mine[0], *(frame.seq for frame in reader.of(EnvelopeFrame)))
        await reader.until(RefusedFrame, 1)
        assert reader.envelopes(1) == []


async def test_what_another_device_acknowledged_is_not_sent_any_more(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine = await created(engine, rng, 2)
    async with reading(Reader(engine, mine, LIMITS)) as reader:
        await _held_back(engine, reader, mine, rng)
        async with reading(Reader(engine, [mine[1]])) as other:
            await other.until(EnvelopeFrame, 1)
            await acknowledge(engine, mine[1], other.of(EnvelopeFrame)[0].seq)
        await acknowledge(engine, mine[0], *(frame.seq for frame in reader.of(EnvelopeFrame)))
        third = rng.randbytes(4096)
        await append(engine, mine[1], third)
        async with asyncio.timeout(30):
            while third not in reader.envelopes(1):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
        assert reader.envelopes(1) == [third]
