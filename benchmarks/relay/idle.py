"""What subscribers cost who only wait, and how long it takes until all are back after a cut.

A subscriber is one connection of HTTP/2 with one receive stream of one mailbox, as our program has
for each relay.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from benchmarks.relay.connection import Broken
from benchmarks.relay.http import Http2
from benchmarks.relay.mailboxes import keys_of
from benchmarks.relay.rounds import Bar, Meter, Report, Sample, interleave
from benchmarks.relay.servers import RelayServer
from exile_tui.relay.exhaustion import descriptors

FEW, MANY, STORM = 2_000, 20_000, 2_000
_SPARE = 100
"""File descriptors that a process needs beside its connections."""
_AT_ONCE = 64
"""Handshakes under way while nothing but the memory is looked at."""
_SETTLED_S = 3.0
_CAUGHT_UP = bytes.fromhex("04 00000002 0000")
"""The frame that says that everything was sent of the first mailbox."""


class Subscriber:
    """One connection that waits."""

    def __init__(self, number: int) -> None:
        keys = keys_of(number)
        self._body = keys.id + keys.receive_token
        self._client = Http2(self._fail)
        self._caught_up = asyncio.get_running_loop().create_future()
        self.error: Exception | None = None
        """Why it does not wait any more."""

    async def open(self, address: tuple[str, int]) -> None:
        """Connect, subscribe and catch up."""
        await self._client.open(address)
        self._client.stream(b"/v1/receive", self._body, self._arrived, self._ended)
        self._client.flush()
        await self._caught_up

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _arrived(self, data: bytes) -> None:
        if data == _CAUGHT_UP and not self._caught_up.done():
            self._caught_up.set_result(None)

    def _ended(self, status: int, body: bytes, tag: Any) -> None:
        raise Broken(f"a receive stream ended with status {status}")

    def _fail(self, error: Exception) -> None:
        self.error = error
        if not self._caught_up.done():
            self._caught_up.set_exception(error)


async def _subscribe(relay: RelayServer, subscribers: list[Subscriber], at_once: int) -> None:
    """Open all, so many at a time."""
    turn = asyncio.Semaphore(at_once)

    async def open_one(subscriber: Subscriber) -> None:
        async with turn:
            await subscriber.open(relay.address)

    await asyncio.gather(*map(open_one, subscribers))


def _require_all(subscribers: list[Subscriber]) -> None:
    gone = [subscriber.error for subscriber in subscribers if subscriber.error is not None]
    if gone:
        raise Broken(f"{len(gone)} of {len(subscribers)} subscribers are gone: {gone[0]}")


async def _wait_idle(count: int) -> Sample:
    """Return the memory that so many idle subscribers take in the relay."""
    subscribers: list[Subscriber] = []
    with await RelayServer.started(count) as relay:
        assert isinstance(relay, RelayServer)
        try:
            before = relay.resident_bytes()
            subscribers += [Subscriber(number) for number in range(count)]
            await _subscribe(relay, subscribers, _AT_ONCE)
            await asyncio.sleep(_SETTLED_S)
            grown = relay.resident_bytes() - before
            meter = Meter(relay)
            await asyncio.sleep(_SETTLED_S)
            cores = meter.read()["server cores"]
            _require_all(subscribers)
        finally:
            for subscriber in subscribers:
                subscriber.close()
    return {"subscribers": count, "KiB each": grown / count / 1024, "server cores": cores}


async def _storm(count: int) -> Sample:
    """Cut everybody's connection, have all of them come back at once."""
    subscribers: list[Subscriber] = []
    with await RelayServer.started(count) as relay:
        assert isinstance(relay, RelayServer)
        try:
            subscribers += [Subscriber(number) for number in range(count)]
            await _subscribe(relay, subscribers, _AT_ONCE)
            for subscriber in subscribers:
                subscriber.close()
            subscribers = [Subscriber(number) for number in range(count)]
            meter, began = Meter(relay), time.perf_counter()
            await _subscribe(relay, subscribers, count)
            seconds, cores = time.perf_counter() - began, meter.read()
            _require_all(subscribers)
        finally:
            for subscriber in subscribers:
                subscriber.close()
    return {"subscribers": count, "seconds": seconds, **cores}


async def measure(rounds: int, seconds: float) -> Report:
    """Measure memory and a reconnect storm; the seconds are as many as it takes."""
    most = descriptors().usual - _SPARE  # beyond that a relay lets nobody in
    many = min(MANY, most)
    few_name, many_name, storm_name = "few", "many", "storm"
    report = Report(
        "idle",
        "Receive streams on which nothing comes, and all of them back at once after a cut",
        [
            Bar(f"memory for each of {FEW:,} subscribers", (few_name, "KiB each"), most=45.0,
                unit="KiB"),
            Bar(f"memory for each of {many:,} subscribers", (many_name, "KiB each"), most=45.0,
                unit="KiB"),
            Bar(f"until {STORM:,} are caught up again", (storm_name, "seconds"), unit="s"),
        ],
    )  # fmt: skip
    if many < MANY:
        note = f"a relay makes use of {most + _SPARE:,} file descriptors here: {many:,} subscribers"
        report.notes.append(note)
        sys.stderr.write(f"idle: {note}\n")
    return await interleave(
        {
            few_name: lambda: _wait_idle(FEW),
            many_name: lambda: _wait_idle(many),
            storm_name: lambda: _storm(STORM),
        },
        rounds,
        report,
    )
