"""What the disk shows, and what remains of what was deleted."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from exile_tui.core.model import (
    Announcement,
    AnnouncementKind,
    Delivery,
    Direction,
    MessageKind,
    Reason,
)
from exile_tui.core.ports import Transaction
from exile_tui.store import ProfileVault, schema, wiping
from exile_tui.store.database import Database
from exile_tui.store.statements import Statements
from exile_tui.store.store import ProfileStore
from exile_tui.store.transaction import ProfileTransaction
from exile_tui.store.vaultfile import VaultFile
from tests.unit.store.conftest import PASSPHRASE
from tests.unit.store.samples import (
    content_id,
    digest,
    full_contact,
    invite,
    mailbox,
    write_text,
)

SECRETS = (
    "김하늘".encode(),
    "비밀 이야기".encode(),
    b"session state",
    b"exile:link",
    b"invite-secret",
    b"receive-receive",
    b"sending-sending",
    b"delete-token",
    b"content-",
    b"bundle--bundle",
    b"digest--digest",
    b"relay.example",
    b"announced",
    b"setting-key",
    b"SQLite format 3",
    b"CREATE TABLE",
    "ㅣㄹ".encode(),  # the end of 밀 as the search index has it; it shortens beginnings
    PASSPHRASE.encode(),
)


async def fill(transaction: Transaction) -> int:
    """Write a secret into every table."""
    stored = await transaction.contacts.insert(full_contact(1))
    await transaction.sessions.insert(stored.id, b"session state " * 50)
    for number in range(50):
        await write_text(transaction, stored.id, number, f"비밀 이야기 {number}")
    await transaction.outbox.insert(
        stored.id, b"announced" * 500, [content_id(1)], created_ms=1, once=False, request=False
    )
    await transaction.acks.add(stored.id, [content_id(2)])
    await transaction.announcements.put(
        Announcement(stored.id, AnnouncementKind.PROFILE, b"announced", content_id(3))
    )
    await transaction.invites.insert(invite(1))
    await transaction.mailboxes.insert(mailbox(1, contact_id=stored.id))
    await transaction.seen.add(digest(1), stored.id, [content_id(4)], 1)
    await transaction.settings.set("setting-key", "비밀 이야기")
    return stored.id


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def found(directory: Path, needles: tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    return [
        (path.name, needle)
        for path in directory.iterdir()
        for content in (path.read_bytes(),)
        for needle in needles
        if needle in content
    ]


async def test_no_file_shows_anything(
    vault: ProfileVault, directory: Path, store: ProfileStore
) -> None:
    async with store.transaction() as transaction:
        await fill(transaction)
    keys = VaultFile.decode((directory / "vault").read_bytes(), "vault").unlock(PASSPHRASE)
    needles = (*SECRETS, *keys)
    assert found(directory, needles) == []
    await store.truncate_wal()
    assert found(directory, needles) == []
    await store.change_passphrase(PASSPHRASE, "새 암호문구", new_database_key=True)
    new = VaultFile.decode((directory / "vault").read_bytes(), "vault").unlock("새 암호문구")
    assert new != keys
    assert found(directory, (*needles, *new)) == []
    await store.close()
    assert found(directory, (*needles, *new)) == []
    assert set(names(directory)) == {"database", "lock", "reserve", "vault"}


async def open_plain(path: Path) -> Database:
    """Open the same schema without encryption, so that what remains can be seen."""
    database = await Database.open(path, None, writer=True)
    await schema.create(database, b"V" * 16)
    return database


async def test_the_scan_would_find_what_is_there(tmp_path: Path) -> None:
    database = await open_plain(tmp_path / "database")
    await database.all("BEGIN IMMEDIATE")
    await fill(ProfileTransaction(Statements(database)))
    await database.commit()
    await database.all("PRAGMA wal_checkpoint(TRUNCATE)")
    missing = set(SECRETS) - {needle for _, needle in found(tmp_path, SECRETS)}
    assert missing == {PASSPHRASE.encode()}
    await database.close()


async def test_a_deleted_contact_leaves_no_byte(tmp_path: Path) -> None:
    database = await open_plain(tmp_path / "database")
    await database.all("BEGIN IMMEDIATE")
    contact_id = await fill(ProfileTransaction(Statements(database)))
    await database.commit()
    await database.all("BEGIN IMMEDIATE")
    transaction = ProfileTransaction(Statements(database))
    await transaction.contacts.delete(contact_id)
    await transaction.settings.delete("setting-key")
    await database.commit()
    await wiping.wipe(database, scrub=True)
    kept = (b"exile:link", b"invite-secret", b"receive-receive", b"sending-sending")
    kept += (b"delete-token", b"digest--digest", b"relay.example", b"SQLite format 3")
    kept += (b"CREATE TABLE",)
    gone = tuple(needle for needle in SECRETS if needle not in kept)
    assert found(tmp_path, gone) == []
    assert {needle for _, needle in found(tmp_path, kept)} == set(kept)
    await database.close()


@pytest.mark.parametrize("seed", range(4))
async def test_no_deleted_text_remains_anywhere(tmp_path: Path, seed: int) -> None:
    """Insert and delete at random: pages split, merge and are used again."""
    rng = random.Random(seed)
    database = await open_plain(tmp_path / "database")
    await database.all("BEGIN IMMEDIATE")
    transaction = ProfileTransaction(Statements(database))
    contacts = [(await transaction.contacts.insert(full_contact(n))).id for n in range(3)]
    await database.commit()
    alive: dict[int, bytes] = {}
    dead: list[bytes] = []
    for _ in range(12):
        await database.all("BEGIN IMMEDIATE")
        transaction = ProfileTransaction(Statements(database))
        for _ in range(60):
            mark = f"<{rng.getrandbits(64):016x}>"
            line = await transaction.messages.append(
                rng.choice(contacts),
                direction=Direction.IN,
                kind=MessageKind.TEXT,
                content_id=mark.encode()[1:17],
                text=mark + "가" * rng.choice((0, 10, 100, 500, 3000)),
                sent_ms=1,
                stored_ms=1,
                delivery=Delivery.SENT,
                reason=Reason.NONE,
                read=False,
            )
            alive[line.id] = mark.encode()[1:17]
        for message_id in rng.sample(sorted(alive), len(alive) // 2):
            await database.all("DELETE FROM message WHERE id = ?", (message_id,))
            dead.append(alive.pop(message_id))
        await database.commit()
    await wiping.wipe(database, scrub=True)
    assert await database.all("SELECT scrub FROM profile") == [(0,)]
    assert found(tmp_path, tuple(dead)) == []
    assert len(found(tmp_path, tuple(alive.values()))) == len(alive)
    await database.close()


async def test_the_store_rewrites_the_file_after_a_deletion(
    vault: ProfileVault, directory: Path, store: ProfileStore
) -> None:
    async with store.transaction() as transaction:
        contact_id = await fill(transaction)
        for number in range(1000, 1400):
            await write_text(transaction, contact_id, number, "가" * 500)
    await store.truncate_wal()
    size = (await size_of(store), await scrub_due(store))
    async with store.transaction() as transaction:
        await transaction.contacts.delete(contact_id)
    assert await scrub_due(store)
    await store.truncate_wal()
    assert not await scrub_due(store)
    assert size[1] is False
    assert await size_of(store) < size[0] / 4
    async with store.snapshot() as transaction:
        assert await transaction.settings.get("setting-key")


async def test_the_store_rewrites_the_file_after_a_contact_without_messages(
    store: ProfileStore,
) -> None:
    async with store.transaction() as transaction:
        contact_id = (await transaction.contacts.insert(full_contact(1))).id
    async with store.transaction() as transaction:
        await transaction.contacts.delete(contact_id)
    assert await scrub_due(store), "copies of its name and keys may remain"
    await store.truncate_wal()
    assert not await scrub_due(store)


async def test_the_store_rewrites_the_file_after_the_keys_of_an_invite_went(
    store: ProfileStore,
) -> None:
    async with store.transaction() as transaction:
        stored = await transaction.invites.insert(invite(1))
        await transaction.invites.update(replace(stored, published=True))
    assert not await scrub_due(store)
    async with store.transaction() as transaction:
        await transaction.invites.update(replace(stored, secret=b""))
    assert await scrub_due(store), "copies of its keys may remain"
    await store.truncate_wal()
    async with store.transaction() as transaction:
        await transaction.invites.update(replace(stored, secret=b"", blob_deleted=True))
    assert not await scrub_due(store)


async def size_of(store: ProfileStore) -> int:
    assert store._writer is not None
    return int((await store._writer.all("PRAGMA page_count"))[0][0])


async def scrub_due(store: ProfileStore) -> bool:
    assert store._writer is not None
    return await store._writer.all("SELECT scrub FROM profile") == [(1,)]
