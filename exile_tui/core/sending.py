"""Write to a contact: one transaction for session, message and envelope, then the network."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from exile_tui.core.context import Context, Own
from exile_tui.core.events import DeliveryChanged, MessageStored
from exile_tui.core.model import (
    Announcement,
    AnnouncementKind,
    Contact,
    ContactState,
    Delivery,
    Direction,
    Message,
    MessageKind,
    Reason,
)
from exile_tui.core.ports import Transaction
from exile_tui.core.sealing import load_session, seal
from exile_tui.core.settings import draft_key, read_own, write_own
from exile_tui.crypto.session import Session
from exile_tui.errors import N_, NoSuchContact, UsageError
from exile_tui.wire.body import text_capacity
from exile_tui.wire.content import Mailbox, Profile, Text, encode_content
from exile_tui.wire.mailbox import MailboxDescriptor

CONTENT_ID = 16
"""Bytes of a content's id."""


async def require_contact(tx: Transaction, contact_id: int) -> Contact:
    """Return a contact.

    Raises:
        NoSuchContact: There is none by this id.
    """
    contact = await tx.contacts.get(contact_id)
    if contact is None:
        raise NoSuchContact(name=f"#{contact_id}")
    return contact


async def send_text(context: Context, contact_id: int, text: str) -> Message:
    """Store a text in its conversation, sealed and due, or queued when the session must wait.

    Raises:
        UsageError: Empty, too long for one envelope, or to somebody whose request waits for us.
        NoSuchContact: No such contact.
    """
    text = unicodedata.normalize("NFC", text)
    if not text.strip():
        raise UsageError(N_("There is nothing to send yet. Write something first."))
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise UsageError(
            N_("This text holds characters that can't be sent. Nothing was sent.")
        ) from None
    now = context.clock.now_ms()
    async with context.store.transaction() as tx:
        contact = await require_contact(tx, contact_id)
        if contact.state is ContactState.REQUESTED:
            raise UsageError(N_("Accept the contact request first; then you can write."))
        if contact.state is ContactState.ARCHIVED:
            raise UsageError(
                N_("These messages were imported from a file: nobody receives what you write here.")
            )
        session, _ = await load_session(tx, contact_id)
        limit = text_capacity(session.body_sizes)
        if size > limit:
            raise UsageError(
                N_(
                    "This text is {size} bytes long, and one message holds {limit}. "
                    "Nothing was sent; send it in parts."
                ),
                size=size,
                limit=limit,
            )
        message = await tx.messages.append(
            contact_id,
            direction=Direction.OUT,
            kind=MessageKind.TEXT,
            content_id=context.entropy.bytes(CONTENT_ID),
            text=text,
            sent_ms=now,
            stored_ms=now,
            delivery=Delivery.QUEUED,
            reason=_reason(session),
            read=True,
        )
        await seal_queued(context, tx, contact_id)
        await tx.settings.delete(draft_key(contact_id))
    context.signals.outbox.set()
    context.emit(MessageStored(message), DeliveryChanged(contact_id))
    return message


async def seal_queued(context: Context, tx: Transaction, contact_id: int) -> int:
    """Seal what is queued for a contact, in order, as far as the session goes; return how many."""
    sealed = 0
    for message in await tx.messages.queued(contact_id):
        content = encode_content(Text(message.content_id, message.sent_ms, message.text))
        if not await seal(context, tx, contact_id, [(message.content_id, content)]):
            session, _ = await load_session(tx, contact_id)
            await tx.messages.set_delivery(
                contact_id, [message.content_id], Delivery.QUEUED, _reason(session)
            )
            break
        await tx.messages.set_delivery(
            contact_id, [message.content_id], Delivery.WAITING, Reason.NONE
        )
        sealed += 1
    return sealed


def _reason(session: Session) -> Reason:
    if session.can_seal:
        return Reason.NONE
    return Reason.NOT_ACCEPTED if session.in_request_form else Reason.PEER_SILENT


async def announce_profile(context: Context, tx: Transaction, contact_id: int, own: Own) -> None:
    """Note our name and its serial for a contact, to be repeated until it is acknowledged."""
    key = context.entropy.bytes(CONTENT_ID)
    content = encode_content(Profile(key, own.name_serial, own.name))
    await tx.announcements.put(Announcement(contact_id, AnnouncementKind.PROFILE, content, key))


async def announce_mailbox(
    context: Context, tx: Transaction, contact_id: int, serial: int, descriptor: MailboxDescriptor
) -> None:
    """Note a mailbox of ours for a contact, to be repeated until it is acknowledged."""
    key = context.entropy.bytes(CONTENT_ID)
    content = encode_content(Mailbox(key, serial, descriptor))
    await tx.announcements.put(Announcement(contact_id, AnnouncementKind.MAILBOX, content, key))


async def answer(context: Context) -> None:
    """Seal what waits to be said: queued texts, then acknowledgements that found no message.

    Nothing is sealed for somebody whose request we have not accepted, and no announcement spends
    one of the eight requests.
    """
    changed: list[DeliveryChanged] = []
    async with context.store.transaction() as tx:
        due = set(await tx.acks.contacts())
        for contact in await tx.contacts.all():
            if contact.state is ContactState.REQUESTED:
                continue
            if await seal_queued(context, tx, contact.id):
                changed.append(DeliveryChanged(contact.id))
            while contact.id in due and await tx.acks.due(contact.id, 1):
                if not await seal(context, tx, contact.id):
                    break
    context.signals.outbox.set()
    context.emit(*changed)


async def rename(context: Context, name: str) -> None:
    """Take another name and tell every active contact, both or neither."""
    async with context.store.transaction() as tx:
        own = await read_own(tx)
        own = replace(own, name=name, name_serial=own.name_serial + 1)
        await write_own(tx, own)
        for contact in await tx.contacts.all():
            if contact.state is ContactState.REQUESTED:
                continue
            await announce_profile(context, tx, contact.id, own)
            if contact.state is ContactState.ACTIVE:
                await seal(context, tx, contact.id)
    context.own = own
    context.signals.outbox.set()
