"""Send to shown at the peer, over loopback: two clients, one relay, all three durable.

    python -m benchmarks.latency [--messages 200] [--directory DIR]

Two processes write numbered messages in turn, one at a time, as people do. The time runs from the
call of `Messenger.send` in one process to the `MessageStored` event in the other, on the machine's
monotonic clock: seal, commit (SQLCipher, synchronous=FULL), append over TLS, the relay's commit,
push, open, commit. Beside it: one fdatasync of 4 KiB on the same disk, the part nobody can save.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.faults.harness import SIDES, Battle

TARGET_MS = 25.0
PAUSE_S = 0.25
"""Between messages: longer than an acknowledgement waits for one to ride on."""


async def measure(directory: Path, messages: int) -> dict[str, list[float]]:
    """Return the milliseconds of every message: to `sent` at the sender, to shown at the peer."""
    battle = Battle(directory, seed=1)
    shown: list[float] = []
    sent: list[float] = []
    try:
        await battle.set_up()
        for number in range(messages):
            side, peer = SIDES[number % 2], SIDES[1 - number % 2]
            mine, theirs = battle.clients[side], battle.clients[peer]
            index = number // 2
            mine.tell(str(index + 1))
            await theirs.until(lambda heard=theirs.heard, i=index: i in heard["received"])
            await mine.until(lambda heard=mine.heard, i=index: i in heard["sent"])
            begun = mine.heard["writing"][index]
            shown.append((theirs.heard["received"][index] - begun) * 1000)
            sent.append((mine.heard["sent"][index] - begun) * 1000)
            await asyncio.sleep(PAUSE_S)
    finally:
        await battle.close()
    return {"shown": shown, "sent": sent}


def fdatasync_ms(directory: Path, count: int = 50) -> list[float]:
    """Return the milliseconds of one append of 4 KiB made durable."""
    taken = []
    with (directory / "probe").open("wb", buffering=0) as stream:
        for _ in range(count):
            started = time.perf_counter()
            stream.write(os.urandom(4096))
            os.fdatasync(stream.fileno())
            taken.append((time.perf_counter() - started) * 1000)
    return taken


def _print(label: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    at95 = ordered[int(len(ordered) * 0.95)]
    print(
        f"{label:<32} median {statistics.median(ordered):6.1f} ms   "
        f"95 % {at95:6.1f} ms   max {ordered[-1]:6.1f} ms"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--directory", type=Path, help="on the disk to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name:
        directory = Path(name)
        _print("fdatasync of 4 KiB", fdatasync_ms(directory))
        result = asyncio.run(measure(directory / "run", arguments.messages))
    _print("send to sent", result["sent"])
    _print("send to shown at the peer", result["shown"])
    print(f"target: {TARGET_MS:.0f} ms median to shown")


if __name__ == "__main__":
    main()
