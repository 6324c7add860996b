"""Solve a relay's puzzle by trying keys; pure, a slice at a time."""

from __future__ import annotations

import math

from exile_tui.wire.puzzle import KEY_SIZE, Puzzle, Solution, fits


class Solver:
    """Tries 0, 1, 2 and so on until as many keys fit as the puzzle asks for."""

    def __init__(self, puzzle: Puzzle, cookie: bytes) -> None:
        """Begin.

        Args:
            puzzle: What the relay asks.
            cookie: The puzzle's, for one mailbox at one relay.
        """
        self._puzzle = puzzle
        self._cookie = cookie
        self._keys: list[bytes] = []
        self._found_at = 0
        self.tried = 0

    @property
    def share(self) -> float:
        """How much is done, 0 to 1, as far as chance lets one expect; it never goes back."""
        waited = (self.tried - self._found_at) / (1 << self._puzzle.bits)
        begun = len(self._keys) + 1 - math.exp(-waited)
        return min(1.0, begun / self._puzzle.count)

    @property
    def left(self) -> float:
        """How many tries are to be expected still; each key takes as long whatever was tried."""
        return float((self._puzzle.count - len(self._keys)) << self._puzzle.bits)

    def run(self, tries: int) -> Solution | None:
        """Try so many keys; return the solution once there is one."""
        bits, cookie = self._puzzle.bits, self._cookie
        for number in range(self.tried, self.tried + tries):
            key = number.to_bytes(KEY_SIZE, "big")
            if fits(key, cookie, bits):
                self._keys.append(key)
                self._found_at = number + 1
                if len(self._keys) == self._puzzle.count:
                    self.tried = number + 1
                    return Solution(self._puzzle, self._keys)
        self.tried += tries
        return None
