"""Messages from senders to receivers who are online, as many as go.

Ours is durable before its sender is answered, and done when the relay has answered the
acknowledgement. XMPP servers and mosquitto keep it in memory, and it is done when it has arrived.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from benchmarks.relay.pairs import Count, MakePair, MqttPair, Pair, RelayPair, XmppPair
from benchmarks.relay.peers import Ejabberd, Mosquitto, Prosody
from benchmarks.relay.processes import Server
from benchmarks.relay.rounds import Bar, Meter, Report, Sample, interleave, percentile
from benchmarks.relay.servers import RelayServer

PROGRAMS = ("ejabberdctl", "prosody", "mosquitto")
PAIRS = 16
IN_FLIGHT = 256
WARM_UP_S = 1.0


class Deliveries:
    """Keeps messages under way between pairs, and notes how long each took."""

    def __init__(self, make: MakePair, pairs: int) -> None:
        self._sent: list[deque[float]] = [deque() for _ in range(pairs)]
        self._pairs: list[Pair] = [
            make(number, self._count_for(number, self._arrived),
                 self._count_for(number, self._done), self.fail)
            for number in range(pairs)
        ]  # fmt: skip
        self.latencies: list[float] = []
        """Seconds from sending to arriving, of what arrived while it was counted."""
        self.finished = 0
        """Messages that were done with while it was counted."""
        self._under_way = 0
        self._running = self._again = False
        self._counting = False
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @staticmethod
    def _count_for(number: int, take: Callable[[int, int], None]) -> Count:
        return lambda count: take(number, count)

    async def open(self, address: tuple[str, int]) -> None:
        """Connect everybody."""
        for pair in self._pairs:
            await pair.open(address)

    def close(self) -> None:
        """End all connections."""
        for pair in self._pairs:
            pair.close()

    def send(self, number: int, count: int = 1) -> None:
        """Send messages from one sender."""
        pair, sent = self._pairs[number], self._sent[number]
        self._under_way += count
        for _ in range(count):
            sent.append(time.perf_counter())
            pair.send()
        pair.flush()

    async def saturate(self, server: Server, seconds: float) -> Sample:
        """Keep as many in flight as there may be; each that is done makes room for the next."""
        self._again = True
        for number in range(PAIRS):
            self.send(number, IN_FLIGHT // PAIRS)
        await self.wait(WARM_UP_S)
        meter = self.count(server)
        await self.wait(seconds)
        self._counting = self._again = False
        cores, elapsed = meter.read(self.finished), meter.seconds
        return {
            "messages/s": self.finished / elapsed,
            "median ms": percentile(self.latencies, 0.5) * 1000,
            **cores,
        }

    def count(self, server: Server) -> Meter:
        """Count from now on."""
        self._counting = True
        return Meter(server)

    async def wait(self, seconds: float) -> None:
        """Let it go on; what breaks it ends the wait.

        Raises:
            Broken: Something failed.
        """
        await asyncio.wait([self.failed], timeout=seconds)
        if self.failed.done():
            self.failed.result()

    def fail(self, error: Exception) -> None:
        """End it with an error."""
        if not self.failed.done():
            self.failed.set_exception(error)

    def _arrived(self, number: int, count: int) -> None:
        now, sent = time.perf_counter(), self._sent[number]
        for _ in range(count):
            began = sent.popleft()
            if self._counting:
                self.latencies.append(now - began)

    def _done(self, number: int, count: int) -> None:
        self._under_way -= count
        if self._counting:
            self.finished += count
        if self._again:
            self.send(number, count)


async def deliver(server: Server, make: MakePair, seconds: float) -> Sample:
    """Measure a server that was just started, and end it."""
    with server:
        deliveries = Deliveries(make, PAIRS)
        try:
            await deliveries.open(server.address)
            return await deliveries.saturate(server, seconds)
        finally:
            deliveries.close()


async def measure(rounds: int, seconds: float) -> Report:
    """Measure what reaches receivers who are online."""
    report = Report(
        "delivery",
        f"Messages of 4 KiB to receivers who are online, {IN_FLIGHT} in flight between {PAIRS} "
        "pairs",
        [
            Bar("relay over ejabberd (0.9 is the goal)", ("relay", "messages/s"),
                ("ejabberd", "messages/s"), least=0.8),
            Bar("relay over prosody", ("relay", "messages/s"), ("prosody", "messages/s"),
                least=2.5),
            Bar("relay over mosquitto", ("relay", "messages/s"), ("mosquitto", "messages/s")),
            Bar("relay over ejabberd, in processor time a message", ("relay", "server us each"),
                ("ejabberd", "server us each")),
        ],
        [
            "relay: stored durably, delivered, and its acknowledgement answered; the others: "
            "arrived, never on a disk",
            "ejabberd and prosody carry 5,464 letters of base64 for 4 KiB",
        ],
    )  # fmt: skip

    async def relay() -> Sample:
        return await deliver(await RelayServer.started(PAIRS), RelayPair, seconds)

    return await interleave(
        {
            "relay": relay,
            "ejabberd": lambda: deliver(Ejabberd(2 * PAIRS), XmppPair, seconds),
            "prosody": lambda: deliver(Prosody(2 * PAIRS), XmppPair, seconds),
            "mosquitto": lambda: deliver(Mosquitto(), MqttPair, seconds),
        },
        rounds,
        report,
    )
