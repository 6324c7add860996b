"""What somebody who has every file of a relay could tell from them, and what a bad disk does."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.limits import Limits, today
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.relay.wiping import Wiping
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import Box, SettableClock, box, open_engine, raw_files


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(13)


def creation(mailbox: Box, ticket: bytes | None = None) -> ops.CreateMailbox:
    return ops.CreateMailbox(mailbox.id, mailbox.receive_hash, mailbox.send_hash, ticket)


def rank_of(raw: bytes, needles: list[bytes]) -> list[int]:
    """In which order these lie in the bytes, each by where it is found first."""
    places = [raw.index(needle) for needle in needles]
    return [sorted(places).index(place) for place in places]


def modes(directory: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in directory.iterdir()}


async def test_creating_again_what_exists_needs_no_ticket(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    mine, other, ticket = box(rng), box(rng), rng.randbytes(32)
    hashed = hashlib.sha256(ticket).digest()
    await engine.submit(ops.PutTicket(hashed, today(clock) + 2))
    assert await engine.submit(creation(mine, ticket))
    clock.skip_days(3)  # the ticket expired
    await engine.submit(ops.Sweep())
    assert await engine.submit(creation(mine, ticket))
    assert not await engine.submit(creation(other, ticket))
    fresh = rng.randbytes(32)
    await engine.submit(ops.PutTicket(hashlib.sha256(fresh).digest(), today(clock) + 2))
    assert await engine.submit(creation(mine, fresh))  # there already: not spent
    assert await engine.submit(creation(other, fresh))
    await engine.close()


@pytest.mark.parametrize("close", [False, True], ids=["running", "stopped"])
async def test_the_files_do_not_tell_in_which_order_things_were_made(
    tmp_path: Path, clock: SettableClock, rng: random.Random, close: bool
) -> None:
    engine = await open_engine(tmp_path, clock)
    boxes = [box(rng) for _ in range(40)]
    tickets = [rng.randbytes(32) for _ in boxes]
    blobs = [rng.randbytes(16) for _ in boxes]
    bodies = [rng.randbytes(4096) for _ in boxes]
    day = today(clock) + 2
    for mailbox, ticket, blob, body in zip(boxes, tickets, blobs, bodies, strict=True):
        await engine.submit(ops.PutTicket(hashlib.sha256(ticket).digest(), day))
        await engine.submit(creation(mailbox, ticket))
        await engine.submit(ops.PutBlobs([ops.NewBlob(blob, mailbox.id * 2, day, body[:99])]))
        await engine.submit(ops.Append(mailbox.id, mailbox.send_hash, [body]))
    if close:
        await engine.close()
    else:
        await engine.wipe()
    raw = raw_files(tmp_path)
    kinds = {
        "mailboxes": [mailbox.receive_hash for mailbox in boxes],
        "tickets": [hashlib.sha256(ticket).digest() for ticket in tickets],
        "blobs": [mailbox.id * 2 for mailbox in boxes],
        "bodies of blobs": [body[:99] + bytes(99) for body in bodies],
        "envelopes": [body[50:] for body in bodies],
    }
    for kind, needles in kinds.items():
        ranks = rank_of(raw, needles)
        neighbours = sum(abs(one - two) == 1 for one, two in pairwise(ranks))
        assert neighbours < 14, kind  # 39 if it told; 2 on average if it doesn't
    connection = sqlite3.connect(tmp_path / "relay.db") if close else engine._connection
    for table, column, by in (
        ("mailboxes", "number", [mailbox.id for mailbox in boxes]),
        ("blobs", "number", blobs),
        ("blobs", "slot", blobs),
    ):
        numbers = [
            connection.execute(f"SELECT {column} FROM {table} WHERE id = ?", (key,)).fetchone()[0]
            for key in by
        ]
        ranks = [sorted(numbers).index(number) for number in numbers]
        assert sum(abs(one - two) == 1 for one, two in pairwise(ranks)) < 14, table
    if close:
        connection.close()
    await engine.close()


async def test_no_hash_of_an_acknowledged_envelope_stays(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    boxes = [box(rng) for _ in range(24)]
    for mailbox in boxes:
        await engine.submit(creation(mailbox))
    hashes: set[bytes] = set()
    for _ in range(12):
        for mailbox in boxes:
            batch = [rng.randbytes(4096) for _ in range(rng.randint(1, 6))]
            hashes.update(hashlib.sha256(body).digest() for body in batch)
            await engine.submit(ops.Append(mailbox.id, mailbox.send_hash, batch))
            lying = await engine.submit(ops.Fetch(mailbox.id, mailbox.receive_hash, -1, 1 << 24))
            assert lying is not None
            seqs = [seq for seq, _ in rng.sample(lying, len(lying) // 2)]
            await engine.submit(ops.Acknowledge(mailbox.id, mailbox.receive_hash, seqs))
    await engine.wipe()
    raw = raw_files(tmp_path)
    assert len(hashes) > 800
    assert not [digest for digest in hashes if digest[:8] in raw]
    await engine.close()


async def test_bytes_are_not_stored_twice_after_a_restart_or_a_rewriting_either(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    mine, bodies = box(rng), [rng.randbytes(4096) for _ in range(5)]
    await engine.submit(creation(mine))
    again = ops.Append(mine.id, mine.send_hash, bodies)
    fetch = ops.Fetch(mine.id, mine.receive_hash, -1, 1 << 24)
    await engine.submit(again)
    before = await engine.submit(fetch)
    await engine.wipe()
    assert await engine.submit(again) == [Verdict.STORED] * 5
    await engine.close()
    engine = await open_engine(tmp_path, clock)
    assert await engine.submit(again) == [Verdict.STORED] * 5
    assert await engine.submit(fetch) == before
    assert before is not None
    await engine.submit(ops.Acknowledge(mine.id, mine.receive_hash, [before[1][0]]))
    assert await engine.submit(again) == [Verdict.STORED] * 5
    found = await engine.submit(fetch)
    assert found is not None
    assert [body for _, body in found] == [bodies[0], *bodies[2:], bodies[1]]
    await engine.close()


async def test_a_disk_that_fails_at_every_step_for_a_while_is_survived(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await open_engine(tmp_path, clock)
    mine = box(rng)
    await engine.submit(creation(mine))
    much = [rng.randbytes(65536) for _ in range(32)]
    await engine.submit(ops.Append(mine.id, mine.send_hash, much))

    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as failing:
        failing.setattr(engine._slots, "reload", fail)
        (pages,) = engine._connection.execute("PRAGMA page_count").fetchone()
        engine._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        with pytest.raises(sqlite3.OperationalError):
            await engine.wipe()  # which moves them to the database
        for _ in range(2):
            with pytest.raises(EngineUnavailable):
                await engine.submit(ops.Append(mine.id, mine.send_hash, [rng.randbytes(4096)]))
    engine._connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    body = rng.randbytes(4096)
    assert await engine.submit(ops.Append(mine.id, mine.send_hash, [body])) == [Verdict.STORED]
    await engine.close()


async def test_a_clock_that_was_years_back_for_a_while_ends_no_mailbox(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine, mine = await open_engine(tmp_path, clock), box(rng)
    await engine.submit(creation(mine))
    clock.skip_days(-20_000)
    assert await engine.submit(creation(mine))
    opening = ops.OpenMailboxes([(mine.id, mine.receive_hash)])
    assert await engine.submit(opening) == [True]
    clock.skip_days(20_000)
    await engine.submit(ops.Sweep())
    assert await engine.submit(opening) == [True]
    await engine.close()


async def test_a_full_disk_prevents_neither_start_nor_end(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Wiping) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Wiping, "_rewrite", fail)
    engine, mine = await open_engine(tmp_path, clock), box(rng)
    assert await engine.submit(creation(mine))
    await engine.close()
    monkeypatch.undo()
    engine = await open_engine(tmp_path, clock)
    assert await engine.submit(ops.CheckToken(mine.id, mine.receive_hash))
    await engine.close()


class Halting:
    """A connection whose thread halts before a statement, once, until it is let go."""

    def __init__(self, connection: sqlite3.Connection, statement: str) -> None:
        self._connection = connection
        self._statement = statement
        self.halted, self.let_go = threading.Event(), threading.Event()

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement.startswith(self._statement) and not self.halted.is_set():
            self.halted.set()
            assert self.let_go.wait(30)
        return self._connection.execute(statement, *parameters)


async def test_a_relay_that_ends_while_its_file_is_rewritten_loses_nothing(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await SqliteEngine.open(tmp_path / "relay.db", Limits(), clock, wipe_interval=0.001)
    mine, bodies = box(rng), [rng.randbytes(4096) for _ in range(4)]
    await engine.submit(creation(mine))
    halting = Halting(engine._connection, "UPDATE slots SET slot")
    monkeypatch.setattr(engine._slots, "_connection", halting)
    await engine.submit(ops.Append(mine.id, mine.send_hash, bodies))
    await asyncio.to_thread(halting.halted.wait, 30)
    fetch = ops.Fetch(mine.id, mine.receive_hash, -1, 1 << 24)
    late = asyncio.ensure_future(engine.submit(fetch))
    await asyncio.sleep(0)  # it is submitted
    ending = asyncio.create_task(engine.close())
    for _ in range(20):  # whatever does not wait for the thread goes on
        await asyncio.sleep(0)
    halting.let_go.set()
    await ending
    assert [body for _, body in await late or []] == bodies
    engine = await open_engine(tmp_path, clock)
    assert [body for _, body in await engine.submit(fetch) or []] == bodies
    await engine.close()


async def test_where_nothing_can_be_rewritten_deleted_bytes_leave_the_log_still(
    tmp_path: Path, clock: SettableClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, mine = await open_engine(tmp_path, clock), box(rng)
    body = rng.randbytes(4096)
    await engine.submit(creation(mine))
    await engine.submit(ops.Append(mine.id, mine.send_hash, [body]))
    found = await engine.submit(ops.Fetch(mine.id, mine.receive_hash, -1, 1 << 24))
    assert found is not None
    await engine.submit(ops.Acknowledge(mine.id, mine.receive_hash, [seq for seq, _ in found]))
    assert body in raw_files(tmp_path)

    def fail() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as full:
        full.setattr(engine._wiping, "_rewrite", fail)
        with pytest.raises(sqlite3.OperationalError):
            await engine.wipe()
    assert body not in raw_files(tmp_path)
    assert mine.id in raw_files(tmp_path)
    await engine.wipe()  # nor is the rewriting forgotten
    assert not engine._wiping.changed
    await engine.close()


async def test_nobody_else_can_read_the_files_from_their_first_moment(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine = await open_engine(tmp_path, clock)
    await engine.submit(creation(box(rng)))
    assert modes(tmp_path) == {0o600}
    await engine.close()
