"""The SQLite engine: verdicts, order, durability, expiry, quotas, and what it forgets."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import random
import re
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from exile_tui.relay import bulk, journal
from exile_tui.relay import engine as ops
from exile_tui.relay.engine import EngineUnavailable, QuotaReached
from exile_tui.relay.limits import Limits, today
from exile_tui.relay.maintaining import sweep_all
from exile_tui.relay.operator import rows_about
from exile_tui.relay.schema import VERSION, DamagedDatabase
from exile_tui.relay.snapshot import look_into
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.encoding import decode_base64url
from exile_tui.wire.relay import ENVELOPE_SIZES, Verdict
from tests.unit.relay.support import Box, SettableClock, box, open_engine, raw_files

STORED, FULL, REFUSED = Verdict.STORED, Verdict.FULL, Verdict.REFUSED
BAD_SIZE, LATER = Verdict.BAD_SIZE, Verdict.TRY_LATER


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(8)


@pytest.fixture
async def engine(tmp_path: Path, clock: SettableClock) -> AsyncIterator[SqliteEngine]:
    opened = await open_engine(tmp_path, clock)
    yield opened
    await opened.close()


async def create(engine: SqliteEngine, mailbox: Box) -> bool:
    return await engine.submit(
        ops.CreateMailbox(mailbox.id, mailbox.receive_hash, mailbox.send_hash)
    )


async def append(engine: SqliteEngine, mailbox: Box, *envelopes: bytes) -> list[Verdict]:
    return await engine.submit(ops.Append(mailbox.id, mailbox.send_hash, envelopes))


async def fetch(
    engine: SqliteEngine, mailbox: Box, after: int = -1, max_bytes: int = 1 << 24
) -> list[tuple[int, bytes]] | None:
    return await engine.submit(ops.Fetch(mailbox.id, mailbox.receive_hash, after, max_bytes))


async def acknowledge(engine: SqliteEngine, mailbox: Box, *seqs: int) -> bool:
    return await engine.submit(ops.Acknowledge(mailbox.id, mailbox.receive_hash, seqs))


async def test_envelopes_come_back_in_order_until_acknowledged(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine = box(rng)
    assert await create(engine, mine)
    envelopes = [rng.randbytes(size) for size in ENVELOPE_SIZES]
    assert await append(engine, mine, *envelopes) == [STORED] * 3
    found = await fetch(engine, mine)
    assert found is not None
    assert [envelope for _, envelope in found] == envelopes
    first = found[0][0]
    assert [seq for seq, _ in found] == [first, first + 1, first + 2]
    assert await acknowledge(engine, mine, first + 1, first + 77)
    assert await fetch(engine, mine) == [found[0], found[2]]
    assert await fetch(engine, mine, after=first) == [found[2]]


async def test_a_fetch_is_bounded_but_never_empty(engine: SqliteEngine, rng: random.Random) -> None:
    mine = box(rng)
    await create(engine, mine)
    await append(engine, mine, *(rng.randbytes(65536) for _ in range(5)))
    one = await fetch(engine, mine, max_bytes=1)
    two = await fetch(engine, mine, max_bytes=2 * 65536)
    assert one is not None
    assert two is not None
    assert (len(one), len(two)) == (1, 2)


async def test_a_number_is_never_given_twice(engine: SqliteEngine, rng: random.Random) -> None:
    mine = box(rng)
    await create(engine, mine)
    seen: list[int] = []
    for _ in range(4):
        await append(engine, mine, rng.randbytes(4096))
        found = await fetch(engine, mine)
        assert found is not None
        seen += [seq for seq, _ in found]
        await acknowledge(engine, mine, *[seq for seq, _ in found])
    assert len(set(seen)) == 4
    assert seen == sorted(seen)


async def test_bytes_that_lie_there_are_not_stored_twice_and_live_longer(
    engine: SqliteEngine, rng: random.Random, clock: SettableClock
) -> None:
    mine = box(rng)
    await create(engine, mine)
    kept, lapsed = rng.randbytes(4096), rng.randbytes(4096)
    assert await append(engine, mine, kept, lapsed, kept) == [STORED] * 3
    clock.skip_days(2)
    assert await append(engine, mine, kept) == [STORED]
    clock.skip_days(2)
    await sweep_all(engine)
    found = await fetch(engine, mine)
    assert found is not None
    assert [envelope for _, envelope in found] == [kept]


async def test_after_deletion_nothing_is_remembered(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine, envelope = box(rng), rng.randbytes(4096)
    await create(engine, mine)
    await append(engine, mine, envelope)
    found = await fetch(engine, mine)
    assert found is not None
    await acknowledge(engine, mine, found[0][0])
    assert await append(engine, mine, envelope) == [STORED]
    again = await fetch(engine, mine)
    assert again is not None
    assert [body for _, body in again] == [envelope]


async def test_a_full_mailbox_says_so_and_the_rest_waits(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine = box(rng)
    await create(engine, mine)
    first = rng.randbytes(4096)
    for start in range(0, 128, 32):
        some = [rng.randbytes(4096) for _ in range(32)]
        if not start:
            some[0] = first
        assert await append(engine, mine, *some) == [STORED] * 32
    new = [rng.randbytes(4096) for _ in range(2)]
    assert await append(engine, mine, first, *new) == [STORED, FULL, LATER]


async def test_order_is_kept_by_stopping_at_the_first_that_is_not_stored(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine = box(rng)
    await create(engine, mine)
    envelopes = [rng.randbytes(4096), rng.randbytes(5000), rng.randbytes(4096)]
    assert await append(engine, mine, *envelopes) == [STORED, BAD_SIZE, LATER]


async def test_unknown_mailbox_and_wrong_token_answer_alike(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine, unknown = box(rng), box(rng)
    await create(engine, mine)
    wrong = rng.randbytes(32)
    for mailbox_id in (mine.id, unknown.id):
        submit = engine.submit
        assert await submit(ops.Append(mailbox_id, wrong, [bytes(4096)] * 2)) == [REFUSED, LATER]
        assert await submit(ops.Fetch(mailbox_id, wrong, -1, 1)) is None
        assert await submit(ops.Acknowledge(mailbox_id, wrong, [1])) is False
        assert await submit(ops.DeleteMailbox(mailbox_id, wrong)) is False
        assert await submit(ops.Disclose(mailbox_id, wrong)) is None
        assert await submit(ops.CheckToken(mailbox_id, wrong)) is False
        assert await submit(ops.OpenMailboxes([(mailbox_id, wrong)])) == [False]
        assert await submit(ops.OpenMailboxes([(mailbox_id, bytes(32))])) == [False]
    assert await engine.submit(ops.Append(mine.id, mine.receive_hash, [bytes(4096)])) == [REFUSED]


async def test_unknown_and_wrong_run_the_same_statements(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine, unknown = box(rng), box(rng)
    await create(engine, mine)
    traces: list[list[str]] = []
    for mailbox_id in (mine.id, unknown.id):
        seen: list[str] = []
        engine._connection.set_trace_callback(
            lambda statement, into=seen: into.append(statement.split("WHERE")[0])
        )
        wrong = rng.randbytes(32)
        await engine.submit(ops.Append(mailbox_id, wrong, [bytes(4096)]))
        await engine.submit(ops.Acknowledge(mailbox_id, wrong, [1]))
        await engine.submit(ops.Fetch(mailbox_id, wrong, -1, 1))
        await engine.submit(ops.OpenMailboxes([(mailbox_id, wrong)]))
        engine._connection.set_trace_callback(None)
        traces.append(seen)
    assert traces[0] == traces[1]
    assert traces[0]


async def test_a_mailbox_lives_ninety_days_after_the_last_receive(
    engine: SqliteEngine, rng: random.Random, clock: SettableClock
) -> None:
    mine = box(rng)
    await create(engine, mine)
    await append(engine, mine, rng.randbytes(4096))
    clock.skip_days(89)
    assert await engine.submit(ops.OpenMailboxes([(mine.id, mine.receive_hash)])) == [True]
    clock.skip_days(89)
    assert await append(engine, mine, rng.randbytes(4096)) == [STORED]
    clock.skip_days(2)
    assert await append(engine, mine, rng.randbytes(4096)) == [REFUSED]
    assert await fetch(engine, mine) is None
    assert await create(engine, mine)  # its owner may re-create it; what has not expired is there
    found = await fetch(engine, mine)
    assert found is not None
    assert len(found) == 2


async def test_creating_again_keeps_what_lies_there(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine = box(rng)
    await create(engine, mine)
    await append(engine, mine, rng.randbytes(4096))
    before = await fetch(engine, mine)
    assert await create(engine, mine)
    assert await fetch(engine, mine) == before


async def test_a_ticket_makes_one_mailbox(
    engine: SqliteEngine, rng: random.Random, clock: SettableClock
) -> None:
    ticket, first, second = rng.randbytes(32), box(rng), box(rng)

    async def spend(mailbox: Box) -> bool:
        return await engine.submit(
            ops.CreateMailbox(mailbox.id, mailbox.receive_hash, mailbox.send_hash, ticket)
        )

    assert not await spend(first)
    ticket_hash = hashlib.sha256(ticket).digest()
    await engine.submit(ops.PutTicket(ticket_hash, today(clock) + 2))
    assert await spend(first)
    assert await spend(first)
    assert not await spend(second)
    clock.skip_days(3)
    assert not await spend(second)


async def test_blobs_are_written_once_and_expire(
    engine: SqliteEngine, rng: random.Random, clock: SettableClock
) -> None:
    token = rng.randbytes(32)
    hashed, day = hashlib.sha256(token).digest(), today(clock) + 2
    blob_id, body = rng.randbytes(16), rng.randbytes(777)

    async def put(bytes_: bytes) -> list[Verdict]:
        return await engine.submit(ops.PutBlobs([ops.NewBlob(blob_id, hashed, day, bytes_)]))

    assert await put(body) == [STORED]
    assert await put(body) == [STORED]
    assert await put(body + b"\0") == [REFUSED]
    assert await put(b"") == [BAD_SIZE]
    assert await put(bytes(65_537)) == [BAD_SIZE]
    assert await engine.submit(ops.GetBlobs([blob_id, bytes(16)])) == [body, None]
    await engine.submit(ops.DeleteBlob(blob_id, rng.randbytes(32)))
    assert await engine.submit(ops.GetBlobs([blob_id])) == [body]
    clock.skip_days(3)
    assert await engine.submit(ops.GetBlobs([blob_id])) == [None]
    day += 3
    assert await put(rng.randbytes(5)) == [STORED]
    await engine.submit(ops.DeleteBlob(blob_id, hashed))
    assert await engine.submit(ops.GetBlobs([blob_id])) == [None]


async def test_a_blob_that_is_not_there_has_no_token_at_all(engine: SqliteEngine) -> None:
    await engine.submit(ops.DeleteBlob(bytes(16), bytes(32)))
    assert engine.activity().failed_commits == 0


async def test_quotas(tmp_path: Path, clock: SettableClock, rng: random.Random) -> None:
    engine = await open_engine(tmp_path, clock, Limits(mailboxes=1, blobs=1, tickets=1))
    mine = box(rng)
    assert await create(engine, mine)
    assert await create(engine, mine)
    with pytest.raises(QuotaReached):
        await create(engine, box(rng))
    day = today(clock) + 1
    blobs = [ops.NewBlob(rng.randbytes(16), bytes(32), day, b"x") for _ in range(2)]
    assert await engine.submit(ops.PutBlobs(blobs)) == [STORED, FULL]
    await engine.submit(ops.PutTicket(rng.randbytes(32), day))
    with pytest.raises(QuotaReached):
        await engine.submit(ops.PutTicket(rng.randbytes(32), day))
    await engine.close()


async def test_disclosure_is_every_stored_field(engine: SqliteEngine, rng: random.Random) -> None:
    mine = box(rng)
    await create(engine, mine)
    await append(engine, mine, rng.randbytes(4096), rng.randbytes(16384))
    held = await engine.submit(ops.Disclose(mine.id, mine.receive_hash))
    assert held is not None
    assert [envelope["bytes"] for envelope in held["envelopes"]] == [4096, 16384]
    columns = {row[1] for row in engine._connection.execute("PRAGMA table_info(mailboxes)")}
    assert columns == {"number", "id", "receive_hash", "send_hash", "expires", "next_seq"}
    assert len(held) == len(columns)  # the internal number apart, and the envelopes


async def test_readers_are_told_what_came_and_of_deletion(
    engine: SqliteEngine, rng: random.Random
) -> None:
    mine, told = box(rng), list[ops.News]()
    await create(engine, mine)

    def wake(news: ops.News) -> bool:
        told.append(news)
        return False

    engine.watch(mine.id, wake)
    envelopes = [rng.randbytes(4096) for _ in range(2)]
    await append(engine, mine, *envelopes)
    (news,) = told
    assert [envelope for _, envelope in news] == envelopes
    assert [seq for seq, _ in news] == [seq for seq, _ in await fetch(engine, mine)]
    told.clear()
    await append(engine, mine, *envelopes)
    assert not told
    await asyncio.gather(
        append(engine, mine, rng.randbytes(4096)),
        engine.submit(ops.DeleteMailbox(mine.id, mine.receive_hash)),
    )
    assert told == [()]
    engine.unwatch(mine.id, wake)
    assert not engine._watchers


async def test_what_was_submitted_together_is_one_transaction(
    engine: SqliteEngine, rng: random.Random
) -> None:
    boxes = [box(rng) for _ in range(40)]
    commits: list[str] = []
    engine._connection.set_trace_callback(
        lambda statement: commits.append(statement) if statement == "COMMIT" else None
    )
    await asyncio.gather(*(create(engine, one) for one in boxes))
    assert len(commits) == 1


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("pwritev", marks=pytest.mark.skipif(not journal._DSYNC, reason="not Linux")),
        pytest.param("pwrite", marks=pytest.mark.skipif(not bulk._DIRECT, reason="not Linux")),
        "write",
        "_synchronise",
    ],
)
async def test_a_failing_disk_refuses_the_batch_and_the_next_one_works(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    mine, envelope = box(rng), rng.randbytes(4096)
    await create(engine, mine)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if call != "pwrite":
            engine._arrivals._bulk._can = False
        if call != "pwritev":  # as on a system without it
            patch.setattr(journal, "_DSYNC", 0)
        patch.setattr(journal if call == "_synchronise" else journal.os, call, full)
        with pytest.raises(EngineUnavailable):
            await append(engine, mine, *(rng.randbytes(65536) for _ in range(32)))
    assert engine.activity().envelopes["appended"] == 0  # nothing of it counts
    assert engine.activity().failed_commits == 1
    before = await fetch(engine, mine)
    assert before is not None
    assert await append(engine, mine, envelope) == [STORED]
    after = await fetch(engine, mine)
    assert after is not None
    assert [body for _, body in after] == [*(body for _, body in before), envelope]


async def test_everything_is_there_after_reopening(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine, mine = await open_engine(tmp_path, clock), box(rng)
    await create(engine, mine)
    await append(engine, mine, rng.randbytes(4096), rng.randbytes(4096))
    found = await fetch(engine, mine)
    assert found is not None
    await acknowledge(engine, mine, found[0][0])
    await engine.close()
    with pytest.raises(EngineUnavailable):
        await create(engine, mine)
    engine = await open_engine(tmp_path, clock)
    assert await fetch(engine, mine) == found[1:]
    assert await append(engine, mine, rng.randbytes(4096)) == [STORED]
    await engine.close()


async def test_a_foreign_file_in_the_journals_place_is_one_sentence_and_stays(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    engine, mine = await open_engine(tmp_path, clock), box(rng)
    await create(engine, mine)
    await engine.close()
    foreign = tmp_path / "relay.db-journal-1"
    foreign.write_bytes(b"not a journal" * 99)
    before = raw_files(tmp_path)
    with pytest.raises(DamagedDatabase) as refused:
        await open_engine(tmp_path, clock)
    assert str(foreign) in str(refused.value)
    assert raw_files(tmp_path) == before
    foreign.unlink()
    engine = await open_engine(tmp_path, clock)
    assert await fetch(engine, mine) == []
    await engine.close()


@pytest.mark.parametrize("content", [b"not a database" * 99, b"SQLite format 3\0" + bytes(3000)])
async def test_a_foreign_file_is_one_sentence_and_stays(
    tmp_path: Path, clock: SettableClock, content: bytes
) -> None:
    (tmp_path / "relay.db").write_bytes(content)
    with pytest.raises(DamagedDatabase):
        await open_engine(tmp_path, clock)
    assert (tmp_path / "relay.db").read_bytes() == content


async def test_a_newer_schema_is_refused(tmp_path: Path, clock: SettableClock) -> None:
    connection = sqlite3.connect(tmp_path / "relay.db")
    connection.executescript(f"CREATE TABLE t (a); PRAGMA user_version = {VERSION + 1};")
    connection.close()
    with pytest.raises(DamagedDatabase):
        await open_engine(tmp_path, clock)


@pytest.mark.parametrize("version", [2, 3])
async def test_a_file_of_a_version_before_is_read_and_then_needs_this_one(
    tmp_path: Path, clock: SettableClock, rng: random.Random, version: int
) -> None:
    """An older version, which knows of no journal or no bodies there, would lose what is in it."""
    engine, mine = await open_engine(tmp_path, clock), box(rng)
    await create(engine, mine)
    await append(engine, mine, rng.randbytes(4096))
    held = await fetch(engine, mine)
    await engine.close()
    with sqlite3.connect(tmp_path / "relay.db") as connection:
        connection.executescript(
            "DROP INDEX slots_by_file; ALTER TABLE slots DROP COLUMN file;"
            f"ALTER TABLE slots DROP COLUMN start; PRAGMA user_version = {version};"
        )
    connection.close()
    (told,) = look_into(tmp_path / "relay.db", partial(rows_about, mine.id))["bodies"]
    assert decode_base64url(told["body"]) == held[0][1]
    engine = await open_engine(tmp_path, clock)
    assert await fetch(engine, mine) == held
    await engine.close()
    with sqlite3.connect(tmp_path / "relay.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()


async def test_what_a_failed_commit_left_in_the_log_is_written_over_first(
    engine: SqliteEngine, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash would bring it back, and with it the end of a mailbox that is in use."""
    mine = box(rng)
    await create(engine, mine)
    await append(engine, mine, rng.randbytes(4096))
    written: list[str] = []
    engine._connection.set_trace_callback(written.append)

    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "_store", fail)
        with pytest.raises(EngineUnavailable):
            await engine.submit(ops.DeleteMailbox(mine.id, mine.receive_hash))
    writes = [f"PRAGMA user_version = {VERSION}", "COMMIT"]
    for expected in (writes, ["COMMIT"]):
        written.clear()
        assert await append(engine, mine, rng.randbytes(4096)) == [STORED]
        assert [each for each in written if each in writes] == expected


async def test_deleted_bytes_are_in_no_file_whatever_the_order(
    tmp_path: Path, clock: SettableClock, rng: random.Random
) -> None:
    """Random churn over many pages: SQLite's own deletion leaves copies in such a run."""
    engine = await open_engine(tmp_path, clock)
    boxes = [box(rng) for _ in range(12)]
    await asyncio.gather(*(create(engine, one) for one in boxes))
    live: dict[tuple[Box, int], bytes] = {}
    gone: set[bytes] = set()
    numbers = itertools.count()

    def envelope(size: int) -> bytes:
        return (b"<envelope" + next(numbers).to_bytes(6, "big") + b">") * (size // 16)

    for _ in range(60):
        for mailbox in rng.sample(boxes, 6):
            sizes = rng.choices(ENVELOPE_SIZES, (8, 3, 1), k=rng.randint(1, 4))
            await append(engine, mailbox, *map(envelope, sizes))
            found = await fetch(engine, mailbox)
            assert found is not None
            live.update({(mailbox, seq): body[:16] for seq, body in found})
        for mailbox, seq in rng.sample(list(live), len(live) // 2):
            await acknowledge(engine, mailbox, seq)
            gone.add(live.pop((mailbox, seq)))
    for mailbox in boxes[:6]:
        await engine.submit(ops.DeleteMailbox(mailbox.id, mailbox.receive_hash))
    await engine.wipe()
    raw = raw_files(tmp_path)
    assert len(gone) > 500
    left = set(re.findall(b"<envelope.{6}>", raw, re.DOTALL))
    assert not left & gone
    assert left == {body for (mailbox, _), body in live.items() if mailbox in boxes[6:]}
    for mailbox in boxes[:6]:
        assert mailbox.id not in raw
        assert mailbox.receive_hash not in raw
        assert mailbox.send_hash not in raw
    await engine.close()
