"""Lines that nobody wrote: what a conversation says about itself; and what a batch changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from exile_tui.core.context import Context
from exile_tui.core.events import ContactChanged, Event, MessageStored
from exile_tui.core.model import (
    Contact,
    ContactState,
    Direction,
    MessageKind,
    OwnMailbox,
    Reason,
)
from exile_tui.core.ports import Transaction


@dataclass(slots=True)
class Outcome:
    """What a batch changed, for after its commit."""

    events: dict[Event, None] = field(default_factory=dict)
    """Each once, in order."""
    answer: bool = False
    """Something is due for a peer."""
    listen: bool = False
    """The set of mailboxes changed."""

    def add(self, event: Event) -> None:
        """Note an event once."""
        self.events.setdefault(event)


async def note_missing(
    context: Context, tx: Transaction, outcome: Outcome, contact: Contact, count: int
) -> None:
    """Put "up to N messages never arrived" into a conversation."""
    await _note(context, tx, outcome, contact, MessageKind.MISSING, str(count))


async def _note(
    context: Context,
    tx: Transaction,
    outcome: Outcome,
    contact: Contact,
    kind: MessageKind,
    text: str = "",
) -> None:
    """Put a line that nobody wrote into a conversation; a warning counts as unread."""
    message = await tx.messages.append(
        contact.id,
        direction=Direction.IN,
        kind=kind,
        content_id=b"",
        text=text,
        sent_ms=0,
        stored_ms=context.clock.now_ms(),
        delivery=None,
        reason=Reason.NONE,
        read=kind is not MessageKind.POSSIBLE_COPY,
    )
    outcome.add(MessageStored(message, hidden=contact.state is ContactState.REQUESTED))


async def note_copy(
    context: Context, tx: Transaction, outcome: Outcome, mailbox: OwnMailbox
) -> None:
    """Tell once, until the number is compared again, that a message contradicted its chain."""
    contact = await tx.contacts.get(mailbox.contact_id or 0)
    if contact is None or contact.copy_suspected:
        return
    await tx.contacts.update(replace(contact, copy_suspected=True))
    await _note(context, tx, outcome, contact, MessageKind.POSSIBLE_COPY)
    outcome.add(ContactChanged(contact.id))
