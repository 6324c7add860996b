"""Two clients, a relay, and `kill -9` at random moments; then the books must balance."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.faults import scan
from benchmarks.faults.driver import PASSPHRASE, make_application, number_of, text_of
from exile_tui.core.application import Application, FirstRun, RelayChoice, RelayChoiceKind
from exile_tui.core.model import Delivery, Direction, MessageKind
from exile_tui.wire.relay import ENVELOPE_SIZES

ROOT = Path(__file__).resolve().parents[2]
SIDES = ("a", "b")
NAMES = {"a": "가람이라는 사람", "b": "나루라는 사람"}
SETTLED_WITHIN_S = 300.0
"""Five of the longest waits between two tries; after that it will not come any more."""
RELAY_KEEPS = ("key.pem", "certificate.pem")
"""What of the relay's directory survives the loss of everything: names that contain this."""


class Process:
    """A child whose output lines are kept, and which can be killed and started again."""

    def __init__(self, name: str, command: Sequence[str], output: Path) -> None:
        self.name = name
        self.lines: list[str] = []
        self.heard: dict[str, dict[int, float]] = defaultdict(dict)
        """What a driver said of which message, and when it said so first."""
        self.repeated: list[str] = []
        """What it said again of a message, in any of its lives."""
        self._command = [sys.executable, "-m", *command]
        self._output = output / name
        self._output.mkdir(parents=True)
        self._child: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiters: list[tuple[Callable[[], bool], asyncio.Event]] = []

    async def start(self, first_line: str) -> str:
        """Start it and return its first line that holds a text."""
        before = len(self.lines)
        with (self._output / "stderr").open("ab") as complaints:
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                cwd=ROOT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        self._reader = asyncio.create_task(self._read())
        child = self._child
        await self.until(lambda: any(first_line in line for line in self.lines[before:]))
        for line in self.lines[before:]:
            if first_line in line:
                return line
        raise RuntimeError(f"{self.name} ended with {child.returncode}: {self.complaints()}")

    async def _read(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        with (self._output / "stdout").open("ab") as kept:
            while line := await self._child.stdout.readline():
                kept.write(line)
                self._take(line.decode().rstrip("\n"))
                self._wake()
        await self._child.wait()
        self._wake()

    def _take(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith("{"):
            record = json.loads(line)
            at = record.pop("at")
            for what, number in record.items():
                if number in self.heard[what]:
                    self.repeated.append(what)
                else:
                    self.heard[what][number] = at

    def _wake(self) -> None:
        for condition, event in self._waiters:
            if not self.runs or condition():
                event.set()

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.returncode is None

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on what it printed holds, or it ended."""
        waiter = (condition, asyncio.Event())
        self._waiters.append(waiter)
        try:
            if self.runs and not condition():
                await waiter[1].wait()
        finally:
            self._waiters.remove(waiter)

    def tell(self, line: str) -> None:
        """Write a line to its standard input; one that is gone is not told."""
        if self._child is not None and self._child.stdin is not None:
            with contextlib.suppress(ConnectionError, BrokenPipeError):
                self._child.stdin.write(line.encode() + b"\n")

    async def end(self, *, kill: bool) -> int:
        """Kill it with -9, or end it as the system would; return its exit code."""
        assert self._child is not None
        assert self._reader is not None
        with contextlib.suppress(ProcessLookupError):
            if kill:
                self._child.kill()
            else:
                self._child.terminate()
        await self._reader
        return await self._child.wait()

    def complaints(self) -> str:
        """Return what it wrote to standard error."""
        return (self._output / "stderr").read_text(errors="replace")


class Battle:
    """One run: set up, fight, settle, check."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.output = directory / "output"
        self.relay_home = directory / "relay"
        self.kills: dict[str, int] = {}
        self.secrets: dict[str, bytes] = {}
        """What nobody but the two clients may be able to read: a label and the bytes."""
        self._random = random.Random(seed)
        self._address = ""
        self._allowed = 0
        self._in_order_until: int | None = None
        self._port = free_port()
        command = ("exile_tui", "relay", "--host", "127.0.0.1", "--port", str(self._port))
        command += ("--data-dir", str(self.relay_home))
        self.relay = Process("relay", command, self.output)
        self.clients = {side: self._client(side) for side in SIDES}

    def home(self, side: str) -> Path:
        """Return the data directory of a client."""
        return self.directory / f"client-{side}"

    def envelopes(self) -> list[bytes]:
        """Return every envelope that a client gave to the relay."""
        found = []
        for side in SIDES:
            data = self._log(side).read_bytes() if self._log(side).exists() else b""
            while data:
                size = int.from_bytes(data[:4], "big")
                found.append(data[4 : 4 + size])
                data = data[4 + size :]
        return found

    async def set_up(self) -> None:
        """Start the relay, make two profiles that are each other's contact, start the clients."""
        self._address = await self._start_relay()
        first, second = [make_application(self.home(side), side) for side in SIDES]
        try:
            for application, side in ((first, "a"), (second, "b")):
                choice = RelayChoice(RelayChoiceKind.ADDRESS, self._address)
                await application.create(FirstRun(NAMES[side], PASSPHRASE, choice))
            await self._introduce(first, second)
        finally:
            await first.close()
            await second.close()
        for client in self.clients.values():
            await client.start("ready")

    async def _introduce(self, first: Application, second: Application) -> None:
        inviter, joiner = first.messenger, second.messenger
        assert inviter is not None
        assert joiner is not None
        invite = await inviter.create_invite()
        await inviter.synchronize()
        self._keep("link", invite.link.encode())
        self._keep("bundle hash", invite.bundle_hash)
        self._keep("invite keys", invite.secret[-32:])
        await joiner.join(invite.link)
        await joiner.synchronize()
        await inviter.synchronize()
        (request,) = await inviter.contacts()
        await inviter.accept(request.id)
        await inviter.synchronize()
        await joiner.synchronize()

    async def fight(self, kills: int, messages: int, *, lose_relay_at: int | None = None) -> None:
        """Let both sides write, and kill one of the three again and again.

        Args:
            kills: How often.
            messages: How many each side has written in the end.
            lose_relay_at: The kill at which the relay loses everything but its key.
        """
        for kill in range(kills):
            self._allow(messages * (kill + 1) // kills)
            await self._a_random_moment()
            if kill == lose_relay_at:
                await self.relay.end(kill=True)
                heard = [set(client.heard["received"]) for client in self.clients.values()]
                self._in_order_until = min(_unbroken(numbers) for numbers in heard)
                self._lose_relay()
                await self._start_relay()
                continue
            victim = self._random.choice((*SIDES, "relay"))
            self.kills[victim] = self.kills.get(victim, 0) + 1
            if victim == "relay":
                await self.relay.end(kill=True)
                await self._start_relay()
            else:
                await self.clients[victim].end(kill=True)
                await self._start_client(victim)

    async def settle(self, messages: int) -> None:
        """Wait until both sides show everything as delivered, then end the clients.

        Raises:
            TimeoutError: Something was lost, or waits for ever.
        """
        self._allow(messages)
        async with asyncio.timeout(SETTLED_WITHIN_S):
            for client in self.clients.values():
                await client.until(lambda client=client: len(client.heard["delivered"]) == messages)
        for side in SIDES:
            code = await self.clients[side].end(kill=False)
            assert code == 0, self.clients[side].complaints()

    async def check_books(self, messages: int) -> None:
        """Compare what was shown with what is there.

        Raises:
            AssertionError: Something was lost, doubled, out of order or shown too early.
        """
        for side, peer in (SIDES, SIDES[::-1]):
            application = make_application(self.home(side), side)
            messenger = await application.unlock(PASSPHRASE)
            (contact,) = await messenger.contacts()
            lines = await messenger.messages(contact.id, limit=1_000_000)
            await application.close()
            assert all(line.kind is MessageKind.TEXT for line in lines), "something never arrived"
            arrived = [line.text for line in lines if line.direction is Direction.IN]
            numbers = [number_of(text) for text in arrived]
            assert arrived == [text_of(peer, number) for number in numbers]
            assert sorted(numbers) == list(range(messages)), "lost or doubled"
            self._check_order(numbers, messages)
            own = [line for line in lines if line.direction is Direction.OUT]
            assert [number_of(line.text) for line in own] == list(range(messages))
            assert all(line.delivery is Delivery.DELIVERED for line in own)
            client = self.clients[side]
            assert "received" not in client.repeated, "shown twice"
            self._check_order(list(client.heard["received"]), messages)
            assert set(client.heard["sent"]) <= set(range(messages))
            assert not client.heard["odd"]

    def _check_order(self, numbers: list[int], messages: int) -> None:
        """Require order, up to where both had fetched when the relay lost everything.

        After such a loss a peer may make its mailbox anew before we append again: then what was
        due just then arrives first, and what the relay had lost comes after it.
        """
        until = messages if self._in_order_until is None else self._in_order_until
        early = [number for number in numbers if number < until]
        assert early == sorted(early), "out of order"

    async def drain(self) -> None:
        """Let both clients fetch and acknowledge what still lies at the relay, and note secrets."""
        for side in (*SIDES, *SIDES):
            application = make_application(self.home(side), side, self._log(side))
            messenger = await application.unlock(PASSPHRASE)
            await messenger.synchronize()
            async with messenger._context.store.snapshot() as tx:
                for mailbox in await tx.mailboxes.all():
                    label = f"{side}, mailbox {mailbox.id.hex()}"
                    self._keep(f"{label}: receive token", mailbox.receive_token)
                    self._keep(f"{label}: send token", mailbox.send_token)
            await application.close()
            self._keep(f"name of {side}", NAMES[side].encode())
            self._keep(f"texts of {side}", text_of(side, 0).encode()[:20])
        self._keep("every text", text_of("", 0).split("00000")[1].encode())
        self._keep("passphrase", PASSPHRASE.encode())

    def leaks_at_relay(self) -> list[str]:
        """Return what the relay's files and all that it ever said give away."""
        contents = scan.files(self.relay_home, self.output / "relay")
        leaks = scan.find_secrets(contents, self.secrets)
        leaks += scan.find_envelopes(contents, self.envelopes())
        return leaks

    def odd_sizes(self) -> set[int]:
        """Return sizes that no envelope may have, of what was sent and what the relay stored.

        The relay must have ended: it holds its database alone.
        """
        sizes = {len(envelope) for envelope in self.envelopes()}
        return (sizes | scan.envelope_sizes(self.relay_home / "relay.db")) - set(ENVELOPE_SIZES)

    def leaks_at_clients(self) -> list[str]:
        """Return what the clients' files give away without the passphrase."""
        contents = scan.files(*(self.home(side) for side in SIDES))
        relay = {"the relay's address": f"127.0.0.1:{self._port}".encode()}
        return scan.find_secrets(contents, self.secrets | relay) + scan.find_readable(contents)

    def _keep(self, label: str, secret: bytes) -> None:
        self.secrets[label] = secret

    async def close(self) -> None:
        """End whatever still runs."""
        for process in (*self.clients.values(), self.relay):
            if process.runs:
                await process.end(kill=True)

    # -- the parts of a fight ------------------------------------------------------------------

    def _client(self, side: str) -> Process:
        command = ["benchmarks.faults.driver", "--home", str(self.home(side)), "--profile", side]
        command += ["--log", str(self._log(side))]
        return Process(f"client-{side}", command, self.output)

    def _log(self, side: str) -> Path:
        return self.directory / f"envelopes-{side}"

    async def _start_relay(self) -> str:
        line = await self.relay.start("https://")
        return next(word for word in line.split() if word.startswith("https://"))

    async def _start_client(self, side: str) -> None:
        await self.clients[side].start("ready")
        self.clients[side].tell(str(self._allowed))

    def _allow(self, messages: int) -> None:
        self._allowed = messages
        for client in self.clients.values():
            client.tell(str(messages))

    async def _a_random_moment(self) -> None:
        """Wait for some lines of a client, then a little: right after an event or in the middle."""
        client = self.clients[self._random.choice(SIDES)]
        wanted = len(client.lines) + self._random.randrange(1, 20)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._random.uniform(0.05, 0.5)):
                await client.until(lambda: len(client.lines) >= wanted)
        await asyncio.sleep(self._random.uniform(0, 0.02))

    def _lose_relay(self) -> None:
        for path in self.relay_home.iterdir():
            if any(word in path.name for word in RELAY_KEEPS):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _unbroken(numbers: set[int]) -> int:
    """Return the first number, from 0 on, that is not there."""
    return next(number for number in range(len(numbers) + 1) if number not in numbers)


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that no connection is given as its own.

    While a relay is killed its port is nobody's: systems draw the others from 32768 on.
    """
    while True:
        port = random.SystemRandom().randrange(15_000, 32_768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
