"""Own names and mailboxes that are repeated until acknowledged."""

from __future__ import annotations

from collections.abc import Iterable

from exile_tui.core.model import Announcement, AnnouncementKind
from exile_tui.store.database import Row
from exile_tui.store.statements import Statements

_SELECT = "SELECT contact_id, kind, content, content_id FROM announcement WHERE contact_id = ?"


class AnnouncementTable:
    """Implements `repositories.Announcements`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def put(self, announcement: Announcement) -> None:
        """Store, replacing one of the same contact and kind."""
        await self._statements.run(
            "INSERT INTO announcement (contact_id, kind, content_id, content) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET content_id = excluded.content_id,"
            " content = excluded.content",
            (
                announcement.contact_id,
                announcement.kind.value,
                announcement.content_id,
                announcement.content,
            ),
        )

    async def of(self, contact_id: int) -> list[Announcement]:
        """Return those of a contact: profile, then mailbox."""
        # "profile" sorts behind "mailbox".
        rows = await self._statements.all(f"{_SELECT} ORDER BY kind DESC", (contact_id,))
        return [_announcement(row) for row in rows]

    async def acknowledged(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Delete those with one of these content ids."""
        await self._statements.many(
            "DELETE FROM announcement WHERE contact_id = ? AND content_id = ?",
            [(contact_id, content_id) for content_id in content_ids],
        )

    async def get(self, contact_id: int, kind: AnnouncementKind) -> Announcement | None:
        """Return one."""
        row = await self._statements.one(f"{_SELECT} AND kind = ?", (contact_id, kind.value))
        return _announcement(row) if row else None


def _announcement(row: Row) -> Announcement:
    return Announcement(
        contact_id=row[0], kind=AnnouncementKind(row[1]), content=row[2], content_id=row[3]
    )
