"""From sender to receiver at 100 messages a second, when nobody has to wait for anybody."""

from __future__ import annotations

import asyncio
import time

from benchmarks.relay.delivery import PAIRS, WARM_UP_S, Deliveries
from benchmarks.relay.pairs import MakePair, MqttPair, RelayPair, XmppPair
from benchmarks.relay.peers import Ejabberd, Mosquitto, Prosody
from benchmarks.relay.processes import Server
from benchmarks.relay.rounds import Bar, Report, Sample, interleave, percentile
from benchmarks.relay.servers import RelayServer

PROGRAMS = ("ejabberdctl", "prosody", "mosquitto")
RATE = 100
"""Messages a second, from the pairs in turn."""


async def send_at_rate(server: Server, make: MakePair, seconds: float) -> Sample:
    """Send at a steady rate through a server that was just started, and end it."""
    with server:
        deliveries = Deliveries(make, PAIRS)
        try:
            await deliveries.open(server.address)
            began = time.perf_counter()
            warm, total = int(WARM_UP_S * RATE), int((WARM_UP_S + seconds) * RATE)
            for number in range(total):
                await deliveries.wait(max(0.0, began + number / RATE - time.perf_counter()))
                if number == warm:
                    meter = deliveries.count(server)
                deliveries.send(number % PAIRS)
            cores = meter.read()
            await asyncio.sleep(WARM_UP_S)
            await deliveries.wait(0.0)
        finally:
            deliveries.close()
    expected = total - warm
    return {
        "median ms": percentile(deliveries.latencies, 0.5) * 1000,
        "p99 ms": percentile(deliveries.latencies, 0.99) * 1000,
        "arrived": len(deliveries.latencies) / expected,
        **cores,
    }


async def measure(rounds: int, seconds: float) -> Report:
    """Measure everybody's latency."""
    report = Report(
        "latency",
        f"From sender to receiver at {RATE} messages of 4 KiB a second, {PAIRS} pairs in turn",
        [
            Bar("relay's median over ejabberd's", ("relay", "median ms"),
                ("ejabberd", "median ms"), most=1.5),
            Bar("relay's median over prosody's", ("relay", "median ms"),
                ("prosody", "median ms")),
            Bar("relay's median over mosquitto's", ("relay", "median ms"),
                ("mosquitto", "median ms")),
        ],
        ["the relay delivers while its disk is waited for, and answers its sender after that; "
            "the others never wait for one"],
    )  # fmt: skip

    async def relay() -> Sample:
        return await send_at_rate(await RelayServer.started(PAIRS), RelayPair, seconds)

    return await interleave(
        {
            "relay": relay,
            "ejabberd": lambda: send_at_rate(Ejabberd(2 * PAIRS), XmppPair, seconds),
            "prosody": lambda: send_at_rate(Prosody(2 * PAIRS), XmppPair, seconds),
            "mosquitto": lambda: send_at_rate(Mosquitto(), MqttPair, seconds),
        },
        rounds,
        report,
    )
