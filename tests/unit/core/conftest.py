"""People with real databases, one relay in memory, and a clock that stands until it is moved."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from exile_tui.clock import DAY_MS
from exile_tui.core.context import Context, Own, RelayPool
from exile_tui.core.events import Event
from exile_tui.core.messenger import Messenger
from exile_tui.core.model import Contact, Direction, Message, MessageKind
from exile_tui.core.settings import write_own
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.store.vault import ProfileVault
from exile_tui.wire.address import RelayAddress
from tests.unit.core.fake_relay import FakeRelay

START_MS = 1_700_000_000_000
CHEAP = Argon2Parameters(memory_kib=8, passes=1, lanes=1)
ADDRESS = RelayAddress("127.0.0.1", 4433, bytes(range(32)))


class ManualClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.wall_ms = START_MS
        self.seconds = 0.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, milliseconds: int) -> None:
        self.wall_ms += milliseconds
        self.seconds += milliseconds / 1000

    def advance_days(self, days: float) -> None:
        self.advance(int(days * DAY_MS))


@dataclass
class Person:
    """A profile and what it heard."""

    messenger: Messenger
    context: Context
    events: list[Event]

    async def contact(self) -> Contact:
        """The only contact."""
        (contact,) = await self.messenger.contacts()
        return contact

    async def lines(self) -> list[Message]:
        return await self.messenger.messages((await self.contact()).id)

    async def texts(self, direction: Direction) -> list[str]:
        return [
            line.text
            for line in await self.lines()
            if line.direction is direction and line.kind is MessageKind.TEXT
        ]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def relay() -> FakeRelay:
    return FakeRelay(ADDRESS, random.Random(1))


MakePerson = Callable[..., Awaitable[Person]]


@pytest.fixture
def relays(relay: FakeRelay) -> dict[RelayAddress, FakeRelay]:
    """The relays that there are; any other address leads to the first."""
    return {ADDRESS: relay}


@pytest.fixture
async def make_person(
    tmp_path: Path, clock: ManualClock, relay: FakeRelay, relays: dict[RelayAddress, FakeRelay]
) -> AsyncIterator[MakePerson]:
    made: list[Person] = []

    async def make(name: str, home: RelayAddress = ADDRESS, phrase: str = "") -> Person:
        directory = tmp_path / str(len(made))
        store = await ProfileVault(directory, argon2=CHEAP).create("pass")
        own = Own(name, 1, home, embedded=False, access_phrase=phrase)
        async with store.transaction() as tx:
            await write_own(tx, own)
        pool = RelayPool(lambda address: relays.get(address, relay))
        context = Context(store, pool, SystemEntropy(), clock, own)
        person = Person(Messenger(context, None), context, [])
        context.events.subscribe(person.events.append)
        made.append(person)
        return person

    yield make
    for person in made:
        await person.messenger.close()


async def introduce(inviter: Person, joiner: Person) -> None:
    """Let two people become contacts of each other."""
    invite = await inviter.messenger.create_invite()
    await inviter.messenger.synchronize()
    await joiner.messenger.join(invite.link)
    await joiner.messenger.synchronize()
    await inviter.messenger.synchronize()
    await inviter.messenger.accept((await inviter.contact()).id)
    for person in (inviter, joiner, inviter, joiner):
        await person.messenger.synchronize()
