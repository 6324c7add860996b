"""Who receives is sent what comes before it is durable; what is lost then harms nobody."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay import watchers
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.journal import Segment
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.relay import CaughtUp, EnvelopeFrame
from tests.unit.relay.support import Box, SettableClock, open_engine
from tests.unit.relay.test_streams import Reader, acknowledge, append, created, reading

quick = pytest.mark.parametrize("quick", [False, True], ids=["by the thread", "by the loop"])


class Disk:
    """The journal's disk: tells of each writing, and may fail."""

    def __init__(self, engine: SqliteEngine, patch: pytest.MonkeyPatch, *, quick: bool) -> None:
        self._write = Segment.write
        self._pace = engine._arrivals._pace
        self._quick = quick
        self.fails = False
        self.sent_before: list[int] = []
        self.reader: Reader | None = None
        patch.setattr(Segment, "write", lambda segment: self.write(segment))
        self.set_pace()

    def set_pace(self) -> None:
        """Have the loop write, or the thread."""
        for _ in range(1100):
            self._pace.note(0.0001 if self._quick else 1.0, 4096)
        assert self._pace.allows(4096) == self._quick

    def write(self, segment: Segment) -> None:
        if self.reader is not None:
            self.sent_before.append(len(self.reader.of(EnvelopeFrame)))
        if self.fails:
            raise OSError(errno.EIO, "it fails")
        self._write(segment)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20261125)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    opened = await open_engine(tmp_path, SettableClock())
    yield opened
    await opened.close()


async def fetch(engine: SqliteEngine, mine: Box) -> list[tuple[int, bytes]]:
    return await engine.submit(ops.Fetch(mine.id, mine.receive_hash, -1, 1 << 20)) or []


async def test_it_is_sent_before_the_loop_waits_for_the_disk(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine,) = await created(engine, rng, 1)
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(CaughtUp, 1)
        disk = Disk(engine, monkeypatch, quick=True)
        disk.reader = reader
        await append(engine, mine, rng.randbytes(4096))
        assert disk.sent_before == [1]


async def test_it_is_sent_while_a_thread_waits_for_the_disk(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine,) = await created(engine, rng, 1)
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(CaughtUp, 1)
        written = asyncio.Event()
        run = engine._thread.run

        async def slow(*arguments: object) -> object:
            await written.wait()
            return await run(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(engine._thread, "run", slow)
        appending = asyncio.ensure_future(append(engine, mine, rng.randbytes(4096)))
        try:
            await reader.until(EnvelopeFrame, 1)
            assert not appending.done()
        finally:
            written.set()
        await appending


@quick
async def test_what_was_sent_and_not_stored_comes_again_under_another_number(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    (mine,) = await created(engine, rng, 1)
    first, lost, other = (rng.randbytes(4096) for _ in range(3))
    await append(engine, mine, first)
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(EnvelopeFrame, 1)
        await reader.until(CaughtUp, 1)
        disk = Disk(engine, monkeypatch, quick=quick)
        disk.fails = True
        with pytest.raises(EngineUnavailable):
            await append(engine, mine, lost)
        await reader.until(EnvelopeFrame, 2)
        disk.fails = False
        await append(engine, mine, other, lost)
        await reader.until(EnvelopeFrame, 4)
        assert reader.envelopes(0) == [first, lost, other, lost]
        seqs = [frame.seq for frame in reader.of(EnvelopeFrame)]
        assert seqs == sorted(set(seqs))
        await acknowledge(engine, mine, seqs[1])  # of what is not there
        assert [body for _, body in await fetch(engine, mine)] == [first, other, lost]
        assert engine.activity().envelopes["acknowledged"] == 0


@quick
async def test_while_the_disk_fails_nothing_is_sent_again_and_again(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    (mine,) = await created(engine, rng, 1)
    envelope = rng.randbytes(4096)
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(CaughtUp, 1)
        disk = Disk(engine, monkeypatch, quick=quick)
        disk.fails = True
        for _ in range(5):
            with pytest.raises(EngineUnavailable):
                await append(engine, mine, envelope)
        await reader.until(EnvelopeFrame, 1)
        disk.fails = False
        await append(engine, mine, envelope)
        await reader.until(EnvelopeFrame, 2)
        assert reader.envelopes(0) == [envelope] * 2


@quick
async def test_a_disk_that_failed_is_trusted_again_after_a_while(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    monkeypatch.setattr(watchers, "_DOUBT", 3)
    (mine,) = await created(engine, rng, 1)
    disk = Disk(engine, monkeypatch, quick=quick)
    told: list[bool] = []

    def wake(news: ops.News) -> bool:
        told.append(engine._watchers.early and bool(engine._arrivals.pending))
        return False

    engine.watch(mine.id, wake)
    disk.fails = True
    with pytest.raises(EngineUnavailable):
        await append(engine, mine, rng.randbytes(4096))
    disk.fails = False
    for _ in range(5):
        await engine.submit(ops.Probe())  # which says nothing about the journal
        await append(engine, mine, rng.randbytes(4096))
    assert told == [True, False, False, False, True, True]


async def test_numbers_that_a_crash_lost_are_not_given_again(
    tmp_path: Path, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, SettableClock())
    (mine,) = await created(engine, rng, 1)
    await append(engine, mine, rng.randbytes(4096))
    told: list[int] = []

    def wake(news: ops.News) -> bool:
        told.extend(seq for seq, _ in news)
        return True

    engine.watch(mine.id, wake)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Segment, "write", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "")))
        with pytest.raises(EngineUnavailable):
            await append(engine, mine, *(rng.randbytes(4096) for _ in range(20)))
    assert len(told) == 20
    await engine.close()
    engine = await open_engine(tmp_path, SettableClock())
    await append(engine, mine, *(rng.randbytes(4096) for _ in range(20)))
    given = [seq for seq, _ in await fetch(engine, mine)]
    assert given == sorted(given)
    assert not set(given) & set(told)
    await acknowledge(engine, mine, *told)
    assert len(await fetch(engine, mine)) == 21
    await engine.close()
