"""Where the microseconds of an envelope go: one that is posted, and one that is delivered as well.

The relay is the one of the other measures, under the same load, and writes down what its steps take
(`ledger`). The system tells what each of its threads takes. Times are of a core.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.relay.delivery import PAIRS, Deliveries
from benchmarks.relay.http import Http2
from benchmarks.relay.ledger import STEPS, name_of
from benchmarks.relay.mailboxes import Appends, keys_of
from benchmarks.relay.pairs import RelayPair
from benchmarks.relay.posts import HTTP2_CONNECTIONS, ClosedLoop, mailboxes_for
from benchmarks.relay.rounds import Bar, Report, Sample, interleave
from benchmarks.relay.servers import ROOT, RelayServer

_LOOP = "the event loop's thread"
_CALLS = "granian's thread that calls Python"
_SERVER = "granian's other threads: TLS, HTTP"
_OTHERS = "the thread that waits for a slow disk, and settles"
_REST = "coroutines, turns of the loop, granian's objects"
_APPENDED = "Arrivals.add"


class ObservedRelay(RelayServer):
    """A relay that writes down what its steps take; it has to be stopped before that is read."""

    def __init__(self) -> None:
        super().__init__()
        self._file = self.home.with_name("ledger.json")
        self.ledger: dict[str, Any] = {}
        """What it wrote."""
        self._threads: list[dict[str, float]] = []

    def start_again(self) -> None:
        """Start it on what its directory holds."""
        command = [sys.executable, "-m", "benchmarks.relay.ledger", str(self._file)]
        command += ["--port", str(self.port), "--data-dir", str(self.home)]
        self.start(command, {"PYTHONPATH": str(ROOT)})

    def stop(self) -> None:
        """End it, read what it wrote, and remove its directory."""
        self.end_process()
        if self._file.exists():
            self.ledger = json.loads(self._file.read_text())
        super().stop()

    def cpu_seconds(self) -> float:
        """Return the seconds of a core that it has used so far; a window begins and ends so."""
        threads = _threads_of(self.processes()[0])
        self._threads.append(threads)
        return sum(threads.values())

    def threads(self) -> dict[str, float]:
        """Return the part of each kind of thread in what was used between the last two looks."""
        before, after = self._threads[-2:]
        whole = sum(after.values()) - sum(before.values())
        return {kind: (after[kind] - before.get(kind, 0.0)) / whole for kind in after}


def _threads_of(process: int) -> dict[str, float]:
    """Return the seconds of a core by kind of thread: where each may run tells them apart."""
    home = os.sched_getaffinity(process)
    everywhere = os.sched_getaffinity(0)
    seconds: Counter[str] = Counter()
    for place in Path(f"/proc/{process}/task").iterdir():
        thread, ran = int(place.name), int((place / "schedstat").read_text().split()[0]) / 1e9
        at = os.sched_getaffinity(thread)
        if thread == process:
            kind = _LOOP
        elif at == everywhere:
            kind = _OTHERS
        else:
            kind = _CALLS if at == home else _SERVER
        seconds[kind] += ran
    return dict(seconds)


async def _post(seconds: float) -> Sample:
    """Post to a relay, like `posts`."""
    count = mailboxes_for(seconds)
    bodies = Appends([keys_of(number) for number in range(count)])
    relay = await ObservedRelay.started(count)
    with relay:
        loop = ClosedLoop(bodies, (200, bytes(1)))
        sample = await loop.run(relay, Http2, HTTP2_CONNECTIONS, seconds)
    return _spread(relay, sample)


async def _deliver(seconds: float) -> Sample:
    """Send and receive through a relay, like `delivery`."""
    relay = await ObservedRelay.started(PAIRS)
    with relay:
        deliveries = Deliveries(RelayPair, PAIRS)
        try:
            await deliveries.open(relay.address)
            sample = await deliveries.saturate(relay, seconds)
        finally:
            deliveries.close()
    return _spread(relay, sample)


def _spread(relay: ObservedRelay, sample: Sample) -> Sample:
    """Return the microseconds of each step and of each thread, by envelope."""
    each = sample["server us each"]
    spread = {kind: part * each for kind, part in relay.threads().items()}
    found, appended = relay.ledger, relay.ledger["calls"][_APPENDED]
    in_steps = 0.0
    for owner, attribute, title in STEPS:
        name = name_of(owner, attribute)
        calls, ns = found["calls"].get(name, 0), found["ns"].get(name, 0)
        us = max(0.0, ns - calls * found["inside"]) / appended / 1000
        spread[title] = spread.get(title, 0.0) + us
        in_steps += us
    counting = sum(found["calls"].values()) * (found["inside"] + found["around"]) / appended / 1000
    spread[_LOOP] -= counting
    spread[_REST] = spread[_LOOP] - in_steps
    spread["all"] = each - counting
    return spread


async def measure(rounds: int, seconds: float) -> Report:
    """Measure both ways."""
    report = Report(
        "path",
        "Microseconds of a core that an envelope of 4 KiB takes",
        [Bar("a post", ("all", "posted"), unit="us"),
         Bar("a delivery", ("all", "delivered"), unit="us")],
        [f"what stands above it are the parts of {_LOOP}; what counting them takes is left out"],
    )  # fmt: skip
    found = await interleave(
        {"posted": lambda: _post(seconds), "delivered": lambda: _deliver(seconds)}, rounds, report
    )
    titles = list(dict.fromkeys(title for *_, title in STEPS))
    titles += [_REST, _LOOP, _CALLS, _SERVER, _OTHERS, "all"]
    found.rounds = [
        {title: {way: one[way].get(title, 0.0) for way in one} for title in titles}
        for one in found.rounds
    ]
    return found
