"""The repositories against plain lists: the same operations, the same answers."""

from __future__ import annotations

import copy
import random
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from exile_tui.core.model import (
    Announcement,
    AnnouncementKind,
    ContactState,
    Delivery,
    Direction,
    InviteState,
    MailboxState,
    Message,
    MessageKind,
    Reason,
)
from exile_tui.core.ports import Transaction
from exile_tui.core.searching import EVERYWHERE, SearchFilter
from exile_tui.store import ProfileVault
from exile_tui.store.store import ProfileStore
from tests.unit.store.conftest import PASSPHRASE
from tests.unit.store.memory import MemoryTransaction
from tests.unit.store.memory_state import State
from tests.unit.store.samples import (
    contact,
    content_id,
    digest,
    full_contact,
    hits,
    invite,
    mailbox,
    write_text,
)

WORDS = ("안녕", "ZOOM", "Straße", "STRASSE", "é", "e\u0301", "100%", "a_b", "😀", "가", "\0x", "")
SOUGHT = ("안녕", "ZOOM", "100%", "a_b", "😀", "가", "")
"""Found wherever they stand: inside words, case makes no difference in ASCII only."""
IDS = range(24)
CONTACTS = range(1, 6)


async def newest_hits(tx: Transaction, query: str, only: SearchFilter, limit: int) -> list[Message]:
    """Return what is found without regard to what is exact, which the model knows nothing of."""
    found = await hits(tx.messages, query, only, limit)
    return sorted(found, key=lambda hit: -hit.id)


class Undo(Exception):
    """Makes a savepoint or transaction roll back."""


def operations(rng: random.Random) -> list[Callable[[Transaction], Awaitable[object]]]:
    """Return a few operations with arguments drawn once, to be run on both sides."""
    one, number = rng.choice(CONTACTS), rng.randrange(10**6)
    some = [content_id(rng.choice(IDS)) for _ in range(rng.randrange(4))]
    when, limit = rng.randrange(100), rng.randrange(-1, 6)
    word = rng.choice(WORDS)
    direction = rng.choice(list(Direction))
    delivery = rng.choice(list(Delivery)) if direction is Direction.OUT else None
    kind = rng.choice(list(MessageKind))
    reason, once = rng.choice(list(Reason)), rng.random() < 0.2
    entries = [rng.randrange(1, 60) for _ in range(3)]
    owner, before = rng.choice([None, one]), rng.choice([None, when])
    announced = (
        Announcement(one, rng.choice(list(AnnouncementKind)), b"c%d" % number, some[0])
        if (some)
        else Announcement(one, AnnouncementKind.PROFILE, b"c", content_id(1))
    )
    state = rng.choice(list(MailboxState))
    read = direction is Direction.OUT or rng.random() < 0.3

    async def append(tx: Transaction) -> object:
        known = some[0] if some else b""
        if await tx.contacts.get(one) is None or await tx.messages.knows(one, direction, known):
            return None
        return await tx.messages.append(
            one, direction=direction, kind=kind, content_id=known, text=f"{word} {number} {word}",
            sent_ms=when, stored_ms=when, delivery=delivery, reason=reason, read=read,
        )  # fmt: skip

    async def change_contact(tx: Transaction) -> object:
        found = await tx.contacts.get(one)
        if found is None:
            return None
        verified = full_contact(number).verification
        changed = replace(found, name=word, verification=verified if once else None, answered=once)
        return await tx.contacts.update(changed)

    async def change_session(tx: Transaction) -> object:
        if await tx.contacts.get(one) is None:
            return None
        try:
            session, version = await tx.sessions.load(one)
        except KeyError:
            return await tx.sessions.insert(one, b"state")
        return await tx.sessions.update(one, session + b"%d" % number, version)

    async def send(tx: Transaction) -> object:
        if await tx.contacts.get(one) is None:
            return None
        return await tx.outbox.insert(
            one, b"E" * rng_size, some, created_ms=when, once=once, request=read
        )

    async def acknowledge(tx: Transaction) -> object:
        await tx.announcements.acknowledged(one, some)
        return await tx.outbox.acknowledged(one, some)

    async def note(tx: Transaction) -> object:
        if await tx.contacts.get(one) is None:
            return None
        await tx.seen.add(digest(number % 40), one, some, when)
        await tx.announcements.put(announced)
        return await tx.acks.add(one, some)

    async def change_invite(tx: Transaction) -> object:
        found = await tx.invites.get(one)
        if found is None or rng_size > 4000:
            return await tx.invites.insert(invite(number))
        changed = replace(found, state=InviteState.SPENT, secret=b"", blob_deleted=True)
        return await tx.invites.update(changed)

    async def change_mailbox(tx: Transaction) -> object:
        known = await tx.mailboxes.get(mailbox(one).id)
        if known is None:
            there = one if await tx.contacts.get(one) else None
            return await tx.mailboxes.insert(mailbox(one, contact_id=there, invite_id=3))
        if once:
            return await tx.mailboxes.delete(known.id)
        return await tx.mailboxes.update(
            replace(known, state=state, ticket=b"T" * 32, renewal=b"R" * 32, left_ms=one)
        )

    rng_size, sought = rng.choice((0, 4096, 16384)), rng.choice(SOUGHT)
    return [
        lambda tx: tx.contacts.insert(contact(number, created_ms=when)),
        change_contact,
        *[append] * 4,
        lambda tx: tx.messages.set_delivery(one, some, delivery or Delivery.SENT, reason),
        lambda tx: tx.messages.mark_read(one, number % 7, number % 20),
        lambda tx: tx.messages.delete(one, number % 23, number % 23 + rng_size % 5),
        change_session,
        *[send] * 3,
        lambda tx: tx.outbox.stored(entries, when),
        lambda tx: tx.outbox.set_due(contact_id=owner, appended_before_ms=before),
        lambda tx: tx.outbox.delete(entries[:1]),
        acknowledge,
        note,
        lambda tx: tx.acks.remove(one, some),
        lambda tx: tx.seen.expire(when // 4),
        change_invite,
        change_mailbox,
        lambda tx: tx.settings.set(word, str(number)),
        lambda tx: tx.settings.delete(word),
        lambda tx: newest_hits(tx, sought, SearchFilter(owner), limit),
        lambda tx: tx.messages.recent(one, limit),
        lambda tx: tx.outbox.due(one, limit),
        lambda tx: tx.acks.due(one, limit),
        lambda tx: tx.outbox.created_before(when),
    ]


async def everything(tx: Transaction, highest: int) -> dict[str, Any]:
    """Read all that can be read."""
    seen: dict[str, Any] = {
        "contacts": await tx.contacts.all(),
        "conversations": await tx.messages.conversations(),
        "waiting": await tx.messages.count_waiting(),
        "due contacts": await tx.outbox.due_contacts(),
        "ack contacts": await tx.acks.contacts(),
        "invites": await tx.invites.all(),
        "mailboxes": await tx.mailboxes.all(),
        "settings": [await tx.settings.get(word) for word in WORDS],
        "all settings": [await tx.settings.beginning_with(prefix) for prefix in ("", "1", "S")],
        "seen": [await tx.seen.lookup(digest(number)) for number in range(40)],
        "searches": [await newest_hits(tx, word, EVERYWHERE, 100) for word in SOUGHT],
    }
    for one in range(1, highest + 1):
        session: object = None
        with suppress(KeyError):
            session = await tx.sessions.load(one)
        seen[f"contact {one}"] = (
            session,
            await tx.messages.recent(one, 1000),
            await tx.messages.extent(one),
            await tx.messages.window(one, 5, 12),
            await tx.messages.stored_before(one, 9, 500),
            await tx.messages.stored_after(one, 3, 500),
            await tx.messages.queued(one),
            await tx.outbox.of(one),
            await tx.outbox.due(one, 1000),
            await tx.acks.due(one, 1000),
            await tx.announcements.of(one),
            await tx.announcements.get(one, AnnouncementKind.MAILBOX),
            await tx.mailboxes.of_contact(one),
        )
    for found in seen["contacts"]:
        assert await tx.contacts.by_bundle(found.bundle_hash) == found
    for found in seen["invites"]:
        assert await tx.invites.by_bundle(found.bundle_hash) == found
    return seen


async def run_both(
    rng: random.Random, real: Transaction, model: MemoryTransaction, steps: int
) -> None:
    for _ in range(steps):
        if rng.random() < 0.03:
            chosen: Callable[[Transaction], Awaitable[object]] = _delete_one(rng)
        else:
            chosen = rng.choice(operations(rng))
        undo = rng.random() < 0.1
        answers: list[object] = []
        for side in (real, model):
            with suppress(Undo):
                async with side.savepoint():
                    answers.append(await chosen(side))
                    if undo:
                        raise Undo
        assert answers[0] == answers[1]


def _delete_one(rng: random.Random) -> Callable[[Transaction], Awaitable[object]]:
    one = rng.choice(CONTACTS)
    return lambda tx: tx.contacts.delete(one)


@pytest.mark.parametrize("seed", range(6))
async def test_the_same_as_plain_lists(store: ProfileStore, vault: ProfileVault, seed: int) -> None:
    rng = random.Random(seed)
    state = State()
    for _ in range(25):
        model = MemoryTransaction(copy.deepcopy(state))
        try:
            async with store.transaction() as real:
                await run_both(rng, real, model, 12)
                if rng.random() < 0.15:
                    raise Undo
        except Undo:
            continue
        state = model.state
        highest = state.ids.get("contact", 0)
        async with store.snapshot() as real:
            answer = await everything(real, highest)
        assert answer == await everything(MemoryTransaction(state), highest)
    await store.close()
    reopened = await vault.open(PASSPHRASE)
    async with reopened.snapshot() as real:
        answer = await everything(real, highest)
    await reopened.close()
    assert answer == await everything(MemoryTransaction(state), highest)
    assert len(answer["contacts"]) > 1


async def test_every_field_of_a_contact_comes_back(store: ProfileStore) -> None:
    async with store.transaction() as transaction:
        bare = await transaction.contacts.insert(contact(1))
        full = await transaction.contacts.insert(full_contact(2))
        await transaction.contacts.update(replace(bare, state=ContactState.JOINING))
    async with store.snapshot() as transaction:
        assert await transaction.contacts.get(full.id) == full
        assert await transaction.contacts.get(bare.id) == replace(bare, state=ContactState.JOINING)
        assert await transaction.contacts.get(99) is None
        assert await transaction.contacts.by_bundle(b"none") is None


async def test_an_id_is_never_given_again(store: ProfileStore) -> None:
    async with store.transaction() as transaction:
        first = await transaction.contacts.insert(contact(1))
        await transaction.contacts.delete(first.id)
        second = await transaction.contacts.insert(contact(1))
    assert second.id > first.id


async def test_a_session_is_replaced_only_at_its_version(store: ProfileStore) -> None:
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        with pytest.raises(KeyError):
            await transaction.sessions.load(stored.id)
        await transaction.sessions.insert(stored.id, b"1")
        await transaction.sessions.update(stored.id, b"2", 1)
        with pytest.raises(RuntimeError):
            await transaction.sessions.update(stored.id, b"3", 1)
        assert await transaction.sessions.load(stored.id) == (b"2", 2)


async def test_delivered_is_final(store: ProfileStore) -> None:
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        await write_text(
            transaction, stored.id, 1, "t", direction=Direction.OUT, delivery=Delivery.WAITING
        )
        change = transaction.messages.set_delivery
        assert await change(stored.id, [content_id(1)], Delivery.FAILED, Reason.FULL) == 1
        assert await change(stored.id, [content_id(1)], Delivery.FAILED, Reason.FULL) == 0
        assert await change(stored.id, [content_id(1)], Delivery.SENT, Reason.NONE) == 0
        assert await change(stored.id, [content_id(1)], Delivery.DELIVERED, Reason.NONE) == 1
        assert await change(stored.id, [content_id(1)], Delivery.SENT, Reason.NONE) == 0
        assert await change(stored.id + 1, [content_id(1)], Delivery.SENT, Reason.NONE) == 0
        (line,) = await transaction.messages.recent(stored.id, 5)
        assert line.delivery is Delivery.DELIVERED


async def test_an_entry_without_ids_stays_when_others_are_acknowledged(
    store: ProfileStore,
) -> None:
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        insert = transaction.outbox.insert
        empty = await insert(stored.id, b"r", [], created_ms=1, once=False, request=True)
        both = await insert(
            stored.id, b"b", [content_id(1), content_id(2)], created_ms=1, once=False, request=True
        )
        await insert(stored.id, b"c", [content_id(2)], created_ms=1, once=False, request=True)
        await transaction.outbox.acknowledged(stored.id, [content_id(2), content_id(9)])
        left = await transaction.outbox.of(stored.id)
        assert left == [empty, replace(both, content_ids=frozenset([content_id(1)]))]
        await transaction.outbox.acknowledged(stored.id + 1, [content_id(1)])
        assert await transaction.outbox.of(stored.id) == left


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("안녕하세요", "녕하"),
        (unicodedata.normalize("NFD", "안녕하세요"), "안녕"),
        ("안녕하세요", unicodedata.normalize("NFD", "녕")),
        ("Straße", "STRASSE"),
        ("ÉCOLE", "école"),
        ("100%_x", "%_"),
        ("a\0b", "B"),
        ("a\0안녕", "안녕"),
        ("\U00010400", "\U00010428"),
    ],
)
async def test_search_ignores_case_and_composition(
    store: ProfileStore, text: str, query: str
) -> None:
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        await write_text(transaction, stored.id, 1, "다른 말")
        line = await write_text(transaction, stored.id, 2, text)
        lines = transaction.messages
        assert await hits(lines, query) == [line]
        assert await hits(lines, query, SearchFilter(stored.id)) == [line]
        assert await hits(lines, query, SearchFilter(stored.id + 1)) == []
        assert await hits(lines, "") == []


async def test_lists_use_indexes(store: ProfileStore) -> None:
    """No list of a long history may read it whole, nor sort it."""
    plans = {
        "SELECT 1 FROM message WHERE contact_id = ? AND direction = ? AND content_id = ?": 3,
        "SELECT * FROM message WHERE contact_id = ? ORDER BY seq DESC LIMIT 200": 1,
        "SELECT * FROM message WHERE contact_id = ? AND delivery = 'queued' ORDER BY seq": 1,
        "UPDATE message SET read = 1 WHERE contact_id = ? AND seq <= ? AND read = 0"
        " AND direction = 'in'": 2,
        "SELECT * FROM outbox WHERE due = 1 AND contact_id = ? ORDER BY id LIMIT 5": 1,
        "SELECT * FROM outbox WHERE created_ms < ? ORDER BY +id": 1,
        "UPDATE outbox SET due = 1 WHERE due = 0 AND appended_ms < ?": 1,
        "DELETE FROM outbox_content WHERE contact_id = ? AND content_id = ?": 2,
        "DELETE FROM seen WHERE day < ?": 1,
        "SELECT content_id FROM ack WHERE contact_id = ? ORDER BY id LIMIT 5": 1,
    }
    for sql, parameters in plans.items():
        rows = await store._connections.writer.all(f"EXPLAIN QUERY PLAN {sql}", (1,) * parameters)
        plan = " / ".join(row[3] for row in rows)
        assert "SCAN" not in plan, (sql, plan)
        if "FROM message" in sql:
            assert "TEMP B-TREE" not in plan, (sql, plan)
