"""Whether the disk is so quick that asking a thread to wait for it takes longer than it does.

A thread that wakes, waits for the interpreter and wakes the event loop costs a batch half a
millisecond and more; a good disk synchronises in a third of one. So the loop waits by itself while
the disk is quick, and for long no more once it was not: a disk that stops for a while stops the
loop once, when nothing could be stored in any case.
"""

from __future__ import annotations

SMALL = 524_288
"""Bytes of a batch above which its writing alone takes too long: some 120 envelopes of 4 KiB.
With half of it a twentieth of the processors was idle more where 256 messages are under way."""

_PROMISING_S = 0.002
"""Seconds that a writing takes the thread on average, its wait for the interpreter included, for
the loop to try."""
_QUICK_S = 0.0012
"""Seconds that it may take the loop on average."""
_STALL_S = 0.02
"""Seconds after which one alone is too slow."""
_OVER = 64
"""Writings over which the average is taken. One of ten milliseconds comes now and then, and is no
sign of a slow disk."""
_REST = 1000
"""Writings that are the thread's after that."""
_AT_FIRST_S = 0.01


class Pace:
    """What the last writings took, and who is to do the next."""

    def __init__(self) -> None:
        self._average = _AT_FIRST_S
        self._rest = 0
        self._by_loop = False

    def note(self, seconds: float, size: int) -> None:
        """Note how long it took to write so many bytes durably."""
        if size > SMALL:
            return
        self._average += (seconds - self._average) / _OVER
        if self._by_loop:
            if seconds > _STALL_S or self._average > _QUICK_S:
                self._by_loop, self._rest = False, _REST
        elif self._rest:
            self._rest -= 1
        elif self._average < _PROMISING_S:
            self._by_loop, self._average = True, 0.0

    def allows(self, size: int) -> bool:
        """Tell whether the event loop may write so many bytes durably by itself."""
        return self._by_loop and size <= SMALL
