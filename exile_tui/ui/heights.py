"""The heights of a column of blocks: where each begins, and which one has a given row."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate


class Heights:
    """A Fenwick tree: every question and change takes O(log n) steps, making it O(n).

    Peter M. Fenwick, A New Data Structure for Cumulative Frequency Tables, 1994.
    """

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        tops = list(accumulate(self._heights, initial=0))
        self._sums = [top - tops[index & index - 1] for index, top in enumerate(tops)]
        """Entry i holds the sum of the last `i & -i` heights up to the i-th."""
        self.total = tops[-1]
        """Rows of all blocks."""

    @classmethod
    def alike(cls, count: int, height: int) -> Heights:
        """Return many blocks of one height; in no time, as whoever opens a conversation waits."""
        self = cls()
        self._heights = [height] * count
        sums = [0, height]
        while len(sums) <= count:
            # The same sums once more; only the last one reaches over all of them.
            sums += sums[1:-1]
            sums.append(2 * sums[len(sums) // 2])
        self._sums = sums[: count + 1]
        self.total = count * height
        return self

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        change = height - self._heights[index]
        if not change:
            return
        self._heights[index] = height
        self.total += change
        at = index + 1
        while at < len(self._sums):
            self._sums[at] += change
            at += at & -at

    def append(self, height: int) -> None:
        """Add a block behind the last."""
        index = len(self._sums)
        rows, step = height, 1
        while step < index & -index:
            rows += self._sums[index - step]
            step <<= 1
        self._heights.append(height)
        self._sums.append(rows)
        self.total += height

    def top(self, index: int) -> int:
        """Return how many rows stand before a block; of one behind the last, all of them."""
        rows = 0
        while index > 0:
            rows += self._sums[index]
            index -= index & -index
        return rows

    def find(self, row: int) -> tuple[int, int]:
        """Return the block that has a row, and which of its rows that is.

        Raises:
            IndexError: There is no such row.
        """
        if not 0 <= row < self.total:
            raise IndexError(row)
        found, step = 0, 1 << len(self._heights).bit_length()
        while step:
            after = found + step
            # Not `<`: a block of no rows is passed over.
            if after < len(self._sums) and self._sums[after] <= row:
                found = after
                row -= self._sums[after]
            step >>= 1
        return found, row
