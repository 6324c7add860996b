"""Invites: make, revoke, open; requests: accept, decline (docs/protocol.md, section 4)."""

from __future__ import annotations

from dataclasses import replace

from exile_tui.clock import DAY_MS, HOUR_MS, SECOND_MS
from exile_tui.core.context import Context
from exile_tui.core.events import ContactChanged, DeliveryChanged, InvitesChanged
from exile_tui.core.model import (
    Contact,
    ContactState,
    Invite,
    InviteState,
    MailboxState,
    OwnMailbox,
)
from exile_tui.core.ports import Transaction
from exile_tui.core.sealing import seal
from exile_tui.core.sending import (
    CONTENT_ID,
    announce_mailbox,
    announce_profile,
    require_contact,
)
from exile_tui.core.settings import read_own
from exile_tui.crypto import handshake
from exile_tui.crypto.kdf import sha256
from exile_tui.crypto.safety_number import session_safety_number
from exile_tui.crypto.session import Session
from exile_tui.errors import N_, CryptoError, Refused, UsageError, WireError
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.body import PROFILE_BLOCK, pack_body
from exile_tui.wire.bundle import Bundle, blob_id, open_blob, seal_blob
from exile_tui.wire.content import Mailbox, Profile
from exile_tui.wire.link import InviteLink
from exile_tui.wire.mailbox import MailboxDescriptor, MailboxKeys

DEFAULT_LIFETIME_HOURS = 24
LONGEST_LIFETIME_HOURS = 14 * 24
GRACE_MS = 14 * DAY_MS
"""How long after an invite's expiry a request for it is still taken."""
TICKET = 32
"""Bytes of a ticket; zeros where the relay is open."""
DELETE_TOKEN = 32


async def create_invite(context: Context, lifetime_hours: int) -> Invite:
    """Make an invite; its bundle goes to the relay with the next chores.

    Raises:
        UsageError: A lifetime that is not 1 to 336 hours.
    """
    if not 1 <= lifetime_hours <= LONGEST_LIFETIME_HOURS:
        raise UsageError(
            N_("An invite lasts from 1 to {hours} hours."), hours=LONGEST_LIFETIME_HOURS
        )
    own, entropy = context.own, context.entropy
    now = context.clock.now_ms()
    expiry = (now + lifetime_hours * HOUR_MS) // SECOND_MS
    secret = handshake.generate_invite(entropy)
    keys = MailboxKeys.generate(entropy)
    ticket = entropy.bytes(TICKET) if own.access_phrase else bytes(TICKET)
    descriptor = MailboxDescriptor(own.relay, keys.id, keys.send_token)
    bundle = Bundle(secret.public, expiry, ticket, descriptor).encode()
    bh = handshake.bundle_hash(bundle)
    async with context.store.transaction() as tx:
        invite = await tx.invites.insert(
            Invite(
                id=0,
                state=InviteState.OPEN,
                created_ms=now,
                expires_ms=expiry * SECOND_MS,
                link=InviteLink(own.relay, bh).to_text(),
                bundle_hash=bh,
                secret=secret.to_bytes(),
                blob=seal_blob(bundle),
                blob_id=blob_id(bh),
                delete_token=entropy.bytes(DELETE_TOKEN),
                relay=own.relay,
            )
        )
        await tx.mailboxes.insert(own_mailbox(own.relay, keys, invite_id=invite.id))
    context.signals.chores.set()
    context.emit(InvitesChanged())
    return invite


def own_mailbox(
    relay: RelayAddress,
    keys: MailboxKeys,
    *,
    contact_id: int | None = None,
    invite_id: int | None = None,
    ticket: bytes = b"",
) -> OwnMailbox:
    """Describe a mailbox of ours that is still to be created at a relay."""
    return OwnMailbox(
        id=keys.id,
        relay=relay,
        receive_token=keys.receive_token,
        send_token=keys.send_token,
        state=MailboxState.WANTED,
        contact_id=contact_id,
        invite_id=invite_id,
        ticket=ticket,
    )


async def revoke_invite(context: Context, invite_id: int) -> None:
    """Wipe an open invite's keys and have its blob and mailbox deleted.

    Raises:
        UsageError: There is no such open invite.
    """
    async with context.store.transaction() as tx:
        invite = await tx.invites.get(invite_id)
        if invite is None or not invite.secret:
            raise UsageError(N_("There is no such open invite. Nothing was changed."))
        await close_invite(tx, invite, InviteState.REVOKED)
    await context.store.wipe(large=False)
    context.signals.chores.set()
    context.signals.listen.set()
    context.emit(InvitesChanged())


async def close_invite(tx: Transaction, invite: Invite, state: InviteState) -> None:
    """Wipe the keys of an invite that nobody used and doom its mailbox."""
    await tx.invites.update(replace(invite, state=state, secret=b"", blob=b""))
    for mailbox in await tx.mailboxes.all():
        if mailbox.invite_id == invite.id and mailbox.contact_id is None:
            await tx.mailboxes.update(replace(mailbox, state=MailboxState.DOOMED))


def parse_link(link: str | bytes) -> InviteLink:
    """Read an invite link, as text or as the bytes of its QR code.

    Raises:
        Refused: It is neither.
    """
    try:
        return InviteLink.from_bytes(link) if isinstance(link, bytes) else InviteLink.parse(link)
    except WireError:
        raise Refused(
            N_("This is not an invite link. It begins with exile: and is copied whole.")
        ) from None


async def join(context: Context, link: str | bytes) -> Contact:
    """Open an invite: fetch its bundle, make the session, leave the first request due.

    Raises:
        Refused: Expired, spent, tampered with, opened before, or our own.
        RelayError: The invite's relay is out of reach.
    """
    parsed = parse_link(link)
    async with context.store.snapshot() as tx:
        await _refuse_known(tx, parsed.bh)
    bundle = await _fetch_bundle(context, parsed)
    keys = MailboxKeys.generate(context.entropy)
    own = context.own
    block = pack_body(
        [
            Profile(context.entropy.bytes(CONTENT_ID), own.name_serial, own.name),
            Mailbox(
                context.entropy.bytes(CONTENT_ID),
                1,
                MailboxDescriptor(own.relay, keys.id, keys.send_token),
            ),
        ],
        (PROFILE_BLOCK,),
    )
    try:
        session = handshake.join(bundle.public, parsed.bh, block, context.entropy)
    except CryptoError:
        raise _damaged() from None
    ticket = bundle.ticket if own.relay == parsed.address and any(bundle.ticket) else b""
    async with context.store.transaction() as tx:
        await _refuse_known(tx, parsed.bh)
        contact = await insert_contact(
            context,
            tx,
            session,
            Contact(
                id=0,
                state=ContactState.JOINING,
                name="",
                name_serial=0,
                created_ms=context.clock.now_ms(),
                safety_digits="",
                bundle_hash=parsed.bh,
                expiry_ms=bundle.expiry * SECOND_MS,
                peer_mailbox=bundle.mailbox,
            ),
        )
        mailbox = own_mailbox(own.relay, keys, contact_id=contact.id, ticket=ticket)
        await tx.mailboxes.insert(mailbox)
        await seal(context, tx, contact.id)
    context.signals.chores.set()
    context.signals.outbox.set()
    context.emit(ContactChanged(contact.id))
    return contact


async def insert_contact(
    context: Context, tx: Transaction, session: Session, contact: Contact
) -> Contact:
    """Store a contact with its session and the safety number of that session."""
    digits = session_safety_number(session).digits
    contact = await tx.contacts.insert(replace(contact, safety_digits=digits))
    await tx.sessions.insert(contact.id, session.to_bytes())
    return contact


async def _refuse_known(tx: Transaction, bh: bytes) -> None:
    if await tx.invites.by_bundle(bh) is not None:
        raise Refused(N_("This invite is your own. Give it to somebody else."))
    if await tx.contacts.by_bundle(bh) is not None:
        raise Refused(N_("You have opened this invite already. Look for it in your contacts."))


async def _fetch_bundle(context: Context, link: InviteLink) -> Bundle:
    blob = await context.relays(link.address).get_blob(blob_id(link.bh))
    if blob is None:
        raise Refused(
            N_(
                "This invite is expired, revoked or already used: its relay does not have it. "
                "Ask for a new one."
            )
        )
    try:
        bundle = open_blob(blob, link.bh)
    except (CryptoError, WireError):
        raise _damaged() from None
    if bundle.mailbox.address != link.address:
        raise _damaged()
    if context.clock.now_ms() >= bundle.expiry * SECOND_MS:
        raise Refused(N_("This invite is expired. Ask for a new one."))
    return bundle


def _damaged() -> Refused:
    return Refused(
        N_(
            "This invite was damaged or tampered with on the way. It was not used; "
            "ask for a new one."
        )
    )


async def accept(context: Context, contact_id: int) -> None:
    """Accept a request: answer at once with our name and a mailbox for this contact alone.

    Raises:
        NoSuchContact: No such contact.
        UsageError: It is not a request.
    """
    async with context.store.transaction() as tx:
        contact = await _require_request(tx, contact_id)
        own = await read_own(tx)
        keys = MailboxKeys.generate(context.entropy)
        descriptor = MailboxDescriptor(own.relay, keys.id, keys.send_token)
        await tx.contacts.update(replace(contact, state=ContactState.ACTIVE))
        await tx.mailboxes.insert(own_mailbox(own.relay, keys, contact_id=contact_id))
        await announce_profile(context, tx, contact_id, own)
        # The invite's mailbox was the first that this contact learned of: serial 1.
        await announce_mailbox(context, tx, contact_id, 2, descriptor)
        await seal(context, tx, contact_id)
    context.signals.chores.set()
    context.signals.outbox.set()
    context.emit(ContactChanged(contact_id), DeliveryChanged(contact_id))


async def decline(context: Context, contact_id: int) -> None:
    """Decline a request in silence: all of it goes here, nothing is told to anyone.

    The invite's mailbox stays at the relay, unread until it expires, as if we were away.

    Raises:
        NoSuchContact: No such contact.
        UsageError: It is not a request.
    """
    async with context.store.transaction() as tx:
        contact = await _require_request(tx, contact_id)
        for mailbox in await tx.mailboxes.of_contact(contact_id):
            await tx.mailboxes.delete(mailbox.id)
        invite = await tx.invites.by_bundle(contact.bundle_hash)
        if invite is not None:
            await tx.invites.update(replace(invite, blob=b"", blob_deleted=True))
        await tx.contacts.delete(contact_id)
    await context.store.wipe(large=False)
    context.signals.listen.set()
    context.emit(ContactChanged(contact_id))


async def _require_request(tx: Transaction, contact_id: int) -> Contact:
    contact = await require_contact(tx, contact_id)
    if contact.state is not ContactState.REQUESTED:
        raise UsageError(N_("This contact is not waiting for your answer."))
    return contact


def ticket_hash(invite: Invite) -> bytes | None:
    """Return the SHA-256 of the ticket in an invite's bundle, None where there is none."""
    ticket = open_blob(invite.blob, invite.bundle_hash).ticket
    return sha256(ticket) if any(ticket) else None
