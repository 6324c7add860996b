"""Durable posts of one 4 KiB envelope, and of 32 to one mailbox, beside nginx's empty answer."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.relay.connection import Broken
from benchmarks.relay.http import Client, Http1, Http2
from benchmarks.relay.mailboxes import CAPACITY, Appends, Full, keys_of
from benchmarks.relay.processes import Server
from benchmarks.relay.rounds import Bar, Meter, Report, Sample, interleave, percentile
from benchmarks.relay.servers import Nginx, RelayServer

PROGRAMS = ("nginx",)
IN_FLIGHT = 64
BATCH = 32
HTTP2_CONNECTIONS = 8
_WARM_UP_S = 1.0
_FASTEST = 40_000
"""Envelopes a second that the mailboxes have room for."""
_PATH = b"/v1/append"


class ClosedLoop:
    """So many requests in flight at any time; each answer makes the next request."""

    def __init__(self, bodies: Appends, expected: tuple[int, bytes]) -> None:
        self._bodies = bodies
        self._expected = expected
        self._latencies: list[float] = []
        self._in_flight = 0
        self._running = True
        self._counting = False
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(
        self,
        server: Server,
        version: Callable[[Callable[[Exception], None]], Client],
        connections: int,
        seconds: float,
        in_flight: int = IN_FLIGHT,
    ) -> Sample:
        """Load a server; return rate, latencies and who used how much of the processor.

        Raises:
            Broken: A connection ended, or an answer is not the expected one.
            Full: The mailboxes are full.
        """
        clients = [version(self._fail) for _ in range(connections)]
        try:
            for client in clients:
                await client.open(server.address)
            for client in clients:
                for _ in range(in_flight // connections):
                    self._post(client)
                client.flush()
            await self._wait(_WARM_UP_S)
            meter, self._counting = Meter(server), True
            await self._wait(seconds)
            self._counting = False
            cores, elapsed = meter.read(len(self._latencies)), meter.seconds
            self._running = False
            await self._ended
        finally:
            for client in clients:
                client.close()
        return {
            "posts/s": len(self._latencies) / elapsed,
            "median ms": percentile(self._latencies, 0.5) * 1000,
            "p99 ms": percentile(self._latencies, 0.99) * 1000,
            **cores,
        }

    async def _wait(self, seconds: float) -> None:
        """Let the load run; what breaks it ends the wait."""
        await asyncio.wait([self._ended], timeout=seconds)
        if self._ended.done():
            self._ended.result()

    def _post(self, client: Client) -> None:
        self._in_flight += 1
        client.post(_PATH, self._bodies.next(), self._answered, (client, time.perf_counter()))

    def _answered(self, status: int, body: bytes, tag: Any) -> None:
        client, began = tag
        if (status, body) != self._expected:
            raise Broken(f"an answer with status {status}: {body[:BATCH]!r}")
        if self._counting:
            self._latencies.append(time.perf_counter() - began)
        self._in_flight -= 1
        if self._running:
            try:
                self._post(client)
            except Full as error:
                raise Broken(str(error)) from error
        elif not self._in_flight and not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)


def mailboxes_for(seconds: float, faster: int = 1) -> int:
    """Return how many mailboxes have room for all that may be posted in a window."""
    return int((seconds + _WARM_UP_S) * _FASTEST * faster) // CAPACITY + 1


async def post_to_relay(
    version: Callable[[Callable[[Exception], None]], Client],
    connections: int,
    seconds: float,
    batch: int = 1,
    in_flight: int = IN_FLIGHT,
) -> Sample:
    """Load a relay that starts anew, with empty mailboxes and an empty file."""
    mailboxes = mailboxes_for(seconds, faster=1 if batch == 1 else 3)
    bodies = Appends([keys_of(number) for number in range(mailboxes)], batch)
    with await RelayServer.started(mailboxes) as relay:
        loop = ClosedLoop(bodies, (200, bytes(batch)))
        return await loop.run(relay, version, connections, seconds, in_flight)


async def post_to_nginx(
    nginx: Nginx,
    version: Callable[[Callable[[Exception], None]], Client],
    connections: int,
    seconds: float,
) -> Sample:
    """Post the same bodies to who looks at none of them."""
    bodies = Appends([keys_of(number) for number in range(1000)], capacity=sys.maxsize)
    loop = ClosedLoop(bodies, (204, b""))
    return await loop.run(nginx, version, connections, seconds)


async def measure(rounds: int, seconds: float) -> Report:
    """Measure single posts over both versions of HTTP."""
    report = Report(
        "posts",
        f"Posts of one 4 KiB envelope, {IN_FLIGHT} in flight, each durable before its answer",
        [
            Bar("HTTP/2, relay over nginx", ("relay HTTP/2", "posts/s"),
                ("nginx HTTP/2", "posts/s"), least=0.35),
            Bar("99th percentile over HTTP/2", ("relay HTTP/2", "p99 ms"), most=15.0, unit="ms"),
            Bar("HTTP/1.1, relay over nginx", ("relay HTTP/1.1", "posts/s"),
                ("nginx HTTP/1.1", "posts/s")),
        ],
    )  # fmt: skip
    with Nginx() as nginx:
        assert isinstance(nginx, Nginx)
        many = HTTP2_CONNECTIONS
        contestants = {
            "relay HTTP/2": lambda: post_to_relay(Http2, many, seconds),
            "nginx HTTP/2": lambda: post_to_nginx(nginx, Http2, many, seconds),
            "relay HTTP/1.1": lambda: post_to_relay(Http1, IN_FLIGHT, seconds),
            "nginx HTTP/1.1": lambda: post_to_nginx(nginx, Http1, IN_FLIGHT, seconds),
        }
        return await interleave(contestants, rounds, report)
