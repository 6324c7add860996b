"""What the disk shows, and what remains of what was deleted."""

from __future__ import annotations

import os
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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
from exile_tui.store import ProfileVault, database, removing, wiping
from exile_tui.store.files import RESERVE_BYTES
from exile_tui.store.store import ProfileStore
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
    await store.wipe(large=True)
    assert found(directory, needles) == []
    await store.change_passphrase(PASSPHRASE, "새 암호문구", new_database_key=True)
    new = VaultFile.decode((directory / "vault").read_bytes(), "vault").unlock("새 암호문구")
    assert new != keys
    assert found(directory, (*needles, *new)) == []
    await store.close()
    assert found(directory, (*needles, *new)) == []
    assert set(names(directory)) == {"database", "lock", "reserve", "vault"}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open every database without encryption, so that what remains in its file can be seen."""
    encrypted = database.connect

    def connect(path: Path, key: bytes | None, **options: Any) -> sqlite3.Connection:
        return encrypted(path, None, **options)

    monkeypatch.setattr(database, "connect", connect)


async def test_the_scan_would_find_what_is_there(
    plain: None, directory: Path, store: ProfileStore
) -> None:
    async with store.transaction() as transaction:
        await fill(transaction)
    await store.wipe(large=True)
    missing = set(SECRETS) - {needle for _, needle in found(directory, SECRETS)}
    assert missing == {PASSPHRASE.encode()}


async def test_a_deleted_contact_leaves_no_byte(
    plain: None, directory: Path, store: ProfileStore
) -> None:
    async with store.transaction() as transaction:
        contact_id = await fill(transaction)
    async with store.transaction() as transaction:
        await transaction.contacts.delete(contact_id)
        await transaction.settings.delete("setting-key")
    await store.wipe(large=True)
    kept = (b"exile:link", b"invite-secret", b"receive-receive", b"sending-sending")
    kept += (b"delete-token", b"digest--digest", b"relay.example", b"SQLite format 3")
    kept += (b"CREATE TABLE",)
    gone = tuple(needle for needle in SECRETS if needle not in kept)
    assert found(directory, gone) == []
    assert {needle for _, needle in found(directory, kept)} == set(kept)


@pytest.mark.parametrize("seed", range(4))
async def test_no_deleted_text_remains_anywhere(
    plain: None, directory: Path, store: ProfileStore, seed: int
) -> None:
    """Insert and delete at random: pages split, merge and are used again."""
    rng = random.Random(seed)
    async with store.transaction() as transaction:
        contacts = [(await transaction.contacts.insert(full_contact(n))).id for n in range(3)]
    alive: dict[tuple[int, int], bytes] = {}
    dead: list[bytes] = []
    for _ in range(12):
        async with store.transaction() as transaction:
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
                alive[line.contact_id, line.seq] = mark.encode()[1:17]
            for who, seq in rng.sample(sorted(alive), len(alive) // 2):
                assert await transaction.messages.delete(who, seq, seq) == 1
                dead.append(alive.pop((who, seq)))
    await store.wipe(large=True)
    assert not await scrub_due(store)
    assert found(directory, tuple(dead)) == []
    assert len(found(directory, tuple(alive.values()))) == len(alive)


async def test_the_store_rewrites_the_file_after_a_deletion(
    vault: ProfileVault, directory: Path, store: ProfileStore
) -> None:
    async with store.transaction() as transaction:
        contact_id = await fill(transaction)
        for number in range(1000, 1400):
            await write_text(transaction, contact_id, number, "가" * 500)
    await store.wipe(large=True)
    size = (await size_of(store), await scrub_due(store))
    async with store.transaction() as transaction:
        await transaction.contacts.delete(contact_id)
    assert await scrub_due(store)
    await store.wipe(large=True)
    assert not await scrub_due(store)
    assert size[1] is False
    assert await size_of(store) < size[0] / 4
    async with store.snapshot() as transaction:
        assert await transaction.settings.get("setting-key")


@pytest.mark.parametrize("linked", [False, True])
async def test_the_old_file_is_overwritten_unless_it_is_a_backup(
    store: ProfileStore, directory: Path, linked: bool
) -> None:
    async with store.transaction() as transaction:
        contact_id = await fill(transaction)
        await transaction.contacts.delete(contact_id)
    await store.truncate_wal()
    if linked:
        os.link(directory / "database", directory.parent / "backup")
    with (directory / "database").open("rb") as old:
        size = len(old.read())
        await store.wipe(large=True)
        assert os.fstat(old.fileno()).st_ino != (directory / "database").stat().st_ino
        old.seek(0)
        left = old.read()
        assert len(left) >= size
        assert (left.strip(b"\0") != b"") is linked
    assert not await scrub_due(store)


async def test_what_is_deleted_needs_no_room_to_be_rewritten(
    store: ProfileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who deletes because the disk is nearly full is not to wait for room."""
    async with store.transaction() as transaction:
        contact_id = await fill(transaction)
        for number in range(1000, 1400):
            await write_text(transaction, contact_id, number, "가" * 3000)
    async with store.transaction() as transaction:
        await transaction.contacts.delete(contact_id)
    await store.truncate_wal()
    size = (directory / "database").stat().st_size
    free = SimpleNamespace(free=2 * RESERVE_BYTES + size // 4)
    monkeypatch.setattr("exile_tui.store.wiping.shutil.disk_usage", lambda _: free)
    await store.wipe(large=True)
    assert not await scrub_due(store)
    assert (directory / "database").stat().st_size < size // 4


async def test_what_a_killed_rewriting_left_goes_on_opening(
    vault: ProfileVault, directory: Path, store: ProfileStore
) -> None:
    await store.close()
    for name in ("database.next", "database.next-journal"):
        (directory / name).write_bytes(bytes(512))
    store = await vault.open(PASSPHRASE)
    assert [name for name in names(directory) if "next" in name] == []
    await store.close()


async def test_the_file_that_a_link_leads_to_is_rewritten(
    vault: ProfileVault, directory: Path, store: ProfileStore
) -> None:
    await store.close()
    elsewhere = directory.parent / "elsewhere"
    elsewhere.mkdir()
    (directory / "database").rename(elsewhere / "db")
    (directory / "database").symlink_to(elsewhere / "db")
    store = await vault.open(PASSPHRASE)
    async with store.transaction() as transaction:
        contact_id = await fill(transaction)
        await transaction.contacts.delete(contact_id)
    await store.truncate_wal()
    with (elsewhere / "db").open("rb") as old:
        await store.wipe(large=True)
        assert old.read().strip(b"\0") == b""
    assert not await scrub_due(store)
    await store.close()
    assert (directory / "database").is_symlink()
    assert names(elsewhere) == ["db"]
    store = await vault.open(PASSPHRASE)
    async with store.snapshot() as transaction:
        assert await transaction.settings.get("setting-key")
    await store.close()


async def test_the_store_rewrites_the_file_after_a_contact_without_messages(
    store: ProfileStore,
) -> None:
    async with store.transaction() as transaction:
        contact_id = (await transaction.contacts.insert(full_contact(1))).id
    async with store.transaction() as transaction:
        await transaction.contacts.delete(contact_id)
    assert await scrub_due(store), "copies of its name and keys may remain"
    await store.wipe(large=True)
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
    await store.wipe(large=True)
    async with store.transaction() as transaction:
        await transaction.invites.update(replace(stored, secret=b"", blob_deleted=True))
    assert not await scrub_due(store)


async def size_of(store: ProfileStore) -> int:
    return int((await store._connections.writer.all("PRAGMA page_count"))[0][0])


async def test_what_was_left_in_the_index_is_merged_with_the_next(
    vault: ProfileVault, store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart nobody knows how much of the index is of deleted lines."""
    monkeypatch.setattr(removing, "_WORTH_MERGING", 1)
    async with store.transaction() as transaction:
        contact_id = await fill(transaction)
        await transaction.messages.delete(contact_id, 1, 2)

    async def killed(*, large: bool) -> None:
        pass

    async def scrub(store: ProfileStore) -> int:
        return int((await store._connections.writer.all("SELECT scrub FROM profile"))[0][0])

    await store.compact_index()
    assert await scrub(store) == wiping.TOKENS, "two lines are not half of it"
    monkeypatch.setattr(store, "_wipe", killed)
    await store.close()
    store = await vault.open(PASSPHRASE)
    await store.compact_index()
    assert await scrub(store) == wiping.COPIES
    async with store.transaction() as transaction:
        await transaction.messages.delete(contact_id, 3, 4)
    await store.compact_index()
    assert await scrub(store) == wiping.TOKENS
    await store.close()


async def scrub_due(store: ProfileStore) -> bool:
    return await store._connections.writer.all("SELECT scrub FROM profile") != [(0,)]
