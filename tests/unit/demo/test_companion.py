"""The demo's contact on a messenger that only notes what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from exile_tui import locale
from exile_tui.core.events import DeliveryChanged, EventBus, MessageStored, RequestArrived
from exile_tui.core.messenger import Messenger
from exile_tui.core.model import Delivery, Direction, Message, MessageKind
from exile_tui.demo.contact import Companion
from exile_tui.demo.plug import RelayPlug
from exile_tui.demo.script import GREETING, OFFLINE_S

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def _language_again() -> Iterator[None]:
    before = locale.language()
    locale.set_language("en")
    yield
    locale.set_language(before)


class World:
    """A messenger, a relay's plug and a clock, and what happened to them in order."""

    def __init__(self) -> None:
        self.events = EventBus()
        self.log: list[tuple[Any, ...]] = []
        self.changed = asyncio.Event()
        self.now = 1000
        self.stored: list[Message] = []

    def message(self, text: str, direction: Direction, sent_ms: int = 0) -> Message:
        return Message(
            id=1, contact_id=7, seq=1, direction=direction, kind=MessageKind.TEXT,
            content_id=b"", text=text, sent_ms=sent_ms, stored_ms=0,
            delivery=Delivery.SENT if direction is Direction.OUT else None,
        )  # fmt: skip

    async def accept(self, contact_id: int) -> None:
        self.note("accept", contact_id)

    async def send(self, contact_id: int, text: str) -> None:
        self.stored.append(self.message(text, Direction.OUT))
        self.note("send", text)

    async def messages(self, contact_id: int, limit: int) -> list[Message]:
        return self.stored[-limit:]

    def reconnect_now(self) -> None:
        self.note("reconnect")

    async def stop(self) -> None:
        self.note("stop")

    async def start(self) -> str:
        self.now = 2000
        self.note("start")
        return ""

    async def screen(self, contact_id: int) -> None:
        self.note("screen", contact_id)

    async def pause(self, seconds: float) -> None:
        self.note("pause", seconds)

    def now_ms(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return 0.0

    def hear(self, text: str, sent_ms: int = 0) -> None:
        self.events.emit(MessageStored(self.message(text, Direction.IN, sent_ms)))

    def arrive(self) -> None:
        """Say that all of the contact's messages were delivered."""
        self.stored = [
            Message(
                id=1, contact_id=7, seq=1, direction=Direction.OUT, kind=MessageKind.TEXT,
                content_id=b"", text=each.text, sent_ms=0, stored_ms=0,
                delivery=Delivery.DELIVERED,
            )
            for each in self.stored
        ]  # fmt: skip
        self.events.emit(DeliveryChanged(7))

    def note(self, *deed: Any) -> None:
        self.log.append(deed)
        self.changed.set()

    async def until(self, *wanted: Any) -> None:
        """Wait until something was done; a single word is any deed of that name."""
        async with asyncio.timeout(PATIENCE):
            while not any(deed[: len(wanted)] == wanted for deed in self.log):
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def world() -> Any:
    world = World()
    companion = Companion(
        cast(Messenger, world), cast(RelayPlug, world), world.screen, world.pause, world
    )
    running = asyncio.create_task(companion.run())
    yield world
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_first_words_come_without_a_pause(world: World) -> None:
    world.events.emit(RequestArrived(7))
    await world.until("send", GREETING[-1])
    assert world.log[:3] == [("accept", 7), ("send", GREETING[0]), ("screen", 7)]
    sent = [entry[1] for entry in world.log if entry[0] == "send"]
    assert sent == list(GREETING)


async def test_it_pauses_like_somebody_who_writes(world: World) -> None:
    world.hear("haha")
    await world.until("send")
    pause, sent = world.log
    assert pause[0] == "pause"
    assert 0.5 < pause[1] < 3
    assert sent[0] == "send"


async def test_its_own_words_are_no_question(world: World) -> None:
    world.events.emit(MessageStored(world.message("menu", Direction.OUT)))
    world.hear("haha")
    await world.until("send")
    assert len(world.stored) == 1


async def test_it_switches_to_the_language_that_is_written(world: World) -> None:
    world.hear("ㅋㅋㅋ")
    await world.until("send")
    assert "한숨" in world.stored[0].text


async def test_the_relay_goes_when_the_words_arrived_and_comes_back(world: World) -> None:
    world.hear("offline")
    await world.until("send")
    for _ in range(10):
        await asyncio.sleep(0)
    assert ("stop",) not in world.log  # not before it was read
    world.arrive()
    await world.until("reconnect")
    deeds = [entry for entry in world.log if entry[0] != "send"]
    assert deeds[1:] == [("stop",), ("pause", OFFLINE_S), ("start",), ("reconnect",), *deeds[5:]]
    world.hear("did it get lost?", sent_ms=1500)
    await world.until(
        "send",
        "'did it get lost?' arrived as well, though you wrote it when there was no relay.",
    )
