"""What a contact, a relay, somebody with the link and a wrong clock may try on the receiver."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from exile_tui.core.listening import Listener
from exile_tui.core.model import Contact, ContactState, Direction, MessageKind
from exile_tui.core.receiving import MOST_HIDDEN
from exile_tui.core.sealing import load_session
from exile_tui.crypto.kdf import sha256
from exile_tui.crypto.session import Opened, Session
from exile_tui.wire.body import pack_body
from exile_tui.wire.content import Acknowledged, Content, Profile, Unknown
from tests.unit.core.conftest import ADDRESS, MakePerson, ManualClock, Person, introduce
from tests.unit.core.fake_relay import FakeRelay


async def catch_up(person: Person) -> None:
    await Listener(person.context, ADDRESS, lambda _: None).catch_up()


async def say(person: Person, contents: Sequence[Content]) -> None:
    """Send a body that no honest program sends."""
    contact = await person.contact()
    async with person.context.store.transaction() as tx:
        session, version = await load_session(tx, contact.id)
        body = pack_body(contents, session.body_sizes)
        session, envelope = session.seal(body, person.context.entropy)
        await tx.sessions.update(contact.id, session.to_bytes(), version)
        await tx.outbox.insert(contact.id, envelope, [], created_ms=0, once=True, request=False)
    await person.messenger.synchronize()


async def ask(inviter: Person, joiner: Person) -> Contact:
    """Let a request of the joiner wait at the inviter."""
    invite = await inviter.messenger.create_invite()
    await inviter.messenger.synchronize()
    await joiner.messenger.join(invite.link)
    await joiner.messenger.synchronize()
    await inviter.messenger.synchronize()
    return await inviter.contact()


async def test_an_envelope_that_came_through_the_wrong_mailbox_still_opens(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.create_invite()
    await one.messenger.synchronize()
    async with one.context.store.snapshot() as tx:
        right, wrong = [relay.boxes[mailbox.id] for mailbox in await tx.mailboxes.all()]
    await two.messenger.send((await two.contact()).id, "글")
    await two.messenger.synchronize()
    wrong.envelopes, right.envelopes = right.envelopes, {}
    await catch_up(one)
    await two.messenger.close()
    (envelope,) = relay.appended[-1:]
    right.envelopes = {99: envelope}
    await catch_up(one)
    assert await one.texts(Direction.IN) == ["글"]


async def test_rubbish_leaves_nothing_behind(make_person: MakePerson, relay: FakeRelay) -> None:
    one = await make_person("1")
    await one.messenger.create_invite()
    await one.messenger.synchronize()
    (box,) = relay.boxes.values()
    box.envelopes = {1: bytes(4096), 2: bytes(16384)}
    await catch_up(one)
    assert box.envelopes == {}
    async with one.context.store.snapshot() as tx:
        assert await tx.seen.lookup(sha256(bytes(4096))) is None
        assert await tx.seen.lookup(sha256(bytes(16384))) is None


async def test_a_clock_in_doubt_refuses_no_request(
    make_person: MakePerson, clock: ManualClock
) -> None:
    one, two = await make_person("1"), await make_person("2")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await two.messenger.synchronize()
    one.context.believed_day = one.context.day
    clock.advance_days(40)
    await catch_up(one)
    assert (await one.contact()).state is ContactState.REQUESTED


async def test_a_body_full_of_unknown_contents_is_one_line(make_person: MakePerson) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await say(two, [Unknown(99, b"")] * 21_000)
    await catch_up(one)
    assert [line.kind for line in await one.lines()] == [MessageKind.NEWER]


async def test_a_body_full_of_acknowledgements_is_taken_at_once(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.send((await one.contact()).id, "글")
    (line,) = await one.lines()
    calls: list[int] = []
    async with one.context.store.snapshot() as tx:
        table = type(tx.outbox)
    acknowledged = table.acknowledged

    async def counted(self: object, contact_id: int, ids: Sequence[bytes]) -> None:
        calls.append(len(ids))
        await acknowledged(self, contact_id, ids)

    monkeypatch.setattr(table, "acknowledged", counted)
    await say(two, [Acknowledged(())] * 5000 + [Acknowledged((line.content_id,))])
    await catch_up(one)
    assert calls[-1:] == [1]
    assert len(calls) <= 2


async def test_envelopes_are_opened_beside_the_event_loop(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await two.messenger.send((await two.contact()).id, "글")
    await two.messenger.synchronize()
    opens, where = Session.open, []

    def watched(self: Session, envelope: bytes, day: int) -> Opened:
        where.append(threading.current_thread())
        return opens(self, envelope, day)

    monkeypatch.setattr(Session, "open", watched)
    await catch_up(one)
    assert where
    assert threading.main_thread() not in where


async def test_a_used_up_chain_goes_on_when_the_peer_only_acknowledges(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    monkeypatch.setattr("exile_tui.crypto.ratchet.MAX_N", 8)
    contact_id = (await one.contact()).id
    texts = [str(number) for number in range(12)]
    for text in texts:
        await one.messenger.send(contact_id, text)
    await one.messenger.synchronize()
    await two.messenger.synchronize()
    one.context.signals.answer.clear()
    await catch_up(one)
    assert one.context.signals.answer.is_set()
    await one.messenger.synchronize()
    await two.messenger.synchronize()
    assert await two.texts(Direction.IN) == texts


async def test_a_stranger_leaves_few_acknowledgements(make_person: MakePerson) -> None:
    one, two = await make_person("1"), await make_person("2")
    request = await ask(one, two)
    name = [Profile(number.to_bytes(16, "big"), 0, "") for number in range(400)]
    await say(two, name)
    await catch_up(one)
    async with one.context.store.snapshot() as tx:
        assert len(await tx.acks.due(request.id, 1000)) == MOST_HIDDEN


async def test_a_stranger_cannot_fill_a_conversation_with_gaps(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exile_tui.crypto.session.MAX_REQUESTS", 200)
    monkeypatch.setattr("exile_tui.crypto.ratchet.MAX_KEPT_OF_GAP", 0)
    one, two = await make_person("1"), await make_person("2")
    request = await ask(one, two)
    contact = await two.contact()
    for _ in range(MOST_HIDDEN + 5):
        async with two.context.store.transaction() as tx:
            session, version = await load_session(tx, contact.id)
            body = pack_body([], session.body_sizes)
            for _ in range(2):
                session, envelope = session.seal(body, two.context.entropy)
            await tx.sessions.update(contact.id, session.to_bytes(), version)
            await tx.outbox.insert(contact.id, envelope, [], created_ms=0, once=True, request=False)
    await two.messenger.synchronize()
    await catch_up(one)
    async with one.context.store.snapshot() as tx:
        assert len(await tx.messages.recent(request.id, 1000)) == MOST_HIDDEN
    hidden = [event.hidden for event in one.events if type(event).__name__ == "MessageStored"]
    assert hidden
    assert all(hidden)
