"""What stays in the journal: when, how it is found, and what is left of it afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest

from exile_tui.relay import arrivals, settling, staying
from exile_tui.relay import engine as ops
from exile_tui.relay.operator import rows_about
from exile_tui.relay.records import HEAD, MAGIC
from exile_tui.relay.replay import journal_file, journal_files
from exile_tui.relay.schema import DamagedDatabase
from exile_tui.relay.snapshot import look_into
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.encoding import decode_base64url
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import Box, SettableClock, box, open_engine, raw_files

Found = list[tuple[int, bytes]]


@pytest.fixture(autouse=True)
def _much_is_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staying, "LEAST", 6 * 4096)
    monkeypatch.setattr(staying, "_AT_ONCE", 3)
    monkeypatch.setattr(settling, "SETTLE", 4)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(77)


async def filled(engine: SqliteEngine, rng: random.Random, counts: Iterable[int]) -> list[Box]:
    """Make mailboxes with so many envelopes each."""
    boxes = []
    for count in counts:
        boxes.append(one := box(rng))
        assert await engine.submit(ops.CreateMailbox(one.id, one.receive_hash, one.send_hash))
        bodies = [rng.randbytes(4096) for _ in range(count)]
        verdicts = await engine.submit(ops.Append(one.id, one.send_hash, bodies))
        assert verdicts == [Verdict.STORED] * count
    return boxes


async def fetch(engine: SqliteEngine, one: Box) -> Found:
    found = await engine.submit(ops.Fetch(one.id, one.receive_hash, -1, 1 << 24))
    assert found is not None
    return found


async def acknowledge(engine: SqliteEngine, one: Box, found: Found) -> None:
    seqs = [seq for seq, _ in found]
    assert await engine.submit(ops.Acknowledge(one.id, one.receive_hash, seqs))


def staying_files(engine: SqliteEngine) -> list[int]:
    return sorted(each.number for each in engine._arrivals.staying)


def slots(engine: SqliteEngine, where: str = "1") -> int:
    query = f"SELECT count(*) FROM slots WHERE mailbox IS NOT NULL AND {where}"
    (count,) = engine._connection.execute(query).fetchone()
    return int(count)


async def test_few_are_moved_and_many_stay(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    (few,) = await filled(engine, rng, [5])
    held = await fetch(engine, few)
    await engine.wipe()
    assert (slots(engine, "file IS NULL"), slots(engine, "file IS NOT NULL")) == (5, 0)
    assert not journal_files(tmp_path / "relay.db")
    (many,) = await filled(engine, rng, [40])
    waits = await fetch(engine, many)
    await engine.wipe()
    assert (slots(engine, "file IS NULL"), slots(engine, "file IS NOT NULL")) == (5, 40)
    ((_, path),) = journal_files(tmp_path / "relay.db")
    assert path.read_bytes()[:HEAD] == MAGIC + bytes(HEAD - len(MAGIC))
    assert (await fetch(engine, few), await fetch(engine, many)) == (held, waits)
    await engine.close()
    again = await open_engine(tmp_path, clock)
    assert (await fetch(again, few), await fetch(again, many)) == (held, waits)
    await again.close()


async def test_what_is_acknowledged_there_is_overwritten_and_the_rest_stays(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    one, other = await filled(engine, rng, [20, 20])
    await engine.wipe()
    held, others = await fetch(engine, one), await fetch(engine, other)
    await acknowledge(engine, one, held[::2])
    await engine.wipe()
    raw = raw_files(tmp_path)
    assert [body in raw for _, body in held] == [False, True] * 10
    assert all(body in raw for _, body in others)
    assert (await fetch(engine, one), await fetch(engine, other)) == (held[1::2], others)
    await engine.close()


async def test_when_little_is_left_it_is_moved_and_the_file_deleted(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    one, other = await filled(engine, rng, [40, 40])
    await engine.wipe()
    held, others = await fetch(engine, one), await fetch(engine, other)
    await acknowledge(engine, one, held)
    await acknowledge(engine, other, others[:25])
    await engine.wipe()
    assert staying_files(engine) == []
    assert slots(engine, "file IS NOT NULL") == 0
    assert await fetch(engine, other) == others[25:]
    raw = raw_files(tmp_path)
    assert [body in raw for _, body in others] == [False] * 25 + [True] * 15
    assert not any(body in raw for _, body in held)
    await acknowledge(engine, other, others[25:])
    await engine.close()
    raw = raw_files(tmp_path)
    assert not any(body in raw for _, body in others)


async def test_of_several_files_together_with_little_none_stays(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    """A file can't give up in which order things came; the database does, while it is small."""
    engine = await open_engine(tmp_path, clock)
    boxes = []
    for _ in range(3):
        boxes += await filled(engine, rng, [8])
        await engine.wipe()
    first, *_ = staying_files(engine)
    assert len(staying_files(engine)) == 3
    for one in boxes[1:]:
        await acknowledge(engine, one, await fetch(engine, one))
    await engine.wipe()
    assert staying_files(engine) == [first]
    held = await fetch(engine, boxes[0])
    await acknowledge(engine, boxes[0], held[:6])
    await engine.wipe()
    assert staying_files(engine) == []
    assert await fetch(engine, boxes[0]) == held[6:]
    await engine.close()


async def test_a_mailbox_in_all_three_places_is_read_in_order(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    (one,) = await filled(engine, rng, [3])
    bodies = [body for _, body in await fetch(engine, one)]
    await engine.wipe()
    for count in (30, 4):
        more = [rng.randbytes(4096) for _ in range(count)]
        await engine.submit(ops.Append(one.id, one.send_hash, more))
        bodies += more
        if count == 30:
            await engine.wipe()
    assert (slots(engine, "file IS NULL"), slots(engine, "file IS NOT NULL")) == (3, 30)
    found = await fetch(engine, one)
    assert [body for _, body in found] == bodies
    assert [seq for seq, _ in found] == sorted(seq for seq, _ in found)
    engine._envelopes.reload()
    assert await engine.submit(ops.Append(one.id, one.send_hash, bodies)) == [Verdict.STORED] * len(
        bodies
    )
    assert await fetch(engine, one) == found, "the same again is no other"
    await engine.close()


async def test_what_nothing_points_to_is_overwritten_after_a_restart(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    (one,) = await filled(engine, rng, [40])
    await engine.wipe()
    held = await fetch(engine, one)
    await acknowledge(engine, one, held[::2])
    path = journal_file(tmp_path / "relay.db", 1)
    data = path.read_bytes()
    assert all(body in data for _, body in held)  # killed before it was overwritten
    await engine.close()
    path.write_bytes(data)
    again = await open_engine(tmp_path, clock)
    assert await fetch(again, one) == held[1::2]
    raw = raw_files(tmp_path)
    assert [body in raw for _, body in held] == [False, True] * 20
    assert staying_files(again) == [1]
    await again.close()


@pytest.mark.parametrize("damage", ["missing", "short", "foreign"])
async def test_a_file_that_is_needed_and_damaged_is_named_and_nothing_changed(
    tmp_path: Path, clock: SettableClock, rng: random.Random, damage: str
) -> None:
    engine = await open_engine(tmp_path, clock)
    (one,) = await filled(engine, rng, [40])
    await engine.wipe()
    held = await fetch(engine, one)
    await engine.close()
    path = journal_file(tmp_path / "relay.db", 1)
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:9000] if damage == "short" else b"something else")
    with pytest.raises(DamagedDatabase, match="missing" if damage == "missing" else "damaged") as e:
        await open_engine(tmp_path, clock)
    assert str(path) in str(e.value)
    path.write_bytes(data)
    again = await open_engine(tmp_path, clock)
    assert await fetch(again, one) == held
    await again.close()


async def test_all_of_it_is_disclosed(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    one, _ = await filled(engine, rng, [20, 20])
    await engine.wipe()
    await engine.submit(ops.Append(one.id, one.send_hash, [rng.randbytes(4096)]))
    found = await fetch(engine, one)
    told = look_into(tmp_path / "relay.db", partial(rows_about, one.id))
    held = {each["slot"]: each["body"] for each in told["bodies"]}
    bodies = {slot["seq"]: held.pop(slot["slot"]) for slot in told["slots"]}
    assert held == {}
    (last,) = told["journal"]
    bodies[last["seq"]] = last["body"]
    assert {seq: decode_base64url(body) for seq, body in bodies.items()} == dict(found)
    await engine.close()


async def test_numbers_of_files_do_not_come_back_while_one_stays(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "SEGMENT", 20_000)
    engine = await open_engine(tmp_path, clock)
    (first,) = await filled(engine, rng, [20])
    await engine.wipe()
    held = await fetch(engine, first)
    for _ in range(3):
        (one,) = await filled(engine, rng, [20])
        await engine.wipe()
        await acknowledge(engine, one, await fetch(engine, one))
        await engine.wipe()
        assert await fetch(engine, first) == held
    await engine.close()
    assert [number for number, _ in journal_files(tmp_path / "relay.db")] == [1]
    again = await open_engine(tmp_path, clock)
    await filled(again, rng, [20])
    await again.wipe()
    assert await fetch(again, first) == held
    await again.close()


async def test_slots_of_what_stayed_are_taken_again_and_leave_with_the_rest(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    for _ in range(3):
        (one,) = await filled(engine, rng, [20])
        await engine.wipe()
        assert slots(engine, "file IS NOT NULL") == 20
        await acknowledge(engine, one, await fetch(engine, one))
        await engine.wipe()
    (count,) = engine._connection.execute("SELECT count(*) FROM slots").fetchone()
    assert count == 0
    await engine.close()
