"""The conversations: lines in order of receipt, their delivery, and the search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from exile_tui.core.model import (
    Conversation,
    Delivery,
    Direction,
    Extent,
    Message,
    MessageKind,
    Reason,
)
from exile_tui.core.searching import SearchFilter, SearchPage, SearchPlace
from exile_tui.store import contacts
from exile_tui.store.database import Row
from exile_tui.store.finder import Finder
from exile_tui.store.removing import unindexing
from exile_tui.store.statements import Statements

_COLUMNS = (
    "message.id, message.contact_id, seq, direction, kind, content_id, text, sent_ms, stored_ms, "
    "delivery, reason, read"
)
_SELECT = " ".join(("SELECT", _COLUMNS, "FROM message"))
_INSERT = (
    "INSERT INTO message (contact_id, seq, direction, kind, content_id, sent_ms, stored_ms,"
    " delivery, reason, read, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_CONVERSATIONS = " ".join(
    (
        "SELECT",
        contacts.COLUMNS,
        ", unread,",
        _COLUMNS,
        "FROM contact JOIN conversation ON conversation.contact_id = contact.id",
        "LEFT JOIN message ON message.id = (SELECT newest.id FROM message AS newest",
        "WHERE newest.contact_id = contact.id ORDER BY newest.seq DESC LIMIT 1)",
        "ORDER BY ifnull(stored_ms, created_ms) DESC, message.id DESC, contact.id DESC",
    )
)


class MessageTable:
    """Implements `repositories.Messages`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def append(
        self,
        contact_id: int,
        *,
        direction: Direction,
        kind: MessageKind,
        content_id: bytes,
        text: str,
        sent_ms: int,
        stored_ms: int,
        delivery: Delivery | None,
        reason: Reason,
        read: bool,
    ) -> Message:
        """Append a line at the end of a conversation and of the search index.

        Raises:
            KeyError: There is no such contact.
        """
        taken = await self._statements.one(
            "UPDATE conversation SET next_seq = next_seq + 1 WHERE contact_id = ?"
            " RETURNING next_seq - 1",
            (contact_id,),
        )
        if taken is None:
            raise KeyError(contact_id)
        line = Message(
            id=0,
            contact_id=contact_id,
            seq=taken[0],
            direction=direction,
            kind=kind,
            content_id=content_id,
            text=text,
            sent_ms=sent_ms,
            stored_ms=stored_ms,
            delivery=delivery,
            reason=reason,
            read=read,
        )
        rows = await self._statements.all(
            f"{_INSERT} RETURNING id", _values(contact_id, line.seq, line)
        )
        return replace(line, id=rows[0][0])

    async def append_many(self, contact_id: int, lines: Sequence[Message]) -> int:
        """Append lines as `append` does, in one statement; return the seq of the first.

        Args:
            contact_id: Whose conversation.
            lines: In order; their `id`, `contact_id` and `seq` are ignored.

        Raises:
            KeyError: There is no such contact.
        """
        end = await self._statements.one(
            "UPDATE conversation SET next_seq = next_seq + ? WHERE contact_id = ?"
            " RETURNING next_seq",
            (len(lines), contact_id),
        )
        if end is None:
            raise KeyError(contact_id)
        first_seq: int = end[0] - len(lines)
        await self._statements.many(
            _INSERT,
            [_values(contact_id, seq, line) for seq, line in enumerate(lines, start=first_seq)],
        )
        return first_seq

    async def knows(self, contact_id: int, direction: Direction, content_id: bytes) -> bool:
        """Tell whether a content id is there already; no line is known by an empty one."""
        row = await self._statements.one(
            "SELECT 1 FROM message WHERE contact_id = ? AND direction = ? AND content_id = ?",
            (contact_id, direction.value, content_id),
        )
        return row is not None

    async def recent(self, contact_id: int, limit: int) -> list[Message]:
        """Return the newest lines, oldest of them first."""
        rows = await self._statements.all(
            f"{_SELECT} WHERE contact_id = ? ORDER BY seq DESC LIMIT ?",
            (contact_id, max(limit, 0)),
        )
        return [_message(row) for row in reversed(rows)]

    async def queued(self, contact_id: int) -> list[Message]:
        """Return what is not sealed yet, in order."""
        rows = await self._statements.all(
            f"{_SELECT} WHERE contact_id = ? AND delivery = 'queued' ORDER BY seq",
            (contact_id,),
        )
        return [_message(row) for row in rows]

    async def set_delivery(
        self, contact_id: int, content_ids: Iterable[bytes], delivery: Delivery, reason: Reason
    ) -> int:
        """Set how far own messages have come; only DELIVERED follows FAILED, nothing DELIVERED.

        Returns:
            How many changed.
        """
        value, why = delivery.value, reason.value
        return await self._statements.many(
            "UPDATE message SET delivery = ?, reason = ? WHERE contact_id = ? AND direction = 'out'"
            " AND content_id = ? AND delivery IS NOT 'delivered'"
            " AND (delivery IS NOT 'failed' OR ? = 'delivered')"
            " AND (delivery IS NOT ? OR reason <> ?)",
            [(value, why, contact_id, content_id, value, value, why) for content_id in content_ids],
        )

    async def mark_read(self, contact_id: int, first_seq: int, last_seq: int) -> int:
        """Mark what the peer wrote from one seq to another as read; return how many changed."""
        return await self._statements.run(
            "UPDATE message SET read = 1 WHERE contact_id = ? AND seq BETWEEN ? AND ?"
            " AND read = 0 AND direction = 'in'",
            (contact_id, first_seq, last_seq),
        )

    async def extent(self, contact_id: int) -> Extent:
        """Return where the lines of a conversation are; nothing is counted or skipped over."""
        row = await self._statements.one(
            "SELECT next_seq - 1, unread, ifnull((SELECT min(seq) FROM message"
            " WHERE contact_id = ?1 AND read = 0 AND direction = 'in'), 0)"
            " FROM conversation WHERE contact_id = ?1",
            (contact_id,),
        )
        gaps = await self._statements.all(
            "SELECT first_seq, last_seq FROM gap WHERE contact_id = ? ORDER BY first_seq",
            (contact_id,),
        )
        last, unread, first_unread = row or (0, 0, 0)
        return Extent(last, tuple((first, end) for first, end in gaps), first_unread, unread)

    async def window(self, contact_id: int, first_seq: int, last_seq: int) -> list[Message]:
        """Return the lines from one seq to another, both inclusive, in order."""
        rows = await self._statements.all(
            f"{_SELECT} WHERE contact_id = ? AND seq BETWEEN ? AND ? ORDER BY seq",
            (contact_id, first_seq, last_seq),
        )
        return [_message(row) for row in rows]

    async def stored_before(self, contact_id: int, seq: int, before_ms: int) -> int:
        """Return the newest seq before this one whose line came before a moment; 0 for none."""
        row = await self._statements.one(
            "SELECT seq FROM message WHERE contact_id = ? AND seq < ? AND stored_ms < ?"
            " ORDER BY seq DESC LIMIT 1",
            (contact_id, seq, before_ms),
        )
        return row[0] if row else 0

    async def stored_after(self, contact_id: int, seq: int, since_ms: int) -> int:
        """Return the oldest seq after this one whose line came at a moment or later; 0 for none."""
        row = await self._statements.one(
            "SELECT seq FROM message WHERE contact_id = ? AND seq > ? AND stored_ms >= ?"
            " ORDER BY seq LIMIT 1",
            (contact_id, seq, since_ms),
        )
        return row[0] if row else 0

    async def delete(self, contact_id: int, first_seq: int, last_seq: int) -> int:
        """Delete the lines from one seq to another; return how many there were."""
        row = await self._statements.one(
            "SELECT max(?, 1), min(?, next_seq - 1) FROM conversation WHERE contact_id = ?",
            (first_seq, last_seq, contact_id),
        )
        if row is None or row[0] > row[1]:
            return 0
        async with unindexing(self._statements, contact_id, *row):
            deleted = await self._statements.run(
                "DELETE FROM message WHERE contact_id = ? AND seq BETWEEN ? AND ?",
                (contact_id, *row),
            )
        await self._widen_gap(contact_id, *row)
        return deleted

    async def delete_part(
        self, contact_id: int, first_seq: int, last_seq: int, *, lines: int, size: int
    ) -> tuple[int, int]:
        """Delete the newest lines of a range; see the port."""
        # Reads no text: its size is in the row's header.
        rows = await self._statements.all(
            "SELECT seq, octet_length(text) FROM message WHERE contact_id = ?"
            " AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT ?",
            (contact_id, first_seq, last_seq, lines),
        )
        first = rows[-1][0] if len(rows) == lines else first_seq
        for seq, octets in rows:
            size -= octets
            if size < 0:
                first = seq
                break
        return await self.delete(contact_id, first, last_seq), first - 1

    async def _widen_gap(self, contact_id: int, first_seq: int, last_seq: int) -> None:
        touching = (contact_id, last_seq + 1, first_seq - 1)
        where = "FROM gap WHERE contact_id = ? AND first_seq <= ? AND last_seq >= ?"
        gaps = await self._statements.all(f"SELECT first_seq, last_seq {where}", touching)
        await self._statements.run(f"DELETE {where}", touching)
        await self._statements.run(
            "INSERT INTO gap (contact_id, first_seq, last_seq) VALUES (?, ?, ?)",
            (
                contact_id,
                min([first_seq, *(first for first, _ in gaps)]),
                max([last_seq, *(last for _, last in gaps)]),
            ),
        )

    async def search(
        self,
        query: str,
        only: SearchFilter,
        limit: int,
        *,
        typing: bool = False,
        after: SearchPlace | None = None,
    ) -> SearchPage:
        """Return a page of the messages that contain a query; see the port."""
        finder = Finder(self._statements, _COLUMNS)
        rows, rest = await finder.page(query, only, limit, after, typing=typing)
        return SearchPage(tuple(map(_message, rows)), rest)

    async def conversations(self) -> list[Conversation]:
        """Return every contact with its last message and unread count, latest first."""
        rows = await self._statements.all(_CONVERSATIONS)
        end = contacts.COLUMN_COUNT
        return [
            Conversation(
                contact=contacts.contact_from(row),
                last=None if row[end + 1] is None else _message(row[end + 1 :]),
                unread=row[end],
            )
            for row in rows
        ]

    async def count_waiting(self) -> int:
        """Return how many own messages are QUEUED or WAITING."""
        row = await self._statements.one("SELECT total(waiting) FROM conversation")
        return int(row[0]) if row else 0


def _values(contact_id: int, seq: int, line: Message) -> tuple[Any, ...]:
    """Return what `_INSERT` takes."""
    return (
        contact_id,
        seq,
        line.direction.value,
        line.kind.value,
        line.content_id or None,
        line.sent_ms,
        line.stored_ms,
        None if line.delivery is None else line.delivery.value,
        line.reason.value,
        line.read,
        line.text,
    )


def _message(row: Row) -> Message:
    return Message(
        id=row[0],
        contact_id=row[1],
        seq=row[2],
        direction=Direction(row[3]),
        kind=MessageKind(row[4]),
        content_id=row[5] or b"",
        text=row[6],
        sent_ms=row[7],
        stored_ms=row[8],
        delivery=None if row[9] is None else Delivery(row[9]),
        reason=Reason(row[10]),
        read=bool(row[11]),
    )
