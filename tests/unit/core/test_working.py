"""Work for a busy relay: done in slices, told, put off, given up; nothing is lost by any of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from exile_tui.core import working
from exile_tui.core.chores import do_chores
from exile_tui.core.events import Event, Work, WorkChanged
from exile_tui.core.model import Direction, Invite, InviteState
from exile_tui.errors import RelayBusy, RelayUnreachable
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import MAX_TRIES, Puzzle, Solution
from tests.unit.core.conftest import ADDRESS, MakePerson, Person, introduce
from tests.unit.core.fake_relay import FakeRelay

EASY = Puzzle(7, 8, bytes(32))
ENDLESS = Puzzle(17, 8, bytes(32))
"""As hard as any that is solved: long enough to do something else meanwhile."""
SECOND = RelayAddress("127.0.0.2", 4433, bytes(reversed(range(32))))


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even little work takes several slices, and each is told."""
    monkeypatch.setattr(working, "SLICE", 32)
    monkeypatch.setattr(working, "TOLD_EVERY", 1)


@pytest.fixture
def second(relays: dict[RelayAddress, FakeRelay]) -> FakeRelay:
    made = FakeRelay(SECOND, random.Random(2))
    relays[SECOND] = made
    return made


async def rounds(*people: Person) -> None:
    for _ in range(3):
        for person in people:
            await person.messenger.synchronize()


def told(person: Person) -> list[Work | None]:
    return [event.work for event in person.events if isinstance(event, WorkChanged)]


async def invite_of(person: Person, invite: Invite) -> Invite:
    return next(each for each in await person.messenger.invites() if each.id == invite.id)


def once(person: Person, what: Callable[[], None]) -> None:
    """Do something when the person is first told that the computer works."""
    done = False

    def heard(event: Event) -> None:
        nonlocal done
        if isinstance(event, WorkChanged) and event.work is not None and not done:
            done = True
            what()

    person.context.events.subscribe(heard)


async def test_every_mailbox_is_worked_for_and_talk_goes_on(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    relay.asks = EASY
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.send((await one.contact()).id, "하나")
    await rounds(one, two)
    assert await two.texts(Direction.IN) == ["하나"]
    assert relay.asked == 3  # the invite's mailbox is gone by now
    assert len(relay.boxes) == 2
    assert (told(one) + told(two)).count(None) == 3
    assert one.messenger.work is two.messenger.work is None


async def test_it_tells_how_far_it_is(make_person: MakePerson, relay: FakeRelay) -> None:
    relay.asks = replace(EASY, bits=8)
    one = await make_person("1")
    await one.messenger.create_invite()
    await one.messenger.synchronize()
    *works, last = told(one)
    assert last is None
    shares = [work.share for work in works if work is not None]
    assert len(shares) == len(works) > 3
    assert shares == sorted(shares)
    assert all(0 < share < 1 for share in shares)
    assert {work.relay for work in works if work is not None} == {ADDRESS}


async def test_it_says_how_long_the_rest_takes(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await make_person("1")
    clock = one.context.clock
    lefts: list[float] = []

    class Slow(working.Solver):
        def run(self, tries: int) -> Solution | None:
            clock.seconds += 0.5  # 64 tries a second
            solution = super().run(tries)
            lefts.append(self.left)
            return solution

    monkeypatch.setattr(working, "Solver", Slow)
    relay.asks = ENDLESS
    once(one, one.messenger.put_off_work)
    await one.messenger.create_invite()
    with pytest.raises(RelayBusy):
        await one.messenger.synchronize()
    (first, *_) = told(one)
    assert first is not None
    assert first.seconds == lefts[0] / 64
    assert lefts[0] in (MAX_TRIES, MAX_TRIES * 7 / 8)  # by chance a key is found at once


async def test_work_that_came_too_late_is_done_anew_and_not_for_ever(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one = await make_person("1")
    relay.asks = EASY

    def expire(work: Event) -> None:
        if isinstance(work, WorkChanged) and work.work is not None and relay.asked < patience:
            relay.asks = replace(EASY, challenge=relay.asked.to_bytes(32, "big"))

    one.context.events.subscribe(expire)
    patience = working.ATTEMPTS
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    assert relay.asked == working.ATTEMPTS
    assert (await invite_of(one, invite)).published
    patience, relay.asked = 1000, 0
    invite = await one.messenger.create_invite()
    with pytest.raises(RelayBusy) as raised:
        await one.messenger.synchronize()
    assert "again and again" in raised.value.sentence
    # Each round asks once more than it works; nothing hurries from one round to the next.
    assert relay.asked % (working.ATTEMPTS + 1) == 0
    assert one.messenger.work_problem is not None
    assert not (await invite_of(one, invite)).published
    relay.asks = None
    await one.messenger.synchronize()
    assert (await invite_of(one, invite)).published


async def test_a_relay_that_takes_no_work_has_it_done_for_one_mailbox_a_round(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one = await make_person("1")
    relay.asks = EASY

    def expire(work: Event) -> None:
        if isinstance(work, WorkChanged) and work.work is not None:
            assert relay.asks is not None
            relay.asks = replace(EASY, challenge=relay.asked.to_bytes(32, "big"))

    one.context.events.subscribe(expire)
    for _ in range(5):
        await one.messenger.create_invite()
    assert len(await do_chores(one.context)) == 1
    assert relay.asked == working.ATTEMPTS + 1
    relay.asks = None
    assert not await do_chores(one.context)
    assert all(each.published for each in await one.messenger.invites())


@pytest.mark.parametrize("puzzle", [Puzzle(64, 32, bytes(32)), Puzzle(18, 8, bytes(32))])
async def test_a_relay_can_not_keep_a_computer_busy_for_long(
    make_person: MakePerson, relay: FakeRelay, puzzle: Puzzle
) -> None:
    assert puzzle.tries > MAX_TRIES
    relay.asks = puzzle
    one = await make_person("1")
    await one.messenger.create_invite()
    with pytest.raises(RelayBusy) as raised:
        await one.messenger.synchronize()
    assert "more work than this program does" in raised.value.sentence
    assert one.messenger.work_problem is not None
    assert told(one) == [None] * relay.asked  # it did not begin


async def test_work_is_put_off_until_it_is_wanted(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    relay.asks = ENDLESS
    one = await make_person("1")
    once(one, one.messenger.put_off_work)
    invite = await one.messenger.create_invite()
    with pytest.raises(RelayBusy) as raised:
        await one.messenger.synchronize()
    assert "put off" in raised.value.sentence
    problem = one.messenger.work_problem
    assert problem is not None
    assert problem.sentence == raised.value.sentence
    assert one.messenger.work is None
    assert told(one)[-1] is None
    works = len(told(one))
    with pytest.raises(RelayBusy):
        await one.messenger.synchronize()
    assert set(told(one)[works:]) == {None}  # it asks the relay again, and does not begin
    relay.asks = EASY
    one.messenger.reconnect_now()
    assert one.messenger.work_problem is None
    await one.messenger.synchronize()
    assert (await invite_of(one, invite)).published


async def test_nothing_is_put_off_any_more_once_no_relay_asks(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    relay.asks = ENDLESS
    one = await make_person("1")
    once(one, one.messenger.put_off_work)
    invite = await one.messenger.create_invite()
    with pytest.raises(RelayBusy):
        await one.messenger.synchronize()
    relay.asks = None
    await one.messenger.synchronize()
    assert (await invite_of(one, invite)).published
    assert one.messenger.work_problem is None


async def test_putting_off_outlives_a_relay_that_is_out_of_reach(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    relay.asks = ENDLESS
    one = await make_person("1")
    once(one, one.messenger.put_off_work)
    await one.messenger.create_invite()
    with pytest.raises(RelayBusy):
        await one.messenger.synchronize()
    relay.up = False
    with pytest.raises(RelayUnreachable):
        await one.messenger.synchronize()
    relay.up = True
    with pytest.raises(RelayBusy) as raised:
        await one.messenger.synchronize()
    assert "put off" in raised.value.sentence


async def test_putting_off_what_is_done_already_puts_nothing_off(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one = await make_person("1")
    one.messenger.put_off_work()  # pressed as the last key was found
    await one.messenger.synchronize()
    assert not one.context.effort.put_off


async def test_a_new_wish_takes_the_putting_off_back(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    relay.asks = ENDLESS
    one = await make_person("1")
    once(one, one.messenger.put_off_work)
    await one.messenger.create_invite()
    with pytest.raises(RelayBusy):
        await one.messenger.synchronize()
    relay.asks = EASY
    await one.messenger.create_invite()
    await one.messenger.synchronize()
    assert all(each.published for each in await one.messenger.invites())


async def test_revoking_the_invite_ends_its_work(make_person: MakePerson, relay: FakeRelay) -> None:
    relay.asks = ENDLESS
    one = await make_person("1")
    invite = await one.messenger.create_invite()
    revoking: list[asyncio.Task[None]] = []
    once(
        one,
        lambda: revoking.append(
            asyncio.get_running_loop().create_task(one.messenger.revoke_invite(invite.id))
        ),
    )
    async with asyncio.timeout(30):
        await one.messenger.synchronize()
    assert (await invite_of(one, invite)).state is InviteState.REVOKED
    assert relay.boxes == {}
    assert relay.asked == 1


async def test_locking_ends_the_work_at_once(make_person: MakePerson, relay: FakeRelay) -> None:
    relay.asks = ENDLESS
    one = await make_person("1")
    working_now = asyncio.Event()
    once(one, working_now.set)
    await one.messenger.create_invite()
    round_ = asyncio.create_task(one.messenger.synchronize())
    async with asyncio.timeout(30):
        await working_now.wait()
        round_.cancel()
        with pytest.raises(asyncio.CancelledError):
            await round_
    assert one.messenger.work is None
    assert relay.boxes == {}


async def test_a_busy_relay_takes_who_moves_to_it(
    make_person: MakePerson, relay: FakeRelay, second: FakeRelay
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    second.asks = EASY
    await one.messenger.move_to(SECOND.url)
    assert second.asked == 1  # no work for seeing whether it takes us
    assert told(one) == []
    await rounds(one, two)
    assert len(second.boxes) == 1
    assert second.asked == 2
    await two.messenger.send((await two.contact()).id, "새 집으로")
    await rounds(one, two)
    assert await one.texts(Direction.IN) == ["새 집으로"]
