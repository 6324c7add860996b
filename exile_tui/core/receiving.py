"""Take a batch of envelopes: dedupe, open, store, in one transaction (docs/protocol.md, 6).

Nothing that a peer sends stops the queue: an envelope that does not open or parse, for whatever
reason, is remembered by its hash and acknowledged to the relay like the others. Only a failure of
our own disk stops it: nothing is acknowledged then, and everything comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from exile_tui.core.context import Context
from exile_tui.core.events import (
    ContactChanged,
    DeliveryChanged,
    InvitesChanged,
    MessageStored,
    MovingChanged,
    RequestArrived,
)
from exile_tui.core.following import retire_older
from exile_tui.core.inviting import GRACE_MS, insert_contact
from exile_tui.core.model import (
    Contact,
    ContactState,
    Delivery,
    Direction,
    Invite,
    InviteState,
    MailboxState,
    MessageKind,
    OwnMailbox,
    Reason,
)
from exile_tui.core.noting import Outcome, note_copy, note_missing
from exile_tui.core.ports import Transaction
from exile_tui.core.sealing import load_session
from exile_tui.crypto.failures import PossibleRestoredCopy
from exile_tui.crypto.handshake import InviteSecret, open_request
from exile_tui.crypto.kdf import sha256
from exile_tui.errors import CryptoError, ExileError, WireError
from exile_tui.text import sanitize_terminal_text
from exile_tui.wire.body import unpack_body
from exile_tui.wire.content import Acknowledged, Content, Mailbox, Profile, Text, Unknown

_Result = TypeVar("_Result")

MOST_HIDDEN = 64
"""Lines kept of somebody whose request waits, and acknowledgements due to them; an honest joiner
sends at most eight texts. The rest is dropped and never acknowledged."""


async def receive_batch(context: Context, batch: Iterable[tuple[bytes, bytes]]) -> Outcome:
    """Store what a relay handed over; acknowledge to the relay only after this returned.

    Args:
        context: The profile.
        batch: (mailbox id 16, envelope), in order of arrival.
    """
    outcome = Outcome()
    async with context.store.transaction() as tx:
        for mailbox_id, envelope in batch:
            await _receive_one(context, tx, outcome, mailbox_id, envelope)
    context.emit(*outcome.events)
    if outcome.answer:
        context.signals.answer.set()
    if outcome.listen:
        context.signals.listen.set()
        context.signals.chores.set()
    return outcome


async def _pure(work: Callable[[], _Result]) -> _Result:
    """Do pure work on a peer's bytes; a defect that they find counts as bytes that don't open.

    In a thread: a peer can make one envelope cost some hundred milliseconds.
    """
    try:
        return await asyncio.to_thread(work)
    except (ExileError, MemoryError):
        raise
    except Exception as error:
        raise CryptoError from error


async def _receive_one(
    context: Context, tx: Transaction, outcome: Outcome, mailbox_id: bytes, envelope: bytes
) -> None:
    digest = sha256(envelope)
    seen = await tx.seen.lookup(digest)
    if seen is not None and seen[0]:
        contact_id, ids = seen
        if await tx.contacts.get(contact_id) is not None:
            await tx.acks.add(contact_id, ids)
            outcome.answer = True
            await _note_use(context, tx, outcome, mailbox_id, contact_id)
        return
    mailbox = await tx.mailboxes.get(mailbox_id)
    if mailbox is None:
        return
    opened: tuple[int, list[bytes]] = (0, [])
    attempt = Outcome()
    try:
        async with tx.savepoint():
            if mailbox.contact_id is not None:
                opened = await _open(context, tx, attempt, mailbox, mailbox.contact_id, envelope)
            elif mailbox.invite_id is not None:
                opened = await _open_request(context, tx, attempt, mailbox, envelope)
    except PossibleRestoredCopy:
        await note_copy(context, tx, outcome, mailbox)
        return
    except (CryptoError, WireError):
        # Not remembered: it may be a copy from another mailbox, or come too early; and whoever has
        # a link could fill the disk.
        return
    for event in attempt.events:
        outcome.add(event)
    outcome.answer |= attempt.answer
    outcome.listen |= attempt.listen
    if opened[0]:
        await tx.seen.add(digest, *opened, context.day)
        await _note_use(context, tx, outcome, mailbox_id, opened[0])


async def _note_use(
    context: Context, tx: Transaction, outcome: Outcome, mailbox_id: bytes, contact_id: int
) -> None:
    """Give up what a contact wrote to before we moved, now that it has followed."""
    if not context.own.former:
        return
    mailbox = await tx.mailboxes.get(mailbox_id)
    if mailbox is None or mailbox.contact_id != contact_id:
        return
    if await retire_older(tx, mailbox):
        outcome.listen = True
        outcome.add(MovingChanged())


async def _open(
    context: Context,
    tx: Transaction,
    outcome: Outcome,
    mailbox: OwnMailbox,
    contact_id: int,
    envelope: bytes,
) -> tuple[int, list[bytes]]:
    """Open an envelope in a contact's session; return the contact and the ids that it carried."""
    contact = await tx.contacts.get(contact_id)
    if contact is None:
        raise CryptoError
    session, version = await load_session(tx, contact_id)
    opened = await _pure(lambda: session.open(envelope, context.day))
    await tx.sessions.update(contact_id, opened.session.to_bytes(), version)
    if opened.lapsed and not await _too_many(tx, contact):
        await note_missing(context, tx, outcome, contact, opened.lapsed)
    if not session.can_seal:
        # What waited for the peer to write can go now.
        outcome.answer = True
    if contact.state is ContactState.JOINING:
        contact = replace(contact, state=ContactState.ACTIVE, answered=True)
        await tx.contacts.update(contact)
        await _forget_empty_requests(tx, contact_id)
        outcome.answer = True
        outcome.add(ContactChanged(contact_id))
    elif not contact.answered and mailbox.invite_id is None:
        contact = replace(contact, answered=True)
        await tx.contacts.update(contact)
        await _retire_invite_mailbox(tx, contact)
        outcome.listen = True
    return contact_id, await _take_body(context, tx, outcome, contact, opened.body)


async def _take_body(
    context: Context, tx: Transaction, outcome: Outcome, contact: Contact, body: bytes
) -> list[bytes]:
    """Take the contents of a body that opened; one that does not parse is dropped whole."""
    try:
        contents = await _pure(lambda: unpack_body(body))
    except (WireError, CryptoError):
        return []
    return await _take(context, tx, outcome, contact, contents)


async def _take(
    context: Context, tx: Transaction, outcome: Outcome, contact: Contact, contents: list[Content]
) -> list[bytes]:
    """Store contents; return the ids that the peer wants acknowledged."""
    ids: list[bytes] = []
    acknowledged: list[bytes] = []
    newer: Unknown | None = None
    for content in contents:
        match content:
            case Text():
                if not await tx.messages.knows(contact.id, Direction.IN, content.id):
                    if await _too_many(tx, contact):
                        continue
                    await _append(context, tx, outcome, contact, content)
                ids.append(content.id)
            case Profile():
                if content.serial > contact.name_serial:
                    contact = replace(
                        contact,
                        name=sanitize_terminal_text(content.name),
                        name_serial=content.serial,
                    )
                    await tx.contacts.update(contact)
                    outcome.add(ContactChanged(contact.id))
                ids.append(content.id)
            case Mailbox():
                if content.serial > contact.peer_mailbox_serial:
                    contact = replace(
                        contact,
                        peer_mailbox=content.descriptor,
                        peer_mailbox_serial=content.serial,
                    )
                    await tx.contacts.update(contact)
                    # What lies at the old one may never be fetched: all of it goes to the new
                    # one, before anything newer.
                    await tx.outbox.set_due(contact_id=contact.id, appended_before_ms=None)
                    context.signals.rerouted.add(contact.id)
                ids.append(content.id)
            case Acknowledged():
                acknowledged += content.ids
            case Unknown():
                newer = content
    if acknowledged:
        await _take_acknowledged(tx, outcome, contact.id, acknowledged)
        if context.own.former:
            # Perhaps it was the news of our move.
            outcome.add(MovingChanged())
    # One line for all of a body: 20,000 of them fit.
    if newer is not None and not await _too_many(tx, contact):
        await _append(context, tx, outcome, contact, newer)
    if contact.state is ContactState.REQUESTED:
        ids = ids[: MOST_HIDDEN - len(await tx.acks.due(contact.id, MOST_HIDDEN))]
    if ids:
        await tx.acks.add(contact.id, ids)
        outcome.answer = True
    return ids


async def _too_many(tx: Transaction, contact: Contact) -> bool:
    """Tell whether a stranger has filled what is kept before we answer."""
    if contact.state is not ContactState.REQUESTED:
        return False
    newest = await tx.messages.recent(contact.id, 1)
    return bool(newest) and newest[0].seq >= MOST_HIDDEN


async def _append(
    context: Context, tx: Transaction, outcome: Outcome, contact: Contact, content: Text | Unknown
) -> None:
    text = isinstance(content, Text)
    message = await tx.messages.append(
        contact.id,
        direction=Direction.IN,
        kind=MessageKind.TEXT if text else MessageKind.NEWER,
        content_id=content.id if isinstance(content, Text) else b"",
        text=sanitize_terminal_text(content.text) if isinstance(content, Text) else "",
        sent_ms=content.sent_ms if isinstance(content, Text) else 0,
        stored_ms=context.clock.now_ms(),
        delivery=None,
        reason=Reason.NONE,
        read=False,
    )
    outcome.add(MessageStored(message, hidden=contact.state is ContactState.REQUESTED))


async def _take_acknowledged(
    tx: Transaction, outcome: Outcome, contact_id: int, ids: list[bytes]
) -> None:
    await tx.outbox.acknowledged(contact_id, ids)
    await tx.announcements.acknowledged(contact_id, ids)
    if await tx.messages.set_delivery(contact_id, ids, Delivery.DELIVERED, Reason.NONE):
        outcome.add(DeliveryChanged(contact_id))


async def _forget_empty_requests(tx: Transaction, contact_id: int) -> None:
    """Drop the requests that carry nothing: the answer shows that one of them arrived."""
    empty = [entry.id for entry in await tx.outbox.of(contact_id) if not entry.content_ids]
    await tx.outbox.delete(empty)


async def _retire_invite_mailbox(tx: Transaction, contact: Contact) -> None:
    """Give up the invite's mailbox: the contact writes to its own now.

    Until then everyone who saw the link holds a token that may append there.
    """
    for mailbox in await tx.mailboxes.of_contact(contact.id):
        if mailbox.invite_id is not None and mailbox.state is not MailboxState.DOOMED:
            await tx.mailboxes.update(replace(mailbox, state=MailboxState.RETIRING))


async def _open_request(
    context: Context, tx: Transaction, outcome: Outcome, mailbox: OwnMailbox, envelope: bytes
) -> tuple[int, list[bytes]]:
    """Open a request for an invite: session, contact and spent keys in one step."""
    invite = await tx.invites.get(mailbox.invite_id or 0)
    now = context.clock.now_ms()
    if invite is None or not invite.secret:
        raise CryptoError
    if context.believed_day is None and now >= invite.expires_ms + GRACE_MS:
        raise CryptoError
    secret = InviteSecret.from_bytes(invite.secret)
    request = await _pure(lambda: open_request(secret, invite.bundle_hash, envelope, context.day))
    profile, peer_mailbox = await _pure(lambda: _profile_block(unpack_body(request.profile_block)))
    contact = await insert_contact(
        context,
        tx,
        request.session,
        Contact(
            id=0,
            state=ContactState.REQUESTED,
            name=sanitize_terminal_text(profile.name),
            name_serial=profile.serial,
            created_ms=now,
            safety_digits="",
            bundle_hash=invite.bundle_hash,
            expiry_ms=invite.expires_ms,
            peer_mailbox=peer_mailbox.descriptor,
            peer_mailbox_serial=peer_mailbox.serial,
        ),
    )
    await tx.invites.update(_spent(invite))
    await tx.mailboxes.update(replace(mailbox, contact_id=contact.id))
    ids = [profile.id, peer_mailbox.id]
    await tx.acks.add(contact.id, ids)
    outcome.add(RequestArrived(contact.id))
    outcome.add(InvitesChanged())
    return contact.id, ids + await _take_body(context, tx, outcome, contact, request.body)


def _spent(invite: Invite) -> Invite:
    return replace(invite, state=InviteState.SPENT, secret=b"", blob=b"", link="")


def _profile_block(contents: list[Content]) -> tuple[Profile, Mailbox]:
    match contents:
        case [Profile() as profile, Mailbox() as mailbox, *_]:
            return profile, mailbox
    raise WireError
