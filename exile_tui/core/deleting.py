"""Delete for good: messages, a conversation, a contact, of any length, in the background.

A million lines take minutes, so they go in parts, each a short transaction; between them everybody
else reads and writes. What was asked for is noted in the settings first and goes on by itself when
the profile is opened again: who deletes something expects it to end.

Only this side forgets. A message that still waits to be sealed is never sent once it is deleted;
one that was sealed already goes its way, since the session counts what it sealed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from exile_tui.core.context import Context
from exile_tui.core.events import ContactChanged, DeletionChanged, DeliveryChanged
from exile_tui.core.model import Delivery, Extent, MailboxState, Reason
from exile_tui.core.ports import Transaction
from exile_tui.core.sending import require_contact
from exile_tui.core.settings import DELETING, draft_key
from exile_tui.errors import NoSuchContact

LINES = 2000
"""The most that one transaction deletes: half a second."""
TEXT_BYTES = 512 * 1024
"""And about so much text, or lines of 60 KB would take minutes and fill the log."""
FEW = 100
"""Up to so many lines a large file is not written anew at once; the hourly wiping does it."""

Progress = Callable[[int, int], None]
"""Gets how many lines are deleted, and of how many. All of them: the last traces are removed."""


class What(Enum):
    """What goes."""

    MESSAGES = "messages"
    CONVERSATION = "conversation"
    """All lines that are there, and the draft."""
    CONTACT = "contact"
    """The conversation, then the contact."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Something that is being deleted."""

    what: What
    contact_id: int
    first_seq: int
    last_seq: int
    done: int = 0
    total: int = 0

    @property
    def note(self) -> str:
        """The setting that holds it until it is done."""
        where = f"{self.contact_id}/{self.first_seq}/{self.last_seq}"
        return f"{DELETING}{where}/{self.what.value}"

    @classmethod
    def from_note(cls, key: str) -> Deletion:
        """Read back what was noted."""
        contact_id, first_seq, last_seq, what = key.removeprefix(DELETING).split("/")
        return cls(What(what), int(contact_id), int(first_seq), int(last_seq))


async def noted(tx: Transaction) -> list[Deletion]:
    """Return what was begun and is not done: whoever asked for it counts it as gone."""
    return [Deletion.from_note(note) for note in await tx.settings.beginning_with(DELETING)]


def without(extent: Extent, contact_id: int, going: Iterable[Deletion]) -> Extent:
    """Return where the lines of a conversation will be when that is done."""
    runs = [*extent.gaps]
    for each in going:
        if each.contact_id == contact_id:
            last = extent.last_seq if each.what is What.CONTACT else each.last_seq
            runs.append((max(each.first_seq, 1), min(last, extent.last_seq)))
    gaps: list[tuple[int, int]] = []
    for first, last in sorted(run for run in runs if run[0] <= run[1]):
        if gaps and first <= gaps[-1][1] + 1:
            gaps[-1] = (gaps[-1][0], max(last, gaps[-1][1]))
        else:
            gaps.append((first, last))
    return replace(extent, gaps=tuple(gaps))


async def delete_messages(
    context: Context,
    contact_id: int,
    first_seq: int,
    last_seq: int,
    progress: Progress | None = None,
) -> None:
    """Delete the lines of a conversation from one seq to another, both inclusive.

    Raises:
        NoSuchContact: No such contact.
        ProfileError: The disk refuses; what was deleted so far stays so.
    """
    await _delete(context, Deletion(What.MESSAGES, contact_id, first_seq, last_seq), progress)


async def delete_conversation(
    context: Context, contact_id: int, progress: Progress | None = None
) -> None:
    """Delete what a conversation has now, and its draft; the contact stays.

    Raises:
        NoSuchContact, ProfileError: See `delete_messages`.
    """
    await _delete(context, await _all_of(context, What.CONVERSATION, contact_id), progress)


async def remove_contact(
    context: Context, contact_id: int, progress: Progress | None = None
) -> None:
    """Delete a contact with all of its conversation; its mailboxes go at the relay at once.

    Raises:
        NoSuchContact, ProfileError: See `delete_messages`.
    """
    await _delete(context, await _all_of(context, What.CONTACT, contact_id), progress)


async def _all_of(context: Context, what: What, contact_id: int) -> Deletion:
    async with context.store.snapshot() as tx:
        extent = await tx.messages.extent(contact_id)
    return Deletion(what, contact_id, 1, extent.last_seq)


async def _delete(context: Context, deletion: Deletion, progress: Progress | None) -> None:
    await _note(context, deletion)
    await _carry_out(context, deletion, progress)


async def _note(context: Context, deletion: Deletion) -> None:
    """Note what is to go, forget the draft, leave a contact's relay: once, when it is asked for."""
    contact_id = deletion.contact_id
    async with context.store.transaction() as tx:
        await require_contact(tx, contact_id)
        await tx.settings.set(deletion.note, "")
        if deletion.what is not What.MESSAGES:
            await tx.settings.delete(draft_key(contact_id))
        if deletion.what is What.CONTACT:
            await _leave_mailboxes(tx, contact_id)
            await _fall_silent(tx, contact_id)
    _look_at_mailboxes(context, deletion)
    context.emit(ContactChanged(contact_id), DeliveryChanged(contact_id))


async def _carry_out(context: Context, deletion: Deletion, progress: Progress | None) -> None:
    contact_id, whole = deletion.contact_id, deletion.what is What.CONTACT
    async with context.store.snapshot() as tx:
        await require_contact(tx, contact_id)
        extent = await tx.messages.extent(contact_id)
    last = extent.last_seq if whole else deletion.last_seq
    total, done = extent.count(deletion.first_seq, last), 0
    while last >= deletion.first_seq:
        if progress is not None:
            progress(min(done, total), total)
        async with context.store.transaction() as tx:
            count, last = await tx.messages.delete_part(
                contact_id, deletion.first_seq, last, lines=LINES, size=TEXT_BYTES
            )
            if whole and last < deletion.first_seq:
                last = await _newest(tx, contact_id)
        done += count
        await context.store.truncate_wal()
        await context.store.compact_index()
        context.emit(ContactChanged(contact_id))
    if progress is not None:
        progress(total, total)
    async with context.store.transaction() as tx:
        await tx.settings.delete(deletion.note)
        if whole:
            # Again: a move may have made one for it meanwhile.
            await _leave_mailboxes(tx, contact_id)
            await tx.contacts.delete(contact_id)
            await tx.settings.delete(draft_key(contact_id))
    _look_at_mailboxes(context, deletion)
    context.emit(ContactChanged(contact_id), DeliveryChanged(contact_id))
    await context.store.wipe(large=total > FEW or deletion.what is not What.MESSAGES)


def _look_at_mailboxes(context: Context, deletion: Deletion) -> None:
    if deletion.what is What.CONTACT:
        context.signals.chores.set()
        context.signals.listen.set()


async def _newest(tx: Transaction, contact_id: int) -> int:
    """Return the seq of the newest line, which came while the others were deleted; 0 for none."""
    lines = await tx.messages.recent(contact_id, 1)
    return lines[0].seq if lines else 0


async def _fall_silent(tx: Transaction, contact_id: int) -> None:
    """Forget what waits to be said: it would still be sent while the conversation is deleted."""
    queued = [line.content_id for line in await tx.messages.queued(contact_id)]
    await tx.messages.set_delivery(contact_id, queued, Delivery.FAILED, Reason.NONE)
    announced = [each.content_id for each in await tx.announcements.of(contact_id)]
    await tx.announcements.acknowledged(contact_id, announced)
    while acks := await tx.acks.due(contact_id, LINES):
        await tx.acks.remove(contact_id, acks)
    await tx.outbox.delete([entry.id for entry in await tx.outbox.of(contact_id)])


async def _leave_mailboxes(tx: Transaction, contact_id: int) -> None:
    for mailbox in await tx.mailboxes.of_contact(contact_id):
        await tx.mailboxes.update(
            replace(mailbox, state=MailboxState.DOOMED, contact_id=None, invite_id=None)
        )


class Deletions:
    """Deletes one thing after the other, whoever waits for it or not."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._turn = asyncio.Lock()
        self._running: dict[str, Deletion] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def running(self) -> tuple[Deletion, ...]:
        """What is being deleted, and what waits for its turn."""
        return tuple(self._running.values())

    async def messages(self, contact_id: int, first_seq: int, last_seq: int) -> None:
        """Delete lines; see `delete_messages`. It goes on when the caller is cancelled."""
        await self._wait(Deletion(What.MESSAGES, contact_id, first_seq, last_seq))

    async def conversation(self, contact_id: int) -> None:
        """Delete all lines and the draft; see `delete_conversation`."""
        await self._wait(await _all_of(self._context, What.CONVERSATION, contact_id))

    async def contact(self, contact_id: int) -> None:
        """Delete a contact with its conversation; see `remove_contact`."""
        await self._wait(await _all_of(self._context, What.CONTACT, contact_id))

    async def resume(self) -> None:
        """Go on with what was not done when the profile was closed, or failed since."""
        async with self._context.store.snapshot() as tx:
            notes = await tx.settings.beginning_with(DELETING)
        for note in notes:
            self._start(Deletion.from_note(note), noted=True)

    async def finish(self) -> None:
        """Go on with what was not done, and wait for all that is being deleted.

        Raises:
            ProfileError: The disk refuses; what is left goes on with the next `resume`.
        """
        await self.resume()
        await asyncio.gather(*map(asyncio.shield, self._tasks.values()))

    async def stop(self) -> None:
        """Stop; what is left goes on with the next `resume`."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self, deletion: Deletion) -> None:
        await asyncio.shield(self._start(deletion, noted=False))

    def _start(self, deletion: Deletion, *, noted: bool) -> asyncio.Task[None]:
        task = self._tasks.get(deletion.note)
        if task is None:
            self._running[deletion.note] = deletion
            task = asyncio.create_task(self._run(deletion, noted))
            self._tasks[deletion.note] = task
            task.add_done_callback(lambda done: self._ended(deletion, done))
        return task

    async def _run(self, deletion: Deletion, noted: bool) -> None:
        note = deletion.note

        def progress(done: int, total: int) -> None:
            self._running[note] = replace(deletion, done=done, total=total)
            self._context.emit(DeletionChanged(deletion.contact_id))

        try:
            if not noted:
                # Before it waits for its turn, or it would be forgotten when the program ends.
                await _note(self._context, deletion)
            async with self._turn:
                await _carry_out(self._context, deletion, progress)
        except NoSuchContact:
            await self._forget(note)
            raise

    def _ended(self, deletion: Deletion, task: asyncio.Task[None]) -> None:
        del self._running[deletion.note], self._tasks[deletion.note]
        if not task.cancelled():
            task.exception()  # nobody may wait for it: then nobody would ask for this
        self._context.emit(DeletionChanged(deletion.contact_id))

    async def _forget(self, note: str) -> None:
        """Drop the note of something whose contact is gone, and all of it with that."""
        async with self._context.store.transaction() as tx:
            await tx.settings.delete(note)
