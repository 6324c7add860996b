"""The conversations as a plain list."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

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
from tests.unit.store.memory_state import Part

_WAITING = (Delivery.QUEUED, Delivery.WAITING)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


class MemoryMessages(Part):
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
        message = Message(
            id=self.state.next_id("message"),
            contact_id=contact_id,
            seq=self.state.next_id(f"seq {contact_id}"),
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
        self.state.messages.append(message)
        return message

    async def append_many(self, contact_id: int, lines: Sequence[Message]) -> int:
        first = self.state.ids.get(f"seq {contact_id}", 0) + 1
        for line in lines:
            seq = self.state.next_id(f"seq {contact_id}")
            number = self.state.next_id("message")
            self.state.messages.append(replace(line, id=number, contact_id=contact_id, seq=seq))
        return first

    def _of(self, contact_id: int) -> list[Message]:
        return [m for m in self.state.messages if m.contact_id == contact_id]

    async def knows(self, contact_id: int, direction: Direction, content_id: bytes) -> bool:
        return bool(content_id) and any(
            m.direction is direction and m.content_id == content_id for m in self._of(contact_id)
        )

    async def recent(self, contact_id: int, limit: int) -> list[Message]:
        return self._of(contact_id)[-limit:] if limit > 0 else []

    async def queued(self, contact_id: int) -> list[Message]:
        return [m for m in self._of(contact_id) if m.delivery is Delivery.QUEUED]

    async def set_delivery(
        self, contact_id: int, content_ids: Iterable[bytes], delivery: Delivery, reason: Reason
    ) -> int:
        ids, changed = set(content_ids), 0
        for index, message in enumerate(self.state.messages):
            if (
                message.contact_id == contact_id
                and message.direction is Direction.OUT
                and message.content_id in ids
                and message.delivery is not Delivery.DELIVERED
                and (message.delivery is not Delivery.FAILED or delivery is Delivery.DELIVERED)
                and (message.delivery, message.reason) != (delivery, reason)
            ):
                self.state.messages[index] = replace(message, delivery=delivery, reason=reason)
                changed += 1
        return changed

    async def mark_read(self, contact_id: int, first_seq: int, last_seq: int) -> int:
        changed = 0
        for index, message in enumerate(self.state.messages):
            if (
                message.contact_id == contact_id
                and message.direction is Direction.IN
                and first_seq <= message.seq <= last_seq
                and not message.read
            ):
                self.state.messages[index] = replace(message, read=True)
                changed += 1
        return changed

    async def extent(self, contact_id: int) -> Extent:
        if contact_id not in self.state.contacts:
            return Extent()
        lines = self._of(contact_id)
        last = self.state.ids.get(f"seq {contact_id}", 0)
        gaps: list[tuple[int, int]] = []
        for seq in sorted(set(range(1, last + 1)) - {m.seq for m in lines}):
            first = gaps.pop()[0] if gaps and gaps[-1][1] == seq - 1 else seq
            gaps.append((first, seq))
        unread = [m.seq for m in lines if m.direction is Direction.IN and not m.read]
        return Extent(last, tuple(gaps), min(unread, default=0), len(unread))

    async def window(self, contact_id: int, first_seq: int, last_seq: int) -> list[Message]:
        return [m for m in self._of(contact_id) if first_seq <= m.seq <= last_seq]

    async def stored_before(self, contact_id: int, seq: int, before_ms: int) -> int:
        lines = self._of(contact_id)
        return max((m.seq for m in lines if m.seq < seq and m.stored_ms < before_ms), default=0)

    async def stored_after(self, contact_id: int, seq: int, since_ms: int) -> int:
        lines = self._of(contact_id)
        return min((m.seq for m in lines if m.seq > seq and m.stored_ms >= since_ms), default=0)

    async def delete(self, contact_id: int, first_seq: int, last_seq: int) -> int:
        gone = await self.window(contact_id, first_seq, last_seq)
        self.state.messages = [m for m in self.state.messages if m not in gone]
        return len(gone)

    async def delete_part(
        self, contact_id: int, first_seq: int, last_seq: int, *, lines: int, size: int
    ) -> tuple[int, int]:
        first, newest = (
            first_seq,
            list(reversed(await self.window(contact_id, first_seq, last_seq))),
        )
        for count, line in enumerate(newest, start=1):
            size -= len(line.text.encode())
            if count == lines or size < 0:
                first = line.seq
                break
        return await self.delete(contact_id, first, last_seq), first - 1

    async def search(
        self,
        query: str,
        only: SearchFilter,
        limit: int,
        *,
        typing: bool = False,
        after: SearchPlace | None = None,
    ) -> SearchPage:
        found = [
            m
            for m in reversed(self.state.messages)
            if m.kind is MessageKind.TEXT
            and (_plain(query) in _plain(m.text) if query.strip() else only.has_link)
            and only.contact_id in (None, m.contact_id)
            and only.direction in (None, m.direction)
            and (only.since_ms is None or m.stored_ms >= only.since_ms)
            and (only.until_ms is None or m.stored_ms < only.until_ms)
            and (not only.has_link or "://" in m.text)
            and (after is None or m.id < after.before)
        ]
        page = tuple(found[: max(limit, 0)])
        more = len(page) == limit > 0
        return SearchPage(page, SearchPlace(0, page[-1].id) if more else None)

    async def conversations(self) -> list[Conversation]:
        rows = []
        for contact in self.state.contacts.values():
            lines = self._of(contact.id)
            unread = sum(m.direction is Direction.IN and not m.read for m in lines)
            rows.append(Conversation(contact, lines[-1] if lines else None, unread))
        return sorted(rows, key=_latest, reverse=True)

    async def count_waiting(self) -> int:
        return sum(m.delivery in _WAITING for m in self.state.messages)


def _latest(row: Conversation) -> tuple[int, int, int]:
    if row.last is None:
        return row.contact.created_ms, 0, row.contact.id
    return row.last.stored_ms, row.last.id, row.contact.id
