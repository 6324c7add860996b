"""A relay's totals in the text format of Prometheus, 0.0.4; nothing per mailbox or address.

Whoever counts twice sees what happened in between, so that all of it is counted once a minute at
most: no two answers tell more about the time of a request than that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from exile_tui.clock import DAY_MS, Clock
from exile_tui.relay.activity import BOUNDS, Activity, Durations
from exile_tui.relay.engine import CountAll, Engine, EngineUnavailable, Totals
from exile_tui.relay.limits import today

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
INTERVAL_S = 60.0
"""Seconds for which an answer stays as it is, whoever asks however often."""
_SHARE = 100
"""Counting takes at most one part of this many of the relay's time, however much it holds."""
_PATIENCE_S = 5.0
_KINDS = ("appended", "delivered", "acknowledged", "expired", "deleted")


class Metrics:
    """Counts, and keeps what it counted for a while."""

    def __init__(
        self,
        engine: Engine,
        open_streams: Callable[[], int],
        refused: Mapping[int, int],
        work: Mapping[str, int],
        clock: Clock,
        interval: float = INTERVAL_S,
    ) -> None:
        """Make it.

        Args:
            engine: What holds the totals.
            open_streams: Counts the receives that are open.
            refused: How many requests were refused, by HTTP status.
            work: How often work was asked for, done and refused.
            clock: The start's day is today's.
            interval: Seconds for which an answer stays as it is.
        """
        self._engine = engine
        self._open_streams = open_streams
        self._refused = refused
        self._work = work
        self._clock = clock
        self._start = today(clock) * DAY_MS // 1000
        self._interval = interval
        self._until = 0.0
        self._text = b""
        self._held: Totals | None = None
        self._turn = asyncio.Lock()

    async def text(self) -> bytes:
        """Return the answer to a scrape."""
        async with self._turn:
            started = self._clock.monotonic()
            if started >= self._until:
                with contextlib.suppress(EngineUnavailable, TimeoutError):  # as of before, then
                    async with asyncio.timeout(_PATIENCE_S):
                        self._held = await self._engine.submit(CountAll())
                now = self._clock.monotonic()
                self._text = "".join(self._lines()).encode()
                self._until = now + max(self._interval, _SHARE * (now - started))
            return self._text

    def _lines(self) -> Iterable[str]:
        activity = self._engine.activity()
        if self._held is not None:
            yield from _held(self._held)
        yield from _done(activity)
        refused = {str(status): count for status, count in sorted(self._refused.items())}
        name = "exile_relay_requests_refused_total"
        yield from _series(name, "Requests answered with an error.", "status", refused)
        name = "exile_relay_work_total"
        yield from _series(name, "Work for mailboxes, by what came of it.", "outcome", self._work)
        yield from _gauge("exile_relay_streams", "Receives open.", self._open_streams())
        yield from _gauge(
            "exile_relay_database_bytes", "Size of the database.", activity.database_bytes
        )
        yield from _gauge("exile_relay_log_bytes", "Size of its log.", activity.log_bytes)
        yield from _gauge(
            "process_start_time_seconds", "Day of the start, since the epoch.", self._start
        )


def _held(held: Totals) -> Iterable[str]:
    for name, text, value in (
        ("mailboxes", "Mailboxes held.", held.mailboxes),
        ("envelopes_waiting", "Envelopes that wait.", held.envelopes),
        ("envelopes_waiting_bytes", "Bytes of envelopes that wait.", held.envelope_bytes),
        ("blobs", "Blobs held.", held.blobs),
        ("blobs_bytes", "Bytes of blobs held.", held.blob_bytes),
    ):
        yield from _gauge(f"exile_relay_{name}", text, value)


def _done(activity: Activity) -> Iterable[str]:
    for kind in _KINDS:
        name = f"exile_relay_envelopes_{kind}_total"
        yield from _metric(name, "counter", f"Envelopes {kind} since the start.")
        yield f"{name} {activity.envelopes[kind]}\n"
    name = "exile_relay_appends_refused_total"
    text = "Appends that stored not all of their envelopes."
    verdicts = {name.lower(): count for name, count in sorted(activity.refused.items())}
    yield from _series(name, text, "verdict", verdicts)
    yield from _histogram("exile_relay_commit_seconds", activity.commits)
    name = "exile_relay_commits_failed_total"
    yield from _metric(name, "counter", "Batches of which nothing was stored.")
    yield f"{name} {activity.failed_commits}\n"


def _histogram(name: str, durations: Durations) -> Iterable[str]:
    yield from _metric(name, "histogram", "Time that the disk took for a commit.")
    total = 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), durations.counts, strict=True):
        total += count
        yield f'{name}_bucket{{le="{bound}"}} {total}\n'
    yield f"{name}_sum {durations.seconds:.3f}\n{name}_count {total}\n"


def _series(name: str, text: str, label: str, values: Mapping[str, int]) -> Iterable[str]:
    yield from _metric(name, "counter", text)
    for value, count in values.items():
        yield f'{name}{{{label}="{value}"}} {count}\n'


def _gauge(name: str, text: str, value: int) -> Iterable[str]:
    yield from _metric(name, "gauge", text)
    yield f"{name} {value}\n"


def _metric(name: str, kind: str, text: str) -> Iterable[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
