"""Delete from a copy of a profile while another conversation is written to.

    python -m benchmarks.deleting PROFILE [--passphrase benchmark] [--first 1] [--last 100000]

Prints seconds, the longest write-ahead log, memory, and how long the other's appending waited.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from exile_tui.core.deleting import delete_messages
from exile_tui.core.model import Direction, MessageKind, Reason
from exile_tui.store import ProfileVault

MB = 1_000_000


class Quiet:
    """As much of a context as deleting lines needs."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def emit(self, *_: object) -> None:
        """Tell nobody."""


async def measure(profile: Path, passphrase: str, first: int, last: int) -> str:
    """Delete from one seq to another of the longest conversation and return the figures."""
    store = await ProfileVault(profile).open(passphrase)
    async with store.snapshot() as tx:
        lengths = {
            contact.id: (await tx.messages.extent(contact.id)).last_seq
            for contact in await tx.contacts.all()
        }
    victim = max(lengths, key=lambda each: lengths[each])
    other = min(lengths, key=lambda each: lengths[each])
    log, longest, waits, over = profile / "database-wal", 0, [0.0], asyncio.Event()

    async def write() -> None:
        nonlocal longest
        number = 0
        while not over.is_set():
            number += 1
            began = time.perf_counter()
            async with store.transaction() as tx:
                await tx.messages.append(
                    other,
                    direction=Direction.IN,
                    kind=MessageKind.TEXT,
                    content_id=b"measure!" + number.to_bytes(8, "big"),
                    text="그동안에 온 메시지",
                    sent_ms=number,
                    stored_ms=number,
                    delivery=None,
                    reason=Reason.NONE,
                    read=True,
                )
                longest = max(longest, log.stat().st_size)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)

    marks: list[float] = []
    began, spent = time.perf_counter(), time.process_time()
    writing = asyncio.create_task(write())
    context: Any = Quiet(store)
    await delete_messages(
        context, victim, first, last, lambda *_: marks.append(time.perf_counter())
    )
    ended, cpu = time.perf_counter(), time.process_time() - spent
    over.set()
    await writing
    await store.close()
    waits.sort()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{min(last, lengths[victim]) - first + 1:,} of {sum(lengths.values()):,} lines: "
        f"{ended - began:.1f} s ({cpu:.1f} s of CPU), the last {ended - marks[-1]:.1f} s for the "
        f"traces; log up to {longest / MB:.1f} MB, memory {memory:.0f} MB; {len(waits)} messages "
        f"elsewhere waited {waits[len(waits) // 2] * 1000:.0f} ms, at worst "
        f"{waits[-1] * 1000:.0f} ms; the file has {(profile / 'database').stat().st_size / MB:.1f}"
        " MB now"
    )


def main() -> None:
    """Measure once, on a copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", type=Path)
    parser.add_argument("--passphrase", default="benchmark")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=10**9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "profile"
        shutil.copytree(given.profile, copy)
        print(asyncio.run(measure(copy, given.passphrase, given.first, given.last)))


if __name__ == "__main__":
    main()
