"""What a move leaves to do, written down and done again until it is done (see `moving`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from exile_tui.clock import DAY_MS
from exile_tui.core.context import Context, Former, Own
from exile_tui.core.events import MovingChanged
from exile_tui.core.inviting import close_invite, own_mailbox
from exile_tui.core.model import (
    AnnouncementKind,
    Contact,
    ContactState,
    Invite,
    InviteState,
    MailboxState,
    OwnMailbox,
)
from exile_tui.core.ports import Transaction
from exile_tui.core.sealing import load_session, seal
from exile_tui.core.sending import announce_mailbox
from exile_tui.core.settings import MAILBOX_SERIAL, read_own, write_own
from exile_tui.wire.content import Mailbox, decode_content
from exile_tui.wire.mailbox import MailboxDescriptor, MailboxKeys

KEEP_MS = 14 * DAY_MS
"""How long a mailbox that was left is read, if its contact uses no newer one."""
FORGET_MS = 28 * DAY_MS
"""When one whose relay never answered again is forgotten; by itself it lapses after 90 days."""
FIRST_SERIAL = 2
"""The serial of the mailbox that an accepted contact gets; a greater one comes from a move."""

USED = (MailboxState.WANTED, MailboxState.ALIVE)
"""States of a mailbox that its contact knows and may write to."""


async def follow(context: Context, tx: Transaction, own: Own) -> None:
    """Give every contact a mailbox at our relay and mark what was left; again changes nothing.

    A relay is known by its key: under another address it is still the same, with all it holds.
    """
    now = believed_now(context)
    held: defaultdict[int, list[OwnMailbox]] = defaultdict(list)
    for mailbox in await tx.mailboxes.all():
        held[mailbox.contact_id or 0].append(mailbox)
    asking = {0}
    for contact in await tx.contacts.all():
        if contact.state is ContactState.REQUESTED:
            asking.add(contact.id)
        else:
            await _follow_contact(context, tx, own, contact.id, held[contact.id])
    for mailbox in await tx.mailboxes.all():
        changed = mailbox
        if mailbox.relay.pin != own.relay.pin:
            changed = replace(mailbox, left_ms=_since(mailbox, now))
        else:
            if (mailbox.contact_id or 0) in asking:
                changed = replace(changed, left_ms=None)
            changed = replace(changed, relay=own.relay)
        if changed != mailbox:
            await tx.mailboxes.update(changed)
    for invite in await tx.invites.all():
        if invite.relay.pin == own.relay.pin and invite.relay != own.relay:
            await tx.invites.update(replace(invite, relay=own.relay))


async def _follow_contact(
    context: Context, tx: Transaction, own: Own, contact_id: int, mailboxes: Sequence[OwnMailbox]
) -> None:
    used = [mailbox for mailbox in mailboxes if mailbox.state in USED]
    untold = [mailbox for mailbox in mailboxes if mailbox.state is MailboxState.UNTOLD]
    stays = bool(used) and used[-1].relay == own.relay and used[-1].left_ms is None
    for mailbox in untold:
        if stays or mailbox.relay != own.relay:
            # Nobody ever heard of it.
            await tx.mailboxes.update(replace(mailbox, state=MailboxState.DOOMED))
    for mailbox in used:
        if stays and mailbox is used[-1]:
            await tx.mailboxes.update(replace(mailbox, left_ms=None))
        elif mailbox.relay != own.relay:
            # An older one at our relay is what an invite brought: nobody has to leave it.
            since = _since(mailbox, believed_now(context))
            await tx.mailboxes.update(replace(mailbox, left_ms=since))
    if not stays and all(mailbox.relay != own.relay for mailbox in untold):
        keys = MailboxKeys.generate(context.entropy)
        new = own_mailbox(own.relay, keys, contact_id=contact_id)
        await tx.mailboxes.insert(replace(new, state=MailboxState.UNTOLD))


def _since(mailbox: OwnMailbox, now: int) -> int:
    return now if mailbox.left_ms is None else mailbox.left_ms


def believed_now(context: Context) -> int:
    """Return the time, as far as it is believed."""
    if context.believed_day is not None:
        return context.believed_day * DAY_MS
    return context.clock.now_ms()


async def tell(context: Context, tx: Transaction, mailbox: OwnMailbox) -> None:
    """Tell a contact of a mailbox that the new relay has just made."""
    contact = await tx.contacts.get(mailbox.contact_id or 0)
    if contact is None:
        return
    serial = int(await tx.settings.get(MAILBOX_SERIAL) or FIRST_SERIAL)
    descriptor = MailboxDescriptor(mailbox.relay, mailbox.id, mailbox.send_token)
    await announce_mailbox(context, tx, contact.id, serial, descriptor)
    await seal(context, tx, contact.id)


async def retire_older(tx: Transaction, used: OwnMailbox) -> bool:
    """Give up what was left of a contact that has just used a newer mailbox.

    All that it had not heard acknowledged comes to the newer one as well, so that nothing is lost
    with the older.

    Returns:
        Whether anything changed.
    """
    changed = False
    for mailbox in await tx.mailboxes.of_contact(used.contact_id or 0):
        if mailbox.id == used.id:
            break
        if mailbox.left_ms is None or mailbox.state not in USED:
            continue
        await _give_up(tx, mailbox)
        changed = True
    return changed


async def end_moves(context: Context) -> None:
    """End what was left 14 days ago, forget what never answered, tell again who did not hear.

    Call it only while the clock is believed.
    """
    if not context.own.former:
        return
    async with context.store.transaction() as tx:
        own = await read_own(tx)
        await follow(context, tx, own)
        await _end_mailboxes(context, tx, own)
        await _tell_again(context, tx)
        own = replace(own, former=await _still_needed(tx, own))
        await write_own(tx, own)
    context.own = own
    for signal in (context.signals.chores, context.signals.listen, context.signals.outbox):
        signal.set()
    context.emit(MovingChanged())


async def reached_only_there(tx: Transaction) -> set[int | None]:
    """Return who can't be told of a newer mailbox: what they write to the older is read on."""
    untold = {
        each.contact_id for each in await tx.mailboxes.all() if each.state is MailboxState.UNTOLD
    }
    return untold | await _cannot_be_told(tx)


async def _end_mailboxes(context: Context, tx: Transaction, own: Own) -> None:
    now = context.clock.now_ms()
    mailboxes = await tx.mailboxes.all()
    only_there = await reached_only_there(tx)
    for mailbox in mailboxes:
        if mailbox.left_ms is None:
            continue
        age = now - mailbox.left_ms
        if age < -DAY_MS:
            # A clock in the future wrote it.
            await tx.mailboxes.update(replace(mailbox, left_ms=now))
        elif mailbox.state in (MailboxState.RETIRING, MailboxState.DOOMED):
            if age >= FORGET_MS:
                await tx.mailboxes.delete(mailbox.id)
        elif age >= KEEP_MS and (
            mailbox.contact_id is None or mailbox.contact_id not in only_there
        ):
            await _give_up(tx, mailbox)
    for invite in await tx.invites.all():
        if invite.relay != own.relay:
            of_invite = [each for each in mailboxes if each.invite_id == invite.id]
            await _end_invite(tx, invite, of_invite, now)


async def _end_invite(
    tx: Transaction, invite: Invite, mailboxes: Sequence[OwnMailbox], now: int
) -> None:
    """End an invite at a relay that was left: first for who opens it, then for who asked."""
    if invite.secret:
        if all(mailbox.state is MailboxState.DOOMED for mailbox in mailboxes):
            await close_invite(tx, invite, InviteState.EXPIRED)
        elif invite.state is InviteState.OPEN and any(
            mailbox.left_ms is not None and now - mailbox.left_ms >= KEEP_MS
            for mailbox in mailboxes
        ):
            await tx.invites.update(replace(invite, state=InviteState.EXPIRED, blob=b""))
    elif not invite.blob_deleted and now >= invite.expires_ms + DAY_MS:
        # The relay has dropped it by itself.
        await tx.invites.update(replace(invite, blob=b"", blob_deleted=True))


async def _give_up(tx: Transaction, mailbox: OwnMailbox) -> None:
    """Have a mailbox deleted, once it was read to its end if the relay has made it."""
    alive = mailbox.state is MailboxState.ALIVE
    state = MailboxState.RETIRING if alive else MailboxState.DOOMED
    await tx.mailboxes.update(replace(mailbox, state=state))


async def _cannot_be_told(tx: Transaction) -> set[int]:
    """Return who has not heard of a move and must write first: its session seals no more."""
    found = set()
    for contact in await tx.contacts.all():
        if await _unheard(tx, contact.id) is not None:
            session, _ = await load_session(tx, contact.id)
            if not session.can_seal:
                found.add(contact.id)
    return found


async def _tell_again(context: Context, tx: Transaction) -> None:
    """Seal what tells of a new mailbox anew, where it was not delivered within 14 days."""
    now = context.clock.now_ms()
    for contact in await tx.contacts.all():
        if contact.state is ContactState.REQUESTED:
            continue
        if contact.state is ContactState.JOINING and now >= contact.expiry_ms + KEEP_MS:
            continue
        key = await _unheard(tx, contact.id)
        if key is None:
            continue
        if not any(key in entry.content_ids for entry in await tx.outbox.of(contact.id)):
            await seal(context, tx, contact.id)


async def _unheard(tx: Transaction, contact_id: int) -> bytes | None:
    """Return the id of what tells a contact of a move, while it is not acknowledged."""
    announcement = await tx.announcements.get(contact_id, AnnouncementKind.MAILBOX)
    if announcement is None:
        return None
    content = decode_content(announcement.content)
    moved = isinstance(content, Mailbox) and content.serial > FIRST_SERIAL
    return announcement.content_id if moved else None


async def _still_needed(tx: Transaction, own: Own) -> tuple[Former, ...]:
    """Return the former relays at which something lies, and the last while anybody is awaited."""
    places = {mailbox.relay for mailbox in await tx.mailboxes.all()}
    places |= {invite.relay for invite in await tx.invites.all() if not invite.blob_deleted}
    needed = [left for left in own.former if left.relay in places]
    if own.former and own.former[-1] not in needed and (await waiting(tx))[0]:
        needed.append(own.former[-1])
    return tuple(needed)


async def waiting(tx: Transaction) -> tuple[tuple[Contact, ...], int]:
    """Return who has not used the newest mailbox yet, and how many of them were not told."""
    left: set[int | None] = set()
    untold: set[int | None] = set()
    for mailbox in await tx.mailboxes.all():
        if mailbox.state is MailboxState.UNTOLD:
            untold.add(mailbox.contact_id)
        elif mailbox.left_ms is not None and mailbox.state in USED:
            left.add(mailbox.contact_id)
    waiting = []
    for contact in await tx.contacts.all():
        if contact.state is ContactState.REQUESTED:
            continue
        if contact.id in left | untold or await _unheard(tx, contact.id) is not None:
            waiting.append(contact)
    return tuple(waiting), sum(contact.id in untold for contact in waiting)
