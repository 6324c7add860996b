"""What lies in mailboxes and what comes to them is sent once, in order, whatever else happens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay.limits import Limits
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.relay.streams import Ahead, ReceiveStream
from exile_tui.wire.relay import CaughtUp, EnvelopeFrame, FrameDecoder, Heartbeat, RefusedFrame
from tests.unit.relay.support import Box, SettableClock, box, open_engine

LIMITS = Limits(fetch_bytes=20_480, unacknowledged_bytes=60_000)


class Reader:
    """A client: what it was sent, and how fast it takes more."""

    def __init__(self, engine: SqliteEngine, boxes: list[Box], limits: Limits = LIMITS) -> None:
        self.engine = engine
        self.fetches = 0
        self.frames: list[Any] = []
        self.open = asyncio.Event()
        self.open.set()
        self._more = asyncio.Event()
        self._decoder = FrameDecoder()
        self.stream = ReceiveStream(
            self, [(each.id, each.receive_token) for each in boxes], limits, Ahead()
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def submit(self, operation: Any) -> Any:
        self.fetches += isinstance(operation, ops.Fetch)
        return self.engine.submit(operation)

    async def send(self, data: bytes) -> None:
        await self.open.wait()
        self.frames += self._decoder.feed(data)
        self._more.set()

    async def until(self, kind: type[Any], count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.of(kind)) < count:
                self._more.clear()
                await self._more.wait()

    def of(self, kind: type[Any]) -> list[Any]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def envelopes(self, index: int) -> list[bytes]:
        return [each.envelope for each in self.of(EnvelopeFrame) if each.index == index]


@asynccontextmanager
async def reading(reader: Reader) -> AsyncIterator[Reader]:
    running = asyncio.create_task(reader.stream.run(reader.send))
    try:
        yield reader
    finally:
        reader.open.set()
        reader.stream.stop()
        async with asyncio.timeout(30):
            await running


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20261123)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    opened = await open_engine(tmp_path, SettableClock())
    yield opened
    await opened.close()


async def created(engine: SqliteEngine, rng: random.Random, count: int) -> list[Box]:
    boxes = [box(rng) for _ in range(count)]
    for each in boxes:
        await engine.submit(ops.CreateMailbox(each.id, each.receive_hash, each.send_hash, None))
    return boxes


async def append(engine: SqliteEngine, mailbox: Box, *envelopes: bytes) -> None:
    await engine.submit(ops.Append(mailbox.id, mailbox.send_hash, envelopes))


async def acknowledge(engine: SqliteEngine, mailbox: Box, *seqs: int) -> None:
    await engine.submit(ops.Acknowledge(mailbox.id, mailbox.receive_hash, seqs))


async def test_what_comes_to_a_mailbox_that_was_read_needs_no_fetch(
    engine: SqliteEngine, rng: random.Random
) -> None:
    (mine,) = await created(engine, rng, 1)
    envelopes = [rng.randbytes(4096) for _ in range(5)]
    await append(engine, mine, envelopes[0])
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(CaughtUp, 1)
        before = reader.fetches
        for number, envelope in enumerate(envelopes[1:], 2):
            await append(engine, mine, envelope)
            await reader.until(EnvelopeFrame, number)
        assert reader.fetches == before
    assert reader.envelopes(0) == envelopes
    seqs = [frame.seq for frame in reader.of(EnvelopeFrame)]
    assert seqs == list(range(seqs[0], seqs[0] + 5))
    assert engine.activity().envelopes["delivered"] == 5


async def test_of_news_no_more_is_kept_than_a_fetch_has(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine = await created(engine, rng, 3)
    envelopes = [[rng.randbytes(4096) for _ in range(10)] for _ in mine]
    limits = Limits(fetch_bytes=20_480)
    async with reading(Reader(engine, mine, limits)) as reader:
        await reader.until(CaughtUp, 3)
        reader.open.clear()
        for number in range(10):
            for each, those in zip(mine, envelopes, strict=True):
                await append(engine, each, those[number])
                assert reader.stream._news <= limits.fetch_bytes
        kept = sum(len(one) for box in reader.stream._opened for _, one in box.news)
        assert kept <= limits.fetch_bytes
        reader.open.set()
        await reader.until(EnvelopeFrame, 30)
    assert [reader.envelopes(index) for index in range(3)] == envelopes
    assert not reader.stream._news


async def test_a_mailbox_that_is_deleted_or_made_again_is_looked_at_anew(
    engine: SqliteEngine, rng: random.Random
) -> None:
    (mine,) = await created(engine, rng, 1)
    first, second = rng.randbytes(4096), rng.randbytes(4096)
    make = ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash, None)
    delete = ops.DeleteMailbox(mine.id, mine.receive_hash)
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(CaughtUp, 1)
        before, after = (ops.Append(mine.id, mine.send_hash, [each]) for each in (first, second))
        submitted = [engine.submit(each) for each in (before, delete, make, after)]  # together
        await asyncio.gather(*submitted)
        await reader.until(EnvelopeFrame, 1)
        assert reader.envelopes(0) == [second]
        await engine.submit(delete)
        await reader.until(RefusedFrame, 1)


async def test_whoever_is_held_back_fetches_what_came_meanwhile(
    engine: SqliteEngine, rng: random.Random
) -> None:
    (mine,) = await created(engine, rng, 1)
    envelopes = [rng.randbytes(4096) for _ in range(40)]
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(CaughtUp, 1)
        for number, envelope in enumerate(envelopes):
            await append(engine, mine, envelope)
            if number == 20:
                await reader.until(EnvelopeFrame, 15)
                assert len(reader.of(EnvelopeFrame)) < 20
        async with asyncio.timeout(30):
            while len(found := reader.of(EnvelopeFrame)) < 40:
                await acknowledge(engine, mine, *(frame.seq for frame in found))
                reader._more.clear()
                await reader._more.wait()
    assert reader.envelopes(0) == envelopes


@pytest.mark.parametrize("seed", range(12))
async def test_all_comes_once_and_in_order_whatever_else_happens(
    engine: SqliteEngine, seed: int
) -> None:
    chance = random.Random(seed)
    mine = await created(engine, chance, 4)
    sent: list[list[bytes]] = [[] for _ in mine]
    async with reading(Reader(engine, mine)) as reader:
        for _ in range(150):
            match chance.randrange(8):
                case 0:
                    reader.open.clear()
                case 1 | 2:
                    reader.open.set()
                case 3:
                    await asyncio.sleep(0)
                case 4:
                    for index, each in enumerate(mine):
                        seqs = [f.seq for f in reader.of(EnvelopeFrame) if f.index == index]
                        await acknowledge(engine, each, *seqs)
                case _:
                    some = []
                    for _ in range(chance.randrange(1, 4)):
                        index = chance.randrange(len(mine))
                        new = [chance.randbytes(4096) for _ in range(chance.randrange(1, 4))]
                        sent[index] += new
                        some.append(append(engine, mine[index], *new))
                    await asyncio.gather(*some)
        reader.open.set()
        async with asyncio.timeout(30):
            while len(reader.of(EnvelopeFrame)) < sum(map(len, sent)):
                for index, each in enumerate(mine):
                    seqs = [f.seq for f in reader.of(EnvelopeFrame) if f.index == index]
                    await acknowledge(engine, each, *seqs)
                reader._more.clear()
                if len(reader.of(EnvelopeFrame)) < sum(map(len, sent)):
                    await reader._more.wait()
    assert [reader.envelopes(index) for index in range(len(mine))] == sent


async def test_a_heartbeat_comes_after_each_silence_and_not_before(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine,) = await created(engine, rng, 1)
    now, timers, loop = 100.0, list[tuple[float, Any]](), asyncio.get_running_loop()

    class Loop:
        @staticmethod
        def time() -> float:
            return now

        @staticmethod
        def call_at(when: float, function: Any) -> asyncio.TimerHandle:
            timers.append((when, function))
            return loop.call_later(3600, function)

    reader = Reader(engine, [mine], Limits(heartbeat=20.0))
    monkeypatch.setattr(reader.stream, "_loop", Loop)
    monkeypatch.setattr(reader.stream, "_sent", now)

    def ring() -> None:
        when, function = timers.pop()
        assert not timers
        assert when <= now
        function()

    async with reading(reader):
        await reader.until(CaughtUp, 1)
        await asyncio.sleep(0)
        now = 115.0
        await append(engine, mine, rng.randbytes(4096))
        await reader.until(EnvelopeFrame, 1)
        now = 120.0
        ring()
        assert timers[0][0] == 135.0
        now = 135.0
        ring()
        await reader.until(Heartbeat, 1)
        assert len(reader.of(Heartbeat)) == 1
        await asyncio.sleep(0)
        assert timers[0][0] == 155.0
