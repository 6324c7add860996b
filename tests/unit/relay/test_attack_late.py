"""What a long wipe leaves, and what a failure in it does."""

from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import arrivals, placing, settling, sqlite
from exile_tui.relay.journal import Segment
from tests.unit.relay.support import SettableClock, box, open_engine, raw_files
from tests.unit.relay.test_attack_journal import acknowledge, create, fetch, post


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(13)


def be_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let settling take many steps, and too long from the first one on."""
    monkeypatch.setattr(settling, "SETTLE", 2)
    monkeypatch.setattr(settling, "_MOST", 1)
    monkeypatch.setattr(sqlite, "_LATE_S", 0.0)


async def test_what_was_moved_before_leaves_the_log_while_settling_is_late(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_late(monkeypatch)
    mailbox, old = box(rng), [rng.randbytes(4096) for _ in range(3)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, old)
    await engine.wipe()  # to the database
    await post(engine, mailbox, [rng.randbytes(4096) for _ in range(20)])
    found = await fetch(engine, mailbox)
    await acknowledge(engine, mailbox, [seq for seq, _ in found[:3]])
    settle, left = engine._settle, list[int]()

    def noted() -> None:
        raw = raw_files(tmp_path)
        left.append(sum(body[64:128] in raw for body in old))
        settle()

    monkeypatch.setattr(engine, "_settle", noted)
    await engine.wipe()
    await engine.close()
    assert len(left) > 5
    assert not any(left)


async def test_a_file_that_can_not_be_blanked_does_not_keep_the_others(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "SEGMENT", 10_000)
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(9)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    for body in bodies:
        await post(engine, mailbox, [body])
    found = await fetch(engine, mailbox)
    await acknowledge(engine, mailbox, [seq for seq, _ in found])
    first, real = engine._arrivals.closed[0].file, Segment.blank

    def blank(self: Segment, them: Any) -> None:
        if self is first:
            raise OSError(5, "a bad sector")
        real(self, them)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(Segment, "blank", blank)
    monkeypatch.setattr(engine._envelopes, "settle", full)
    with contextlib.suppress(OSError):
        await engine.wipe()
    raw = raw_files(tmp_path)
    last = [body for body in bodies[-3:] if body[64:128] in raw]
    monkeypatch.undo()
    await engine.close()
    assert not last


async def test_a_short_write_blanks_all_the_same(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, body = box(rng), rng.randbytes(4096)
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, [body])
    found = await fetch(engine, mailbox)
    await acknowledge(engine, mailbox, [seq for seq, _ in found])
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:1000]))
    await engine._thread.run(engine._settling.blank)
    monkeypatch.undo()
    raw = raw_files(tmp_path)
    await engine.close()
    assert body[2000:2100] not in raw


def test_where_the_system_refuses_to_say_nothing_is_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: int) -> set[int]:
        raise PermissionError(1, "seccomp")

    monkeypatch.setattr(os, "sched_getaffinity", refused)
    assert not placing.allowed()


async def test_what_a_failed_batch_left_in_a_closed_file_is_not_counted_twice(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal was written, synchronising failed, and so did cutting it off (or power went)."""
    import shutil

    from exile_tui.relay import engine as ops

    directory, copy = tmp_path / "a", tmp_path / "b"
    directory.mkdir()
    mine, stored, lost, new = (
        box(rng),
        rng.randbytes(4096),
        rng.randbytes(4096),
        rng.randbytes(4096),
    )
    engine = await open_engine(directory, clock)
    await create(engine, mine)
    await post(engine, mine, [stored])
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
            await engine.submit(ops.Append(mine.id, mine.send_hash, [lost]))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr(engine._envelopes, "settle", full)
        with contextlib.suppress(OSError):
            await engine.wipe()  # the file is closed
    await post(engine, mine, [new])
    shutil.copytree(directory, copy)
    await engine.close()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite.SqliteEngine, "_settle", full)
        engine = await open_engine(copy, clock)
        found = await fetch(engine, mine)
        totals = await engine.submit(ops.CountAll())
    await engine.close()
    assert [body for _, body in found if body != lost] == [stored, new]
    assert totals.envelopes == len(found)


async def test_late_settling_goes_on_where_a_file_can_not_be_blanked(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moving would work, and would delete the file with its bad sector."""
    be_late(monkeypatch)
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(9)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies)
    found = await fetch(engine, mailbox)
    await acknowledge(engine, mailbox, [found[0][0]])

    def broken(*_: object) -> None:
        raise OSError(5, "a bad sector")

    with monkeypatch.context() as patch:
        patch.setattr(Segment, "blank", broken)
        with contextlib.suppress(OSError):
            await engine.wipe()
    raw = raw_files(tmp_path)
    await engine.close()
    assert bodies[0][64:128] not in raw


async def test_what_takes_long_to_move_is_blanked_meanwhile(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_late(monkeypatch)
    mailbox, bodies = box(rng), [rng.randbytes(4096) for _ in range(9)]
    engine = await open_engine(tmp_path, clock)
    await create(engine, mailbox)
    await post(engine, mailbox, bodies)
    found = await fetch(engine, mailbox)
    await acknowledge(engine, mailbox, [seq for seq, _ in found[2:5]])
    settle, seen = engine._settle, list[bytes]()

    def noted() -> None:
        seen.append(raw_files(tmp_path))
        assert engine._settling.hurried
        settle()

    monkeypatch.setattr(engine, "_settle", noted)
    await engine.wipe()
    assert len(seen) >= 3
    for raw in seen:
        assert not any(body in raw for body in bodies[2:5])
    assert all(body in seen[0] for body in bodies[:2] + bodies[5:])
    assert await fetch(engine, mailbox) == found[:2] + found[5:]
    await engine.close()
