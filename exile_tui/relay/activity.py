"""What a relay did since its start, in totals: nothing here belongs to a mailbox or a request."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds of the histogram's buckets; one without a bound follows."""


@dataclass(slots=True)
class Durations:
    """A histogram of how long something took."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """How many fell into each bucket, not cumulative."""
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


@dataclass(slots=True)
class Activity:
    """Totals since the start, of one engine."""

    envelopes: Counter[str] = field(default_factory=Counter)
    """By what became of them: appended, delivered, acknowledged, expired, deleted."""
    refused: Counter[str] = field(default_factory=Counter)
    """Requests that stored not all of their envelopes, by the verdict of the first left out."""
    commits: Durations = field(default_factory=Durations)
    failed_commits: int = 0
    """Batches of which nothing was stored."""
    database_bytes: int = 0
    log_bytes: int = 0

    def settle(self, tally: Counter[str], refused: Counter[str]) -> None:
        """Add what one committed batch did, and empty what it was gathered in."""
        self.envelopes.update(tally)
        self.refused.update(refused)
        tally.clear()
        refused.clear()
