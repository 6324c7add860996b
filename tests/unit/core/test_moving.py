"""Moving to another relay: nothing lost, nothing doubled, in order, whatever breaks on the way."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest

from exile_tui.clock import DAY_MS
from exile_tui.core.context import Context
from exile_tui.core.events import MovingChanged
from exile_tui.core.following import KEEP_MS
from exile_tui.core.messenger import Messenger
from exile_tui.core.model import ContactState, Delivery, Direction, InviteState
from exile_tui.core.ports import Store, Transaction
from exile_tui.core.settings import read_own
from exile_tui.core.upkeep import ClockWatch, Upkeep
from exile_tui.errors import (
    ExileError,
    RelayError,
    RelayRefused,
    RelayUnreachable,
    UsageError,
    WireError,
)
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Authorization, Puzzle, Solution, Verdict
from tests.unit.core.conftest import ADDRESS, MakePerson, ManualClock, Person, introduce
from tests.unit.core.fake_relay import FakeRelay

SECOND = RelayAddress("127.0.0.2", 4433, bytes(reversed(range(32))))
THIRD = RelayAddress("127.0.0.3", 4433, bytes([3]) * 32)


@dataclass
class Guarded(FakeRelay):
    """A relay that may ask for a phrase, and says when it is called."""

    phrase: str = ""
    given: set[bytes] = field(default_factory=set)
    """Every authorization that anybody showed."""
    on_call: Callable[[], None] = field(default=lambda: None)
    """Called at the beginning and at the end of every request."""

    def _lost(self) -> None:
        self.on_call()
        super()._lost()

    def _admit(self, authorization: bytes) -> None:
        self.given.add(authorization)
        if self.phrase and authorization != Authorization.phrase(self.phrase).encode():
            raise RelayRefused(address=self.address.authority)

    async def create_mailbox(
        self,
        mailbox_id: bytes,
        receive_hash: bytes,
        send_hash: bytes,
        authorization: bytes,
        solution: Solution | None = None,
    ) -> bytes | Puzzle:
        self._admit(authorization)
        return await super().create_mailbox(
            mailbox_id, receive_hash, send_hash, authorization, solution
        )

    async def put_blob(
        self, blob_id: bytes, delete_hash: bytes, expiry: int, blob: bytes, authorization: bytes
    ) -> Verdict:
        self._admit(authorization)
        return await super().put_blob(blob_id, delete_hash, expiry, blob, authorization)


Relays = dict[RelayAddress, FakeRelay]


@pytest.fixture
def relay() -> Guarded:
    return Guarded(ADDRESS, random.Random(1))


@pytest.fixture
def second(relays: Relays) -> Guarded:
    made = Guarded(SECOND, random.Random(2))
    relays[SECOND] = made
    return made


@pytest.fixture
def third(relays: Relays) -> Guarded:
    made = Guarded(THIRD, random.Random(3))
    relays[THIRD] = made
    return made


async def rounds(*people: Person, count: int = 4) -> None:
    """Let everybody do some rounds; a peer's relay may be gone."""
    for _ in range(count):
        for person in people:
            with contextlib.suppress(ExileError):
                await person.messenger.synchronize()


async def write(person: Person, *texts: str) -> None:
    contact = await person.contact()
    for text in texts:
        await person.messenger.send(contact.id, text)


async def incoming(person: Person) -> list[str]:
    return await person.texts(Direction.IN)


async def waiting(person: Person) -> list[str]:
    moving = await person.messenger.moving()
    return [] if moving is None else [contact.name for contact in moving.waiting]


async def hours_pass(person: Person) -> None:
    """Do what the passing of time brings."""
    await Upkeep(person.context, ClockWatch(person.context)).once()


async def restarted(person: Person) -> Person:
    """Return the person as a new process finds it on disk."""
    old = person.context
    async with old.store.snapshot() as tx:
        own = await read_own(tx)
    context = Context(old.store, old.relays, old.entropy, old.clock, own)
    return Person(Messenger(context, None), context, [])


async def test_everybody_comes_along(
    make_person: MakePerson, relay: Guarded, second: Guarded
) -> None:
    one, two, three = await make_person("하나"), await make_person("둘"), await make_person("셋")
    await introduce(one, two)
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await three.messenger.join(invite.link)
    await rounds(three, one)
    request = (await one.messenger.contacts())[1]
    await one.messenger.accept(request.id)
    await rounds(one, three, two)
    before = set(relay.boxes)

    await one.messenger.move_to(SECOND.url)
    assert one.messenger.relay_address == SECOND
    assert await waiting(one) == ["둘", "셋"]
    moving = await one.messenger.moving()
    assert moving is not None
    assert (moving.left, moving.relay, moving.untold) == (ADDRESS, SECOND, 2)
    assert moving.until_ms - moving.since_ms == KEEP_MS
    assert (moving.read, moving.longer) == (True, True), "nobody is told yet"
    await one.messenger.synchronize()
    moving = await one.messenger.moving()
    assert moving is not None
    assert (moving.untold, moving.read, moving.longer) == (0, True, False), "both were told"
    await rounds(two, one)
    assert await waiting(one) == ["셋"]
    await rounds(three, one)
    assert await one.messenger.moving() is None
    assert MovingChanged() in one.events
    assert len(second.boxes) == 2
    assert len(before - set(relay.boxes)) == 2, "what was left is deleted"
    assert (await one.messenger.create_invite()).relay == SECOND
    for person, texts in ((two, ["안녕"]), (three, ["그래"])):
        await write(person, *texts)
        await rounds(person, one)
        contact = await one.messenger.find_contact(person.messenger.name)
        assert (await one.messenger.messages(contact.id))[-1].text == texts[-1]
    async with one.context.store.snapshot() as tx:
        assert {mailbox.relay for mailbox in await tx.mailboxes.all()} == {SECOND}


@pytest.mark.parametrize("trouble", ["down", "phrase", "wrong phrase", "text", "same"])
async def test_a_relay_that_does_not_take_us_changes_nothing(
    make_person: MakePerson, second: Guarded, trouble: str
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    kinds: dict[str, type[ExileError]] = {
        "down": RelayUnreachable,
        "phrase": RelayRefused,
        "wrong phrase": RelayRefused,
        "text": WireError,
        "same": UsageError,
    }
    second.up = trouble != "down"
    second.phrase = "열려라" if "phrase" in trouble else ""
    address = {"text": "https://example.org", "same": ADDRESS.url}.get(trouble, SECOND.url)
    async with one.context.store.snapshot() as tx:
        before = await tx.mailboxes.all()
    with pytest.raises(kinds[trouble]) as raised:
        await one.messenger.move_to(address, "닫혀라" if trouble == "wrong phrase" else "")
    if isinstance(raised.value, RelayError):
        assert "Nothing was changed" in str(raised.value)
    async with one.context.store.snapshot() as tx:
        assert await tx.mailboxes.all() == before
        assert (await read_own(tx)).relay == one.messenger.relay_address == ADDRESS
    assert await one.messenger.moving() is None


async def test_no_relay_sees_the_phrase_of_another(
    make_person: MakePerson, relay: Guarded, second: Guarded
) -> None:
    relay.phrase, second.phrase = "첫 번째 문구", "두 번째 문구"
    one = await make_person("하나", phrase=relay.phrase)
    invite = await one.messenger.create_invite()
    await one.messenger.move_to(SECOND.url, second.phrase)
    await one.messenger.synchronize()
    assert relay.blobs, "an invite that was made before is published where it was made"
    relay.forget()
    await rounds(one)
    assert len(relay.boxes) == 1, "and its mailbox is made again there"
    assert invite.relay == ADDRESS
    assert relay.given == {Authorization.phrase(relay.phrase).encode()}
    assert second.given == {Authorization.phrase(second.phrase).encode()}


async def test_an_old_relay_that_is_gone_for_good_holds_up_nobody(
    make_person: MakePerson, relay: Guarded, second: Guarded, third: Guarded
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    await introduce(one, two)
    await write(two, "1", "2")
    await two.messenger.synchronize()
    await write(two, "3")
    relay.up = False
    await one.messenger.move_to(SECOND.url)
    await one.messenger.synchronize()
    await rounds(two, one)
    assert await incoming(one) == ["1", "2", "3"]
    await write(one, "고마워")
    await one.messenger.synchronize()
    await rounds(two, one)
    assert await incoming(two) == ["고마워"]
    assert {line.delivery for line in await two.lines() if line.delivery} == {Delivery.DELIVERED}
    assert await one.messenger.moving() is None


async def test_what_the_dead_relay_is_owed_is_forgotten_in_the_end(
    make_person: MakePerson,
    relay: Guarded,
    second: Guarded,
    third: Guarded,
    clock: ManualClock,
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    await introduce(one, two)
    relay.up = False
    await one.messenger.move_to(SECOND.url)
    await rounds(one, two)
    for _ in range(15):
        clock.advance_days(1)
        await hours_pass(one)
    assert one.context.own.former != ()
    for _ in range(14):
        clock.advance_days(1)
        await hours_pass(one)
    async with one.context.store.snapshot() as tx:
        assert {mailbox.relay for mailbox in await tx.mailboxes.all()} == {SECOND}
    assert one.context.own.former == ()
    await write(two, "아직 여기 있어요")
    await rounds(two, one)
    assert (await incoming(one))[-1] == "아직 여기 있어요"


async def test_who_is_away_for_weeks_is_told_again_and_loses_nothing(
    make_person: MakePerson,
    relay: Guarded,
    second: Guarded,
    third: Guarded,
    clock: ManualClock,
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    await introduce(one, two)
    await one.messenger.move_to(SECOND.url)
    assert len(relay.boxes) == 1
    third.up = False
    for _ in range(20):
        await rounds(one, count=1)
        clock.advance_days(1)
        await hours_pass(one)
    await rounds(one)
    assert relay.boxes == {}, "after 14 days what was left is deleted"
    assert await waiting(one) == ["둘"], "and it is still said who did not hear"
    await write(two, "이제 왔어요")
    third.up = True
    await rounds(one, two)
    assert await incoming(one) == ["이제 왔어요"]
    assert await one.messenger.moving() is None


async def test_a_contact_that_could_not_be_told_keeps_the_old_mailbox(
    make_person: MakePerson, relay: Guarded, second: Guarded, clock: ManualClock
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    await one.messenger.move_to(SECOND.url)
    second.up = False
    for day in range(16):
        await write(two, str(day))
        await rounds(one, two, count=2)
        clock.advance_days(1)
        await hours_pass(one)
    assert await incoming(one) == [str(day) for day in range(16)]
    moving = await one.messenger.moving()
    assert moving is not None
    assert moving.untold == 1
    assert moving.until_ms < clock.wall_ms
    assert (moving.read, moving.longer) == (True, True)
    second.up = True
    await write(two, "끝")
    await rounds(one, two)
    assert (await incoming(one))[-1] == "끝"
    assert await one.messenger.moving() is None


async def test_nothing_ends_while_the_clock_is_in_doubt(
    make_person: MakePerson, relay: Guarded, second: Guarded, clock: ManualClock
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    await one.messenger.move_to(SECOND.url)
    await one.messenger.synchronize()
    before = len(relay.boxes)
    clock.wall_ms += 100 * DAY_MS
    await rounds(one)
    assert one.messenger.clock_jump_ms is not None
    assert len(relay.boxes) == before
    assert await waiting(one) == ["둘"]
    clock.wall_ms -= 100 * DAY_MS
    await one.messenger.confirm_clock()
    await rounds(one, two)
    assert await one.messenger.moving() is None


async def test_a_move_by_a_clock_that_is_behind_lasts_as_long(
    make_person: MakePerson, relay: Guarded, second: Guarded, clock: ManualClock
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    clock.wall_ms -= 300 * DAY_MS
    await rounds(one)
    await one.messenger.move_to(SECOND.url)
    clock.wall_ms += 300 * DAY_MS
    await one.messenger.confirm_clock()
    before = len(relay.boxes)
    await hours_pass(one)
    await rounds(one)
    assert len(relay.boxes) == before, "nothing was left 300 days ago"
    await rounds(two, one)
    assert await one.messenger.moving() is None


async def test_two_moves_in_a_row_and_back(
    make_person: MakePerson, relay: Guarded, second: Guarded, third: Guarded
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    await write(two, "0")
    await two.messenger.synchronize()
    await one.messenger.move_to(SECOND.url)
    await one.messenger.synchronize()
    await one.messenger.move_to(THIRD.url)
    second.up = False
    await one.messenger.move_to(ADDRESS.url)
    await one.messenger.synchronize()
    await write(two, "1")
    await rounds(one, two)
    second.up = True
    await rounds(one, two)
    assert await incoming(one) == ["0", "1"]
    assert await one.messenger.moving() is None
    assert second.boxes == {}
    assert third.boxes == {}
    assert len(relay.boxes) == 2
    async with one.context.store.snapshot() as tx:
        assert len(await tx.mailboxes.all()) == 1


async def test_both_move_at_once(
    make_person: MakePerson, relay: Guarded, second: Guarded, third: Guarded
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    await write(one, "가")
    await write(two, "나")
    await one.messenger.move_to(SECOND.url)
    await two.messenger.move_to(THIRD.url)
    await rounds(one, two)
    assert await incoming(one) == ["나"]
    assert await incoming(two) == ["가"]
    assert await one.messenger.moving() is None
    assert await two.messenger.moving() is None
    assert relay.boxes == {}


async def test_an_open_invite_is_good_until_it_ends(
    make_person: MakePerson, relay: Guarded, second: Guarded, clock: ManualClock
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    used, unused = [await one.messenger.create_invite(14 * 24) for _ in range(2)]
    await one.messenger.synchronize()
    await one.messenger.move_to(SECOND.url)
    moving = await one.messenger.moving()
    assert moving is not None
    assert (moving.waiting, moving.invites) == ((), 2)
    await two.messenger.join(used.link)
    await write(two, "들어가도 되나요?")
    await rounds(two, one)
    await one.messenger.accept((await one.contact()).id)
    await rounds(one, two)
    assert await incoming(one) == ["들어가도 되나요?"]
    contact = await two.contact()
    assert contact.peer_mailbox is not None
    assert contact.peer_mailbox.address == SECOND
    for _ in range(30):
        clock.advance_days(1)
        await hours_pass(one)
        await one.messenger.synchronize()
    states = {invite.id: invite.state for invite in await one.messenger.invites()}
    assert states == {used.id: InviteState.SPENT, unused.id: InviteState.EXPIRED}
    assert await one.messenger.moving() is None
    assert len(relay.boxes) == 1, "what two uses there"


async def test_a_joiner_may_move_before_the_answer(
    make_person: MakePerson, relay: Guarded, second: Guarded, third: Guarded
) -> None:
    one, two = await make_person("하나", home=THIRD), await make_person("둘")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await write(two, "첫 글")
    await two.messenger.synchronize()
    await one.messenger.synchronize()
    relay.up = False
    await two.messenger.move_to(SECOND.url)
    assert await waiting(two) == [""]
    await rounds(two, one)
    await one.messenger.accept((await one.contact()).id)
    await rounds(one, two)
    assert (await two.contact()).state is ContactState.ACTIVE
    assert await incoming(one) == ["첫 글"]
    assert await two.messenger.moving() is None


async def test_who_asks_is_answered_from_the_new_relay(
    make_person: MakePerson, relay: Guarded, second: Guarded
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await rounds(two, one)
    await one.messenger.move_to(SECOND.url)
    assert second.boxes == {}, "nobody is told anything before they are accepted"
    await rounds(one, two)
    await write(two, "기다려요")
    await rounds(two, one)
    await one.messenger.accept((await one.contact()).id)
    await rounds(one, two)
    assert await incoming(one) == ["기다려요"]
    assert len(second.boxes) == 1
    assert await one.messenger.moving() is None


async def test_removing_a_contact_in_the_middle(
    make_person: MakePerson, relay: Guarded, second: Guarded
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    await one.messenger.move_to(SECOND.url)
    second.up = False
    await rounds(one)
    await one.messenger.remove_contact((await one.contact()).id)
    second.up = True
    await rounds(one)
    assert second.boxes == {}
    assert len(relay.boxes) == 1
    assert await one.messenger.moving() is None


# -- killed at every step ------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Death:
    """Counts what a process does to disk and network, and ends it at one of these points."""

    at: int
    passed: int = field(default=-1, init=False)

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Killed


class MortalStore:
    """A store whose process may be gone before a transaction, before its commit and after it."""

    def __init__(self, store: Store, death: Death) -> None:
        self._store = store
        self._death = death

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self._death.point()
        async with self._store.transaction() as tx:
            yield tx
            self._death.point()
        self._death.point()

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]:
        return self._store.snapshot()

    async def truncate_wal(self) -> None:
        self._death.point()
        await self._store.truncate_wal()

    async def compact_index(self) -> None:
        self._death.point()
        await self._store.compact_index()

    async def wipe(self, *, large: bool) -> None:
        self._death.point()
        await self._store.wipe(large=large)

    async def change_passphrase(self, old: str, new: str, *, new_database_key: bool) -> None:
        await self._store.change_passphrase(old, new, new_database_key=new_database_key)

    async def close(self) -> None:
        await self._store.close()


@contextlib.contextmanager
def mortal(person: Person, death: Death, relays: Relays) -> Iterator[None]:
    """Let whatever this person does now be what ends at some point."""
    context, store = person.context, person.context.store
    context.store = MortalStore(store, death)
    guarded = [relay for relay in relays.values() if isinstance(relay, Guarded)]
    for relay in guarded:
        relay.on_call = death.point
    try:
        yield
    finally:
        context.store = store
        for relay in guarded:
            relay.on_call = lambda: None


async def move_and_die(person: Person, to: RelayAddress, death: Death, relays: Relays) -> bool:
    """Move and do a round, as far as death lets; tell whether it came."""
    try:
        with mortal(person, death, relays):
            await person.messenger.move_to(to.url)
            await person.messenger.synchronize()
    except Killed:
        return True
    return False


async def test_killed_at_any_point_nothing_is_lost(
    make_person: MakePerson, relays: Relays, second: Guarded
) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    expected: list[str] = []
    died = True
    for at in range(400):
        # There and back by turns, each time with one message fetched and one on its way.
        to = ADDRESS if one.messenger.relay_address == SECOND else SECOND
        expected += [f"앞 {at}", f"뒤 {at}"]
        await write(two, f"앞 {at}")
        await two.messenger.synchronize()
        await write(two, f"뒤 {at}")
        died = await move_and_die(one, to, Death(at), relays)
        one = await restarted(one)
        if one.messenger.relay_address != to:
            await one.messenger.move_to(to.url)
        await rounds(one, two, count=2)
        assert await incoming(one) == expected, f"killed at point {at}"
        assert await one.messenger.moving() is None, f"killed at point {at}"
        if not died:
            assert at > 20
            break
    assert not died, "it went through all points"


# -- by chance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
async def test_by_chance_in_order_and_once(
    make_person: MakePerson,
    relays: Relays,
    second: Guarded,
    third: Guarded,
    clock: ManualClock,
    seed: int,
) -> None:
    chance = random.Random(seed)
    people = [await make_person("하나"), await make_person("둘", home=SECOND)]
    await introduce(*people)
    sent: tuple[list[str], list[str]] = ([], [])
    for relay in relays.values():
        relay.chance, relay.loss = random.Random(chance.random()), 0.15
    for number in range(80):
        who = chance.randrange(2)
        clock.advance(60_000)
        for relay in relays.values():
            relay.up = chance.random() < 0.8
        with contextlib.suppress(ExileError):
            match chance.randrange(6):
                case 0 | 1:
                    await write(people[who], str(number))
                    sent[who].append(str(number))
                case 2 if chance.random() < 0.5:
                    await people[who].messenger.move_to(chance.choice(list(relays)).url)
                case 3 if chance.random() < 0.5:
                    people[who] = await restarted(people[who])
                case _:
                    await people[who].messenger.synchronize()
    for relay in relays.values():
        relay.up, relay.loss = True, 0.0
    await rounds(*people, count=10)
    for who, person in enumerate(people):
        assert await incoming(person) == sent[1 - who]
        assert await person.messenger.moving() is None
        own = [line for line in await person.lines() if line.direction is Direction.OUT]
        assert {line.delivery for line in own} <= {Delivery.DELIVERED}
        async with person.context.store.snapshot() as tx:
            assert [mailbox.relay for mailbox in await tx.mailboxes.all()] == [
                person.messenger.relay_address
            ]
