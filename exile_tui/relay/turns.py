"""Who is answered next while more is asked than can be answered: each address in its turn."""

from __future__ import annotations

import asyncio
from collections import deque

BUSY = 64
"""Requests being answered at once above which addresses take turns."""

_EACH = 4
"""Of one address so many are answered at once in any case."""

_TOGETHER = 256
"""And so many of all addresses, shared evenly."""


class Place:
    """What one address has being answered and waiting."""

    __slots__ = ("answered", "waiting")

    def __init__(self) -> None:
        self.answered = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Turns:
    """Requests being answered. Whoever asks little waits for nobody who asks much."""

    def __init__(self) -> None:
        self._answered = 0
        self._places = 0
        self._held_up: dict[Place, None] = {}
        """Places at which somebody waits; the next one first."""

    @property
    def busy(self) -> bool:
        """Whether addresses take turns."""
        return self._answered >= BUSY

    async def take(self, place: Place) -> None:
        """Wait until a request of an address may be answered; `give` ends it."""
        if place.answered >= _EACH and self.busy and place.answered >= self._each():
            waiting = asyncio.get_running_loop().create_future()
            place.waiting.append(waiting)
            self._held_up[place] = None
            try:
                await waiting  # who gives hands its place on
            except asyncio.CancelledError:
                if waiting.done() and not waiting.cancelled():
                    self.give(place)
                raise
            return
        self._count(place)

    def give(self, place: Place) -> None:
        """End one, and let the next of this address go on; all, once nobody takes turns."""
        if self._next(place):
            return
        place.answered -= 1
        self._answered -= 1
        self._places -= not place.answered
        while self._held_up and not self.busy:
            other = next(iter(self._held_up))
            if self._next(other):
                self._count(other)

    def _count(self, place: Place) -> None:
        self._places += not place.answered
        place.answered += 1
        self._answered += 1

    def _next(self, place: Place) -> bool:
        """Let the next one who waits at a place go on; tell whether there was one."""
        self._held_up.pop(place, None)
        while place.waiting:
            waiting = place.waiting.popleft()
            if not waiting.done():
                if place.waiting:
                    self._held_up[place] = None
                waiting.set_result(None)
                return True
        return False

    def _each(self) -> int:
        return _TOGETHER // max(1, self._places)
