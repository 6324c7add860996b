"""The journal where power, disk or directory fail at the worst moment."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from exile_tui.relay import arrivals, maintaining, settling, sqlite
from exile_tui.relay import engine as ops
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.replay import journal_files
from exile_tui.relay.schema import DamagedDatabase
from exile_tui.relay.snapshot import look_into
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import Box, SettableClock, box, open_engine, raw_files

FULL = sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(21)


async def create(engine: SqliteEngine, mailbox: Box) -> None:
    creation = ops.CreateMailbox(mailbox.id, mailbox.receive_hash, mailbox.send_hash)
    assert await engine.submit(creation)


async def post(engine: SqliteEngine, mailbox: Box, bodies: Iterable[bytes]) -> None:
    verdicts = await engine.submit(ops.Append(mailbox.id, mailbox.send_hash, list(bodies)))
    assert set(verdicts) == {Verdict.STORED}


async def fetch(engine: SqliteEngine, mailbox: Box) -> list[tuple[int, bytes]]:
    found = await engine.submit(ops.Fetch(mailbox.id, mailbox.receive_hash, -1, 1 << 24))
    assert found is not None
    return found


async def acknowledge(engine: SqliteEngine, mailbox: Box, seqs: Iterable[int]) -> None:
    assert await engine.submit(ops.Acknowledge(mailbox.id, mailbox.receive_hash, list(seqs)))


def fail(*_: object, **__: object) -> None:
    raise FULL


def copy_of(directory: Path) -> Path:
    """Return a directory with what a kill would leave now."""
    copy = directory / "copy"
    copy.mkdir()
    for path in directory.glob("relay.db*"):
        shutil.copy(path, copy)
    return copy


def blank(directory: Path, body: bytes, size: int) -> None:
    """Overwrite the beginning of a body in the journal."""
    ((_, journal),) = journal_files(directory / "relay.db")
    data = journal.read_bytes()
    at = data.index(body)
    journal.write_bytes(data[:at] + bytes(size) + data[at + size :])


async def wipe_without_room(engine: SqliteEngine) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine._envelopes, "settle", fail)
        with pytest.raises(sqlite3.OperationalError):
            await engine.wipe()


@pytest.mark.parametrize("blanked", [100, 4095, 4096])
async def test_power_that_goes_while_a_body_is_blanked_loses_nothing_behind_it(
    tmp_path: Path, clock: SettableClock, rng: random.Random, blanked: int
) -> None:
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(3)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies)
    found = await fetch(engine, mailbox)
    await acknowledge(engine, mailbox, [found[1][0]])
    killed = copy_of(tmp_path)
    await engine.close()
    blank(killed, bodies[1], blanked)
    again = await open_engine(killed, clock)
    assert await fetch(again, mailbox) == [found[0], found[2]]
    await again.close()


@pytest.mark.parametrize("blanked", [100, 4096])
async def test_of_a_batch_that_a_crash_tore_nothing_is_left_behind_the_tear(
    tmp_path: Path, clock: SettableClock, rng: random.Random, blanked: int
) -> None:
    """Or else what is sent again would come in another order."""
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(3)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies)
    killed = copy_of(tmp_path)
    await engine.close()
    blank(killed, bodies[1], blanked)
    again = await open_engine(killed, clock)
    await post(again, mailbox, bodies)
    assert [body for _, body in await fetch(again, mailbox)] == bodies
    await again.close()


@pytest.mark.parametrize("count", [1, 2])
async def test_what_could_not_be_taken_back_is_before_anything_is_moved(
    tmp_path: Path,
    clock: SettableClock,
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(2)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies[:1])
    await engine.wipe()
    await post(engine, mailbox, bodies[1:])
    found = await fetch(engine, mailbox)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_store", fail)
        patch.setattr(engine._slots, "reload", fail)
        with pytest.raises(EngineUnavailable):
            await acknowledge(engine, mailbox, [seq for seq, _ in found[:count]])
    await engine.wipe()
    assert await fetch(engine, mailbox) == found
    await engine.close()


async def test_a_file_that_can_not_be_deleted_is_emptied(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows that is one that somebody reads just now."""

    def held(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError

    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(3)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies[:1])
    await acknowledge(engine, mailbox, [seq for seq, _ in await fetch(engine, mailbox)])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", held)
        await engine.wipe()
    assert bodies[0] not in raw_files(tmp_path)
    for body in bodies[1:]:
        await post(engine, mailbox, [body])
        await engine.wipe()
    await engine.close()
    again = await open_engine(tmp_path, clock)
    assert [body for _, body in await fetch(again, mailbox)] == bodies[1:]
    await again.close()
    assert not journal_files(tmp_path / "relay.db")


async def test_no_more_comes_in_than_leaves(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "SEGMENT", 20_000)
    monkeypatch.setattr(sqlite, "BACKLOG", 100_000)
    monkeypatch.setattr(settling, "SETTLE", 2)
    mailbox = box(rng)
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    for _ in range(20):
        await post(engine, mailbox, [rng.randbytes(4096) for _ in range(6)])
        assert engine._arrivals.size < 100_000 + 8 * 4096
    await engine.close()


async def test_while_the_disk_is_full_the_files_do_not_get_more(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    mailbox = box(rng)
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    for _ in range(4):
        body = rng.randbytes(4096)
        await post(engine, mailbox, [body])
        await acknowledge(engine, mailbox, [seq for seq, _ in await fetch(engine, mailbox)])
        await wipe_without_room(engine)
        assert body not in raw_files(tmp_path)
    assert len(journal_files(tmp_path / "relay.db")) <= 2
    await engine.close()


async def test_what_was_moved_and_then_acknowledged_leaves_a_full_disk_too(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "SETTLE", 2)
    monkeypatch.setattr(settling, "_MOST", 1)
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(3)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies)
    engine._arrivals.close_current()
    engine._settle()
    await acknowledge(engine, mailbox, [(await fetch(engine, mailbox))[0][0]])
    await wipe_without_room(engine)
    assert bodies[0] not in raw_files(tmp_path)
    assert [body for _, body in await fetch(engine, mailbox)] == bodies[1:]
    await engine.close()


async def test_where_nothing_can_be_swept_deleted_bytes_leave_the_files_still(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(engine: object) -> None:
        raise EngineUnavailable

    wiped = asyncio.Event()

    async def wipe(engine: SqliteEngine) -> None:
        wiped.set()

    engine = await open_engine(tmp_path, clock)
    monkeypatch.setattr(maintaining, "sweep_all", fails)
    monkeypatch.setattr(SqliteEngine, "wipe", wipe)
    task = asyncio.create_task(maintaining.maintain(engine, clock, 0.001, 0.001))
    await asyncio.wait_for(wiped.wait(), 10)
    task.cancel()
    monkeypatch.undo()
    await engine.close()


async def test_a_foreign_file_in_the_journals_place_is_named(
    tmp_path: Path, clock: SettableClock
) -> None:
    await (await open_engine(tmp_path, clock)).close()
    foreign = tmp_path / "relay.db-journal-1"
    foreign.write_bytes(b"something else")
    with pytest.raises(DamagedDatabase) as caught:
        await open_engine(tmp_path, clock)
    assert str(foreign) in str(caught.value)
    with pytest.raises(DamagedDatabase) as caught:
        look_into(tmp_path / "relay.db", repr)
    assert str(foreign) in str(caught.value)
    assert foreign.read_bytes() == b"something else"


async def test_a_mailbox_that_was_moved_in_part_loses_nothing_in_a_kill(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was moved is below the number that says so."""
    monkeypatch.setattr(settling, "SETTLE", 3)
    monkeypatch.setattr(settling, "_MOST", 1)
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(5)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies)
    found = await fetch(engine, mailbox)
    settle, copies = engine._settle, list[Path]()

    def part() -> None:
        settle()
        copies.append(copy_of(tmp_path).rename(tmp_path / f"copy{len(copies)}"))

    monkeypatch.setattr(engine, "_settle", part)
    await engine.wipe()
    await engine.close()
    assert len(copies) >= 3
    for killed in copies:
        again = await open_engine(killed, clock)
        assert await fetch(again, mailbox) == found
        await again.close()


async def test_a_relay_that_rests_writes_nothing(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = box(rng)
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, [rng.randbytes(4096)])
    wiped, wipe = [0], engine._wiping.wipe

    def counted() -> bool:
        wiped[0] += 1
        return wipe()

    monkeypatch.setattr(engine._wiping, "wipe", counted)
    for _ in range(3):
        await engine.wipe()
        assert not journal_files(tmp_path / "relay.db")
        assert wiped == [1]
    await engine.close()


async def test_what_fills_up_is_moved_before_it_is_full(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "SEGMENT", 20_000)
    monkeypatch.setattr(sqlite, "BACKLOG", 200_000)
    monkeypatch.setattr(settling, "SETTLE", 2)
    boxes = [box(rng) for _ in range(3)]
    engine = await open_engine(tmp_path, clock)
    settle, moved = engine._settle, list[int]()

    def noted() -> None:
        moved.append(engine._arrivals.size)
        settle()

    monkeypatch.setattr(engine, "_settle", noted)
    for mailbox in boxes:
        await create(engine, mailbox)
        for _ in range(20):
            await post(engine, mailbox, [rng.randbytes(4096) for _ in range(4)])
    assert len(moved) >= 20
    assert all(150_000 < size < 200_000 for size in moved)
    await engine.close()


async def test_a_long_journal_is_moved_while_the_relay_serves(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(5)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies)
    await acknowledge(engine, mailbox, [(await fetch(engine, mailbox))[0][0]])
    killed = copy_of(tmp_path)
    await engine.close()
    wiped, wipe = asyncio.Event(), SqliteEngine.wipe

    async def noted(engine: SqliteEngine) -> None:
        await wipe(engine)
        wiped.set()

    monkeypatch.setattr(SqliteEngine, "wipe", noted)
    monkeypatch.setattr(sqlite, "_WAITED_FOR", 0)
    again = await open_engine(killed, clock)
    assert journal_files(killed / "relay.db")  # it serves already
    assert bodies[0] in raw_files(killed)
    assert [body for _, body in await fetch(again, mailbox)] == bodies[1:]
    await asyncio.wait_for(wiped.wait(), 30)
    assert bodies[0] not in raw_files(killed)
    await post(again, mailbox, bodies[:1])
    assert [body for _, body in await fetch(again, mailbox)] == [*bodies[1:], bodies[0]]
    await again.close()
