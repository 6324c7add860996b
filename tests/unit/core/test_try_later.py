"""Relays that are full or hold us to a share: nothing is lost, nothing is asked again too soon."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from exile_tui.core import delivery
from exile_tui.core.backoff import LONGEST_S, Backoff, asked_wait
from exile_tui.core.chores import do_chores
from exile_tui.core.delivery import Courier
from exile_tui.core.listening import Listener
from exile_tui.core.model import Connection, Delivery, Direction, Link, Reason
from exile_tui.core.moving import move
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.errors import ExileError, RelayUnreachable, TryLater
from exile_tui.wire.relay import Verdict
from tests.unit.core.conftest import ADDRESS, MakePerson, ManualClock, introduce
from tests.unit.core.fake_relay import FakeRelay

PATIENCE_S = 30.0


async def test_a_busy_relay_is_asked_again_when_it_said_and_gets_nothing_twice(
    make_person: MakePerson,
    relay: FakeRelay,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    contact_id = (await one.contact()).id
    await one.messenger.send(contact_id, "첫째")
    await delivery.deliver_once(one.context)
    stored = len(relay.appended)
    append, asked = relay.append, 0

    async def busy(*_: object) -> list[Verdict]:
        nonlocal asked
        asked += 1
        raise TryLater(address="", status=429, after=40)

    monkeypatch.setattr(relay, "append", busy)
    waits: asyncio.Queue[float | None] = asyncio.Queue()
    wait_any = delivery.wait_any

    async def recorded(timeout: float | None, *events: asyncio.Event) -> None:
        waits.put_nowait(timeout)
        await wait_any(None, *events)

    monkeypatch.setattr(delivery, "wait_any", recorded)
    await one.messenger.send(contact_id, "둘째")
    courier = asyncio.create_task(Courier(one.context).run())
    async with asyncio.timeout(PATIENCE_S):
        while (pause := await waits.get()) is None:
            pass
    assert 40 <= pause <= LONGEST_S * 1.5
    first, second = [line for line in await one.lines() if line.direction is Direction.OUT][-2:]
    assert first.delivery is Delivery.SENT
    assert (second.delivery, second.reason) == (Delivery.WAITING, Reason.LATER)
    assert asked == 1
    done = asyncio.Event()

    async def noted(*arguments: object) -> list[Verdict]:
        done.set()
        return await append(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(relay, "append", noted)
    clock.advance(int(pause * 1000) + 1)
    one.context.signals.outbox.set()
    async with asyncio.timeout(PATIENCE_S):
        await done.wait()
        while not waits.empty():
            waits.get_nowait()
        assert await waits.get() is None  # the delivery is over, and nothing is due
    assert len(relay.appended) == stored + 1  # what it had was not sent again
    assert (await one.lines())[-1].delivery is Delivery.SENT
    courier.cancel()
    await asyncio.wait({courier})


def test_a_relay_may_ask_for_a_minute_and_no_more() -> None:
    for asked in (0.0, 20.0, 1e9):
        pauses = [Backoff(SystemEntropy()).next(asked) for _ in range(50)]
        assert min(pauses) >= min(asked, LONGEST_S)
        assert max(pauses) <= 1.5 * LONGEST_S
    assert asked_wait(TryLater(after=7)) == 7
    assert asked_wait(RelayUnreachable(after=7)) == 0
    assert asked_wait(TryLater()) == 0


async def test_moving_to_a_busy_relay_is_no_question_of_a_phrase(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await make_person("1")

    async def busy(*_: object) -> bytes:
        raise TryLater(address="", status=429, after=1)

    monkeypatch.setattr(relay, "create_mailbox", busy)
    monkeypatch.setattr(relay, "facts", lambda: asyncio.sleep(0))
    elsewhere = type(ADDRESS)("127.0.0.1", 4434, ADDRESS.pin)
    with pytest.raises(TryLater) as caught:
        await move(one.context, elsewhere, "", embedded=False)
    assert "stay where you are" in str(caught.value)
    assert one.context.own.relay == ADDRESS


@pytest.mark.parametrize("verdict", [Verdict.FULL, Verdict.TRY_LATER])
async def test_a_relay_without_room_for_an_invite_is_no_question_of_a_phrase(
    make_person: MakePerson,
    relay: FakeRelay,
    monkeypatch: pytest.MonkeyPatch,
    verdict: Verdict,
) -> None:
    one = await make_person("1")
    await one.messenger.create_invite()
    put = relay.put_blob

    async def full(*_: object) -> Verdict:
        return verdict

    monkeypatch.setattr(relay, "put_blob", full)
    errors = await do_chores(one.context)
    assert [type(error) for error in errors.values()] == [TryLater]
    monkeypatch.setattr(relay, "put_blob", put)
    assert not await do_chores(one.context)
    assert len(relay.blobs) == 1


async def test_a_full_mailbox_is_named_and_what_waits_goes_once_there_is_room(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    append = relay.append

    async def full(_: bytes, __: bytes, envelopes: Sequence[bytes]) -> list[Verdict]:
        return [Verdict.FULL, *[Verdict.TRY_LATER] * (len(envelopes) - 1)]

    monkeypatch.setattr(relay, "append", full)
    await one.messenger.send((await one.contact()).id, "글")
    await delivery.deliver_once(one.context)
    assert (await one.lines())[-1].reason is Reason.FULL
    monkeypatch.setattr(relay, "append", append)
    await delivery.deliver_once(one.context)
    assert (await one.lines())[-1].delivery is Delivery.SENT


@pytest.mark.parametrize("full_of", ["mailboxes", "blobs"])
async def test_a_relay_that_takes_nothing_new_still_deletes_what_was_given_up(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch, full_of: str
) -> None:
    one = await make_person("1")
    given_up = [(await one.messenger.create_invite()).id for _ in range(2)]
    assert not await do_chores(one.context)
    assert (len(relay.boxes), len(relay.blobs)) == (2, 2)
    asked = 0

    async def full(*_: object) -> Verdict:
        nonlocal asked
        asked += 1
        raise TryLater(address="", status=429, after=60)

    monkeypatch.setattr(relay, "create_mailbox" if full_of == "mailboxes" else "put_blob", full)
    for _ in range(2):
        await one.messenger.create_invite()
    for invite_id in given_up:
        await one.messenger.revoke_invite(invite_id)
    (error,) = (await do_chores(one.context)).values()
    assert asked_wait(error) == 60
    assert asked == 1  # nor is it asked for more of what it has no room for
    assert not relay.blobs
    assert len(relay.boxes) == (0 if full_of == "mailboxes" else 2)


async def test_a_relay_that_asks_to_try_later_is_not_sent_again_what_it_has(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    await one.messenger.send((await one.contact()).id, "글")
    await delivery.deliver_once(one.context)
    states: asyncio.Queue[Connection] = asyncio.Queue()
    errors: list[ExileError] = [TryLater(address="", after=1), RelayUnreachable(address="")]

    def prepare() -> None:
        raise errors[0]

    listener = Listener(one.context, ADDRESS, states.put_nowait)
    running = asyncio.create_task(listener.run(prepare))
    due: list[int] = []
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(2):
            while (await states.get()).link is not Link.OFFLINE:
                pass
            async with one.context.store.snapshot() as tx:
                due.append(len(await tx.outbox.due_contacts()))
            del errors[:-1]
            listener.retry.set()
    running.cancel()
    await asyncio.wait({running})
    assert due == [0, 1]


async def test_a_relay_with_room_for_few_at_once_is_given_fewer_until_all_is_there(
    make_person: MakePerson, relay: FakeRelay, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    contact_id = (await one.contact()).id
    for number in range(6):
        await one.messenger.send(contact_id, str(number))
    append, sizes, all_there = relay.append, list[int](), asyncio.Event()

    async def narrow(box: bytes, token: bytes, envelopes: Sequence[bytes]) -> list[Verdict]:
        sizes.append(len(envelopes))
        if len(envelopes) > 2:
            clock.advance(2 * int(LONGEST_S) * 1000)
            raise TryLater(address="", status=429, after=0)
        if sum(size for size in sizes if size <= 2) == 6:
            all_there.set()
        return await append(box, token, envelopes)

    monkeypatch.setattr(relay, "append", narrow)
    waited = delivery.wait_any

    async def at_once(timeout: float | None, *events: asyncio.Event) -> None:
        if timeout is not None:
            clock.advance(int(timeout * 1000) + 1)
            timeout = 0
        await waited(timeout, *events)

    monkeypatch.setattr(delivery, "wait_any", at_once)
    courier = asyncio.create_task(Courier(one.context).run())
    async with asyncio.timeout(PATIENCE_S):
        await all_there.wait()
    courier.cancel()
    await asyncio.wait({courier})
    assert sizes == [6, 6, 2, 2, 2]
