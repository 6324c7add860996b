"""Content ids of peers that are stored and not yet acknowledged."""

from __future__ import annotations

from collections.abc import Iterable

from exile_tui.store.statements import Statements


class AckTable:
    """Implements `repositories.Acks`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Note ids as due (a set: twice is once)."""
        await self._statements.many(
            "INSERT INTO ack (contact_id, content_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(contact_id, content_id) for content_id in content_ids],
        )

    async def due(self, contact_id: int, limit: int) -> list[bytes]:
        """Return ids due, oldest first."""
        rows = await self._statements.all(
            "SELECT content_id FROM ack WHERE contact_id = ? ORDER BY id LIMIT ?",
            (contact_id, max(limit, 0)),
        )
        return [row[0] for row in rows]

    async def contacts(self) -> list[int]:
        """Return the ids of the contacts to whom ids are due."""
        rows = await self._statements.all("SELECT DISTINCT contact_id FROM ack ORDER BY contact_id")
        return [row[0] for row in rows]

    async def remove(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Take ids that were put into an envelope."""
        await self._statements.many(
            "DELETE FROM ack WHERE contact_id = ? AND content_id = ?",
            [(contact_id, content_id) for content_id in content_ids],
        )
