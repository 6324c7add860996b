"""Attacks on files of the journal that stay."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay import journal, room, schema, settling, sqlite, staying
from exile_tui.relay.envelopes import Envelopes
from exile_tui.relay.journal import Segment
from exile_tui.relay.limits import Limits
from exile_tui.relay.operator import rows_about
from exile_tui.relay.replay import journal_files
from exile_tui.relay.slots import Slots
from exile_tui.relay.snapshot import Found, look_into
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.encoding import decode_base64url
from tests.unit.relay.support import SettableClock, box, open_engine, raw_files
from tests.unit.relay.test_attack_journal import acknowledge, create, fail, fetch, post


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(2026)


@pytest.fixture(autouse=True)
def _stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staying, "LEAST", 8192)


def copy(directory: Path, name: str) -> Path:
    """Return a directory with what a kill would leave now."""
    there = directory.parent / name
    there.mkdir()
    for path in directory.glob("relay.db*"):
        shutil.copy(path, there)
    return there


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def bodies_of(found: list[tuple[int, bytes]]) -> list[bytes]:
    return [body for _, body in found]


# dead bytes that neither the index nor `deleted` knows, in a file that had its key at the start


async def test_what_a_torn_batch_left_leaves_a_file_that_stays(
    home: Path, clock: SettableClock, rng: random.Random
) -> None:
    """A torn batch's bodies; the sender tries again, and the receiver acknowledges."""
    mine, bodies, torn = box(rng), [rng.randbytes(4096) for _ in range(6)], rng.randbytes(4096)
    engine = await open_engine(home, clock)
    await create(engine, mine)
    await post(engine, mine, bodies)
    await post(engine, mine, [torn])
    end = engine._arrivals._current.file._kept  # type: ignore[union-attr]
    killed = copy(home, "killed")
    await engine.close()
    ((_, path),) = journal_files(killed / "relay.db")
    data = bytearray(path.read_bytes())
    data[end - 16 : end] = bytes(16)  # the power went: the last sector of the batch is missing
    path.write_bytes(data)

    again = await open_engine(killed, clock)
    assert bodies_of(await fetch(again, mine)) == bodies
    await post(again, mine, [torn])
    found = await fetch(again, mine)
    await acknowledge(again, mine, [found[-1][0]])
    for _ in range(3):
        await again.wipe()
    raw = raw_files(killed)
    await again.close()
    assert len(again._arrivals.staying) == 0
    assert torn[64:128] not in raw


async def test_what_a_failed_batch_left_leaves_a_file_that_stays(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any crash: writing fails behind the bytes, and so does cutting them off."""
    mine, bodies, torn = box(rng), [rng.randbytes(4096) for _ in range(6)], rng.randbytes(4096)
    engine = await open_engine(home, clock)
    await create(engine, mine)
    await post(engine, mine, bodies)
    real = Segment.write

    def written(self: Segment) -> None:
        real(self)
        raise OSError(5, "fdatasync")

    def stays(*_: object) -> None:
        raise OSError(5, "ftruncate")

    with monkeypatch.context() as patch:
        patch.setattr(Segment, "write", written)
        patch.setattr(os, "ftruncate", stays)
        with pytest.raises(sqlite.EngineUnavailable):
            await post(engine, mine, [torn])
    await engine.wipe()
    await post(engine, mine, [torn])
    await acknowledge(engine, mine, [(await fetch(engine, mine))[-1][0]])
    for _ in range(3):
        await engine.wipe()
    raw = raw_files(home)
    await engine.close()
    assert torn[64:128] not in raw


# after a restart on a full disk


@pytest.mark.parametrize("closed", [False, True])
async def test_on_a_full_disk_what_was_deleted_before_a_restart_is_blanked(
    home: Path,
    clock: SettableClock,
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    closed: bool,
) -> None:
    mine, bodies = box(rng), [rng.randbytes(4096) for _ in range(9)]
    engine = await open_engine(home, clock)
    await create(engine, mine)
    await post(engine, mine, bodies)
    await engine.wipe()
    assert len(engine._arrivals.staying) == 1
    found = await fetch(engine, mine)
    await acknowledge(engine, mine, [seq for seq, _ in (found[:1] if closed else found[1:])])
    if closed:
        await post(engine, mine, [rng.randbytes(4096)])
    killed = copy(home, "killed")
    await engine.close()
    gone = bodies[0] if closed else bodies[5]

    monkeypatch.setattr(Slots, "take", fail)  # no room in the database
    if closed:
        monkeypatch.setattr(Envelopes, "settle", fail)
    again = await open_engine(killed, clock)
    for _ in range(3):
        with contextlib.suppress(sqlite3.OperationalError):
            await again.wipe()
    raw = raw_files(killed)
    left = await fetch(again, mine)
    monkeypatch.undo()
    await again.close()
    assert len(left) == (9 if closed else 1)
    assert gone[64:128] not in raw


# kill -9, and then power: what the second process reads may not be on the disk


async def test_what_a_killed_relay_wrote_is_durable_before_it_is_relied_on(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else a loss of power soon after takes the rows of a file whose records are forgotten."""
    mine, bodies = box(rng), [rng.randbytes(4096) for _ in range(6)]
    engine = await open_engine(home, clock)
    await create(engine, mine)
    await post(engine, mine, bodies)
    await engine._thread.run(engine._arrivals.close_current)
    with monkeypatch.context() as patch:
        patch.setattr(engine._arrivals, "settled", fail)
        with contextlib.suppress(sqlite3.OperationalError):
            await engine._thread.run(engine._settle)
    killed = copy(home, "killed")
    await engine.close()

    durable = set[str]()
    synchronise = schema._synchronise

    def synchronised(path: Path, flags: int = 0) -> None:
        synchronise(path, flags)
        durable.add(path.name)

    opened, settle = Segment.open, SqliteEngine._settle

    def open_segment(path: Path) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(journal, "_synchronise", lambda _: durable.add(path.name))
            return opened(path)

    def settled(self: SqliteEngine) -> None:
        assert durable == {"relay.db", "relay.db-wal", "relay.db-journal-1"}
        settle(self)

    monkeypatch.setattr(schema, "_synchronise", synchronised)
    monkeypatch.setattr(Segment, "open", open_segment)
    monkeypatch.setattr(SqliteEngine, "_settle", settled)
    again = await open_engine(killed, clock)
    assert len(again._arrivals.staying) == 1
    assert bodies_of(await fetch(again, mine)) == bodies
    await again.close()


# very many files


async def test_of_very_many_files_few_are_held_open(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staying, "_OPEN", 4)
    mine = box(rng)
    engine = await open_engine(home, clock)
    await create(engine, mine)
    for _ in range(20):
        await post(engine, mine, [rng.randbytes(4096) for _ in range(3)])
        await engine.wipe()
    assert len(engine._arrivals.staying) == 20
    found = await fetch(engine, mine)
    await engine.close()
    opened = len(os.listdir("/proc/self/fd"))
    again = await open_engine(home, clock)
    assert len(os.listdir("/proc/self/fd")) < opened + 12
    assert await fetch(again, mine) == found
    await acknowledge(again, mine, [seq for seq, _ in found[::2]])
    await again.wipe()
    raw = raw_files(home)
    assert [body in raw for _, body in found] == [False, True] * 30
    await again.close()
    assert len(os.listdir("/proc/self/fd")) == opened


# a long tidying


async def test_while_much_is_gathered_what_is_deleted_leaves_the_files(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settling that is late blanks in between; gathering that is late does not."""
    mine, other = box(rng), box(rng)
    engine = await open_engine(home, clock)
    await create(engine, mine)
    await create(engine, other)
    await post(engine, other, [rng.randbytes(4096) for _ in range(9)])
    await engine.wipe()  # stays
    for _ in range(10):
        await post(engine, mine, [rng.randbytes(4096) for _ in range(9)])
        await engine.wipe()
    assert len(engine._arrivals.staying) == 11
    found = await fetch(engine, mine)
    await acknowledge(engine, mine, [seq for at, (seq, _) in enumerate(found) if at % 9])
    gone = (await fetch(engine, other))[0]
    await acknowledge(engine, other, [gone[0]])
    monkeypatch.setattr(sqlite, "_LATE_S", 0.0)  # as in test_attack_late.be_late
    tidy, left = engine._tidy, list[bool]()

    def noted() -> bool:
        left.append(gone[1][64:128] in raw_files(home))
        return tidy()

    monkeypatch.setattr(engine, "_tidy", noted)
    await engine.wipe()
    await engine.close()
    assert len(left) > 5
    assert not any(left[2:])


async def test_what_was_deleted_is_overwritten_in_parts(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that was acknowledged in 20 s, in one turn: 300 MB took 1.5 s on a fast disk."""
    mine = box(rng)
    engine = await open_engine(home, clock)
    await create(engine, mine)
    for _ in range(12):
        await post(engine, mine, [rng.randbytes(4096) for _ in range(8)])
        await engine.wipe()
    assert len(engine._arrivals.staying) == 12
    found = await fetch(engine, mine)
    await acknowledge(engine, mine, [seq for seq, _ in found[::2]])
    tidy, blank, files = engine._tidy, Segment.blank, [0]

    def part() -> bool:
        files.append(0)
        return tidy()

    def counted(self: Segment, bodies: Any) -> None:
        files[-1] += 1
        blank(self, bodies)

    monkeypatch.setattr(engine, "_tidy", part)
    monkeypatch.setattr(Segment, "blank", counted)
    await engine.wipe()
    await engine.close()
    assert sum(files) == 12
    assert max(files) <= 4


async def test_a_start_does_not_wait_for_all_that_stays(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`_WAITED_FOR` bounds what a start waits for; each file that stays is read from disk in it."""
    mine = box(rng)
    engine = await open_engine(home, clock)
    await create(engine, mine)
    for _ in range(12):
        await post(engine, mine, [rng.randbytes(4096) for _ in range(8)])
        await engine.wipe()
    killed = copy(home, "killed")
    await engine.close()
    monkeypatch.setattr(sqlite, "_WAITED_FOR", 65_536)
    real, looked = Segment.blank_all_but, list[Segment]()

    def blank_all_but(self: Segment, bodies: Any) -> None:
        looked.append(self)
        real(self, bodies)

    monkeypatch.setattr(Segment, "blank_all_but", blank_all_but)
    again = await open_engine(killed, clock)
    before = len(looked)
    await again.close()
    assert before <= 2


async def test_room_that_was_given_back_is_taken_again(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies in the database were: its free slots count, and are used again."""

    def usage(_: object) -> SimpleNamespace:
        used = sum(path.stat().st_blocks * 512 for path in home.glob("relay.db*"))
        return SimpleNamespace(free=8_000_000 - used)

    monkeypatch.setattr(room.shutil, "disk_usage", usage)
    engine = await open_engine(home, clock, Limits(disk_reserve=2_000_000))
    boxes = list[Any]()

    async def fill() -> None:
        for _ in range(2000):
            boxes.append(box(rng))
            await create(engine, boxes[-1])
            for _ in range(4):
                await post(engine, boxes[-1], [rng.randbytes(4096) for _ in range(4)])
            if len(boxes) % 10 == 0:
                await engine.wipe()

    with pytest.raises(sqlite.EngineUnavailable):
        await fill()
    for each in boxes[:-1]:
        found = await fetch(engine, each)
        await acknowledge(engine, each, [seq for seq, _ in found[:11]])  # more than two thirds
    for _ in range(3):
        with contextlib.suppress(sqlite3.Error, OSError):
            await engine.wipe()
    try:
        for each in boxes[:-1]:  # a half of what was given back
            await post(engine, each, [rng.randbytes(4096) for _ in range(5)])
            await engine.wipe()
    finally:
        await engine.close()


@pytest.mark.parametrize("length", [0, 10, 21, 22, 23, 30, 38, 53, 54])
async def test_a_head_that_was_written_in_part(
    home: Path, clock: SettableClock, rng: random.Random, length: int
) -> None:
    engine = await open_engine(home, clock)
    mine = box(rng)
    await create(engine, mine)
    killed = copy(home, "killed")
    await engine.close()
    ((_, path),) = journal_files(killed / "relay.db")
    path.write_bytes(path.read_bytes()[:length])
    again = await open_engine(killed, clock)
    await post(again, mine, [rng.randbytes(4096)])
    await again.close()


@pytest.mark.parametrize("part", [0, 4096, 1 << 20, 3 << 20])
@pytest.mark.parametrize("truncates", [False, True])
async def test_a_large_batch_that_fails_in_part(
    home: Path,
    clock: SettableClock,
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
    truncates: bool,
) -> None:
    boxes = [box(rng) for _ in range(24)]
    engine = await open_engine(home, clock)
    for each in boxes:
        await create(engine, each)
        await post(engine, each, [rng.randbytes(4096)])
    first = [await fetch(engine, each) for each in boxes]
    pwrite, left, used = os.pwrite, [part], [0]

    def failing(file: int, data: Any, at: int) -> int:
        used[0] += 1
        size = min(left[0], len(data))
        left[0] -= size
        if size:
            pwrite(file, bytes(data[:size]) if size % 4096 else memoryview(data)[:size], at)
        raise OSError(errno.ENOSPC, "full")

    def stays(*_: object) -> None:
        raise OSError(5, "ftruncate")

    big = [[rng.randbytes(65_536) for _ in range(2)] for _ in boxes]

    async def burst() -> list[Any]:
        return await asyncio.gather(
            *(
                engine.submit(ops.Append(each.id, each.send_hash, bodies))
                for each, bodies in zip(boxes, big, strict=True)
            ),
            return_exceptions=True,
        )

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", failing)
        if not truncates:
            patch.setattr(os, "ftruncate", stays)
        answers = await burst()
    assert used[0]
    assert all(isinstance(answer, sqlite.EngineUnavailable) for answer in answers)
    assert [await fetch(engine, each) for each in boxes] == first
    await post(engine, boxes[0], [b"x" * 4096])
    killed = copy(home, "killed")
    answers = await burst()
    assert not any(isinstance(answer, Exception) for answer in answers)
    killed2 = copy(home, "killed2")
    expected = [await fetch(engine, each) for each in boxes]
    await engine.close()
    again = await open_engine(killed, clock)
    found = [await fetch(again, each) for each in boxes]
    assert found[1:] == first[1:]
    assert found[0][:1] == first[0]
    await again.close()
    again = await open_engine(killed2, clock)
    assert [await fetch(again, each) for each in boxes] == expected
    await again.close()


async def test_a_disclosure_tells_no_zeros_of_what_waits(
    home: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked into the database; then a body was gathered, and blanked where it had lain."""
    monkeypatch.setattr(settling, "SETTLE", 2)
    monkeypatch.setattr(settling, "_MOST", 1)
    mine, bodies = box(rng), [rng.randbytes(4096) for _ in range(20)]
    engine = await open_engine(home, clock)
    await create(engine, mine)
    await post(engine, mine, bodies)
    await engine.wipe()
    found = await fetch(engine, mine)
    await acknowledge(engine, mine, [seq for seq, _ in found[4:]])
    looks = [0]

    def look(found: Found) -> Any:
        looks[0] += 1
        if looks[0] == 1:
            engine._settling.tidy()  # a part of it
            engine._settling.blank()  # no room for the rest
        return rows_about(mine.id, found)

    held = look_into(home / "relay.db", look)
    await engine.close()
    told = {decode_base64url(each["body"])[:4096] for each in held["bodies"]}
    assert set(bodies[:4]) <= told, looks


@pytest.mark.parametrize("step", ["blank_all_but", "read"])
async def test_a_file_that_fails_does_not_keep_the_others(
    home: Path,
    clock: SettableClock,
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """A bad sector in one; after a restart nothing of the others is scrubbed any more."""
    mine, bodies = box(rng), [[rng.randbytes(4096) for _ in range(9)] for _ in range(3)]
    engine = await open_engine(home, clock)
    await create(engine, mine)
    for some in bodies:
        await post(engine, mine, some)
        await engine.wipe()
    found = await fetch(engine, mine)
    # of the first file too little is left to stay, of the others one is gone
    await acknowledge(engine, mine, [seq for seq, _ in [*found[1:9], found[10], found[20]]])
    killed = copy(home, "killed")
    await engine.close()
    real = getattr(Segment, step)

    def bad(self: Segment, *them: Any) -> Any:
        if self.path.name.endswith("-1"):
            raise OSError(5, "a bad sector")
        return real(self, *them)

    monkeypatch.setattr(Segment, step, bad)
    if step == "blank_all_but":
        monkeypatch.setattr(staying, "_SHARE", 1 << 20)
    again = await open_engine(killed, clock)
    for _ in range(3):
        with contextlib.suppress(OSError):
            await again.wipe()
    raw = raw_files(killed)
    monkeypatch.undo()
    await again.close()
    assert bodies[2][2][64:128] not in raw
    assert bodies[1][1][64:128] not in raw
