"""Recorded databases of every version open, and come out as they went in."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exile_tui.core.model import Announcement, AnnouncementKind, Delivery
from exile_tui.errors import ProfileError
from exile_tui.store import ProfileVault, schema
from exile_tui.store.database import Database, opens
from tests.unit.store.record_database import KEY, PASSPHRASE, RECORDED
from tests.unit.store.samples import (
    CHEAP,
    contact,
    content_id,
    digest,
    full_contact,
    invite,
    mailbox,
)

VERSIONS = range(1, len(schema.MIGRATIONS) + 1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_recorded_database_opens(tmp_path: Path, version: int) -> None:
    directory = tmp_path / "profile"
    shutil.copytree(RECORDED / f"version-{version}", directory)
    assert opens(directory / "database", KEY)
    store = await ProfileVault(directory, argon2=CHEAP).open(PASSPHRASE)
    async with store.snapshot() as tx:
        assert await tx.contacts.all() == [replace(full_contact(1), id=1), contact(2, id=2)]
        assert await tx.sessions.load(1) == (b"session state", 1)
        lines = await tx.messages.recent(1, 10)
        assert [line.text for line in lines] == ["안녕하세요", "반가워요"]
        assert [line.delivery for line in lines] == [None, Delivery.WAITING]
        assert [row.unread for row in await tx.messages.conversations()] == [1, 0]
        assert await tx.messages.count_waiting() == 1
        (entry,) = await tx.outbox.due(1, 10)
        assert (entry.envelope, entry.content_ids) == (bytes(4096), {content_id(2)})
        assert await tx.acks.due(1, 10) == [content_id(1)]
        assert await tx.announcements.of(1) == [
            Announcement(1, AnnouncementKind.MAILBOX, b"announced", content_id(3))
        ]
        assert await tx.invites.all() == [invite(1, id=1)]
        assert await tx.mailboxes.all() == [mailbox(1, contact_id=1, invite_id=1)]
        assert await tx.seen.lookup(digest(1)) == (1, [content_id(1)])
        assert await tx.settings.get("name") == "김하늘"
    await store.close()
    database = await Database.open(directory / "database", KEY, writer=True)
    assert await schema.version_of(database) == len(schema.MIGRATIONS)
    await database.close()


async def test_a_migration_happens_wholly_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "profile"
    shutil.copytree(RECORDED / "version-1", directory)
    vault = ProfileVault(directory, argon2=CHEAP)
    good = ("ALTER TABLE setting ADD COLUMN extra INTEGER",)
    bad = ("CREATE TABLE more (id INTEGER) STRICT", "this is no SQL")
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:1], good, bad))
        with pytest.raises(RuntimeError):
            await vault.open(PASSPHRASE)
    database = await Database.open(directory / "database", KEY, writer=True)
    assert await schema.version_of(database) == 2
    assert await database.all("SELECT name FROM sqlite_schema WHERE name = 'more'") == []
    await database.close()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:1], good, bad[:1]))
        store = await vault.open(PASSPHRASE)
        async with store.snapshot() as tx:
            assert await tx.settings.get("name") == "김하늘"
        await store.close()
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    with pytest.raises(ProfileError, match="newer"):
        await vault.open(PASSPHRASE)
