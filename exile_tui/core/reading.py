"""Reading one's own conversations: the list, lines by place, drafts, and what was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from exile_tui.core import drafts
from exile_tui.core.context import Context
from exile_tui.core.events import ContactChanged
from exile_tui.core.model import ContactState, Excerpt, Extent, Message, Overview
from exile_tui.core.searching import EVERYWHERE, SearchFilter, SearchPage, SearchPlace
from exile_tui.core.sending import require_contact
from exile_tui.core.settings import draft_key


class Reading:
    """The use cases that read what is stored; part of `Messenger`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def overview(self) -> Overview:
        """Return the conversations, and how many requests wait."""
        async with self._context.store.snapshot() as tx:
            found = await tx.messages.conversations()
            written = await drafts.every(tx)
        shown = [
            replace(entry, draft=written.get(entry.contact.id, ""))
            for entry in found
            if entry.contact.state is not ContactState.REQUESTED
        ]
        return Overview(shown, len(found) - len(shown))

    async def keep_draft(self, contact_id: int, text: str) -> None:
        """Keep what was typed and not sent; a message that is sent ends it."""
        await drafts.keep(self._context, contact_id, text)

    async def messages(self, contact_id: int, limit: int = 200) -> list[Message]:
        """Return the newest lines of a conversation; none while its request waits for us."""
        async with self._context.store.snapshot() as tx:
            contact = await require_contact(tx, contact_id)
            if contact.state is ContactState.REQUESTED:
                return []
            return await tx.messages.recent(contact_id, limit)

    async def extent(self, contact_id: int) -> Extent:
        """Return where the lines of a conversation are; nowhere while its request waits for us."""
        async with self._context.store.snapshot() as tx:
            contact = await require_contact(tx, contact_id)
            if contact.state is ContactState.REQUESTED:
                return Extent()
            return await tx.messages.extent(contact_id)

    async def excerpt(
        self, contact_id: int, choose: Callable[[Extent], tuple[int, int] | None]
    ) -> Excerpt:
        """Return some lines of a conversation; none while its request waits for us.

        Args:
            contact_id: Whose conversation.
            choose: From which seq to which, both inclusive, of those that there are; None for none.
        """
        async with self._context.store.snapshot() as tx:
            contact = await require_contact(tx, contact_id)
            if contact.state is ContactState.REQUESTED:
                return Excerpt(contact, "", Extent(), ())
            draft = await tx.settings.get(draft_key(contact_id)) or ""
            extent = await tx.messages.extent(contact_id)
            chosen = choose(extent)
            lines = await tx.messages.window(contact_id, *chosen) if chosen is not None else ()
        return Excerpt(contact, draft, extent, lines)

    async def day_begins(
        self, contact_id: int, seq: int, day_of: Callable[[int], tuple[int, int]], by: int
    ) -> int:
        """Return the first line of the day before or after that of a line.

        In the middle of a day, the day before is the one that it is in the middle of.

        Args:
            contact_id: Whose conversation.
            seq: The line.
            day_of: Gives the beginning and the end of the day that a moment (ms) belongs to, in ms.
            by: -1 for before, 1 for after.

        Returns:
            Its seq; 0 if there is none.
        """
        async with self._context.store.snapshot() as tx:
            lines, extent = tx.messages, await tx.messages.extent(contact_id)
            for _ in range(2):
                found = await lines.window(contact_id, seq, seq)
                if not found:
                    return 0
                begins, ends = day_of(found[0].stored_ms)
                if by > 0:
                    return await lines.stored_after(contact_id, seq, ends)
                earlier = await lines.stored_before(contact_id, seq, begins)
                first = extent.after(earlier)
                if first < seq:
                    return first
                seq = earlier
        return 0

    async def mark_read(self, contact_id: int, first_seq: int, last_seq: int) -> None:
        """Note what was on the screen: the lines from one seq to another."""
        async with self._context.store.transaction() as tx:
            changed = await tx.messages.mark_read(contact_id, first_seq, last_seq)
        if changed:
            self._context.emit(ContactChanged(contact_id))

    async def search(
        self,
        query: str,
        only: SearchFilter = EVERYWHERE,
        limit: int = 50,
        *,
        typing: bool = False,
        after: SearchPlace | None = None,
    ) -> SearchPage:
        """Return a page of the messages that contain a text, none of a waiting request.

        Args:
            query: A text, or initial consonants alone: ㅎㄱ finds 학교.
            only: Which messages are looked at.
            limit: At most so many.
            typing: The last syllable may still be in the making: 안녀 finds 안녕.
            after: Where the page before ended; None for the newest.
        """
        hits: list[Message] = []
        async with self._context.store.snapshot() as tx:
            hidden = {
                contact.id
                for contact in await tx.contacts.all()
                if contact.state is ContactState.REQUESTED
            }
            while True:
                wanted = limit - len(hits)
                page = await tx.messages.search(query, only, wanted, typing=typing, after=after)
                hits += [hit for hit in page.hits if hit.contact_id not in hidden]
                after = page.rest
                # A page that is not full took its time already.
                if after is None or len(page.hits) < wanted or len(hits) >= limit:
                    return SearchPage(tuple(hits), after)
