"""Whether the calendar may be believed: a clock that jumped ahead deletes nothing for a while."""

from __future__ import annotations

from exile_tui.clock import Clock

LASTING_S = 3600.0
"""Seconds after which a jump is taken for the time that it is."""
_SMALL_MS = 3_600_000
"""Milliseconds that a clock may be set ahead at once without being doubted."""


class SteadyCalendar:
    """Compares a clock with how much time has passed.

    A jump ahead may be a wrong clock that is set right soon, and what was deleted is gone. It may
    also be a computer that slept: so it is believed once it lasted. The first time is believed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._believed = self._ahead()
        self._jumped: float | None = None

    def may_be_believed(self) -> bool:
        """Look at the clock; tell whether what expires by it may be deleted."""
        ahead, now = self._ahead(), self._clock.monotonic()
        if ahead - self._believed > _SMALL_MS:
            if self._jumped is None:
                self._jumped = now
            if now - self._jumped < LASTING_S:
                return False
        self._believed, self._jumped = ahead, None
        return True

    def _ahead(self) -> float:
        return self._clock.now_ms() - self._clock.monotonic() * 1000
