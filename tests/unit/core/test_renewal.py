"""Mailboxes at a relay that asks for an access phrase and loses everything."""

from __future__ import annotations

import hashlib

from exile_tui.core.listening import Listener
from exile_tui.core.model import Direction
from exile_tui.wire.relay import Authorization, AuthorizationKind
from tests.unit.core.conftest import ADDRESS, MakePerson, Person, introduce
from tests.unit.core.fake_relay import FakeRelay


async def renewals(person: Person) -> list[bytes]:
    async with person.context.store.snapshot() as tx:
        return [mailbox.renewal for mailbox in await tx.mailboxes.all()]


async def test_what_a_creation_answered_creates_it_again(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    relay.guarded = True
    one, two = await make_person("1"), await make_person("2")
    one.context.own.access_phrase = "phrase"
    await introduce(one, two)
    kinds = {authorization.kind for authorization in relay.shown}
    assert kinds == {AuthorizationKind.PHRASE, AuthorizationKind.TICKET}
    boxes = set(relay.boxes)
    expected = {hashlib.sha256(b"renewal" + mailbox).digest() for mailbox in boxes}
    assert {*await renewals(one), *await renewals(two)} == expected

    await one.messenger.send((await one.contact()).id, "하나")
    await one.messenger.synchronize()
    relay.shown.clear()
    relay.forget()
    for person in (one, two, one, two):
        await Listener(person.context, ADDRESS, lambda _: None).catch_up()
        await person.messenger.synchronize()
    assert set(relay.boxes) == boxes
    assert {each.secret for each in relay.shown} == expected
    assert {each.kind for each in relay.shown} == {AuthorizationKind.RENEWAL}
    assert await two.texts(Direction.IN) == ["하나"]


async def test_an_open_relay_is_shown_nothing(make_person: MakePerson, relay: FakeRelay) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    relay.forget()
    for person in (one, two, one, two):
        await person.messenger.synchronize()
    assert set(relay.shown) == {Authorization()}
    assert not any(await renewals(one))
