"""Messages stored for recipients who are not there, as many as go.

Each server says in its own way that it has taken a message: the relay by its verdict, XMPP servers
by the answer to a request of stream management (XEP-0198) after each message, mosquitto by PUBACK.
Only the relay's is a promise that a crash does not break. After each window some recipients come
back and must find everything: a server that only threw messages away would be fast.
"""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from benchmarks.relay.connection import Broken, Lost
from benchmarks.relay.http import Http2
from benchmarks.relay.mailboxes import SIZE
from benchmarks.relay.mqtt import MqttClient
from benchmarks.relay.peers import Ejabberd, Mosquitto, Prosody, user
from benchmarks.relay.posts import post_to_relay
from benchmarks.relay.processes import Server
from benchmarks.relay.rounds import Bar, Meter, Report, Sample, interleave, percentile
from benchmarks.relay.xmpp import XmppClient

PROGRAMS = ("ejabberdctl", "prosody", "mosquitto")
SENDERS = 16
IN_FLIGHT = 256
AWAY = 2000
"""Recipients; ejabberd keeps 100 messages for each, mosquitto 1,000."""
FEW = 16
"""Recipients for each of whom thousands of messages wait, where a server allows that."""
_CHECKED = 5
"""Recipients who come back after each window."""
_WARM_UP_S = 1.0
_COMES_WITHIN_S = 30.0


class Sender(Protocol):
    """A client that is told how many of its messages were taken."""

    async def open(self, address: tuple[str, int]) -> None:
        """Connect."""

    def send(self, recipient: int) -> None:
        """Send a message to a recipient, who is away; it leaves with the next `flush`."""

    def flush(self) -> None:
        """Let go of what was sent."""

    def close(self) -> None:
        """End the connection."""


class XmppSender:
    """An account that asks after each message whether it was taken."""

    def __init__(self, number: int, answered: Callable[[int], None], lost: Lost) -> None:
        self._client = XmppClient(user(AWAY + number), _unexpected, lost, answered)
        self._text = base64.b64encode(random.Random(number).randbytes(SIZE))
        self.flush, self.close = self._client.flush, self._client.close

    async def open(self, address: tuple[str, int]) -> None:
        """Log in."""
        await self._client.open(address, available=False)

    def send(self, recipient: int) -> None:
        """Send a message."""
        self._client.send(user(recipient), self._text)


class MqttSender:
    """A publisher."""

    def __init__(self, number: int, answered: Callable[[int], None], lost: Lost) -> None:
        self._client = MqttClient(b"s%d" % number, _unexpected, lost, answered)
        self._payload = random.Random(number).randbytes(SIZE)
        self.open = self._client.open
        self.flush, self.close = self._client.flush, self._client.close

    def send(self, recipient: int) -> None:
        """Publish a message."""
        self._client.publish(_topic(recipient), self._payload)


class Storing:
    """Keeps messages under way that nobody is there to receive."""

    def __init__(
        self, make: Callable[[int, Callable[[int], None], Lost], Sender], away: int
    ) -> None:
        self._senders = [make(number, self._taker(number), self.fail) for number in range(SENDERS)]
        self._sent: list[deque[float]] = [deque() for _ in range(SENDERS)]
        self.stored = [0] * away
        """Messages that were sent to each recipient."""
        self._next = 0
        self._latencies: list[float] = []
        self._counting = self._again = False
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def _taker(self, number: int) -> Callable[[int], None]:
        return lambda count: self._taken(number, count)

    async def run(self, server: Server, seconds: float) -> Sample:
        """Load a server.

        Raises:
            Broken: A connection ended, or the server refused something.
        """
        try:
            for sender in self._senders:
                await sender.open(server.address)
            self._again = True
            for number in range(SENDERS):
                self._send(number, IN_FLIGHT // SENDERS)
            await self._wait(_WARM_UP_S)
            meter, self._counting = Meter(server), True
            await self._wait(seconds)
            self._counting = self._again = False
            cores, elapsed = meter.read(len(self._latencies)), meter.seconds
            await self._wait(_COMES_WITHIN_S)
            if any(self._sent):
                raise Broken("not every message was taken")
        finally:
            for sender in self._senders:
                sender.close()
        return {
            "messages/s": len(self._latencies) / elapsed,
            "median ms": percentile(self._latencies, 0.5) * 1000,
            **cores,
        }

    async def _wait(self, seconds: float) -> None:
        await asyncio.wait([self._ended], timeout=seconds)
        if self._ended.done():
            self._ended.result()

    def _send(self, number: int, count: int) -> None:
        sender, sent = self._senders[number], self._sent[number]
        for _ in range(count):
            recipient = self._next % len(self.stored)
            self._next += 1
            self.stored[recipient] += 1
            sent.append(time.perf_counter())
            sender.send(recipient)
        sender.flush()

    def _taken(self, number: int, count: int) -> None:
        now, sent = time.perf_counter(), self._sent[number]
        for _ in range(count):
            began = sent.popleft()
            if self._counting:
                self._latencies.append(now - began)
        if self._again:
            self._send(number, count)
        elif not any(self._sent) and not self._ended.done():
            self._ended.set_result(None)

    def fail(self, error: Exception) -> None:
        """End it with an error."""
        if not self._ended.done():
            self._ended.set_exception(error)


class _Arrivals:
    """Waits until so many messages have come."""

    def __init__(self, expected: int) -> None:
        self._missing = expected
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def count(self, count: int) -> None:
        """Note that some came."""
        self._missing -= count
        if self._missing == 0:
            self._all.set_result(None)

    def lost(self, error: Exception) -> None:
        """Note that the connection ended."""
        if not self._all.done():
            self._all.set_exception(error)

    async def wait(self) -> None:
        """Wait for the last.

        Raises:
            Broken: It doesn't come.
        """
        try:
            async with asyncio.timeout(_COMES_WITHIN_S):
                await self._all
        except TimeoutError:
            raise Broken(f"{self._missing} of the stored messages are not there") from None


async def _store_xmpp(server: Server, seconds: float, away: int = AWAY) -> Sample:
    with server:
        storing = Storing(XmppSender, away)
        sample = await storing.run(server, seconds)
        for recipient in range(_CHECKED):
            arrivals = _Arrivals(storing.stored[recipient])
            client = XmppClient(user(recipient), arrivals.count, arrivals.lost)
            try:
                await client.open(server.address, greeted=False)
                await arrivals.wait()
            finally:
                client.close()
        return sample


async def _store_mqtt(server: Server, seconds: float) -> Sample:
    with server:
        for recipient in range(AWAY):
            client = MqttClient(b"r%d" % recipient, _unexpected, _raise)
            await client.open(server.address, clean=False)
            await client.subscribe(_topic(recipient))
            client.close()
        storing = Storing(MqttSender, AWAY)
        sample = await storing.run(server, seconds)
        for recipient in range(_CHECKED):
            arrivals = _Arrivals(storing.stored[recipient])
            client = MqttClient(b"r%d" % recipient, arrivals.count, arrivals.lost)
            try:
                await client.open(server.address, clean=False)
                await arrivals.wait()
            finally:
                client.close()
        return sample


async def _store_here(seconds: float) -> Sample:
    sample = await post_to_relay(Http2, SENDERS, seconds, in_flight=IN_FLIGHT)
    del sample["p99 ms"]
    return {"messages/s": sample.pop("posts/s"), **sample}


def _topic(recipient: int) -> bytes:
    return b"t%d" % recipient


def _unexpected(count: int) -> None:
    raise Broken("a message came to somebody who sends")


def _raise(error: Exception) -> None:
    raise error


async def measure(rounds: int, seconds: float) -> Report:
    """Measure what is stored for recipients who are away."""
    few = f"ejabberd, {FEW} away"
    report = Report(
        "offline",
        f"Messages of 4 KiB stored for recipients who are away, {IN_FLIGHT} in flight from "
        f"{SENDERS} senders",
        [
            Bar("relay over ejabberd", ("relay", "messages/s"), ("ejabberd", "messages/s"),
                least=20.0),
            Bar(f"relay over ejabberd with {FEW} recipients", ("relay", "messages/s"),
                (few, "messages/s")),
            Bar("relay over prosody", ("relay", "messages/s"), ("prosody", "messages/s")),
            Bar("relay over mosquitto", ("relay", "messages/s"), ("mosquitto", "messages/s")),
        ],
        [
            "relay: durable; ejabberd: Mnesia, its default; prosody: files, not synced; "
            "mosquitto: memory",
            f"with {FEW} recipients thousands wait for each, the limit of 100 being lifted",
        ],
    )  # fmt: skip
    contestants: dict[str, Callable[[], Awaitable[Sample]]] = {
        "relay": lambda: _store_here(seconds),
        "ejabberd": lambda: _store_xmpp(Ejabberd(AWAY + SENDERS), seconds),
        few: lambda: _store_xmpp(Ejabberd(AWAY + SENDERS, "infinity"), seconds, FEW),
        "prosody": lambda: _store_xmpp(Prosody(AWAY + SENDERS), seconds),
        "mosquitto": lambda: _store_mqtt(Mosquitto(), seconds),
    }
    return await interleave(contestants, rounds, report)
