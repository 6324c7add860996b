"""Create and delete what is ours at our relays: mailboxes, tickets, blobs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from exile_tui.clock import SECOND_MS
from exile_tui.core import working
from exile_tui.core.backoff import Backoff, asked_wait, wait_any
from exile_tui.core.context import Context
from exile_tui.core.events import InvitesChanged, MovingChanged
from exile_tui.core.following import tell
from exile_tui.core.inviting import ticket_hash
from exile_tui.core.model import Invite, InviteState, MailboxState, OwnMailbox
from exile_tui.crypto.kdf import sha256
from exile_tui.errors import (
    N_,
    ExileError,
    RelayBusy,
    RelayKeyMismatch,
    RelayRefused,
    RelayUnreachable,
    TryLater,
)
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Authorization, Verdict

_NO_ROOM = N_(
    "The relay {address} has no room for invites for now. The invite is kept and tried again."
)
_NEW = (MailboxState.WANTED, MailboxState.UNTOLD)
"""What is to be created at its relay."""


async def do_chores(context: Context) -> dict[RelayAddress, ExileError]:
    """Try everything that waits once; return what went wrong, the first of each relay.

    All relays at once: one that is gone for good must not hold up the others.
    """
    async with context.store.snapshot() as tx:
        mailboxes = await tx.mailboxes.all()
        invites = await tx.invites.all()
    places = dict.fromkeys(mailbox.relay for mailbox in mailboxes)
    places |= dict.fromkeys(invite.relay for invite in invites)
    results = await asyncio.gather(
        *(
            _do_chores_at(
                context,
                [mailbox for mailbox in mailboxes if mailbox.relay == place],
                [invite for invite in invites if invite.relay == place],
            )
            for place in places
        ),
        return_exceptions=True,
    )
    errors: dict[RelayAddress, ExileError] = {}
    for place, result in zip(places, results, strict=True):
        if isinstance(result, BaseException):
            raise result
        if result:
            errors[place] = result[0]
    working.settle(context, errors)
    return errors


async def _do_chores_at(
    context: Context, mailboxes: Sequence[OwnMailbox], invites: Sequence[Invite]
) -> list[ExileError]:
    """Do what waits at one relay; once it is out of reach, the rest is left for the next time.

    One that takes nothing new for now still deletes, which may be what makes room. Nor is it asked
    for another mailbox once the work for one was in vain: a relay that asks for work and takes none
    must not have it done for each of a thousand.
    """
    errors: list[ExileError] = []
    for mailbox in mailboxes:
        adds = mailbox.state in _NEW
        if adds and _takes_nothing(errors):
            continue
        try:
            await _tend_mailbox(context, mailbox)
        except (RelayUnreachable, RelayKeyMismatch) as error:
            errors.append(error)
            if not (adds and isinstance(error, TryLater)):
                return errors
        except ExileError as error:
            errors.append(error)
    async with context.store.snapshot() as tx:
        alive = [each for each in await tx.mailboxes.all() if each.state is MailboxState.ALIVE]
    in_use = {mailbox.invite_id for mailbox in alive}
    before = len(errors)
    for invite in invites:
        adds = invite.state is InviteState.OPEN
        if adds and _takes_nothing(errors[before:]):
            continue
        try:
            await _tend_invite(context, invite, invite.id in in_use)
        except (RelayUnreachable, RelayKeyMismatch) as error:
            errors.append(error)
            if not (adds and isinstance(error, TryLater)):
                return errors
        except ExileError as error:
            errors.append(error)
    return errors


def _takes_nothing(errors: Sequence[ExileError]) -> bool:
    return any(isinstance(error, TryLater | RelayBusy) for error in errors)


async def _tend_mailbox(context: Context, mailbox: OwnMailbox) -> None:
    relay = context.relays(mailbox.relay)
    if mailbox.state in _NEW:
        renewal = await working.create_mailbox(context, mailbox, _authorization(context, mailbox))
        if renewal is None:
            return
        async with context.store.transaction() as tx:
            current = await tx.mailboxes.get(mailbox.id)
            if current is not None and current.state is mailbox.state:
                alive = replace(
                    current, state=MailboxState.ALIVE, renewal=renewal or current.renewal
                )
                await tx.mailboxes.update(alive)
                if current.state is MailboxState.UNTOLD:
                    await tell(context, tx, current)
        context.signals.listen.set()
        if mailbox.state is MailboxState.UNTOLD:
            context.signals.outbox.set()
            context.emit(MovingChanged())
    elif mailbox.state is MailboxState.DOOMED:
        await relay.delete_mailbox(mailbox.id, mailbox.receive_token)
        async with context.store.transaction() as tx:
            await tx.mailboxes.delete(mailbox.id)
        context.signals.listen.set()


def _authorization(context: Context, mailbox: OwnMailbox) -> bytes:
    """Return the block that lets us create a mailbox, or create it again."""
    if mailbox.renewal:
        return Authorization.renewal(mailbox.renewal).encode()
    if mailbox.ticket and not context.own.phrase_at(mailbox.relay):
        return Authorization.ticket(mailbox.ticket).encode()
    return context.own.authorization_at(mailbox.relay)


async def _tend_invite(context: Context, invite: Invite, mailbox_alive: bool) -> None:
    relay = context.relays(invite.relay)
    if invite.state is InviteState.OPEN:
        # The blob goes up last: nobody can open an invite whose mailbox is not there.
        live = context.clock.now_ms() < invite.expires_ms
        if live and mailbox_alive and not invite.published:
            await _publish(context, invite)
    elif not invite.blob_deleted and not (invite.state is InviteState.SPENT and mailbox_alive):
        await relay.delete_blob(invite.blob_id, invite.delete_token)
        async with context.store.transaction() as tx:
            current = await tx.invites.get(invite.id)
            if current is not None:
                await tx.invites.update(replace(current, blob=b"", blob_deleted=True))


async def _publish(context: Context, invite: Invite) -> None:
    relay = context.relays(invite.relay)
    expiry = invite.expires_ms // SECOND_MS
    authorization = context.own.authorization_at(invite.relay)
    ticket = ticket_hash(invite)
    if ticket is not None:
        await relay.request_ticket(ticket, expiry, authorization)
    verdict = await relay.put_blob(
        invite.blob_id, sha256(invite.delete_token), expiry, invite.blob, authorization
    )
    if verdict in (Verdict.FULL, Verdict.TRY_LATER):
        raise TryLater(_NO_ROOM, address=invite.relay.authority)
    if verdict is not Verdict.STORED:
        raise RelayRefused(address=invite.relay.authority)
    async with context.store.transaction() as tx:
        current = await tx.invites.get(invite.id)
        if current is not None:
            await tx.invites.update(replace(current, published=True))
    context.emit(InvitesChanged())


class Housekeeper:
    """Does the chores when there are some, and again when they failed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self) -> None:
        """Do chores until cancelled."""
        signals = self._context.signals
        backoff = Backoff(self._context.entropy)
        while True:
            signals.chores.clear()
            if errors := await do_chores(self._context):
                # What is new must not wait for a relay that may be gone for good.
                asked = max(map(asked_wait, errors.values()))
                await wait_any(backoff.next(asked), signals.retry, signals.chores)
                signals.retry.clear()
            else:
                backoff.reset()
                await signals.chores.wait()
