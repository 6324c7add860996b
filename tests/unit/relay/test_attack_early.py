"""What is handed out before the disk has it wastes nothing, and is told truly."""

from __future__ import annotations

import asyncio
import errno
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay import sqlite
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.journal import Segment
from exile_tui.relay.limits import Limits
from exile_tui.relay.snapshot import Found, look_into
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.relay import CaughtUp
from tests.unit.relay.support import SettableClock, open_engine
from tests.unit.relay.test_early_news import Disk, fetch
from tests.unit.relay.test_streams import Reader, append, created, reading


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20261126)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    opened = await open_engine(tmp_path, SettableClock())
    yield opened
    await opened.close()


@pytest.mark.parametrize("between", ["probe", "another mailbox is made"])
async def test_a_journal_that_takes_nothing_beside_a_database_that_does_sends_nothing_twice(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    """A quota, or a limit of a file's size: free bytes are told, the journal can't grow."""
    mine, other = await created(engine, rng, 2)
    envelope = rng.randbytes(4096)
    async with reading(Reader(engine, [mine])) as reader:
        await reader.until(CaughtUp, 1)
        write = Segment.write

        def no_longer(segment: Segment) -> None:
            if segment.pending:
                raise OSError(errno.EDQUOT, "quota")
            write(segment)

        monkeypatch.setattr(Segment, "write", no_longer)
        for _ in range(5):  # a sender tries again
            with pytest.raises(EngineUnavailable):
                await append(engine, mine, envelope)
            if between == "probe":  # who asks `/ready`, each second
                await engine.submit(ops.Probe())
            else:
                await engine.submit(ops.DeleteMailbox(other.id, other.receive_hash))
                await engine.submit(
                    ops.CreateMailbox(other.id, other.receive_hash, other.send_hash)
                )
            for _ in range(5):
                await asyncio.sleep(0)
        monkeypatch.undo()
        assert len(reader.envelopes(0)) <= 1


async def test_who_is_sent_what_is_lost_and_reads_nothing_is_held_back(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server holds in memory for a client is bounded by what it has not acknowledged."""
    (mine,) = await created(engine, rng, 1)
    limits = Limits(fetch_bytes=20_480, unacknowledged_bytes=8192)
    async with reading(Reader(engine, [mine], limits)) as reader:
        await reader.until(CaughtUp, 1)
        disk = Disk(engine, monkeypatch, quick=False)
        for _ in range(20):  # a disk that fails now and then
            disk.fails = True
            with pytest.raises(EngineUnavailable):
                await append(engine, mine, *(rng.randbytes(4096) for _ in range(3)))
            disk.fails = False
            await engine.submit(ops.Probe())
            for _ in range(20):
                await asyncio.sleep(0)
        monkeypatch.undo()
        assert (
            sum(map(len, reader.envelopes(0))) <= limits.unacknowledged_bytes + limits.fetch_bytes
        )


async def test_the_seconds_of_a_commit_are_the_disks(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`exile_relay_commit_seconds`: "Time that the disk took for a commit"."""
    (mine,) = await created(engine, rng, 1)
    reader = Reader(engine, [mine])
    send, now = reader.send, [0.0]

    async def slow(data: bytes) -> None:
        now[0] += 5.0  # this turn of the loop took so long: sending, and whatever else came
        await send(data)

    reader.send = slow  # type: ignore[method-assign]
    async with reading(reader):
        await reader.until(CaughtUp, 1)
        Disk(engine, monkeypatch, quick=True)
        monkeypatch.setattr(sqlite, "time", SimpleNamespace(perf_counter=lambda: now[0]))
        before = engine.activity().commits.seconds
        await append(engine, mine, rng.randbytes(4096))
        assert engine.activity().commits.seconds == before


async def test_of_a_batch_that_was_not_stored_nothing_is_disclosed(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (mine,) = await created(engine, rng, 1)
    disk = Disk(engine, monkeypatch, quick=False)
    disk.fails = True
    with pytest.raises(EngineUnavailable):
        await append(engine, mine, rng.randbytes(4096))
    disk.fails = False
    told = await engine.submit(ops.Disclose(mine.id, mine.receive_hash))
    assert told is not None

    def highest(found: Found) -> int:
        ((stored,),) = found.database.execute("SELECT next_seq FROM mailboxes").fetchall()
        return max([int(stored), *(record.seq + 1 for record in found.journal)])

    assert told["next_seq"] == look_into(tmp_path / "relay.db", highest)


async def test_of_a_mailbox_made_anew_nothing_is_skipped_because_of_a_gap(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number in a gap was not given in this life of the mailbox."""
    given = {60: 5000, 38: 2000}
    monkeypatch.setattr(secrets, "randbits", lambda bits: given[bits])
    (mine,) = await created(engine, rng, 1)
    await append(engine, mine, rng.randbytes(4096))
    ((after, _),) = await fetch(engine, mine)
    assert await engine.submit(ops.DeleteMailbox(mine.id, mine.receive_hash))
    given[60] = 4000
    await engine.submit(ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash))
    await append(engine, mine, rng.randbytes(4096))
    ((seq, body),) = await fetch(engine, mine)
    assert seq < after, "as seldom happens"
    engine._mailboxes._rows.clear()  # as after a rewriting
    found = await engine.submit(ops.Fetch(mine.id, mine.receive_hash, after, 1 << 20))
    assert found == [(seq, body)]
