"""Tasks that must neither spin nor die: deleted contacts, failing disks, relays that lie."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

import pytest

from exile_tui.clock import DAY_MS
from exile_tui.core import delivery, listening, network, sending
from exile_tui.core.chores import do_chores
from exile_tui.core.context import MOST_RELAYS, RelayPool
from exile_tui.core.delivery import Courier
from exile_tui.core.events import ConnectionChanged, Event
from exile_tui.core.listening import Listener
from exile_tui.core.model import Connection, Delivery, MailboxState
from exile_tui.core.network import Network
from exile_tui.core.settings import read_own
from exile_tui.core.upkeep import KEEP_MS, ClockWatch, Upkeep, expire
from exile_tui.errors import ProfileError
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import CaughtUp, Frame, RefusedFrame, Verdict
from tests.unit.core.conftest import ADDRESS, MakePerson, ManualClock, Person, introduce
from tests.unit.core.fake_relay import FakeRelay

PATIENCE_S = 30.0


@contextlib.contextmanager
def cancelled(task: asyncio.Task[None]) -> Iterator[None]:
    try:
        yield
    finally:
        task.cancel()


async def test_no_delivery_is_tried_for_ever_for_somebody_who_is_gone(
    make_person: MakePerson,
    relay: FakeRelay,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    waits: asyncio.Queue[float | None] = asyncio.Queue()
    wait_any = delivery.wait_any

    async def recorded(timeout: float | None, *events: asyncio.Event) -> None:
        waits.put_nowait(timeout)
        await wait_any(None, *events)

    monkeypatch.setattr(delivery, "wait_any", recorded)
    relay.up = False
    contact_id = (await one.contact()).id
    await one.messenger.send(contact_id, "글")
    task = asyncio.create_task(Courier(one.context).run())
    with cancelled(task):
        async with asyncio.timeout(PATIENCE_S):
            while await waits.get() is None:
                pass
            await one.messenger.remove_contact(contact_id)
            clock.advance(120_000)
            one.context.signals.outbox.set()
            assert await waits.get() is None, "nothing is due, so there is nothing to wait for"
    await asyncio.wait({task})


async def test_a_defect_in_a_delivery_is_not_tried_again_at_once(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    waits: asyncio.Queue[float | None] = asyncio.Queue()
    wait_any = delivery.wait_any
    tried = asyncio.Event()

    async def recorded(timeout: float | None, *events: asyncio.Event) -> None:
        if tried.is_set():
            waits.put_nowait(timeout)
        await wait_any(None, *events)

    async def broken(*_: object) -> list[Verdict]:
        tried.set()
        raise RuntimeError

    monkeypatch.setattr(delivery, "wait_any", recorded)
    monkeypatch.setattr(relay, "append", broken)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    await one.messenger.send((await one.contact()).id, "글")
    task = asyncio.create_task(Courier(one.context).run())
    with cancelled(task):
        async with asyncio.timeout(PATIENCE_S):
            pause = await waits.get()
    assert pause is not None
    assert pause > 0
    await asyncio.wait({task})


@pytest.mark.parametrize("chores", [False, True])
async def test_a_mailbox_that_went_while_it_was_read_stops_nothing(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch, chores: bool
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    contact_id = (await one.contact()).id
    async with one.context.store.transaction() as tx:
        (mailbox,) = await tx.mailboxes.of_contact(contact_id)
        await tx.mailboxes.update(replace(mailbox, state=MailboxState.RETIRING))

    async def receive(_: Sequence[tuple[bytes, bytes]]) -> AsyncIterator[Sequence[Frame]]:
        await one.messenger.remove_contact(contact_id)
        if chores:
            await do_chores(one.context)
        yield [CaughtUp(0)]

    monkeypatch.setattr(relay, "receive", receive)
    await Listener(one.context, ADDRESS, lambda _: None).catch_up()
    await do_chores(one.context)
    async with one.context.store.snapshot() as tx:
        assert await tx.mailboxes.all() == []


async def test_a_relay_that_knows_no_mailbox_is_not_asked_without_pause(
    make_person: MakePerson, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    listener = Listener(one.context, ADDRESS, lambda _: None)
    pauses: asyncio.Queue[float | None] = asyncio.Queue()

    async def receive(_: Sequence[tuple[bytes, bytes]]) -> AsyncIterator[Sequence[Frame]]:
        yield [RefusedFrame(0)]
        await do_chores(one.context)
        listener.changed.set()
        yield [CaughtUp(0)]

    async def recorded(timeout: float | None, *_: asyncio.Event) -> None:
        pauses.put_nowait(timeout)
        await asyncio.sleep(0)

    monkeypatch.setattr(relay, "receive", receive)
    monkeypatch.setattr(listening, "wait_any", recorded)
    task = asyncio.create_task(listener.run())
    with cancelled(task):
        async with asyncio.timeout(PATIENCE_S):
            assert [await pauses.get() for _ in range(3)]
    await asyncio.wait({task})


async def test_a_failing_disk_is_tried_again_with_pauses(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await make_person("1")
    waited: asyncio.Queue[bool] = asyncio.Queue()

    async def recorded(_: float | None, *events: asyncio.Event) -> None:
        waited.put_nowait(any(event.is_set() for event in events))
        await asyncio.sleep(0)

    async def failing() -> None:
        raise ProfileError

    monkeypatch.setattr(network, "wait_any", recorded)
    one.messenger.reconnect_now()
    guarded = Network(one.context, None)._guard(failing)
    task = asyncio.create_task(guarded)
    with cancelled(task):
        async with asyncio.timeout(PATIENCE_S):
            assert await waited.get() is False, "an old wish to reconnect ends no pause"
    await asyncio.wait({task})


async def connection_with_problem(person: Person) -> asyncio.Future[Connection]:
    """Return a future of the next connection that shows a problem."""
    found: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()

    def look(event: Event) -> None:
        if isinstance(event, ConnectionChanged) and event.connection.problem and not found.done():
            found.set_result(event.connection)

    person.context.events.subscribe(look)
    return found


async def test_a_listener_that_dies_says_so_and_is_begun_again(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await make_person("1")
    runs: asyncio.Queue[None] = asyncio.Queue()

    async def run(*_: object) -> None:
        runs.put_nowait(None)
        raise RuntimeError

    monkeypatch.setattr(Listener, "run", run)
    problem = await connection_with_problem(one)
    await one.messenger.start()
    async with asyncio.timeout(PATIENCE_S):
        await runs.get()
        await problem
        one.context.signals.listen.set()
        await runs.get()


async def test_listening_begins_once_the_disk_works_again(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await make_person("1")
    runs: asyncio.Queue[None] = asyncio.Queue()
    failures = [ProfileError()]
    addresses = Network._addresses

    async def failing(self: Network) -> object:
        if failures:
            raise failures.pop()
        return await addresses(self)

    async def run(*_: object) -> None:
        runs.put_nowait(None)

    async def at_once(_: float | None, *__: asyncio.Event) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(Network, "_addresses", failing)
    monkeypatch.setattr(Listener, "run", run)
    monkeypatch.setattr(network, "wait_any", at_once)
    await one.messenger.start()
    async with asyncio.timeout(PATIENCE_S):
        await runs.get()


async def test_upkeep_finds_work_that_nobody_announced(make_person: MakePerson) -> None:
    one = await make_person("1")
    signals = one.context.signals
    for signal in (signals.outbox, signals.answer, signals.chores):
        signal.clear()
    await Upkeep(one.context, ClockWatch(one.context)).once()
    assert all(signal.is_set() for signal in (signals.outbox, signals.answer, signals.chores))


async def test_what_was_given_up_while_it_was_appended_stays_given_up(
    make_person: MakePerson,
    relay: FakeRelay,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    contact_id = (await one.contact()).id
    await one.messenger.send(contact_id, "글")
    append = relay.append

    async def slow(mailbox_id: bytes, token: bytes, envelopes: Sequence[bytes]) -> list[Verdict]:
        verdicts = await append(mailbox_id, token, envelopes)
        clock.advance(KEEP_MS + 1)
        await expire(one.context)
        return verdicts

    monkeypatch.setattr(relay, "append", slow)
    await delivery.append_due(one.context, contact_id)
    (line,) = await one.lines()
    assert line.delivery is Delivery.FAILED, "its bytes are gone: nothing will bring it further"


async def test_a_new_name_is_taken_and_told_together(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)

    async def failing(*_: object) -> None:
        raise ProfileError

    with monkeypatch.context() as patch:
        patch.setattr(sending, "announce_profile", failing)
        with pytest.raises(ProfileError):
            await one.messenger.rename("하나")
    assert one.messenger.name == "1"
    async with one.context.store.snapshot() as tx:
        assert (await read_own(tx)).name == "1", "or the contacts would never learn of it"


async def test_a_contact_that_names_ever_new_relays_uses_up_nothing() -> None:
    closed: list[int] = []

    class Client(FakeRelay):
        async def close(self) -> None:
            closed.append(self.address.port)

    pool = RelayPool(lambda address: Client(address, random.Random(1)))
    own = pool(ADDRESS)
    others = [RelayAddress("127.0.0.1", port, bytes(32)) for port in range(1, MOST_RELAYS + 11)]
    for address in others:
        pool(address)
        assert pool(ADDRESS) is own, "what is in use stays"
    await pool.close()
    assert closed[:11] == [address.port for address in others[:11]]
    assert sorted(closed) == sorted([ADDRESS.port, *(address.port for address in others)])


async def test_what_a_clock_in_the_future_wrote_goes_again_and_is_given_up(
    make_person: MakePerson, clock: ManualClock
) -> None:
    one, two = await make_person("1"), await make_person("2")
    await introduce(one, two)
    contact_id = (await one.contact()).id
    clock.wall_ms += 400 * DAY_MS
    await one.messenger.send(contact_id, "글")
    await delivery.deliver_once(one.context)
    clock.wall_ms -= 400 * DAY_MS

    async def upkeep() -> bool:
        await Upkeep(one.context, ClockWatch(one.context)).once()
        async with one.context.store.snapshot() as tx:
            return any(entry.due for entry in await tx.outbox.of(contact_id))

    assert not await upkeep()
    clock.advance_days(4)
    assert await upkeep(), "the relay may have dropped it"
    clock.advance_days(11)
    await upkeep()
    assert [line.delivery for line in await one.lines()] == [Delivery.FAILED]
