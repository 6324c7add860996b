"""The sealed envelopes that peers have not acknowledged."""

from __future__ import annotations

from collections.abc import Iterable

from exile_tui.core.model import OutboxEntry
from exile_tui.store.database import Row
from exile_tui.store.statements import Statements

_SELECT = (
    "SELECT id, contact_id, envelope, created_ms, appended_ms, once, request, due,"
    " (SELECT group_concat(hex(content_id)) FROM outbox_content WHERE outbox_id = outbox.id)"
    " FROM outbox"
)


class OutboxTable:
    """Implements `repositories.Outbox`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def insert(
        self,
        contact_id: int,
        envelope: bytes,
        content_ids: Iterable[bytes],
        *,
        created_ms: int,
        once: bool,
        request: bool,
    ) -> OutboxEntry:
        """Store an envelope as due."""
        ids = frozenset(content_ids)
        rows = await self._statements.all(
            "INSERT INTO outbox (contact_id, created_ms, once, request, due, envelope)"
            " VALUES (?, ?, ?, ?, 1, ?) RETURNING id",
            (contact_id, created_ms, once, request, envelope),
        )
        entry_id = rows[0][0]
        await self._statements.many(
            "INSERT INTO outbox_content (contact_id, content_id, outbox_id) VALUES (?, ?, ?)",
            [(contact_id, content_id, entry_id) for content_id in ids],
        )
        return OutboxEntry(
            id=entry_id,
            contact_id=contact_id,
            envelope=envelope,
            content_ids=ids,
            created_ms=created_ms,
            appended_ms=None,
            once=once,
            request=request,
            due=True,
        )

    async def due(self, contact_id: int, limit: int) -> list[OutboxEntry]:
        """Return the first due entries of a contact, in order."""
        return await self._entries(
            "WHERE due = 1 AND contact_id = ? ORDER BY id LIMIT ?", contact_id, max(limit, 0)
        )

    async def due_contacts(self) -> list[int]:
        """Return the ids of the contacts that have due entries."""
        rows = await self._statements.all(
            "SELECT DISTINCT contact_id FROM outbox WHERE due = 1 ORDER BY contact_id"
        )
        return [row[0] for row in rows]

    async def of(self, contact_id: int) -> list[OutboxEntry]:
        """Return all entries of a contact, in order."""
        return await self._entries("WHERE contact_id = ? ORDER BY id", contact_id)

    async def stored(self, entry_ids: Iterable[int], now_ms: int) -> None:
        """Note "stored" for these: no longer due; those with `once` go."""
        ids = list(entry_ids)
        await self._statements.many(
            "DELETE FROM outbox WHERE id = ? AND once = 1", [(entry_id,) for entry_id in ids]
        )
        await self._statements.many(
            "UPDATE outbox SET due = 0, appended_ms = ? WHERE id = ?",
            [(now_ms, entry_id) for entry_id in ids],
        )

    async def acknowledged(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Take these ids from the contact's entries; entries without any id left go.

        An id that is not in this contact's outbox does nothing. Entries that never had an id stay.
        """
        ids = [(contact_id, content_id) for content_id in content_ids]
        touched: set[int] = set()
        for pair in ids:
            rows = await self._statements.all(
                "DELETE FROM outbox_content WHERE contact_id = ? AND content_id = ?"
                " RETURNING outbox_id",
                pair,
            )
            touched.update(row[0] for row in rows)
        if touched:
            await self._statements.many(
                "DELETE FROM outbox WHERE id = ?"
                " AND NOT EXISTS (SELECT 1 FROM outbox_content WHERE outbox_id = outbox.id)",
                [(entry_id,) for entry_id in sorted(touched)],
            )

    async def delete(self, entry_ids: Iterable[int]) -> None:
        """Delete entries."""
        await self._statements.many(
            "DELETE FROM outbox WHERE id = ?", [(entry_id,) for entry_id in entry_ids]
        )

    async def set_due(self, *, contact_id: int | None, appended_before_ms: int | None) -> int:
        """Make entries due again: of one contact or all, optionally only those last stored before.

        Returns:
            How many were not due before.
        """
        sql, parameters = "UPDATE outbox SET due = 1 WHERE due = 0", []
        if contact_id is not None:
            sql += " AND contact_id = ?"
            parameters.append(contact_id)
        if appended_before_ms is not None:
            sql += " AND appended_ms < ?"
            parameters.append(appended_before_ms)
        return await self._statements.run(sql, parameters)

    async def created_before(self, before_ms: int) -> list[OutboxEntry]:
        """Return entries made before a time: what was not delivered in 14 days."""
        # The plus keeps SQLite from reading all in the order of ids: few are that old.
        return await self._entries("WHERE created_ms < ? ORDER BY +id", before_ms)

    async def mend_times(self, latest_ms: int, now_ms: int) -> None:
        """Take times after `latest_ms` for now: a wrong clock wrote them."""
        times = (now_ms, latest_ms)
        await self._statements.run("UPDATE outbox SET created_ms = ? WHERE created_ms > ?", times)
        await self._statements.run("UPDATE outbox SET appended_ms = ? WHERE appended_ms > ?", times)

    async def _entries(self, where: str, *parameters: int) -> list[OutboxEntry]:
        return [_entry(row) for row in await self._statements.all(f"{_SELECT} {where}", parameters)]


def _entry(row: Row) -> OutboxEntry:
    return OutboxEntry(
        id=row[0],
        contact_id=row[1],
        envelope=row[2],
        content_ids=frozenset(bytes.fromhex(part) for part in (row[8] or "").split(",") if part),
        created_ms=row[3],
        appended_ms=row[4],
        once=bool(row[5]),
        request=bool(row[6]),
        due=bool(row[7]),
    )
