"""The end of a move: what was left is read before it is deleted, and nobody is cut off by it."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from exile_tui.core.chores import Housekeeper
from exile_tui.core.events import InvitesChanged
from exile_tui.core.model import ContactState, Direction, InviteState
from exile_tui.core.moving import _names_one_place
from exile_tui.core.upkeep import ClockWatch, Upkeep
from exile_tui.crypto import ratchet
from exile_tui.errors import ExileError
from exile_tui.wire.address import RelayAddress
from tests.unit.core.conftest import MakePerson, ManualClock, Person, introduce
from tests.unit.core.fake_relay import FakeRelay

SECOND = RelayAddress("127.0.0.2", 4433, bytes(reversed(range(32))))
THIRD = RelayAddress("127.0.0.3", 4433, bytes([3]) * 32)


@pytest.fixture
def second(relays: dict[RelayAddress, FakeRelay]) -> FakeRelay:
    relays[SECOND] = FakeRelay(SECOND, random.Random(2))
    return relays[SECOND]


@pytest.fixture
def third(relays: dict[RelayAddress, FakeRelay]) -> FakeRelay:
    relays[THIRD] = FakeRelay(THIRD, random.Random(3))
    return relays[THIRD]


async def rounds(*people: Person, count: int = 4) -> None:
    for _ in range(count):
        for person in people:
            with contextlib.suppress(ExileError):
                await person.messenger.synchronize()


async def hours_pass(person: Person) -> None:
    await Upkeep(person.context, ClockWatch(person.context)).once()


async def write(person: Person, *texts: str) -> None:
    for text in texts:
        await person.messenger.send((await person.contact()).id, text)


async def waiting(person: Person) -> list[str]:
    moving = await person.messenger.moving()
    return [] if moving is None else [contact.name for contact in moving.waiting]


async def test_what_lies_in_an_old_mailbox_is_read_before_it_ends(
    make_person: MakePerson,
    relay: FakeRelay,
    second: FakeRelay,
    third: FakeRelay,
    clock: ManualClock,
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    await introduce(one, two)
    await one.messenger.move_to(SECOND.url)
    await one.messenger.synchronize()
    clock.advance_days(13)
    third.up = False  # two does not hear of the move
    await write(two, "열사흘째에 쓴 글")
    await rounds(two)  # for the last time: nobody sends this again
    clock.advance_days(2)
    await rounds(one)
    assert await one.texts(Direction.IN) == ["열사흘째에 쓴 글"]
    assert relay.boxes == {}


async def test_a_request_that_lies_at_the_old_relay_is_read_before_the_invite_ends(
    make_person: MakePerson,
    relay: FakeRelay,
    second: FakeRelay,
    third: FakeRelay,
    clock: ManualClock,
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    invites = [await one.messenger.create_invite(14 * 24) for _ in range(2)]
    await one.messenger.synchronize()
    await one.messenger.move_to(SECOND.url)
    clock.advance_days(10)
    await two.messenger.join(invites[0].link)
    await two.messenger.synchronize()
    clock.advance_days(4.5)
    await rounds(one)
    assert (await one.contact()).state is ContactState.REQUESTED
    await one.messenger.accept((await one.contact()).id)
    await rounds(one, two)
    assert (await two.contact()).state is ContactState.ACTIVE
    await hours_pass(one)
    await rounds(one)
    states = {invite.id: invite.state for invite in await one.messenger.invites()}
    assert states == {invites[0].id: InviteState.SPENT, invites[1].id: InviteState.EXPIRED}
    async with one.context.store.snapshot() as tx:
        assert not any(invite.secret for invite in await tx.invites.all())
    assert relay.boxes == {}


async def test_a_joiner_who_has_no_request_left_can_still_be_answered(
    make_person: MakePerson,
    relay: FakeRelay,
    second: FakeRelay,
    third: FakeRelay,
    clock: ManualClock,
) -> None:
    one, two = await make_person("하나", home=THIRD), await make_person("둘")
    invite = await one.messenger.create_invite(14 * 24)
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await write(two, *(str(number) for number in range(9)))
    await rounds(two, one)
    await two.messenger.move_to(SECOND.url)
    for _ in range(40):
        clock.advance_days(1)
        await rounds(two, count=1)
        await hours_pass(two)
    await one.messenger.accept((await one.contact()).id)
    await rounds(one, two)
    assert (await two.contact()).state is ContactState.ACTIVE
    assert await waiting(two) == []


async def test_who_must_write_first_can_still_reach_us(
    make_person: MakePerson,
    relay: FakeRelay,
    second: FakeRelay,
    third: FakeRelay,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    await introduce(one, two)
    monkeypatch.setattr(ratchet, "MAX_N", 10)
    await write(one, *(str(number) for number in range(15)))
    await rounds(one)
    await one.messenger.move_to(SECOND.url)
    for _ in range(40):
        clock.advance_days(1)
        await rounds(one, count=1)
        await hours_pass(one)
    await rounds(two, one)
    await write(two, "다녀왔어요")
    await rounds(two, one)
    assert await one.texts(Direction.IN) == ["다녀왔어요"]
    await write(one, "어서 와요")
    await rounds(one, two)
    await write(two, "네")
    await rounds(two, one)
    assert await waiting(one) == []
    assert relay.boxes == {}


async def test_who_came_after_the_move_is_not_awaited(
    make_person: MakePerson, relay: FakeRelay, second: FakeRelay, third: FakeRelay
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    three = await make_person("셋")
    await introduce(one, two)
    await one.messenger.move_to(SECOND.url)
    await rounds(one)
    invite = await one.messenger.create_invite()
    await rounds(one, count=1)
    await three.messenger.join(invite.link)
    await rounds(three, one, count=1)
    await one.messenger.accept((await one.messenger.contacts())[1].id)
    await rounds(one, count=1)
    await hours_pass(one)
    assert await waiting(one) == ["둘"], "three never was at the old relay"


async def test_a_dead_relay_does_not_hold_up_what_is_new(
    make_person: MakePerson,
    relay: FakeRelay,
    second: FakeRelay,
    third: FakeRelay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = await make_person("하나"), await make_person("둘", home=THIRD)
    await introduce(one, two)
    await one.messenger.move_to(SECOND.url)
    await rounds(one)
    relay.up = False
    await one.messenger.remove_contact((await one.contact()).id)  # its mailbox there is to go
    monkeypatch.setattr("exile_tui.core.chores.Backoff.next", lambda *_: 3600.0)
    failed = asyncio.Event()
    lost = relay._lost

    def told() -> None:
        failed.set()
        lost()

    monkeypatch.setattr(relay, "_lost", told)
    published = asyncio.Event()
    one.context.events.subscribe(
        lambda event: published.set() if isinstance(event, InvitesChanged) else None
    )
    running = asyncio.create_task(Housekeeper(one.context).run())
    try:
        async with asyncio.timeout(30):
            await failed.wait()
            new = await one.messenger.create_invite()
            while True:
                published.clear()
                invites = await one.messenger.invites()
                if any(each.published for each in invites if each.id == new.id):
                    break
                await published.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("host", ["0", "0.0", "0x0", "0.0.0.0", "::", "224.0.0.1", ""])
def test_an_address_that_is_no_single_place_is_refused(host: str) -> None:
    assert not _names_one_place(host)


@pytest.mark.parametrize("host", ["192.168.0.5", "fd00::5", "relay.example", "my-pc"])
def test_an_address_of_one_place_is_taken(host: str) -> None:
    assert _names_one_place(host)
