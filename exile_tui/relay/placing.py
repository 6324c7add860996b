"""On which processors a relay's threads run.

Those that hold the interpreter's lock can't run at once. On several processors they only wake one
another across these, which takes 30 to 50 us each time, some thousand times a second. So they share
one, and the server's own threads have the others: together they do a fifth to a third more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

_LOOK_S = 5.0
"""Seconds between looks at how long the loop waited for its processor."""
_CROWDED = 0.4
"""Share of waiting in what it ran and waited from which on another processor is tried; 0.2 at most
when a relay is busy on its own."""
_LEAST_S = 0.1
"""Seconds of waiting between two looks that are no matter."""

Waited = Callable[[], tuple[float, float]]
"""Returns the seconds that the calling thread ran, and those that it waited for a processor."""


def allowed() -> Collection[int]:
    """Return the processors that this process may use; none where the system doesn't say."""
    try:
        return os.sched_getaffinity(0)
    except (AttributeError, OSError):
        return ()


def ran_and_waited() -> tuple[float, float]:
    """Return what Linux says of the calling thread; zeros where it says nothing."""
    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as file:
            ran, waited, _ = map(int, file.read().split())
    except (OSError, ValueError):
        return 0.0, 0.0
    return ran / 1e9, waited / 1e9


def highest_frequency(processor: int) -> int:
    """Return a processor's highest frequency in kHz; 0 where the system doesn't say."""
    try:
        directory = Path(f"/sys/devices/system/cpu/cpu{processor}/cpufreq")
        return int((directory / "cpuinfo_max_freq").read_text("ascii"))
    except (OSError, ValueError):
        return 0


class Placement:
    """Places the threads of a process that runs a relay and nothing else.

    Where it has less than two processors, nothing is placed.
    """

    def __init__(
        self,
        processors: Collection[int],
        waited: Waited = ran_and_waited,
        frequency: Callable[[int], int] = highest_frequency,
    ) -> None:
        """Place nothing yet.

        Args:
            processors: Numbers of those that may be used.
            waited: What tells how long the loop's thread waited.
            frequency: Tells how quick a processor is: there may be slow ones that save power.
        """
        self._all = sorted(processors) if len(processors) > 1 else []
        # Of equally quick ones the last: interrupts come to the first.
        self._all.sort(key=lambda one: (frequency(one), one), reverse=True)
        self._home = 0
        self._waited = waited
        self._before = 0.0, 0.0

    @property
    def home(self) -> set[int]:
        """The processor of whoever holds the interpreter's lock; empty where nothing is placed."""
        return set(self._all[self._home : self._home + 1])

    @property
    def rest(self) -> set[int]:
        """The others."""
        return set(self._all) - self.home

    def enter(self) -> None:
        """Let the calling thread run at home."""
        _place(0, self.home)

    @contextlib.contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Let the threads that are started now run on the others, and the calling one at home."""
        _place(0, self.rest)
        try:
            yield
        finally:
            self.enter()

    async def keep(self) -> None:
        """Move when another program uses the same processor; runs in the loop's thread."""
        while self._all:
            self._before = self._waited()
            await asyncio.sleep(_LOOK_S)
            if self.crowded():
                self.move()

    def crowded(self) -> bool:
        """Tell whether the loop waited for its processor for long since the last look."""
        now = self._waited()
        ran, waited = (after - before for after, before in zip(now, self._before, strict=True))
        return waited > max(_LEAST_S, _CROWDED * (ran + waited))

    def move(self) -> None:
        """Make the next processor the home; every thread that was placed is placed anew."""
        home, rest = self.home, self.rest
        self._home = (self._home + 1) % len(self._all)
        with contextlib.suppress(OSError):
            for thread in map(int, os.listdir("/proc/self/task")):
                with contextlib.suppress(OSError):  # it ended
                    at = os.sched_getaffinity(thread)
                    if at in (home, rest):
                        _place(thread, self.home if at == home else self.rest)


def _place(thread: int, processors: set[int]) -> None:
    """Let a thread, 0 for the calling one, run on these; where that can't be, it stays."""
    if processors:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(thread, processors)
