"""One profile from outside: does it exist, make it, unlock it, lock it."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from exile_tui.clock import Clock
from exile_tui.errors import N_, ExileError, UsageError

if TYPE_CHECKING:
    # The first frame needs to know only whether a profile exists: crypto, wire and the rest load
    # when it is made or unlocked.
    from exile_tui.core.context import Context, Own
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.ports import EmbeddedRelay, RelayFactory, Store, Vault
    from exile_tui.core.strength import PassphraseStrength
    from exile_tui.crypto.entropy import Entropy
    from exile_tui.wire.address import RelayAddress

LINK_SCHEME = "exile:"


class RelayChoiceKind(Enum):
    """Where a new profile's mailboxes will be."""

    EMBEDDED = "embedded"
    ADDRESS = "address"
    INVITE = "invite"


@dataclass(frozen=True, slots=True)
class RelayChoice:
    """What was chosen at first run."""

    kind: RelayChoiceKind
    text: str = field(default="", repr=False)
    """The relay's address or the invite link, as pasted."""


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The answers of the first run."""

    name: str
    passphrase: str = field(repr=False)
    relay: RelayChoice
    access_phrase: str = field(default="", repr=False)


class Application:
    """Holds one profile, closed or open."""

    def __init__(
        self,
        profile: str,
        vault: Vault,
        relays: RelayFactory,
        embedded: EmbeddedRelay,
        entropy: Entropy,
        clock: Clock,
        load: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the ports of one profile.

        Args:
            profile: Its name.
            vault: Where it is on disk.
            relays: Reaches relays.
            embedded: This computer's own.
            entropy: Where randomness comes from.
            clock: What time it is.
            load: Loads the parts that the ports load when they are first used.
        """
        self.profile = profile
        self._load = load
        self.messenger: Messenger | None = None
        self._vault = vault
        self._relays = relays
        self._embedded = embedded
        self._entropy = entropy
        self._clock = clock

    def prepare(self) -> None:
        """Load what an open profile needs, so that opening it takes less time; any thread may."""
        from exile_tui.core import messenger, settings  # noqa: F401  # only loaded

        self._load()

    def exists(self) -> bool:
        """Tell whether there is a profile on disk."""
        return self._vault.exists()

    async def create(self, first_run: FirstRun) -> Messenger:
        """Make a profile and open it; an invite that brought its relay is opened too.

        The relay is asked before anything is written, so that a wrong address leaves nothing
        behind.

        Raises:
            UsageError, WireError: An answer does not fit.
            RelayError: The relay is out of reach or not itself.
            ProfileError, ProfileInUse: The disk does not let us.
            Refused: The invite can't be used; the profile is made and open all the same.
        """
        from exile_tui.core.context import Own
        from exile_tui.core.messenger import check_name
        from exile_tui.core.settings import write_own

        name = check_name(first_run.name)
        if not first_run.passphrase:
            raise UsageError(N_("A passphrase needs at least one character."))
        kind = first_run.relay.kind
        address = await self._find_relay(first_run.relay)
        phrase = unicodedata.normalize("NFC", first_run.access_phrase).strip()
        own = Own(name, 1, address, kind is RelayChoiceKind.EMBEDDED, phrase)
        store = await self._vault.create(first_run.passphrase)
        try:
            async with store.transaction() as tx:
                await write_own(tx, own)
        except BaseException:
            await store.close()
            raise
        messenger = self._open(store, own)
        if kind is RelayChoiceKind.INVITE:
            await messenger.join(first_run.relay.text)
        return messenger

    async def unlock(self, passphrase: str) -> Messenger:
        """Open the profile.

        Raises:
            WrongPassphrase, ProfileError, ProfileInUse: See `Vault.open`.
        """
        from exile_tui.core.settings import read_own

        store = await self._vault.open(passphrase)
        try:
            async with store.snapshot() as tx:
                own = await read_own(tx)
        except BaseException:
            await store.close()
            raise
        return self._open(store, own)

    async def lock(self) -> None:
        """Stop everything, close the database, forget the keys."""
        messenger, self.messenger = self.messenger, None
        if messenger is not None:
            await messenger.close()

    async def close(self) -> None:
        """Lock on the way out, whatever happens."""
        with contextlib.suppress(ExileError, OSError):
            await self.lock()
        with contextlib.suppress(ExileError, OSError):
            await self._embedded.release()

    @staticmethod
    def check_relay_text(text: str) -> str:
        """Return a relay address or an invite link without white space around it.

        Raises:
            WireError, Refused: It is neither.
        """
        from exile_tui.core.inviting import parse_link
        from exile_tui.wire.address import RelayAddress

        text = text.strip()
        if text.startswith(LINK_SCHEME):
            return parse_link(text).to_text()
        return RelayAddress.parse(text).url

    @staticmethod
    def passphrase_strength(passphrase: str) -> PassphraseStrength:
        """Estimate how hard a passphrase is to guess."""
        from exile_tui.core.strength import passphrase_strength

        return passphrase_strength(passphrase)

    def _open(self, store: Store, own: Own) -> Messenger:
        from exile_tui.core.context import Context, RelayPool
        from exile_tui.core.messenger import Messenger

        context: Context = Context(store, RelayPool(self._relays), self._entropy, self._clock, own)
        self.messenger = Messenger(context, self._embedded)
        return self.messenger

    async def _find_relay(self, choice: RelayChoice) -> RelayAddress:
        """Return the relay that was chosen, once it has answered with the right key."""
        from exile_tui.core.inviting import parse_link
        from exile_tui.wire.address import RelayAddress

        if choice.kind is RelayChoiceKind.EMBEDDED:
            return await self._embedded.ensure()
        if choice.kind is RelayChoiceKind.INVITE:
            address = parse_link(choice.text).address
        else:
            address = RelayAddress.parse(choice.text)
        relay = self._relays(address)
        try:
            await relay.facts()
        finally:
            await relay.close()
        return address
