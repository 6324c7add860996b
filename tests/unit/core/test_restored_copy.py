"""A contact's program that was set back to an older copy, seen from the other side."""

from __future__ import annotations

from exile_tui.core.events import ContactChanged, MessageStored
from exile_tui.core.listening import Listener
from exile_tui.core.model import Direction, MessageKind, VerifiedHow
from exile_tui.core.sealing import load_session
from tests.unit.core.conftest import ADDRESS, MakePerson, Person, introduce
from tests.unit.core.fake_relay import FakeRelay


async def say(sender: Person, receiver: Person, text: str) -> None:
    """Send a text and let it be fetched, without an answer of the receiver's program."""
    await sender.messenger.send((await sender.contact()).id, text)
    await sender.messenger.synchronize()
    await Listener(receiver.context, ADDRESS, lambda _: None).catch_up()


async def state_of(person: Person) -> bytes:
    contact_id = (await person.contact()).id
    async with person.context.store.snapshot() as tx:
        session, _ = await load_session(tx, contact_id)
    return session.to_bytes()


async def set_back(person: Person, state: bytes) -> None:
    contact_id = (await person.contact()).id
    async with person.context.store.transaction() as tx:
        _, version = await load_session(tx, contact_id)
        await tx.sessions.update(contact_id, state, version)


async def notices(person: Person) -> int:
    return [line.kind for line in await person.lines()].count(MessageKind.POSSIBLE_COPY)


async def test_a_restored_copy_is_told_once_until_verified_again(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await say(one, two, "hello")
    old = await state_of(two)
    await say(two, one, "taken")
    before = await state_of(one)
    one.events.clear()

    await set_back(two, old)
    await say(two, one, "contradicts")
    await say(two, one, "contradicts too")
    assert await state_of(one) == before
    assert await one.texts(Direction.IN) == ["taken"]
    assert await notices(one) == 1
    assert not any(box.envelopes for box in relay.boxes.values())
    assert (await one.contact()).copy_suspected
    (told,) = [event for event in one.events if isinstance(event, MessageStored)]
    assert told.message.kind is MessageKind.POSSIBLE_COPY
    (conversation,) = (await one.messenger.overview()).conversations
    assert conversation.unread == 2
    assert not told.hidden
    assert ContactChanged((await one.contact()).id) in one.events

    await one.messenger.mark_verified((await one.contact()).id, VerifiedHow.DIGITS)
    assert not (await one.contact()).copy_suspected
    await say(two, one, "and again")
    assert await notices(one) == 2
