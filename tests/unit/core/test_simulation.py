"""Pairs of people over a relay that loses requests, answers and everything, in seeded runs."""

from __future__ import annotations

import contextlib
import random

import pytest

from exile_tui.clock import MINUTE_MS
from exile_tui.core.chores import do_chores
from exile_tui.core.delivery import deliver_once
from exile_tui.core.listening import Listener
from exile_tui.core.model import ContactState, Delivery, Direction
from exile_tui.core.sending import answer
from exile_tui.errors import ExileError
from tests.unit.core.conftest import ADDRESS, MakePerson, ManualClock, Person
from tests.unit.core.fake_relay import FakeRelay

PAIRS = 12
STEPS = 120


async def step(person: Person, chance: random.Random) -> None:
    """Do one thing that a running client does, as far as the relay lets it."""
    context = person.context
    match chance.randrange(4):
        case 0:
            await do_chores(context)
        case 1:
            await answer(context)
        case 2:
            await deliver_once(context)
        case 3:
            with contextlib.suppress(ExileError):
                await Listener(context, ADDRESS, lambda _: None).catch_up()


async def settle(people: list[Person]) -> None:
    """Run everything on a relay that works, until nothing is left to do."""
    for _ in range(12):
        for person in people:
            await person.messenger.synchronize()


@pytest.mark.parametrize("seed", range(PAIRS))
async def test_nothing_is_lost_or_shown_twice(
    make_person: MakePerson, relay: FakeRelay, clock: ManualClock, seed: int
) -> None:
    chance = random.Random(seed)
    relay.chance = random.Random(seed + 1000)
    one, two = await make_person("하나"), await make_person("둘")
    people = [one, two]
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    relay.loss = 0.25
    sent: dict[int, list[str]] = {0: [], 1: []}
    for number in range(STEPS):
        who = chance.randrange(2)
        person = people[who]
        clock.advance(MINUTE_MS)
        contacts = await person.messenger.contacts()
        if contacts and contacts[0].state is ContactState.REQUESTED and chance.random() < 0.3:
            await person.messenger.accept(contacts[0].id)
        elif contacts and contacts[0].state is not ContactState.REQUESTED and chance.random() < 0.3:
            text = f"{who}:{number}"
            await person.messenger.send(contacts[0].id, text)
            sent[who].append(text)
        if chance.random() < 0.02 and contacts and contacts[0].answered:
            relay.forget()
        await step(person, chance)
    relay.loss = 0.0
    await settle(people)
    for contact in await one.messenger.contacts():
        if contact.state is ContactState.REQUESTED:
            await one.messenger.accept(contact.id)
    await settle(people)
    for who, person in enumerate(people):
        assert sorted(await person.texts(Direction.IN)) == sorted(sent[1 - who])
        own = [line for line in await person.lines() if line.direction is Direction.OUT]
        assert {line.delivery for line in own} <= {Delivery.DELIVERED}
        assert [line.text for line in own] == sent[who]
        contact = await person.contact()
        async with person.context.store.snapshot() as tx:
            assert await tx.outbox.of(contact.id) == []


@pytest.mark.parametrize("seed", range(4))
async def test_order_holds_while_the_relay_keeps_what_it_has(
    make_person: MakePerson, relay: FakeRelay, seed: int
) -> None:
    chance = random.Random(seed)
    one, two = await make_person("하나"), await make_person("둘")
    people = [one, two]
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    for person in (two, one):
        await person.messenger.synchronize()
    await one.messenger.accept((await one.contact()).id)
    await settle(people)
    relay.loss = 0.3
    sent: dict[int, list[str]] = {0: [], 1: []}
    for number in range(60):
        who = chance.randrange(2)
        contact = await people[who].contact()
        await people[who].messenger.send(contact.id, f"{number}")
        sent[who].append(f"{number}")
        await step(people[chance.randrange(2)], chance)
    relay.loss = 0.0
    await settle(people)
    for who, person in enumerate(people):
        assert await person.texts(Direction.IN) == sent[1 - who]
