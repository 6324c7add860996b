"""Waiting between tries: full jitter, doubling, 1 to 60 seconds."""

from __future__ import annotations

import asyncio

from exile_tui.crypto.entropy import Entropy
from exile_tui.errors import ExileError, TryLater

SHORTEST_S = 1.0
LONGEST_S = 60.0


class Backoff:
    """How long to wait before the next try of one thing."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._ceiling = SHORTEST_S

    def reset(self) -> None:
        """Begin anew: it worked."""
        self._ceiling = SHORTEST_S

    def next(self, asked: float = 0.0) -> float:
        """Return the seconds to wait, drawn evenly between 1 and a ceiling that doubles to 60.

        The draw spreads clients that a relay lost all at once.

        Args:
            asked: Seconds that the relay asked for; up to a minute of them are granted.
        """
        self._ceiling = min(LONGEST_S, self._ceiling * 2)
        fraction = int.from_bytes(self._entropy.bytes(4), "big") / 2**32
        drawn = SHORTEST_S + fraction * (self._ceiling - SHORTEST_S)
        return max(drawn, min(asked, LONGEST_S) * (1 + fraction / 2))


def asked_wait(error: ExileError) -> float:
    """Return the seconds after which a relay that is busy asked to be tried again, else 0."""
    after = error.parameters.get("after", 0)
    return float(after) if isinstance(error, TryLater) and isinstance(after, int) else 0.0


async def wait_any(timeout: float | None, *events: asyncio.Event) -> None:
    """Return when one of the events is set or the seconds have passed."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
