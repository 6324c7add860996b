"""Measure what an honest pair notices while thousands of connections mean harm.

    python -m benchmarks.relay.hostile
    python -m benchmarks.relay.hostile --only pings rapid-reset --seconds 20

For each kind (benchmarks/relay/attacks.py) a relay is started anew. Two people who are connected
exchange 100 messages a second, first alone, then while another process holds 2,000 connections of
that kind. The time is that from the moment at which a message was due to be sent to its arrival
on the other's stream, durable in between. Everything shares one machine's cores; the attack has
less right to them (nice 10), since it would come from elsewhere. Ends with 1 when a median during
an attack is 50 ms or more, or a message was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path as FilePath

import uvloop

from benchmarks.relay.attacks import KINDS, context
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.mailbox import mailbox_id
from exile_tui.wire.relay import (
    Acknowledge,
    Append,
    Authorization,
    CreateMailbox,
    EnvelopeFrame,
    FrameDecoder,
    Path,
    Receive,
)

RATE = 100
"""Messages a second."""
LAST = 5.0
"""Seconds that the last messages get to arrive."""
BAR_MS = 50.0
HONEST = ("127.9.0.1", "127.9.0.2")
"""Where the pair's connections come from: not exempt either."""
SENDERS = 16
"""Connections that the sender has, so that one late answer holds up no other message."""
MEMORY_LIMIT = 3 << 30
"""Bytes at which a relay is ended, before the machine suffers."""


@dataclass
class Times:
    """Latencies of one phase, in milliseconds, by when they were due."""

    found: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.found) if self.found else float("inf")

    @property
    def p99(self) -> float:
        return sorted(self.found)[int(len(self.found) * 0.99)] if self.found else float("inf")


class Line:
    """An HTTP/1.1 connection that stays."""

    def __init__(self, address: RelayAddress, source: str) -> None:
        self._address = address
        self._source = source
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self) -> Line:
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection(
            self._address.host,
            self._address.port,
            ssl=context("http/1.1"),
            server_hostname="",
            local_addr=(self._source, 0),
        )
        return self

    async def ask(self, path: Path, body: bytes) -> tuple[int, bytes]:
        """Post, and read the answer."""
        self.send(path, body)
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        return int(head[9:12]), await self.reader.readexactly(int(size or 0))

    def send(self, path: Path, body: bytes) -> None:
        """Post."""
        head = f"POST {path.value} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)


class Pair:
    """Somebody who writes 100 times a second, and somebody who reads."""

    def __init__(self, address: RelayAddress) -> None:
        self._address = address
        self.receive_token, self.send_token = os.urandom(32), os.urandom(32)
        hashes = [hashlib.sha256(one).digest() for one in (self.receive_token, self.send_token)]
        self.mailbox = mailbox_id(*hashes)
        self._hashes = hashes
        self._lines: asyncio.Queue[Line] = asyncio.Queue()
        self._due: dict[bytes, tuple[float, Times]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: deque[int] = deque()
        self._something = asyncio.Event()
        self._arrived = asyncio.Event()
        self.refused = 0
        self.broken = 0

    async def open(self) -> None:
        """Connect, make the mailbox, begin to receive."""
        for _ in range(SENDERS):
            self._lines.put_nowait(await Line(self._address, HONEST[0]).open())
        owner = await Line(self._address, HONEST[1]).open()
        create = CreateMailbox(self.mailbox, *self._hashes, Authorization())
        status, _ = await owner.ask(Path.CREATE, create.encode())
        assert status == 204, status
        self._spawn(self._receive(await Line(self._address, HONEST[1]).open()))
        self._spawn(self._acknowledge(owner))

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]  # coroutines of this class
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def talk(self, seconds: float) -> Times:
        """Write for some seconds, and wait a little for the last to arrive."""
        times = Times()
        start = time.perf_counter()
        for number in range(int(seconds * RATE)):
            due = start + number / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            envelope = os.urandom(4096)
            self._due[envelope[:16]] = due, times
            self._spawn(self._send(envelope))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST):
                while self._due:
                    self._arrived.clear()
                    await self._arrived.wait()
        return times

    @property
    def missing(self) -> int:
        """How many have not arrived."""
        return len(self._due)

    def forget(self) -> None:
        """Give up what has not arrived."""
        self._due.clear()

    async def _send(self, envelope: bytes) -> None:
        line = await self._lines.get()
        body = Append(self.mailbox, self.send_token, [envelope]).encode()
        try:
            status, verdicts = await line.ask(Path.APPEND, body)
            if (status, verdicts) != (200, b"\0"):
                self.refused += 1
        except (OSError, EOFError):
            self.broken += 1
            with contextlib.suppress(OSError):
                line = await Line(self._address, HONEST[0]).open()
        self._lines.put_nowait(line)

    async def _receive(self, line: Line) -> None:
        line.send(Path.RECEIVE, Receive([(self.mailbox, self.receive_token)]).encode())
        await line.reader.readuntil(b"\r\n\r\n")
        decoder = FrameDecoder()
        while True:
            size = int(await line.reader.readline(), 16)
            chunk = (await line.reader.readexactly(size + 2))[:-2]
            now = time.perf_counter()
            for one in decoder.feed(chunk):
                if isinstance(one, EnvelopeFrame):
                    due, times = self._due.pop(one.envelope[:16], (0.0, None))
                    if times is not None:
                        times.found.append((now - due) * 1000)
                    self._seen.append(one.seq)
                    self._something.set()
                    self._arrived.set()

    async def _acknowledge(self, line: Line) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            seqs = list(self._seen)
            self._seen.clear()
            if seqs:
                ask = Acknowledge(self.mailbox, self.receive_token, seqs)
                await line.ask(Path.ACKNOWLEDGE, ask.encode())

    async def close(self) -> None:
        """Stop."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._lines.empty():
            self._lines.get_nowait().writer.close()


class Watched:
    """A relay in a process of its own: its memory, descriptors and CPU time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._root = FilePath(f"/proc/{process.pid}")
        self.most_memory = 0
        self.most_descriptors = 0

    def look(self) -> None:
        """Note memory and descriptors; end it when it takes too much."""
        with contextlib.suppress(OSError):
            pages = int((self._root / "statm").read_text().split()[1])
            memory = pages * resource.getpagesize()
            self.most_memory = max(self.most_memory, memory)
            self.most_descriptors = max(self.most_descriptors, len(os.listdir(self._root / "fd")))
            if memory > MEMORY_LIMIT:
                self._process.kill()

    def cpu(self) -> float:
        """Return the seconds of CPU that it took."""
        try:
            fields = (self._root / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(kind: str, options: argparse.Namespace) -> bool:
    """Measure one kind; print a line; tell whether the bar was met."""
    with tempfile.TemporaryDirectory() as directory:
        relay = await asyncio.create_subprocess_exec(
            "prlimit",
            f"--nofile={options.descriptors}",
            sys.executable, "-m", "exile_tui.relay", "--data-dir", directory, "--host", "0.0.0.0",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert relay.stdout is not None
        said = RelayAddress.parse((await relay.stdout.readline()).decode())
        address = RelayAddress("127.0.0.1", said.port, said.pin)
        pair = Pair(address)
        try:
            await pair.open()
            await pair.talk(1)
            before = await pair.talk(options.before)
            return await during(kind, options, address, pair, Watched(relay), before)
        finally:
            await pair.close()
            if relay.returncode is None:
                relay.send_signal(signal.SIGTERM)
            await relay.communicate()


async def during(
    kind: str,
    options: argparse.Namespace,
    address: RelayAddress,
    pair: Pair,
    watched: Watched,
    before: Times,
) -> bool:
    """Let the pair talk while the connections are held."""
    horde = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.relay.attacks", kind, address.url,
        "--connections", str(options.connections), "--addresses", str(options.addresses),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said: list[str] = []

    async def listen() -> None:
        assert horde.stdout is not None
        while line := await horde.stdout.readline():
            said.append(line.decode())
            watched.look()

    listening = asyncio.create_task(listen())
    started, cpu = time.perf_counter(), watched.cpu()
    try:
        times = await pair.talk(options.seconds)
    finally:
        horde.kill()
        await horde.wait()
        await listening
    share = (watched.cpu() - cpu) / (time.perf_counter() - started)
    lost, broken = pair.missing, pair.broken
    pair.forget()
    after = await pair.talk(2)
    standing = [int(line.split()[0]) for line in said]
    made = int(said[-1].split()[1]) if said else 0
    good = times.median < BAR_MS and not lost and not pair.refused and not broken
    print(
        f"{kind:15} {before.median:7.1f} {before.p99:7.1f} {times.median:9.1f} {times.p99:8.1f} "
        f"{after.median:7.1f} {lost:5} {broken:6} {pair.refused:7} "
        f"{max(standing, default=0):8} {standing[-1] if standing else 0:5} {made:7} "
        f"{watched.most_memory >> 20:5} {watched.most_descriptors:6} {share:5.0%} "
        f"{'' if good else 'TOO SLOW'}",
        flush=True,
    )
    return good


async def run(options: argparse.Namespace) -> int:
    """Measure every kind that is asked for."""
    print(f"{'':15} {'before, ms':^15} {'during, ms':^18} {'after':>7} {'lost':>5} {'broken':>6} "
          f"{'refused':>7} {'standing':>14} {'made':>7} {'MiB':>5} {'files':>6} {'CPU':>5}\n"
          f"{'':15} {'median':>7} {'p99':>7} {'median':>9} {'p99':>8} {'median':>7} {'':20} "
          f"{'most':>8} {'end':>5}", flush=True)  # fmt: skip
    good = [await measure(kind, options) for kind in options.only or KINDS]
    return 0 if all(good) else 1


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(KINDS))
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--addresses", type=int, default=100, help="they come from so many")
    parser.add_argument("--descriptors", type=int, default=20_000, help="the relay may have")
    parser.add_argument("--before", type=float, default=3, help="seconds without attack")
    parser.add_argument("--seconds", type=float, default=15, help="seconds of attack")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
