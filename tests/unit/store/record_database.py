"""Record a profile of the schema's present version: `python -m tests.unit.store.record_database`.

Run once for each new version, before its release; recorded ones are never written again.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from exile_tui.core.model import Announcement, AnnouncementKind, Delivery, Direction
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.store import ProfileVault
from tests.unit.store.samples import (
    CHEAP,
    contact,
    content_id,
    digest,
    full_contact,
    invite,
    mailbox,
    write_text,
)

RECORDED = Path(__file__).resolve().parents[2] / "vectors" / "store"
PASSPHRASE = "기록된 암호문구"
KEY = b"\x20" * 32


class FixedEntropy(SystemEntropy):
    """Gives the same bytes each time: the database key is `KEY`."""

    def bytes(self, length: int) -> bytes:
        return bytes((length,)) * length


async def record(directory: Path) -> None:
    """Write a row into every table of a new profile."""
    vault = ProfileVault(directory, argon2=CHEAP)
    vault._entropy = FixedEntropy()
    store = await vault.create(PASSPHRASE)
    async with store.transaction() as transaction:
        first = await transaction.contacts.insert(full_contact(1))
        await transaction.contacts.insert(contact(2))
        await transaction.sessions.insert(first.id, b"session state")
        await write_text(transaction, first.id, 1, "안녕하세요")
        await write_text(
            transaction,
            first.id,
            2,
            "반가워요",
            direction=Direction.OUT,
            delivery=Delivery.WAITING,
        )
        await write_text(transaction, first.id, 3, "https://example.org")
        await transaction.messages.delete(first.id, 3, 3)
        await transaction.outbox.insert(
            first.id, bytes(4096), [content_id(2)], created_ms=1, once=False, request=True
        )
        await transaction.acks.add(first.id, [content_id(1)])
        await transaction.announcements.put(
            Announcement(first.id, AnnouncementKind.MAILBOX, b"announced", content_id(3))
        )
        await transaction.invites.insert(invite(1))
        await transaction.mailboxes.insert(mailbox(1, contact_id=first.id, invite_id=1))
        await transaction.seen.add(digest(1), first.id, [content_id(1)], 20_000)
        await transaction.settings.set("name", "김하늘")
    await store.close()
    for name in ("lock", "reserve"):
        (directory / name).unlink()


if __name__ == "__main__":
    from exile_tui.store.schema import MIGRATIONS

    target = RECORDED / f"version-{len(MIGRATIONS)}"
    if target.exists() and "--again" in sys.argv:
        shutil.rmtree(target)
    asyncio.run(record(target))
