"""SHA-256 of the envelopes of the last 14 days, with the ids that they carried."""

from __future__ import annotations

from collections.abc import Iterable

from exile_tui.store.statements import Statements

_ID_BYTES = 16


class SeenTable:
    """Implements `repositories.Seen`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def lookup(self, digest: bytes) -> tuple[int, list[bytes]] | None:
        """Return contact id (0: none) and content ids of an envelope seen before."""
        row = await self._statements.one(
            "SELECT contact_id, content_ids FROM seen WHERE digest = ?", (digest,)
        )
        if row is None:
            return None
        joined: bytes = row[1]
        ids = [joined[at : at + _ID_BYTES] for at in range(0, len(joined), _ID_BYTES)]
        return row[0], ids

    async def add(
        self, digest: bytes, contact_id: int, content_ids: Iterable[bytes], day: int
    ) -> None:
        """Remember an envelope that opened.

        Raises:
            ValueError: An id is not of 16 bytes.
        """
        ids = list(content_ids)
        if any(len(content_id) != _ID_BYTES for content_id in ids):
            raise ValueError("a content id has 16 bytes")
        await self._statements.run(
            "INSERT INTO seen (digest, contact_id, content_ids, day) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET contact_id = excluded.contact_id,"
            " content_ids = excluded.content_ids, day = excluded.day",
            (digest, contact_id, b"".join(ids), day),
        )

    async def expire(self, before_day: int) -> None:
        """Forget what was seen before a day."""
        await self._statements.run("DELETE FROM seen WHERE day < ?", (before_day,))
