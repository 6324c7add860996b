"""Rows of mailboxes: who is let in, what is remembered, and which numbers are given."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exile_tui.clock import SystemClock
from exile_tui.relay import engine
from exile_tui.relay.limits import Limits
from exile_tui.relay.schema import open_database
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import Verdict

KEYS = MailboxKeys(b"r" * 32, b"s" * 32)
OTHER = hashlib.sha256(b"other").digest()
BODY = bytes(4096)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    opened = await SqliteEngine.open(tmp_path / "relay.db", Limits(), SystemClock())
    yield opened
    await opened.close()


async def create(store: SqliteEngine) -> None:
    await store.submit(engine.CreateMailbox(KEYS.id, KEYS.receive_hash, KEYS.send_hash))


async def append(store: SqliteEngine, number: int, send_hash: bytes = KEYS.send_hash) -> Verdict:
    body = number.to_bytes(8, "big") + BODY[8:]
    (verdict,) = await store.submit(engine.Append(KEYS.id, send_hash, [body]))
    return verdict


async def seqs(store: SqliteEngine, after: int = -1) -> list[int] | None:
    fetch = engine.Fetch(KEYS.id, KEYS.receive_hash, after, 1 << 20)
    found = await store.submit(fetch)
    return None if found is None else [seq for seq, _ in found]


async def test_who_was_let_in_before_lets_nobody_else_in(store: SqliteEngine) -> None:
    await create(store)
    for number in range(3):
        assert await append(store, number) is Verdict.STORED
        assert await append(store, number, OTHER) is Verdict.REFUSED
        assert await append(store, number, KEYS.receive_hash) is Verdict.REFUSED
    assert len(await seqs(store) or []) == 3
    for token in (OTHER, KEYS.send_hash):
        assert await store.submit(engine.Fetch(KEYS.id, token, -1, 1)) is None
        assert not await store.submit(engine.Acknowledge(KEYS.id, token, [0]))
        assert not await store.submit(engine.DeleteMailbox(KEYS.id, token))


async def test_a_deleted_mailbox_is_remembered_for_nobody(store: SqliteEngine) -> None:
    await create(store)
    await append(store, 1)
    assert await seqs(store)
    assert await store.submit(engine.DeleteMailbox(KEYS.id, KEYS.receive_hash))
    assert await append(store, 2) is Verdict.REFUSED
    assert await seqs(store) is None
    await create(store)
    assert await seqs(store) == []
    assert await append(store, 3) is Verdict.STORED


async def test_the_row_that_stands_for_nobody_lets_nobody_in(store: SqliteEngine) -> None:
    for token in (bytes(32), OTHER):
        assert await append(store, 1, token) is Verdict.REFUSED
        assert await store.submit(engine.Fetch(KEYS.id, token, -1, 1)) is None
        assert await store.submit(engine.Disclose(KEYS.id, token)) is None
    totals = await store.submit(engine.CountAll())
    assert (totals.mailboxes, totals.envelopes) == (0, 0)


async def test_numbers_grow_and_are_never_given_twice(store: SqliteEngine, tmp_path: Path) -> None:
    """Also where the process ended before the numbers that it kept back were used."""
    await create(store)
    given: list[int] = []
    for round_ in range(3):
        for number in range(round_ * 100, round_ * 100 + 70):
            assert await append(store, number) is Verdict.STORED
        found = await seqs(store) or []
        assert found == sorted(set(found))
        assert not given or found[0] > given[-1]
        given += found
        told = await store.submit(engine.Disclose(KEYS.id, KEYS.receive_hash))
        assert told is not None
        assert told["next_seq"] > given[-1]
        assert await store.submit(engine.Acknowledge(KEYS.id, KEYS.receive_hash, found))
        assert await seqs(store) == []
        # What lies in the file is all that a killed process would leave.
        store._mailboxes.reload()
    assert len(set(given)) == 210


async def test_who_receives_from_a_mailbox_that_is_made_anew_misses_nothing(
    store: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its numbers begin before or after those of its former life."""
    after = -1
    for start in (7000, 70, 700):
        given = {60: start}  # and no gaps
        monkeypatch.setattr(secrets, "randbits", lambda bits, given=given: given.get(bits, 0))
        await create(store)
        assert await seqs(store, after) == []
        for number in range(3):
            await append(store, number)
        assert await seqs(store, after) == [start, start + 1, start + 2]
        assert await seqs(store, start + 1) == [start + 2]
        after = start + 2
        assert await seqs(store, after) == []
        assert await store.submit(engine.DeleteMailbox(KEYS.id, KEYS.receive_hash))


async def test_who_has_their_mailbox_read_again_and_again_ends_no_batch(
    store: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers are below 2^63 for ever, whatever gaps are left in them."""
    monkeypatch.setattr(secrets, "randbits", lambda bits: 2**bits - 1)
    monkeypatch.setattr("exile_tui.relay.rows._GAP_BITS", 60)
    await create(store)
    for number in range(40):
        store._mailboxes.reload()
        assert await append(store, number) is Verdict.STORED
    found = await seqs(store) or []
    assert found == sorted(set(found))
    assert len(found) == 40
    assert 2**62 < found[-1] < 2**63 - 2**32


@pytest.mark.parametrize("again", [False, True], ids=["", "whose row was read again"])
async def test_what_is_disclosed_is_what_the_file_holds(tmp_path: Path, again: bool) -> None:
    store = await SqliteEngine.open(tmp_path / "relay.db", Limits(), SystemClock())
    await create(store)
    await append(store, 1)
    if again:
        store._mailboxes.reload()
    told = await store.submit(engine.Disclose(KEYS.id, KEYS.receive_hash))
    await store.close()
    connection = open_database(tmp_path / "relay.db")
    (stored,) = connection.execute("SELECT next_seq FROM mailboxes").fetchone()
    connection.close()
    assert told is not None
    assert told["next_seq"] == stored


async def test_what_is_known_of_waiting_envelopes_is_what_the_file_holds(
    store: SqliteEngine,
) -> None:
    await create(store)
    for number in range(5):
        await append(store, number)
    found = await seqs(store) or []
    again = await append(store, 3)
    assert again is Verdict.STORED
    assert await seqs(store) == found, "the same bytes are there once"
    assert await store.submit(engine.Acknowledge(KEYS.id, KEYS.receive_hash, found[1:3]))
    left = [found[0], *found[3:]]
    assert await seqs(store) == left
    assert await seqs(store, found[-1]) == []
    store._mailboxes.reload()
    assert await seqs(store) == left
    assert await append(store, 0) is Verdict.STORED
    assert await seqs(store) == left
    # Acknowledged by a process that never appended to it.
    store._mailboxes.reload()
    assert await store.submit(engine.Acknowledge(KEYS.id, KEYS.receive_hash, left))
    assert await seqs(store) == []


async def test_bytes_are_the_same_only_where_all_of_them_are(
    store: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a mark says: of envelopes with one mark each is stored."""
    monkeypatch.setattr("exile_tui.relay.envelopes.mark_of", lambda _: 7)
    await create(store)
    for number in (1, 2, 3, 3):
        assert await append(store, number) is Verdict.STORED
    found = await seqs(store) or []
    assert len(found) == 3
    await store.wipe()  # moved to the database
    assert await append(store, 3) is Verdict.STORED
    assert await append(store, 1) is Verdict.STORED  # hidden by the newest: it comes once more
    assert (await seqs(store) or [])[:3] == found
    assert len(await seqs(store) or []) == 4
    assert await store.submit(engine.Acknowledge(KEYS.id, KEYS.receive_hash, found))
    assert await append(store, 1) is Verdict.STORED
    assert await append(store, 2) is Verdict.STORED
    assert len(await seqs(store) or []) == 3


async def test_what_is_asked_at_once_is_answered_as_one_by_one(store: SqliteEngine) -> None:
    """Mailboxes are read together then; what one operation changes, those behind it see."""
    boxes = [MailboxKeys(bytes([number]) * 32, b"s" * 32) for number in range(20)]

    def create(keys: MailboxKeys) -> engine.Operation[Any]:
        return engine.CreateMailbox(keys.id, keys.receive_hash, keys.send_hash)

    def append(keys: MailboxKeys, number: int, token: bytes = b"") -> engine.Operation[Any]:
        body = number.to_bytes(8, "big") + BODY[8:]
        return engine.Append(keys.id, token or keys.send_hash, [body])

    async def at_once(*operations: engine.Operation[Any]) -> list[Any]:
        return await asyncio.gather(*(store.submit(each) for each in operations))

    stored, refused = [Verdict.STORED], [Verdict.REFUSED]
    assert await at_once(
        *(append(keys, 1) for keys in boxes[:3]),
        *(create(keys) for keys in boxes[:10]),
        *(append(keys, 1) for keys in boxes[:11]),
        append(boxes[0], 2, OTHER),
        append(boxes[0], 2),
        append(boxes[0], 2),
    ) == [refused] * 3 + [True] * 10 + [stored] * 10 + [refused, refused, stored, stored]
    await store.wipe()  # all of it is in the database, and nothing remembered
    store._mailboxes.reload()
    first, second, third, *others = boxes[:10]
    assert (
        await at_once(
            engine.DeleteMailbox(first.id, first.receive_hash),
            append(first, 3),
            append(second, 3),
            engine.DeleteMailbox(second.id, second.receive_hash),
            append(second, 4),
            create(second),
            append(second, 5),
            append(third, 1),  # which waits there
            *(append(keys, 1, OTHER) for keys in others),
            *(append(keys, 3) for keys in others),
        )
        == [True, refused, stored, True, refused, True, stored, stored]
        + [refused] * 7
        + [stored] * 7
    )

    async def held(keys: MailboxKeys) -> list[int] | None:
        found = await store.submit(engine.Fetch(keys.id, keys.receive_hash, -1, 1 << 20))
        return found and [int.from_bytes(body[:8], "big") for _, body in found]

    assert await at_once(  # each is remembered
        engine.DeleteMailbox(second.id, second.receive_hash),
        create(second),
        append(second, 6),
        *(append(keys, 6, OTHER) for keys in (second, third)),
    ) == [True, True, stored, refused, refused]

    assert await held(first) is None
    assert await held(second) == [6]
    assert await held(third) == [1]
    assert [await held(keys) for keys in others] == [[1, 3]] * 7


async def test_what_waits_in_a_mailbox_is_known_however_it_was_read(store: SqliteEngine) -> None:
    """In the journal only, in the database only, in both, and after all of it was fetched."""
    await create(store)
    for number in range(4):
        assert await append(store, number) is Verdict.STORED
        if number % 2:
            await store.wipe()
        for _ in range(2):
            store._mailboxes.reload()
            expected = list(range(number + 1))
            for again in expected:
                assert await append(store, again) is Verdict.STORED
            assert len(await seqs(store) or []) == len(expected)
    store._mailboxes.reload()
    found = await seqs(store) or []  # by who receives: the first to have the row read
    assert await append(store, 3) is Verdict.STORED
    assert await seqs(store) == found
    assert await store.submit(engine.Acknowledge(KEYS.id, KEYS.receive_hash, found))
    store._mailboxes.reload()
    assert await seqs(store) == []
    for _ in range(2):
        assert await append(store, 3) is Verdict.STORED
        assert len(await seqs(store) or []) == 1


async def test_what_was_read_for_one_batch_is_not_used_in_another(store: SqliteEngine) -> None:
    """Also if nothing was asked then, because the disk was full."""
    await create(store)
    rows, number = store._mailboxes._rows, store._mailboxes._rows.find(KEYS.id).number
    rows.read_for([(KEYS.id, OTHER)] * 2)
    set_seq = "UPDATE mailboxes SET next_seq = ? WHERE number = ?"
    store._connection.execute(set_seq, (2**61, number))  # as settling does
    rows.read_for([])
    assert rows.find(KEYS.id).next_seq == 2**61
