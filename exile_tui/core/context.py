"""What every use case of an open profile shares."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from exile_tui.clock import DAY_MS, Clock
from exile_tui.core.events import Event, EventBus, Work
from exile_tui.core.ports import Relay, RelayFactory, Store
from exile_tui.crypto.entropy import Entropy
from exile_tui.errors import RelayBusy
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Authorization


@dataclass(slots=True)
class Signals:
    """What wakes the network tasks."""

    outbox: asyncio.Event = field(default_factory=asyncio.Event)
    """Something is due to be appended."""
    chores: asyncio.Event = field(default_factory=asyncio.Event)
    """A mailbox, blob or ticket waits to be created or deleted."""
    listen: asyncio.Event = field(default_factory=asyncio.Event)
    """The set of mailboxes to receive from changed."""
    rerouted: set[int] = field(default_factory=set)
    """Contacts that gave another mailbox: their wait after a failure is over."""
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    """Acknowledgements are due, or a session can seal again."""
    retry: asyncio.Event = field(default_factory=asyncio.Event)
    """Stop waiting: try everything now."""


@dataclass(slots=True)
class Effort:
    """The work that busy relays ask for; see `core.working`."""

    work: Work | None = None
    """What is being worked on, one thing at a time."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    put_off: bool = False
    """The person does not want it done now."""
    problem: RelayBusy | None = None
    """Why the work is not done and something waits for it."""
    waits_at: set[RelayAddress] = field(default_factory=set)
    """The relays that asked for it."""


@dataclass(frozen=True, slots=True)
class Former:
    """A relay that this profile moved away from, while something of it still lies there."""

    relay: RelayAddress
    embedded: bool
    left_ms: int
    access_phrase: str = field(default="", repr=False)


@dataclass(slots=True)
class Own:
    """What this profile is to others; a copy of what stands in its settings."""

    name: str
    name_serial: int
    relay: RelayAddress
    embedded: bool
    access_phrase: str = field(default="", repr=False)
    former: tuple[Former, ...] = ()
    """The one left last stands last."""

    def phrase_at(self, relay: RelayAddress) -> str:
        """Return what a relay of ours asks for: another one's phrase is never shown to it."""
        if relay == self.relay:
            return self.access_phrase
        return next((left.access_phrase for left in self.former if left.relay == relay), "")

    def authorization_at(self, relay: RelayAddress) -> bytes:
        """Return the encoded block that lets us create at a relay of ours."""
        phrase = self.phrase_at(relay)
        return (Authorization.phrase(phrase) if phrase else Authorization()).encode()


MOST_RELAYS = 128
"""Clients kept at once: a contact that names a new relay in every message must not use up what a
process may open."""


class RelayPool:
    """One client for each relay address, made when first used."""

    def __init__(self, factory: RelayFactory) -> None:
        self._factory = factory
        self._relays: dict[RelayAddress, Relay] = {}
        """The one used last stands last."""
        self._closing: set[asyncio.Future[None]] = set()

    def __call__(self, address: RelayAddress) -> Relay:
        """Return the client of a relay; close the one that was not used for longest beyond 128."""
        relay = self._relays.pop(address, None) or self._factory(address)
        self._relays[address] = relay
        if len(self._relays) > MOST_RELAYS:
            oldest = self._relays.pop(next(iter(self._relays)))
            closing = asyncio.ensure_future(oldest.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return relay

    async def close(self) -> None:
        """Close every client."""
        relays, self._relays = list(self._relays.values()), {}
        closing = [relay.close() for relay in relays]
        await asyncio.gather(*closing, *self._closing, return_exceptions=True)


@dataclass(slots=True)
class Context:
    """One open profile: its database, its relays, chance, time, and who listens."""

    store: Store
    relays: RelayPool
    entropy: Entropy
    clock: Clock
    own: Own
    events: EventBus = field(default_factory=EventBus)
    signals: Signals = field(default_factory=Signals)
    effort: Effort = field(default_factory=Effort)
    believed_day: int | None = None
    """The last day that was believed, while the wall clock is in doubt."""

    @property
    def day(self) -> int:
        """Whole days since the Unix epoch, standing still while the wall clock is in doubt."""
        if self.believed_day is not None:
            return self.believed_day
        return self.clock.now_ms() // DAY_MS

    def emit(self, *events: Event) -> None:
        """Tell the listeners; call it after the commit, never before."""
        for event in events:
            self.events.emit(event)
