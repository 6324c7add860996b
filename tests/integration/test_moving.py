"""Move between real relays that die in the middle: what arrives, and who is said to be missing."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from benchmarks.faults.driver import PASSPHRASE, make_application
from exile_tui.core.application import FirstRun, RelayChoice, RelayChoiceKind
from exile_tui.core.messenger import Messenger
from exile_tui.core.model import Delivery, Direction, MessageKind
from exile_tui.errors import RelayError, UsageError
from exile_tui.locks import FileLock
from exile_tui.relay.embedded import EmbeddedRelay
from exile_tui.relay.listening import LOCK_FILE
from tests.integration.relay_support import RelayProcess, start

PATIENCE_S = 60.0


class Relay:
    """A relay's process that can be killed and started again where it was."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: RelayProcess | None = None
        self._port = 0

    @property
    def url(self) -> str:
        assert self._process is not None
        return self._process.address.url

    async def start(self) -> None:
        self._process = await start(self._directory, "--port", str(self._port))
        self._port = self._process.address.port

    async def kill(self, *, for_good: bool = False) -> None:
        if self._process is not None:
            await self._process.end(signal.SIGKILL)
        if for_good:
            shutil.rmtree(self._directory)


class Someone:
    """A profile and its messenger, locked and unlocked."""

    def __init__(self, home: Path, name: str, embedded: EmbeddedRelay | None = None) -> None:
        self.name = name
        self.application = make_application(home, "profile")
        if embedded is not None:
            self.application._embedded = embedded
        self._changed = asyncio.Event()

    @property
    def messenger(self) -> Messenger:
        assert self.application.messenger is not None
        return self.application.messenger

    async def create(self, relay: str = "") -> None:
        kind = RelayChoiceKind.ADDRESS if relay else RelayChoiceKind.EMBEDDED
        choice = RelayChoice(kind, relay)
        await self.application.create(FirstRun(self.name, PASSPHRASE, choice))
        await self._go_online()

    async def unlock(self) -> None:
        await self.application.unlock(PASSPHRASE)
        await self._go_online()

    async def _go_online(self) -> None:
        self.messenger.events.subscribe(lambda _: self._changed.set())
        await self.messenger.start()

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something to be so, looking again at whatever happens."""
        async with asyncio.timeout(PATIENCE_S):
            while not await true():
                await self._changed.wait()
                self._changed.clear()

    async def write(self, to: str, *texts: str) -> None:
        contact = await self.messenger.find_contact(to)
        for text in texts:
            await self.messenger.send(contact.id, text)

    async def texts(self, of: str) -> list[str]:
        contact = await self.messenger.find_contact(of)
        lines = await self.messenger.messages(contact.id, limit=10_000)
        assert all(line.kind is MessageKind.TEXT for line in lines)
        return [line.text for line in lines if line.direction is Direction.IN]

    async def heard(self, of: str, expected: list[str]) -> None:
        """Wait for all of these, and require that they are just these, in order."""

        async def all_there() -> bool:
            return len(await self.texts(of)) >= len(expected)

        await self.until(all_there)
        assert await self.texts(of) == expected

    async def has(self, to: str, state: Delivery) -> None:
        """Wait until everything written to somebody has come this far."""
        contact = await self.messenger.find_contact(to)

        async def come() -> bool:
            lines = await self.messenger.messages(contact.id, limit=10_000)
            own = [line.delivery for line in lines if line.direction is Direction.OUT]
            return set(own) <= {state, Delivery.DELIVERED}

        await self.until(come)

    async def waits_for(self) -> list[str]:
        moving = await self.messenger.moving()
        return [] if moving is None else [contact.name for contact in moving.waiting]


async def introduce(inviter: Someone, joiner: Someone) -> None:
    invite = await inviter.messenger.create_invite()

    async def published() -> bool:
        return any(each.id == invite.id and each.published for each in await invites())

    invites = inviter.messenger.invites
    await inviter.until(published)
    await joiner.messenger.join(invite.link)

    async def asked() -> bool:
        return any(contact.name == joiner.name for contact in await inviter.messenger.contacts())

    await inviter.until(asked)
    await inviter.messenger.accept((await inviter.messenger.find_contact(joiner.name)).id)

    async def answered() -> bool:
        return any(contact.name == inviter.name for contact in await joiner.messenger.contacts())

    await joiner.until(answered)


@pytest.fixture
async def relays(tmp_path: Path) -> AsyncIterator[tuple[Relay, Relay, Relay]]:
    old, new, peers = (Relay(tmp_path / f"relay-{name}") for name in ("old", "new", "peers"))
    made = (old, new, peers)
    for relay in made:
        await relay.start()
    yield made
    for relay in made:
        await relay.kill()


@pytest.fixture
async def people(
    tmp_path: Path, relays: tuple[Relay, Relay, Relay]
) -> AsyncIterator[tuple[Someone, Someone, Someone]]:
    """하나 and 둘 at the old relay, 셋 at another; 하나 knows both."""
    old, _, peers = relays
    names = ("하나", "둘", "셋")
    async with AsyncExitStack() as stack:
        one, two, three = (Someone(tmp_path / str(at), name) for at, name in enumerate(names))
        made = (one, two, three)
        for someone, home in zip(made, (old, old, peers), strict=True):
            stack.push_async_callback(someone.application.close)
            await someone.create(home.url)
        await introduce(made[0], made[1])
        await introduce(made[0], made[2])
        yield made


async def test_the_new_relay_is_killed_in_the_middle(
    relays: tuple[Relay, Relay, Relay], people: tuple[Someone, Someone, Someone]
) -> None:
    (_, new, _), (one, two, three) = relays, people
    written: dict[str, list[str]] = {"둘": [], "셋": []}
    answers: dict[str, list[str]] = {"둘": [], "셋": []}

    async def everybody_writes(label: str) -> None:
        for peer in (two, three):
            texts = [f"{label} {number}" for number in range(4)]
            written[peer.name] += texts
            answers[peer.name].append(label)
            await peer.write("하나", *texts)
            await one.write(peer.name, label)

    await everybody_writes("앞")
    await one.messenger.move_to(new.url)
    await new.kill()
    assert await one.waits_for() == ["둘", "셋"]
    await everybody_writes("없는 동안")
    for peer in (two, three):
        await one.heard(peer.name, written[peer.name])
    await new.start()
    for someone in people:
        someone.messenger.reconnect_now()
    await everybody_writes("뒤")

    async def moved() -> bool:
        return await one.messenger.moving() is None

    await one.until(moved)
    await new.kill()
    await everybody_writes("또 없는 동안")
    await new.start()
    for someone in people:
        someone.messenger.reconnect_now()
    for peer in (two, three):
        await one.heard(peer.name, written[peer.name])
        await peer.heard("하나", answers[peer.name])
        await peer.has("하나", Delivery.DELIVERED)
        contact = await peer.messenger.find_contact("하나")
        assert contact.peer_mailbox is not None
        assert contact.peer_mailbox.address.url == new.url


async def test_the_old_relay_dies_for_good_with_messages_in_it(
    relays: tuple[Relay, Relay, Relay], people: tuple[Someone, Someone, Someone]
) -> None:
    (old, new, _), (one, two, three) = relays, people
    await one.application.lock()
    expected = [f"기다리는 글 {number}" for number in range(5)]
    await three.write("하나", *expected)
    await three.has("하나", Delivery.SENT)
    await old.kill(for_good=True)
    await three.write("하나", "꺼진 뒤에 쓴 글")
    expected.append("꺼진 뒤에 쓴 글")
    await one.unlock()
    assert await one.waits_for() == []
    await one.messenger.move_to(new.url)
    await one.heard("셋", expected)

    async def only_two_is_missing() -> bool:
        return await one.waits_for() == ["둘"]

    await one.until(only_two_is_missing)
    await one.write("셋", "옮겼어요")
    await three.heard("하나", ["옮겼어요"])
    await three.has("하나", Delivery.DELIVERED)
    # Who had only the dead relay can't be told of anything, and stays on the list.
    await two.messenger.move_to(new.url)
    assert await two.waits_for() == ["하나"]
    assert await one.waits_for() == ["둘"]


async def test_from_this_computer_to_others_and_far_away_and_back(
    tmp_path: Path, relays: tuple[Relay, Relay, Relay]
) -> None:
    far, _, peers = relays
    directory = tmp_path / "embedded"
    embedded = EmbeddedRelay(directory, grace=0.05, poll=0.02)
    one, two = Someone(tmp_path / "1", "하나", embedded), Someone(tmp_path / "2", "둘")
    expected: list[str] = []

    async def nobody_is_missing() -> bool:
        return await one.messenger.moving() is None

    async def moved(label: str) -> None:
        expected.append(label)
        await two.write("하나", label)
        await one.heard("둘", expected)
        await one.until(nobody_is_missing)

    async with AsyncExitStack() as stack:
        for someone, home in ((one, ""), (two, peers.url)):
            stack.push_async_callback(someone.application.close)
            await someone.create(home)
        await introduce(one, two)
        here = one.messenger.relay_address
        assert one.messenger.only_here
        for host in ("0.0.0.0", "::", "224.0.0.1", "no host"):
            with pytest.raises(UsageError):
                await one.messenger.move_to_embedded(host)
        with pytest.raises(RelayError):
            await one.messenger.move_to_embedded("198.51.100.7")
        assert embedded.address() == one.messenger.relay_address == here
        await one.messenger.move_to_embedded("127.0.0.2")
        there = one.messenger.relay_address
        assert (there.host, there.port, there.pin) == ("127.0.0.2", here.port, here.pin)
        assert (await one.messenger.create_invite()).relay == there
        await moved("이 컴퓨터의 다른 주소")
        await one.messenger.move_to(far.url)
        assert not one.messenger.embedded
        invite = (await one.messenger.invites())[-1]
        await one.messenger.revoke_invite((await one.messenger.invites())[0].id)
        assert invite.relay == there
        await moved("먼 서버")
        with FileLock(directory / LOCK_FILE) as lock:
            async with asyncio.timeout(PATIENCE_S):
                assert await asyncio.to_thread(lock.acquire, wait=True), "it ends: nobody needs it"
        await one.messenger.move_to_embedded("127.0.0.1")
        assert one.messenger.relay_address == here
        assert one.messenger.embedded
        await moved("다시 여기")
    with FileLock(directory / LOCK_FILE) as lock:
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.to_thread(lock.acquire, wait=True)
