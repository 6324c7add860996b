"""One open profile: everything that a screen or a command can ask for."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

from exile_tui.core import exporting, importing, inviting, moving, sending, verifying, working
from exile_tui.core.context import Context
from exile_tui.core.deleting import Deletions
from exile_tui.core.events import EventBus, Work
from exile_tui.core.exporting import Exported, Progress
from exile_tui.core.importing import Imported
from exile_tui.core.model import (
    Connection,
    Contact,
    ContactState,
    Invite,
    Message,
    VerifiedHow,
)
from exile_tui.core.moving import LOOPBACK
from exile_tui.core.network import Network
from exile_tui.core.ports import EmbeddedRelay
from exile_tui.core.reading import Reading
from exile_tui.core.sending import require_contact
from exile_tui.core.settings import read_own, write_own
from exile_tui.core.verifying import SafetyNumberView
from exile_tui.crypto.words import words
from exile_tui.errors import N_, NoSuchContact, RelayBusy, UsageError
from exile_tui.wire.address import RelayAddress, is_loopback
from exile_tui.wire.relay import SignedFacts

LONGEST_NAME = 800
"""Bytes of UTF-8 of our own name: fits the profile block beside a mailbox with the longest host."""
_NOT_SHOWN = ("Cc", "Cs", "Zl", "Zp")


def check_name(name: str) -> str:
    """Return a display name in NFC without white space around it.

    Raises:
        UsageError: Empty, too long, or with characters that can't be shown.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not name or any(unicodedata.category(character) in _NOT_SHOWN for character in name):
        raise UsageError(N_("A name needs at least one character, and none that can't be shown."))
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = LONGEST_NAME + 1
    if size > LONGEST_NAME:
        raise UsageError(N_("This name is too long. Choose a shorter one."))
    return name


class Messenger(Reading):
    """The use cases of one open profile."""

    def __init__(self, context: Context, embedded: EmbeddedRelay | None) -> None:
        super().__init__(context)
        self._embedded = embedded
        self.deletions = Deletions(context)
        """What is being deleted, and the ways to delete."""
        self._network = Network(context, embedded, self.deletions.resume)

    # -- what it is ----------------------------------------------------------------------------

    @property
    def events(self) -> EventBus:
        """Where to hear what happened."""
        return self._context.events

    @property
    def name(self) -> str:
        """Our own display name."""
        return self._context.own.name

    @property
    def embedded(self) -> bool:
        """Whether our relay is the one on this computer."""
        return self._context.own.embedded

    @property
    def relay_address(self) -> RelayAddress:
        """Our own relay."""
        return self._context.own.relay

    @property
    def connection(self) -> Connection:
        """How the connection to our relay stands."""
        return self._network.connection

    async def rename(self, name: str) -> None:
        """Take another display name and tell the contacts."""
        await sending.rename(self._context, check_name(name))

    # -- the network ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Go online and stay there."""
        await self._network.start()
        await self.deletions.resume()

    async def synchronize(self) -> None:
        """Do one round of everything with the relays (see `Network.synchronize`)."""
        await self._network.synchronize()

    def reconnect_now(self) -> None:
        """Try to connect at once, and do the work that was put off."""
        working.go_on(self._context)
        self._network.reconnect_now()

    @property
    def work(self) -> Work | None:
        """What this computer works for a busy relay just now."""
        return self._context.effort.work

    @property
    def work_problem(self) -> RelayBusy | None:
        """Why a busy relay's work is not done, while mailboxes wait for it."""
        return self._context.effort.problem

    def put_off_work(self) -> None:
        """Stop that work; it is asked for again, and done, when something new is wanted."""
        working.put_off(self._context)

    async def close(self) -> None:
        """Stop, close the connections and the database."""
        await self.deletions.stop()
        await self._network.stop()
        await self._context.relays.close()
        await self._context.store.close()

    # -- invites -------------------------------------------------------------------------------

    async def create_invite(self, lifetime_hours: int = inviting.DEFAULT_LIFETIME_HOURS) -> Invite:
        """Make an invite for one person; it is published as soon as the relay answers."""
        working.go_on(self._context)
        return await inviting.create_invite(self._context, lifetime_hours)

    async def invites(self) -> list[Invite]:
        """Return every invite, newest first."""
        async with self._context.store.snapshot() as tx:
            return await tx.invites.all()

    async def revoke_invite(self, invite_id: int) -> None:
        """Make an open invite useless."""
        await inviting.revoke_invite(self._context, invite_id)

    def link_bytes(self, link: str) -> bytes:
        """Return what the QR code of an invite link holds."""
        return inviting.parse_link(link).to_bytes()

    async def join(self, link: str | bytes) -> Contact:
        """Open an invite, as text or as the bytes of a QR code."""
        working.go_on(self._context)
        return await inviting.join(self._context, link)

    # -- contacts ------------------------------------------------------------------------------

    async def contacts(self) -> list[Contact]:
        """Return every contact, requests and imported conversations included, by id."""
        async with self._context.store.snapshot() as tx:
            found = [*await tx.contacts.all(), *await tx.contacts.archived()]
        return sorted(found, key=lambda contact: contact.id)

    async def contact(self, contact_id: int) -> Contact:
        """Return a contact, or raise NoSuchContact."""
        async with self._context.store.snapshot() as tx:
            return await require_contact(tx, contact_id)

    async def find_contact(self, name: str) -> Contact:
        """Return the contact with this id (`3` or `#3`), this name, or alone with this beginning.

        A peer chooses its own name: none makes it the one that a number means. What was imported
        stands back behind a contact of the same name.

        Raises:
            NoSuchContact: None, or several.
        """
        wanted = unicodedata.normalize("NFC", name).strip()
        contacts = await self.contacts()
        number = wanted.removeprefix("#")
        is_number = number.isascii() and number.isdigit()
        numbered = [each for each in contacts if is_number and str(each.id) == number]
        if is_number and number != wanted:
            named, begun = [], []
        else:
            named = [each for each in contacts if each.name == wanted and each not in numbered]
            begun = [each for each in contacts if wanted and each.name.startswith(wanted)]
        for found in ([*numbered, *named], [] if is_number else begun):
            alive = [each for each in found if each.state is not ContactState.ARCHIVED]
            if len(alive) == 1 and len({each.name for each in found}) == 1:
                found = alive
            if len(found) == 1:
                return found[0]
            if found:
                raise NoSuchContact(
                    N_("Several contacts are called {name}. Use the number that 'contacts' shows."),
                    name=wanted,
                )
        raise NoSuchContact(name=wanted)

    async def accept(self, contact_id: int) -> None:
        """Accept a contact request."""
        working.go_on(self._context)
        await inviting.accept(self._context, contact_id)

    async def decline(self, contact_id: int) -> None:
        """Decline a contact request in silence."""
        await inviting.decline(self._context, contact_id)

    async def remove_contact(self, contact_id: int) -> None:
        """Delete a contact and its conversation."""
        await self.deletions.contact(contact_id)

    # -- conversations: see `Reading` ----------------------------------------------------------

    async def send(self, contact_id: int, text: str) -> Message:
        """Write to a contact."""
        return await sending.send_text(self._context, contact_id, text)

    async def export_history(
        self,
        file: Path,
        progress: Progress,
        *,
        contact_id: int | None = None,
        replace: bool = False,
    ) -> Exported:
        """Write conversations into a file, NOT encrypted; see `exporting.export_history`."""
        return await exporting.export_history(
            self._context, file, progress, contact_id=contact_id, replace=replace
        )

    async def import_history(self, file: Path, progress: Progress) -> Imported:
        """Take conversations from a file; see `importing.import_history`."""
        return await importing.import_history(self._context, file, progress)

    # -- verification --------------------------------------------------------------------------

    async def safety_number(self, contact_id: int) -> SafetyNumberView:
        """Compute the safety number from the session's own keys."""
        return await verifying.safety_number(self._context, contact_id)

    def words(self, digits: str, language: str) -> tuple[str, ...]:
        """Return a safety number as twelve words, for reading aloud."""
        return words(digits, "ko" if language == "ko" else "en")

    async def compare_scanned(self, contact_id: int, payload: bytes) -> bool:
        """Tell whether the peer's QR code belongs to this conversation."""
        return (await self.safety_number(contact_id)).number.matches(payload)

    async def mark_verified(self, contact_id: int, how: VerifiedHow) -> None:
        """Note that the safety number was compared, now."""
        await verifying.mark_verified(self._context, contact_id, how)

    async def unmark_verified(self, contact_id: int) -> None:
        """Take the mark back."""
        await verifying.unmark_verified(self._context, contact_id)

    # -- the relay and the clock ---------------------------------------------------------------

    async def disclosure(self, relay: RelayAddress | None = None) -> list[dict[str, Any]]:
        """Return what a relay holds about each of our mailboxes there, literally.

        Args:
            relay: One that we moved away from; None for our own.
        """
        return await moving.disclosure(self._context, relay or self.relay_address)

    async def facts(self) -> SignedFacts:
        """Return our relay's signed statement."""
        return await self._context.relays(self.relay_address).facts()

    @property
    def only_here(self) -> bool:
        """Whether our relay has an address that only this computer reaches."""
        return is_loopback(self.relay_address.host)

    async def move_to(self, address: str, access_phrase: str = "") -> None:
        """Move to the relay at an address; see `moving.move`.

        Raises:
            WireError: It is no relay's address.
            UsageError, RelayError: See `moving.move`. Nothing was changed.
        """
        relay = RelayAddress.parse(address)
        working.go_on(self._context)
        await moving.move(self._context, relay, access_phrase, embedded=False)

    async def move_to_embedded(self, host: str = LOOPBACK) -> None:
        """Use this computer's relay, which others reach at `host`; see `moving.move_here`."""
        await moving.move_here(self._context, self._embedded, host)

    async def moving(self) -> moving.Moving | None:
        """Return the move that is not over yet."""
        return await moving.moving(self._context)

    def hosts(self) -> list[str]:
        """Return this computer's own addresses that others may reach, without any traffic."""
        return self._embedded.hosts() if self._embedded is not None else []

    @property
    def access_phrase(self) -> str:
        """What our relay asks for, empty if nothing."""
        return self._context.own.access_phrase

    async def set_access_phrase(self, phrase: str) -> None:
        """Store what our relay asks for and try again with it."""
        phrase = unicodedata.normalize("NFC", phrase).strip()
        async with self._context.store.transaction() as tx:
            changed = replace(await read_own(tx), access_phrase=phrase)
            await write_own(tx, changed)
        self._context.own = changed
        self._context.signals.chores.set()
        self._context.signals.retry.set()

    @property
    def clock_jump_ms(self) -> int | None:
        """By how much the wall clock jumped; while it is not None, nothing expires."""
        return self._network.clock_jump_ms

    async def confirm_clock(self) -> None:
        """Say that the wall clock is right."""
        await self._network.confirm_clock()

    async def change_passphrase(
        self, old: str, new: str, *, new_database_key: bool = False
    ) -> None:
        """Take another passphrase, and with it another database key if asked."""
        await self._context.store.change_passphrase(old, new, new_database_key=new_database_key)
