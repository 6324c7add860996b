"""The contacts of this profile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exile_tui.core.model import Contact, ContactState, Verification, VerifiedHow
from exile_tui.store.database import Row
from exile_tui.store.removing import LAST_SEQ, unindexing
from exile_tui.store.statements import Statements
from exile_tui.wire.mailbox import MailboxDescriptor

COLUMNS = (
    "contact.id, contact.state, name, name_serial, created_ms, safety_digits, bundle_hash, "
    "expiry_ms, peer_mailbox, peer_mailbox_serial, verified_digits, verified_ms, verified_how, "
    "answered, copy_suspected"
)
COLUMN_COUNT = 15

_SELECT = " ".join(("SELECT", COLUMNS, "FROM contact"))
_ARCHIVED = (ContactState.ARCHIVED.value,)


class ContactTable:
    """Implements `repositories.Contacts`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def insert(self, contact: Contact) -> Contact:
        """Store a contact (its `id` is ignored) and return it with its id."""
        rows = await self._statements.all(
            "INSERT INTO contact (state, name, name_serial, created_ms, safety_digits, bundle_hash,"
            " expiry_ms, peer_mailbox, peer_mailbox_serial, verified_digits, verified_ms,"
            " verified_how, answered, copy_suspected)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            _values(contact),
        )
        stored = replace(contact, id=rows[0][0])
        await self._statements.run("INSERT INTO conversation (contact_id) VALUES (?)", (stored.id,))
        return stored

    async def update(self, contact: Contact) -> None:
        """Store all fields of a contact that exists."""
        changed = await self._statements.run(
            "UPDATE contact SET state = ?, name = ?, name_serial = ?, created_ms = ?,"
            " safety_digits = ?, bundle_hash = ?, expiry_ms = ?, peer_mailbox = ?,"
            " peer_mailbox_serial = ?, verified_digits = ?, verified_ms = ?, verified_how = ?,"
            " answered = ?, copy_suspected = ? WHERE id = ?",
            (*_values(contact), contact.id),
        )
        if not changed:
            raise KeyError(contact.id)

    async def get(self, contact_id: int) -> Contact | None:
        """Return a contact."""
        row = await self._statements.one(f"{_SELECT} WHERE id = ?", (contact_id,))
        return contact_from(row) if row else None

    async def by_bundle(self, bundle_hash: bytes) -> Contact | None:
        """Return the contact that an invite made."""
        row = await self._statements.one(f"{_SELECT} WHERE bundle_hash = ?", (bundle_hash,))
        return contact_from(row) if row else None

    async def all(self) -> list[Contact]:
        """Return every contact that has a session, by id."""
        rows = await self._statements.all(
            f"{_SELECT} WHERE contact.state <> ? ORDER BY id", _ARCHIVED
        )
        return [contact_from(row) for row in rows]

    async def archived(self) -> list[Contact]:
        """Return what stands for imported conversations, by id."""
        rows = await self._statements.all(
            f"{_SELECT} WHERE contact.state = ? ORDER BY id", _ARCHIVED
        )
        return [contact_from(row) for row in rows]

    async def delete(self, contact_id: int) -> None:
        """Delete a contact with its session, messages, index, outbox, announcements and acks.

        Its own mailboxes and the digests of its envelopes stay, naming no contact any more.
        """
        await self._statements.run(
            "UPDATE seen SET contact_id = 0, content_ids = x''"
            " WHERE contact_id = ? AND contact_id <> 0",
            (contact_id,),
        )
        async with unindexing(self._statements, contact_id, 1, LAST_SEQ):
            await self._statements.run("DELETE FROM contact WHERE id = ?", (contact_id,))
        # SQLite leaves copies of names and keys as it does of lines: see wiping.py.
        await self._statements.run("UPDATE profile SET scrub = 1 WHERE scrub = 0")


def contact_from(row: Row) -> Contact:
    """Make a contact of a row of `COLUMNS`."""
    verification = None
    if row[10] is not None:
        verification = Verification(digits=row[10], at_ms=row[11], how=VerifiedHow(row[12]))
    return Contact(
        id=row[0],
        state=ContactState(row[1]),
        name=row[2],
        name_serial=row[3],
        created_ms=row[4],
        safety_digits=row[5],
        bundle_hash=row[6],
        expiry_ms=row[7],
        peer_mailbox=None if row[8] is None else MailboxDescriptor.decode(row[8]),
        peer_mailbox_serial=row[9],
        verification=verification,
        answered=bool(row[13]),
        copy_suspected=bool(row[14]),
    )


def _values(contact: Contact) -> tuple[Any, ...]:
    verification = contact.verification
    return (
        contact.state.value,
        contact.name,
        contact.name_serial,
        contact.created_ms,
        contact.safety_digits,
        contact.bundle_hash,
        contact.expiry_ms,
        None if contact.peer_mailbox is None else contact.peer_mailbox.encode(),
        contact.peer_mailbox_serial,
        None if verification is None else verification.digits,
        None if verification is None else verification.at_ms,
        None if verification is None else verification.how.value,
        contact.answered,
        contact.copy_suspected,
    )
