"""Move to another relay and bring the contacts along (docs/protocol.md, section 6).

A move is one transaction; whatever follows is work that is written down and done by the chores:

1. The new relay is asked first. If it is not there, not itself or wants another phrase, nothing
   was changed.
2. One transaction makes it our relay. Every contact gets a mailbox there, `UNTOLD` as yet, and
   what was ours until now is marked as left.
3. Once the new relay has made a contact's mailbox, the contact is told, in an ordinary message.
4. Once the contact has used it, the older ones are emptied and deleted.
5. After 14 days an older one is emptied and deleted all the same, and after another 14 it is
   forgotten, if its relay never answered. One whose contact could not be told stays.
"""

from __future__ import annotations

import contextlib
import ipaddress
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from exile_tui.core.context import Context, Former
from exile_tui.core.events import MovingChanged
from exile_tui.core.following import (
    FIRST_SERIAL,
    KEEP_MS,
    USED,
    believed_now,
    follow,
    reached_only_there,
    waiting,
)
from exile_tui.core.model import (
    Contact,
    InviteState,
    MailboxState,
)
from exile_tui.core.ports import EmbeddedRelay
from exile_tui.core.settings import MAILBOX_SERIAL, read_own, write_own
from exile_tui.errors import (
    N_,
    ExileError,
    RelayError,
    RelayKeyMismatch,
    RelayRefused,
    RelayUnreachable,
    TryLater,
    UsageError,
    WireError,
)
from exile_tui.wire.address import RelayAddress, require_host
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import Authorization

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Moving:
    """A move that is not over yet."""

    left: RelayAddress
    """Where we moved from last."""
    relay: RelayAddress
    since_ms: int
    until_ms: int
    """When the last mailbox that was left ends, but for those whose contact can't be told."""
    waiting: tuple[Contact, ...]
    """Who has not used the new mailbox yet, by id."""
    untold: int
    """How many of them the new relay has still to make a mailbox for; then they are told."""
    invites: int
    """Open invites that name a relay that was left."""
    read: bool = True
    """A mailbox that was left is still read."""
    longer: bool = False
    """One is read after `until_ms` too, since its contact can't be told yet."""


async def move(context: Context, relay: RelayAddress, phrase: str, *, embedded: bool) -> None:
    """Make another relay ours, once it has shown that it takes us.

    Args:
        context: The profile.
        relay: Where to.
        phrase: What it asks for, empty if nothing.
        embedded: Whether it is the one of this computer.

    Raises:
        UsageError: It is our relay already.
        RelayError: It is out of reach, not itself, or wants another phrase. Nothing was changed.
    """
    phrase = unicodedata.normalize("NFC", phrase).strip()
    if relay == context.own.relay and phrase == context.own.access_phrase:
        raise UsageError(N_("This is your relay already. Nothing was changed."))
    await _attempt(context, relay, phrase)
    async with context.store.transaction() as tx:
        own = await read_own(tx)
        if relay != own.relay:
            left = Former(own.relay, own.embedded, believed_now(context), own.access_phrase)
            former = [each for each in own.former if each.relay not in (own.relay, relay)]
            own = replace(own, former=(*former, left))
            serial = int(await tx.settings.get(MAILBOX_SERIAL) or FIRST_SERIAL) + 1
            await tx.settings.set(MAILBOX_SERIAL, str(serial))
        own = replace(own, relay=relay, embedded=embedded, access_phrase=phrase)
        await write_own(tx, own)
        await follow(context, tx, own)
    context.own = own
    for signal in (context.signals.chores, context.signals.listen, context.signals.retry):
        signal.set()
    context.emit(MovingChanged())


async def move_here(context: Context, embedded: EmbeddedRelay | None, host: str) -> None:
    """Make this computer's relay ours, under an address of this computer; its port stays.

    Args:
        context: The profile.
        embedded: This computer's relay.
        host: Where others reach it, or the loopback for nobody else.

    Raises:
        UsageError: It is no address that others could use, or ours already.
        RelayError: It does not start there. Nothing was changed.
    """
    if embedded is None or not _names_one_place(host):
        raise UsageError(
            N_("{host} is no address at which others find this computer. Nothing was changed."),
            host=host,
        )
    before = embedded.address()
    try:
        if before is None or before.host != host:
            await embedded.listen_on(host)
        await move(context, await embedded.ensure(), "", embedded=True)
    except RelayError:
        if before is not None and before.host != host:
            await embedded.listen_on(before.host)
            if context.own.embedded:
                with contextlib.suppress(ExileError):
                    await embedded.ensure()
        raise


def _names_one_place(host: str) -> bool:
    try:
        require_host(host)
        address = ipaddress.ip_address(host)
    except WireError:
        return False
    except ValueError:
        # A name; but what has no letter is a short way to write an address: 0 is all of them.
        return any(each.isalpha() for each in host.lower().removeprefix("0x"))
    return not (address.is_unspecified or address.is_multicast)


async def _attempt(context: Context, relay: RelayAddress, phrase: str) -> None:
    """See whether a relay answers with its key and lets us create a mailbox."""
    keys = MailboxKeys.generate(context.entropy)
    client = context.relays(relay)
    where = relay.authority
    try:
        block = (Authorization.phrase(phrase) if phrase else Authorization()).encode()
        try:
            await client.facts()
        except RelayUnreachable:
            # A connection from long ago may have been found broken: a second one is new.
            await client.facts()
        # A puzzle is as good an answer: it would take us, only not at once.
        await client.create_mailbox(keys.id, keys.receive_hash, keys.send_hash, block)
    except TryLater as error:
        raise TryLater(
            N_(
                "The relay {address} is busy and takes nobody new for now. Nothing was changed: "
                "you stay where you are. Try again in a few minutes."
            ),
            address=where,
        ) from error
    except RelayUnreachable as error:
        raise RelayUnreachable(
            N_("The relay {address} is out of reach. Nothing was changed: you stay where you are."),
            address=where,
        ) from error
    except RelayKeyMismatch as error:
        raise RelayKeyMismatch(
            N_(
                "Something else answered in place of the relay {address}: its key is a different "
                "one. Nothing was changed: you stay where you are."
            ),
            address=where,
        ) from error
    except (RelayRefused, WireError) as error:
        asked = N_(
            "The relay {address} asks for an access phrase. Nothing was changed; the person who "
            "runs it knows the phrase."
        )
        wrong = N_(
            "The relay {address} did not take this access phrase. Nothing was changed; ask the "
            "person who runs it."
        )
        raise RelayRefused(wrong if phrase else asked, address=where) from error
    except RelayError as error:
        raise RelayError(
            N_(
                "What answered at {address} did not answer as a relay does. Nothing was changed: "
                "you stay where you are."
            ),
            address=where,
        ) from error
    with contextlib.suppress(ExileError):
        await client.delete_mailbox(keys.id, keys.receive_token)


async def moving(context: Context) -> Moving | None:
    """Return the move that is not over yet."""
    async with context.store.snapshot() as tx:
        own = await read_own(tx)
        if not own.former:
            return None
        awaited, untold = await waiting(tx)
        mailboxes = await tx.mailboxes.all()
        only_there = await reached_only_there(tx)
        invites = [
            invite
            for invite in await tx.invites.all()
            if invite.state is InviteState.OPEN and invite.relay.pin != own.relay.pin
        ]
    if not awaited and not invites:
        return None
    last = own.former[-1]
    left = [each for each in mailboxes if each.left_ms is not None and each.state in USED]
    until = max((each.left_ms or 0 for each in left), default=last.left_ms) + KEEP_MS
    return Moving(
        last.relay,
        own.relay,
        last.left_ms,
        until,
        awaited,
        untold,
        len(invites),
        read=bool(left),
        longer=any(each.contact_id is not None and each.contact_id in only_there for each in left),
    )


async def disclosure(context: Context, relay: RelayAddress) -> list[dict[str, Any]]:
    """Return what a relay holds about each of our mailboxes there, literally.

    One that it does not know (yet, or any more) is not among them.
    """
    async with context.store.snapshot() as tx:
        mailboxes = [each for each in await tx.mailboxes.all() if each.relay == relay]
    client, held = context.relays(relay), []
    for mailbox in mailboxes:
        if mailbox.state in (MailboxState.ALIVE, MailboxState.RETIRING):
            with contextlib.suppress(RelayRefused):
                held.append(await client.disclosure(mailbox.id, mailbox.receive_token))
    return held
