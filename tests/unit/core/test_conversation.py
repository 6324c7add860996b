"""Two people, from the invite to the last acknowledgement."""

from __future__ import annotations

import pytest

from exile_tui.core.events import RequestArrived
from exile_tui.core.messenger import Messenger
from exile_tui.core.model import (
    ContactState,
    Delivery,
    Direction,
    InviteState,
    MessageKind,
    Reason,
    Trust,
    VerifiedHow,
)
from exile_tui.core.receiving import MOST_HIDDEN
from exile_tui.errors import NoSuchContact, Refused, RelayUnreachable, UsageError
from exile_tui.wire.relay import ENVELOPE_SIZES
from tests.unit.core.conftest import MakePerson, ManualClock, Person, introduce
from tests.unit.core.fake_relay import FakeRelay


async def exchange(*people: Person) -> None:
    for _ in range(2):
        for person in people:
            await person.messenger.synchronize()


async def test_two_people_meet_and_talk(make_person: MakePerson, relay: FakeRelay) -> None:
    haneul, seojun = await make_person("김하늘"), await make_person("박서준")
    invite = await haneul.messenger.create_invite()
    await haneul.messenger.synchronize()
    joined = await seojun.messenger.join(invite.link)
    assert joined.state is ContactState.JOINING
    await seojun.messenger.send(joined.id, "안녕하세요, 서준이에요")
    await seojun.messenger.synchronize()
    await haneul.messenger.synchronize()

    request = await haneul.contact()
    assert request.state is ContactState.REQUESTED
    assert request.name == "박서준"
    assert RequestArrived(request.id) in haneul.events
    assert await haneul.messenger.messages(request.id) == []
    assert (await haneul.messenger.overview()).conversations == []
    assert [line.delivery for line in await seojun.lines()] == [Delivery.SENT]

    await haneul.messenger.accept(request.id)
    await exchange(haneul, seojun)
    assert (await seojun.contact()).name == "김하늘"
    assert (await seojun.contact()).state is ContactState.ACTIVE
    assert await haneul.texts(Direction.IN) == ["안녕하세요, 서준이에요"]
    assert [line.delivery for line in await seojun.lines()] == [Delivery.DELIVERED]

    await haneul.messenger.send(request.id, "반가워요")
    await exchange(haneul, seojun)
    assert await seojun.texts(Direction.IN) == ["반가워요"]
    assert {len(envelope) for envelope in relay.appended} <= set(ENVELOPE_SIZES)


async def test_both_see_the_same_number_and_verify(make_person: MakePerson) -> None:
    one, two = await make_person("하나"), await make_person("둘")
    await introduce(one, two)
    first = await one.messenger.safety_number((await one.contact()).id)
    second = await two.messenger.safety_number((await two.contact()).id)
    assert first.digits == second.digits
    assert len(first.groups) == 12
    assert await one.messenger.compare_scanned((await one.contact()).id, second.scannable)
    assert not await one.messenger.compare_scanned((await one.contact()).id, first.scannable)
    assert one.messenger.words(first.digits, "ko") == two.messenger.words(second.digits, "ko")
    await one.messenger.mark_verified((await one.contact()).id, VerifiedHow.DIGITS)
    assert (await one.contact()).trust is Trust.VERIFIED
    await one.messenger.unmark_verified((await one.contact()).id)
    assert (await one.contact()).trust is Trust.UNVERIFIED


async def test_a_changed_key_never_goes_unnoticed(make_person: MakePerson) -> None:
    one, two, other = await make_person("1"), await make_person("2"), await make_person("3")
    await introduce(one, two)
    contact = await one.contact()
    await one.messenger.mark_verified(contact.id, VerifiedHow.QR)
    await one.messenger.send(contact.id, "앞")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await other.messenger.join(invite.link)
    await exchange(other, one)
    _, stranger = await one.messenger.contacts()
    async with one.context.store.transaction() as tx:
        state, _ = await tx.sessions.load(stranger.id)
        _, version = await tx.sessions.load(contact.id)
        await tx.sessions.update(contact.id, state, version)
    reopened = Messenger(one.context, None)
    await reopened.synchronize()
    assert (await reopened.contact(contact.id)).trust is Trust.CHANGED


async def test_a_stranger_cannot_fill_the_disk(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await exchange(two, one)
    contact, request = await two.contact(), await one.contact()
    monkeypatch.setattr("exile_tui.crypto.session.MAX_REQUESTS", 200)
    for number in range(MOST_HIDDEN + 20):
        await two.messenger.send(contact.id, str(number))
    await exchange(two, one)
    async with one.context.store.snapshot() as tx:
        assert len(await tx.messages.recent(request.id, 1000)) == MOST_HIDDEN


async def test_a_spent_invite_is_gone_everywhere(make_person: MakePerson, relay: FakeRelay) -> None:
    one, two, late = await make_person("1"), await make_person("2"), await make_person("3")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    with pytest.raises(Refused):
        await two.messenger.join(invite.link)
    with pytest.raises(Refused):
        await one.messenger.join(invite.link)
    await exchange(two, one)
    await one.messenger.accept((await one.contact()).id)
    await exchange(one, two, one)
    with pytest.raises(Refused):
        await late.messenger.join(invite.link)
    (spent,) = await one.messenger.invites()
    assert spent.state is InviteState.SPENT
    assert spent.secret == spent.blob == b""
    assert spent.link == ""
    assert relay.blobs == {}
    assert len(relay.boxes) == 2, "the invite's mailbox is deleted once its successor is used"


async def test_a_second_joiner_is_refused_in_silence(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one, two, late = await make_person("1"), await make_person("2"), await make_person("3")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await late.messenger.join(invite.link)
    await exchange(two, late, one)
    assert (await one.contact()).name == "2"
    await one.messenger.accept((await one.contact()).id)
    await exchange(one, two, late)
    assert (await late.contact()).state is ContactState.JOINING


async def test_the_ninth_request_waits_and_says_why(make_person: MakePerson) -> None:
    one, two = await make_person("1"), await make_person("2")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    contact = await two.messenger.join(invite.link)
    for number in range(9):
        await two.messenger.send(contact.id, f"글 {number}")
    waiting = [line.text for line in await two.lines() if line.delivery is Delivery.QUEUED]
    assert waiting == ["글 7", "글 8"]
    assert (await two.lines())[-1].reason is Reason.NOT_ACCEPTED
    await exchange(two, one)
    await one.messenger.accept((await one.contact()).id)
    await exchange(one, two, one, two)
    assert await one.texts(Direction.IN) == [f"글 {number}" for number in range(9)]
    assert {line.delivery for line in await two.lines()} == {Delivery.DELIVERED}


async def test_declining_leaves_nothing_and_says_nothing(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one, two = await make_person("1"), await make_person("2")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await exchange(two, one)
    stored = len(relay.appended)
    await one.messenger.decline((await one.contact()).id)
    await exchange(one, two, one)
    assert await one.messenger.contacts() == []
    assert len(relay.appended) == stored
    assert (await two.contact()).state is ContactState.JOINING


async def test_a_lost_relay_loses_nothing(make_person: MakePerson, relay: FakeRelay) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    for number in range(3):
        await one.messenger.send((await one.contact()).id, f"글 {number}")
    await one.messenger.synchronize()
    assert {line.delivery for line in await one.lines()} == {Delivery.SENT}
    relay.forget()
    await one.messenger.send((await one.contact()).id, "글 3")
    await exchange(one, two, one, two)
    assert await two.texts(Direction.IN) == [f"글 {number}" for number in range(4)]
    assert {line.delivery for line in await one.lines()} == {Delivery.DELIVERED}


async def test_an_open_invite_survives_a_lost_relay(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one, two = await make_person("1"), await make_person("2")
    invite = await one.messenger.create_invite()
    await one.messenger.synchronize()
    relay.forget()
    await exchange(one)
    await two.messenger.join(invite.link)
    await exchange(two, one)
    assert (await one.contact()).state is ContactState.REQUESTED


async def test_a_request_is_taken_for_fourteen_days_after_the_expiry(
    make_person: MakePerson, relay: FakeRelay, clock: ManualClock
) -> None:
    one, two, late = await make_person("1"), await make_person("2"), await make_person("3")
    invite = await one.messenger.create_invite()
    unused = await one.messenger.create_invite()
    await one.messenger.synchronize()
    await two.messenger.join(invite.link)
    await two.messenger.synchronize()
    clock.advance_days(14.5)
    with pytest.raises(Refused):
        await late.messenger.join(unused.link)
    await exchange(one)
    assert (await one.contact()).state is ContactState.REQUESTED
    clock.advance_days(0.6)
    await exchange(one)
    expired = (await one.messenger.invites())[0]
    assert (expired.id, expired.state, expired.secret) == (unused.id, InviteState.EXPIRED, b"")
    assert len(relay.boxes) == 2, "the unused invite's mailbox is deleted"


async def test_offline_is_said_and_nothing_is_lost(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    relay.up = False
    message = await one.messenger.send((await one.contact()).id, "나중에")
    with pytest.raises(RelayUnreachable):
        await one.messenger.synchronize()
    (line,) = await one.lines()
    assert (line.id, line.delivery, line.reason) == (message.id, Delivery.WAITING, Reason.OFFLINE)
    relay.up = True
    await exchange(one, two)
    assert await two.texts(Direction.IN) == ["나중에"]


async def test_what_is_not_delivered_in_fourteen_days_says_so(
    make_person: MakePerson, relay: FakeRelay, clock: ManualClock
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.send((await one.contact()).id, "들리나요")
    await one.messenger.synchronize()
    clock.advance_days(14.1)
    await one.messenger.confirm_clock()
    await one.messenger.synchronize()
    (line,) = await one.lines()
    assert line.delivery is Delivery.FAILED
    contact = await one.contact()
    async with one.context.store.snapshot() as tx:
        assert await tx.outbox.of(contact.id) == []


async def test_appended_again_before_the_relay_drops_it(
    make_person: MakePerson, relay: FakeRelay, clock: ManualClock
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.send((await one.contact()).id, "글")
    await one.messenger.synchronize()
    for box in relay.boxes.values():
        box.envelopes.clear()
    clock.advance_days(2)
    await one.messenger.synchronize()
    assert not any(box.envelopes for box in relay.boxes.values())
    clock.advance_days(0.95)
    await one.messenger.synchronize()
    await two.messenger.synchronize()
    assert await two.texts(Direction.IN) == ["글"]


async def test_a_clock_that_jumped_stops_expiry_until_confirmed(
    make_person: MakePerson, clock: ManualClock
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.send((await one.contact()).id, "글")
    clock.wall_ms -= 3 * 86_400_000
    await one.messenger.synchronize()
    assert one.messenger.clock_jump_ms is not None
    clock.advance_days(20)
    await one.messenger.synchronize()
    (line,) = await one.lines()
    assert line.delivery is not Delivery.FAILED
    await one.messenger.confirm_clock()
    assert one.messenger.clock_jump_ms is None


async def test_renaming_reaches_the_contact(make_person: MakePerson) -> None:
    one, two = await make_person("옛 이름"), await make_person("2")
    await introduce(one, two)
    await one.messenger.rename("새 이름")
    await exchange(one, two)
    assert (await two.contact()).name == "새 이름"


@pytest.mark.parametrize("text", ["", " \n", "가" * 30_000, "\ud800"])
async def test_what_cannot_be_sent_is_refused(make_person: MakePerson, text: str) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    with pytest.raises(UsageError):
        await one.messenger.send((await one.contact()).id, text)
    assert await one.lines() == []


async def test_the_longest_text_arrives_with_a_new_name_beside_it(make_person: MakePerson) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.rename("이름" * 100)
    await one.messenger.send((await one.contact()).id, "가" * 21_029)
    await exchange(one, two)
    (text,) = await two.texts(Direction.IN)
    assert text == "가" * 21_029
    assert (await two.contact()).name == "이름" * 100


async def test_finding_a_contact(make_person: MakePerson) -> None:
    one, two = await make_person("김하늘"), await make_person("박서준")
    await introduce(one, two)
    wanted = await two.contact()
    for name in ("김하늘", "김", "#1", "1", " 김하늘 "):
        assert await two.messenger.find_contact(name) == wanted
    for name in ("", "박", "#2", "₁"):
        with pytest.raises(NoSuchContact):
            await two.messenger.find_contact(name)


async def test_garbage_in_a_mailbox_stops_nothing(
    make_person: MakePerson, relay: FakeRelay
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await two.messenger.send((await two.contact()).id, "앞")
    await two.messenger.synchronize()
    for box in relay.boxes.values():
        for size in ENVELOPE_SIZES:
            box.envelopes[box.next_seq] = b"\x01" * size
            box.next_seq += 1
    await two.messenger.send((await two.contact()).id, "뒤")
    await exchange(two, one)
    assert await one.texts(Direction.IN) == ["앞", "뒤"]
    assert all(line.kind is MessageKind.TEXT for line in await one.lines())
    assert not any(box.envelopes for box in relay.boxes.values())
