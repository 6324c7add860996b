"""Where the microseconds of one envelope go inside the relay: appended, delivered, acknowledged.

The engine alone, in this process, with all that the relay does for each request but the server's
part: decoding, hashing, the journal and its index, one write for what came together, which waits
for the disk in a thread of its own. What `posts` shows for the relay beyond this is the
server: TLS, HTTP and the way into Python and back. Times are of the processor, not of the clock.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.relay.mailboxes import SIZE, create, keys_of
from benchmarks.relay.rounds import Bar, Report, Sample, interleave
from exile_tui.clock import SystemClock
from exile_tui.relay import engine, envelopes, mailboxes
from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.journal import Segment
from exile_tui.relay.limits import Limits
from exile_tui.relay.rows import MailboxRows
from exile_tui.relay.service import DATABASE_FILE
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.relay import Acknowledge, Append, envelope_head

ENVELOPES = 20_000
IN_FLIGHT = 64
_READ_AT_ONCE = 262_144
_REST = "turns of the loop, futures, the transaction"
_COMMIT = "writing the journal and COMMIT, in their thread"
_STEPS: tuple[tuple[Any, str, str], ...] = (
    (Append, "decode", "append: decode the request"),
    (MailboxRows, "sent_to_by", "append: who may send"),
    (envelopes, "digest_of", "append: hash the envelope"),
    (Segment, "append", "append, acknowledge: the journal's record"),
    (Arrivals, "add", "append: its index"),
    (mailboxes.Mailboxes, "append", "append: the rest"),
    (MailboxRows, "received_by", "deliver, acknowledge: who may receive"),
    (mailboxes.Mailboxes, "fetch", "deliver: read"),
    (Acknowledge, "decode", "acknowledge: decode the request"),
    (Arrivals, "delete", "acknowledge: the journal's index"),
    (mailboxes.Mailboxes, "acknowledge", "acknowledge: the rest"),
)
"""What is measured: where it is, and what it is called here."""


class Ledger:
    """Counts for each function what it takes without those that it calls."""

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self._inner = [0]

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and is counted."""

        @functools.wraps(function)
        def counted(*arguments: Any) -> Any:
            self._inner.append(0)
            began = time.thread_time_ns()
            try:
                return function(*arguments)
            finally:
                taken = time.thread_time_ns() - began
                self.ns[name] += taken - self._inner.pop()
                self._inner[-1] += taken

        return counted


async def _carry(store: SqliteEngine) -> None:
    """Append, fetch and acknowledge one envelope after the other, so many at once."""
    left = iter(range(ENVELOPES))

    async def one(keys: Any) -> None:
        for number in left:
            envelope = number.to_bytes(8, "big") * (SIZE // 8)
            request = Append(keys.id, keys.send_token, [envelope]).encode()
            asked = Append.decode(request)
            token = hashlib.sha256(asked.send_token).digest()
            await store.submit(engine.Append(asked.mailbox_id, token, asked.envelopes))
            fetch = engine.Fetch(keys.id, keys.receive_hash, -1, _READ_AT_ONCE)
            found = await store.submit(fetch)
            assert found is not None
            b"".join(part for seq, body in found for part in (envelope_head(0, seq, SIZE), body))
            request = Acknowledge(keys.id, keys.receive_token, [seq for seq, _ in found]).encode()
            seen = Acknowledge.decode(request)
            token = hashlib.sha256(seen.receive_token).digest()
            await store.submit(engine.Acknowledge(seen.mailbox_id, token, seen.seqs))

    await asyncio.gather(*(one(keys_of(number)) for number in range(IN_FLIGHT)))


async def _window() -> dict[str, float]:
    """Return microseconds an envelope of each step."""
    ledger = Ledger()
    kept = [(owner, attribute, vars(owner)[attribute]) for owner, attribute, _ in _STEPS]
    for owner, attribute, name in _STEPS:
        whole = vars(owner)[attribute]
        counted: Any = ledger.wrap(name, getattr(owner, attribute))
        setattr(
            owner, attribute, staticmethod(counted) if isinstance(whole, classmethod) else counted
        )
    try:
        with tempfile.TemporaryDirectory(prefix="exile-path-") as directory:
            await create(Path(directory), IN_FLIGHT)
            store = await SqliteEngine.open(Path(directory, DATABASE_FILE), Limits(), SystemClock())
            ledger.ns.clear()
            loop, process = time.thread_time_ns(), time.process_time_ns()
            await _carry(store)
            loop, process = time.thread_time_ns() - loop, time.process_time_ns() - process
            await store.close()
    finally:
        for owner, attribute, whole in kept:
            setattr(owner, attribute, whole)
    ledger.ns[_REST] = loop - sum(ledger.ns.values())
    ledger.ns[_COMMIT] = process - loop
    return {name: taken / ENVELOPES / 1000 for name, taken in ledger.ns.items()}


async def measure(rounds: int, seconds: float) -> Report:
    """Measure the steps; each round carries as many envelopes, however long it takes."""
    report = Report(
        "path",
        f"One envelope of 4 KiB, appended, delivered and acknowledged, {IN_FLIGHT} at once",
        [Bar("all of it", ("all", "us"), unit="us")],
        [f"{ENVELOPES:,} envelopes a round; the generator's own work is in the turns of the loop"],
    )

    async def window() -> Sample:
        return await _window()

    found = await interleave({"steps": window}, rounds, report)
    found.rounds = [
        {
            **{name: {"us": taken} for name, taken in one["steps"].items()},
            "all": {"us": sum(one["steps"].values())},
        }
        for one in found.rounds
    ]
    return found
