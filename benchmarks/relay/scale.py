"""The time per message of a relay with a thousand mailboxes, and of one with a million.

Every post goes to another mailbox, drawn from all of them, so that with a million nearly each one
finds a mailbox that nothing was asked of before. The files are made once, by the relay's own
engine, and each window begins with a copy.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.relay.http import Http2
from benchmarks.relay.mailboxes import CAPACITY, Appends, create, keys_of
from benchmarks.relay.posts import ClosedLoop
from benchmarks.relay.rounds import Bar, Report, Sample, interleave
from benchmarks.relay.servers import RelayServer

FEW, MANY = 1_000, 1_000_000
_LONGEST_S = 4.0
"""Seconds of a window: a thousand mailboxes hold no more."""
_CONNECTIONS = 8


async def _post(template: Path, mailboxes: int, seconds: float) -> Sample:
    """Load a relay on a copy of a directory."""
    room = FEW * CAPACITY
    draw = random.Random(mailboxes)
    chosen = draw.sample(range(mailboxes), min(mailboxes, room))
    bodies = Appends([keys_of(number) for number in chosen], capacity=room // len(chosen))
    relay = RelayServer()
    with relay:
        await asyncio.to_thread(shutil.copytree, template, relay.home, dirs_exist_ok=True)
        relay.start_again()
        loop = ClosedLoop(bodies, (200, b"\0"))
        sample = await loop.run(relay, Http2, _CONNECTIONS, seconds)
        memory = relay.resident_bytes()
    return {"us a message": 1e6 / sample["posts/s"], **sample, "MiB": memory / 2**20}


async def measure(rounds: int, seconds: float) -> Report:
    """Measure both sizes."""
    few, many = f"{FEW:,} mailboxes", f"{MANY:,} mailboxes"
    report = Report(
        "scale",
        "Posts of one 4 KiB envelope to mailboxes drawn from all, 64 in flight, HTTP/2",
        [
            Bar("time per message, a million mailboxes over a thousand", (many, "us a message"),
                (few, "us a message"), most=1.3),
        ],
        [f"windows of {min(seconds, _LONGEST_S):g} s, since a thousand mailboxes hold no more"],
    )  # fmt: skip
    templates = Path(tempfile.mkdtemp(prefix="exile-scale-"))
    try:
        for count in (FEW, MANY):
            sys.stderr.write(f"scale: making {count:,} mailboxes\n")
            template = templates / str(count)
            await asyncio.to_thread(template.mkdir)
            await create(template, count)
        return await interleave(
            {
                few: lambda: _post(templates / str(FEW), FEW, min(seconds, _LONGEST_S)),
                many: lambda: _post(templates / str(MANY), MANY, min(seconds, _LONGEST_S)),
            },
            rounds,
            report,
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, templates, ignore_errors=True)
