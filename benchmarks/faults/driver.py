"""One client under fire: opens a profile, sends numbered messages, says what it sees.

Standard input: one number a line, how many messages may have been written so far.
Standard output: one JSON object a line, flushed: {"ready": true}, {"writing": n}, {"queued": n},
{"sent": n}, {"delivered": n}, {"received": n}. Numbers count from 0 on each side.

Argon2 is cheap here, and here only: a run opens the profile a thousand times.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exile_tui import paths
from exile_tui.clock import SystemClock
from exile_tui.core.application import Application
from exile_tui.core.events import DeliveryChanged, Event, MessageStored
from exile_tui.core.messenger import Messenger
from exile_tui.core.model import Delivery, Direction, Message, MessageKind
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.errors import RelayUnreachable
from exile_tui.store import ProfileVault
from exile_tui.transport.client import HttpRelay
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Verdict

PASSPHRASE = "열 번 죽어도 다시 일어나는 암호문구"
CHEAP = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
FEW = 20
"""Lines of the conversation that are looked through first; four times as many if need be."""
TEXT = "{side} 쪽에서 보내는 {number:05d}번째 비밀 편지예요"


class NoEmbeddedRelay:
    """The profiles here use a relay by its address."""

    async def ensure(self) -> RelayAddress:
        raise RelayUnreachable(address="embedded")

    def address(self) -> RelayAddress | None:
        return None

    async def release(self) -> None:
        """Hold nothing, let nothing go."""

    async def listen_on(self, host: str) -> None:
        raise RelayUnreachable(address=host)

    def hosts(self) -> list[str]:
        return []


class RecordingRelay(HttpRelay):
    """Keep a copy of every envelope that goes out, for the scan of the relay's files."""

    log: Path | None = None

    async def append(
        self, mailbox_id: bytes, send_token: bytes, envelopes: Sequence[bytes]
    ) -> list[Verdict]:
        if self.log is not None:
            with self.log.open("ab") as stream:
                for envelope in envelopes:
                    stream.write(len(envelope).to_bytes(4, "big") + envelope)
        return await super().append(mailbox_id, send_token, envelopes)


def make_application(home: Path, profile: str, log: Path | None = None) -> Application:
    """Make the application of a profile as assembly.py does, but for the three things above."""

    def relays(address: RelayAddress) -> RecordingRelay:
        relay = RecordingRelay(address)
        relay.log = log
        return relay

    vault = ProfileVault(paths.profile_directory(home, profile), argon2=CHEAP)
    return Application(profile, vault, relays, NoEmbeddedRelay(), SystemEntropy(), SystemClock())


def text_of(side: str, number: int) -> str:
    """Return the text of a message."""
    return TEXT.format(side=side, number=number)


def number_of(text: str) -> int:
    """Return the number in a message's text."""
    return int(text.split("에서 보내는 ")[1][:5])


class Driver:
    """Sends up to a number that grows, and reports every change once."""

    def __init__(self, messenger: Messenger, contact_id: int, side: str) -> None:
        self._messenger = messenger
        self._contact_id = contact_id
        self._side = side
        self._reported: dict[int, Delivery] = {}
        self._settled = 0
        self._changed = asyncio.Event()
        self._allowed = 0
        self._more = asyncio.Event()

    async def run(self) -> None:
        """Go on until cancelled."""
        self._messenger.events.subscribe(self._notice)
        await self._messenger.start()
        say(ready=True)
        await asyncio.gather(self._read_input(), self._send(), self._report())

    def _notice(self, event: Event) -> None:
        if isinstance(event, DeliveryChanged):
            self._changed.set()
        elif isinstance(event, MessageStored) and event.message.direction is Direction.IN:
            if event.message.kind is MessageKind.TEXT:
                say(received=number_of(event.message.text))
            else:
                say(odd=event.message.id)

    async def _read_input(self) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            self._allowed = int(line)
            self._more.set()

    async def _send(self) -> None:
        written = len(await own_messages(self._messenger, self._contact_id))
        while True:
            while written < self._allowed:
                say(writing=written)
                await self._messenger.send(self._contact_id, text_of(self._side, written))
                say(queued=written)
                written += 1
            self._more.clear()
            await self._more.wait()

    async def _report(self) -> None:
        while True:
            self._changed.clear()
            for number, delivery in await self._undelivered():
                shown = delivery in (Delivery.SENT, Delivery.DELIVERED, Delivery.FAILED)
                if delivery and shown and self._reported.get(number) is not delivery:
                    self._reported[number] = delivery
                    say(**{delivery.value: number})
                    while self._reported.get(self._settled) is Delivery.DELIVERED:
                        self._settled += 1
            await self._changed.wait()

    async def _undelivered(self) -> list[tuple[int, Delivery | None]]:
        """Return how far our messages have come, from the first that was not delivered on."""
        limit = FEW
        while True:
            lines = await self._messenger.messages(self._contact_id, limit=limit)
            own = [(number_of(m.text), m.delivery) for m in lines if m.direction is Direction.OUT]
            if len(lines) < limit or (own and own[0][0] <= self._settled):
                return own
            limit *= 4


async def own_messages(messenger: Messenger, contact_id: int) -> list[Message]:
    """Return our own lines of a conversation, oldest first."""
    lines = await messenger.messages(contact_id, limit=1_000_000)
    return [message for message in lines if message.direction is Direction.OUT]


def say(**what: Any) -> None:
    """Write one line for the harness, with the machine's monotonic time."""
    sys.stdout.write(json.dumps(what | {"at": time.monotonic()}) + "\n")
    sys.stdout.flush()


async def _run(arguments: argparse.Namespace) -> None:
    application = make_application(arguments.home, arguments.profile, arguments.log)
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    messenger = await application.unlock(PASSPHRASE)
    try:
        (contact,) = await messenger.contacts()
        await Driver(messenger, contact.id, arguments.profile).run()
    except asyncio.CancelledError:
        pass
    finally:
        await application.close()


def main() -> None:
    """Run one client."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--log", type=Path)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
