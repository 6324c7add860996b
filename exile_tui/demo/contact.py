"""The demo's contact: `python -m exile_tui.demo.contact DIRECTORY LANGUAGE PACE`.

A second messenger with its own profile, which runs the relay, makes the invite that the person
joins by, and answers. What it says to its starter goes over standard output, one JSON object a
line: `{"link": ...}`, or `{"problem": ..., "values": ...}` when it could not start. Its own screen,
the safety number as it computed it, is a file in the demo's directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from exile_tui.clock import Clock, SystemClock
from exile_tui.demo import lifeline, place
from exile_tui.demo.plug import RelayPlug
from exile_tui.demo.script import OFFLINE_S, Deed, Script, language_of
from exile_tui.errors import N_, ExileError
from exile_tui.locale import language, set_language, tr

if TYPE_CHECKING:
    from exile_tui.core.events import Event
    from exile_tui.core.messenger import Messenger

NAME = N_("Companion")
SCREEN_FILE = "contact-screen.json"
"""What the contact's own screen shows: its sixty digits."""
CODE_FILE = "contact-code.png"
"""The QR code on the contact's own screen."""
INVITE_HOURS = 24
NEEDED = (
    "exile_tui.core.messenger",
    "exile_tui.store.database",
    "exile_tui.transport.client",
    "httpx",
    "sqlcipher3",
)
ARRIVAL_S = 10.0
"""How long the contact waits for its words to arrive before it pulls the relay's plug."""
THINKING_S = 0.6
READING_S = 0.02
"""A human's pace: to begin with, and for each character that is written."""
LONGEST_PAUSE_S = 2.6

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A message to answer; an empty text is the first contact."""

    contact_id: int
    text: str = ""
    sent_ms: int = 0


class Companion:
    """Answers whoever joined."""

    def __init__(
        self, messenger: Messenger, plug: RelayPlug, screen: Callable[[int], Awaitable[None]],
        pause: Pause, clock: Clock,
    ) -> None:  # fmt: skip
        """Make it.

        Args:
            messenger: Its own open profile, online.
            plug: The relay, to be stopped and started.
            screen: Called with a contact whose safety number is to be shown on the own screen.
            pause: Waits for some seconds, so that it writes like somebody.
            clock: The same as the person's, on the same computer.
        """
        self._messenger = messenger
        self._plug = plug
        self._screen = screen
        self._pause = pause
        self._clock = clock
        self._away = (0, 0)
        """From when to when the relay was last away."""
        self._script = Script()
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._further = asyncio.Event()
        """Some message of ours came further."""
        messenger.events.subscribe(self._notice)

    def _notice(self, event: Event) -> None:
        from exile_tui.core.events import DeliveryChanged, MessageStored, RequestArrived
        from exile_tui.core.model import Direction, MessageKind

        if isinstance(event, RequestArrived):
            self._heard.put_nowait(Heard(event.contact_id))
        elif isinstance(event, DeliveryChanged):
            self._further.set()
        elif isinstance(event, MessageStored):
            message = event.message
            if message.direction is Direction.IN and message.kind is MessageKind.TEXT:
                self._heard.put_nowait(Heard(message.contact_id, message.text, message.sent_ms))

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            await self.answer(await self._heard.get())

    async def answer(self, heard: Heard) -> None:
        """Greet, or say what the script has for a message."""
        if not heard.text:
            await self._messenger.accept(heard.contact_id)
            # The first words without a pause: they are what the person waits for.
            first, *others = self._script.greeting()
            await self._messenger.send(heard.contact_id, first)
            await self._screen(heard.contact_id)
            await self._say(heard.contact_id, others)
            return
        set_language(language_of(heard.text, language()))
        if self._away[0] <= heard.sent_ms < self._away[1]:
            await self._say(heard.contact_id, self._script.caught_up(heard.text))
            return
        answer = self._script.answer(heard.text)
        await self._say(heard.contact_id, answer.lines)
        if answer.deed is Deed.STOP_RELAY:
            await self._pull_the_plug(heard.contact_id)

    async def _say(self, contact_id: int, lines: tuple[str, ...] | list[str]) -> None:
        for line in lines:
            await self._pause(min(THINKING_S + READING_S * len(line), LONGEST_PAUSE_S))
            await self._messenger.send(contact_id, line)

    async def _pull_the_plug(self, contact_id: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ARRIVAL_S):
                await self._arrived(contact_id)
        stopped = self._clock.now_ms()
        await self._plug.stop()
        await self._pause(OFFLINE_S)
        await self._plug.start()
        self._away = (stopped, self._clock.now_ms())
        self._messenger.reconnect_now()
        await self._say(contact_id, self._script.back_online())

    async def _arrived(self, contact_id: int) -> None:
        """Wait until the newest message was delivered."""
        from exile_tui.core.model import Delivery

        while True:
            self._further.clear()
            newest = (await self._messenger.messages(contact_id, 1))[-1]
            if newest.delivery in (Delivery.DELIVERED, None):
                return
            await self._further.wait()


async def show_screen(directory: Path, messenger: Messenger, contact_id: int) -> None:
    """Write what the contact's own screen shows: never into the conversation."""
    from exile_tui.ui.widgets.qr import save_png

    number = await messenger.safety_number(contact_id)
    for file in (directory / CODE_FILE, directory / SCREEN_FILE):
        file.unlink(missing_ok=True)
    await asyncio.to_thread(save_png, number.scannable, directory / CODE_FILE)
    unfinished = directory / f"{SCREEN_FILE}.new"
    unfinished.write_text(json.dumps({"digits": number.digits}))
    unfinished.replace(directory / SCREEN_FILE)


async def open_profile(directory: Path, relay: str) -> Messenger:
    """Make the contact's profile, with a passphrase that nobody learns, and go online."""
    from exile_tui import assembly
    from exile_tui.config import Settings
    from exile_tui.core.application import FirstRun, RelayChoice, RelayChoiceKind

    settings = Settings(profile="contact", data_dir=directory / "contact")
    embedded = assembly.make_embedded(settings, start=False)
    application = assembly.make_application(settings, embedded)
    choice = RelayChoice(RelayChoiceKind.ADDRESS, relay)
    messenger = await application.create(FirstRun(tr(NAME), secrets.token_urlsafe(32), choice))
    await messenger.start()
    return messenger


async def publish_invite(messenger: Messenger) -> str:
    """Make an invite and return its link once the relay has it."""
    from exile_tui.core.events import InvitesChanged

    changed = asyncio.Event()

    def notice(event: Event) -> None:
        if isinstance(event, InvitesChanged):
            changed.set()

    unsubscribe = messenger.events.subscribe(notice)
    invite = await messenger.create_invite(INVITE_HOURS)
    while not any(each.published for each in await messenger.invites()):
        await changed.wait()
        changed.clear()
    unsubscribe()
    return invite.link


def warm_up() -> None:
    """Load what a messenger is made of, while something else is waited for."""
    for module in NEEDED:
        import_module(module)


def say(**words: object) -> None:
    """Tell the starter one thing."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def run(directory: Path, plug: RelayPlug, pace: float) -> None:
    """Start, tell the link, answer until the demo is gone."""

    async def pause(seconds: float) -> None:
        await asyncio.sleep(seconds * pace)

    starting = asyncio.create_task(plug.start())
    try:
        await asyncio.to_thread(warm_up)
        messenger = await open_profile(directory, await starting)
        companion = Companion(
            messenger,
            plug,
            lambda who: show_screen(directory, messenger, who),
            pause,
            SystemClock(),
        )
        say(link=await publish_invite(messenger))
    except ExileError as error:
        values = {name: str(value) for name, value in error.parameters.items()}
        say(problem=error.sentence, values=values)
        await asyncio.Event().wait()  # the starter shows it, and ends the demo when it is told to
    await companion.run()


def main(arguments: list[str]) -> int:
    """Be the contact until the demo is gone."""
    directory, set_to, pace = Path(arguments[0]), arguments[1], float(arguments[2])
    plug = RelayPlug(directory, set_to)
    lifeline.watch(directory, plug.kill)
    os.umask(0o077)
    set_language(set_to)
    with place.hold(directory):
        asyncio.run(run(directory, plug, pace))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
