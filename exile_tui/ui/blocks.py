"""A long conversation in blocks of 32 messages: some laid out, the others only as heights.

A block that was never laid out has an estimated height, so the place of every line is known at
once, however many there are; the estimate is corrected when the block comes into sight.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from textual.strip import Strip

from exile_tui.core.model import Extent, Message
from exile_tui.ui.heights import Heights
from exile_tui.ui.timeline import Line, Timeline

SIZE = 32
"""Messages of a block, deleted ones included."""
KEPT = 12
"""Blocks that stay laid out."""
KEPT_SELECTED = 64
"""Blocks that stay laid out while they are selected, so that they can be copied."""
ROWS_A_MESSAGE = 2.0
"""Until something was laid out."""


def block_of(seq: int) -> int:
    """Return the number of the block that a message belongs to, from 0."""
    return (seq - 1) // SIZE


def bounds(block: int) -> tuple[int, int]:
    """Return the first and the last seq that belong to a block."""
    return block * SIZE + 1, (block + 1) * SIZE


def needed(extent: Extent, first: int, last: int) -> tuple[int, int]:
    """Return from which seq to which must be read to lay out a range of blocks.

    The neighbours belong to it: whether a name or a day stands between depends on them.
    """
    first_seq, last_seq = bounds(first)[0], bounds(last)[1]
    return extent.before(first_seq) or first_seq, extent.after(last_seq) or last_seq


def beginning(extent: Extent, seq: int) -> tuple[int, int] | None:
    """Return the first and the last block to show first; None if there is no message.

    Args:
        extent: Where the lines are.
        seq: The one to begin at; 0 for the newest.
    """
    newest = block_of(extent.last_seq)
    if newest < 0:
        return None
    if not seq:
        return max(newest - 1, 0), newest
    middle = min(block_of(seq), newest)
    return max(middle - 1, 0), min(middle + 1, newest)


@dataclass
class Block:
    """Some messages and the rows that they take."""

    messages: Sequence[Message]
    lines: list[Line]
    strips: dict[int, tuple[int, Strip]] = field(default_factory=dict)
    """Lines as they were drawn, each with its row in the conversation then."""
    stale: bool = False
    """It is shown, but something may have changed since it was read."""

    def first_row(self, seq: int) -> int:
        """Return the first row of a message or, where it is gone, of the one behind it."""
        return next(
            (row for row, line in enumerate(self.lines) if line.seq >= seq), len(self.lines)
        )


class Blocks:
    """The blocks of one conversation at one width."""

    def __init__(self) -> None:
        self.extent = Extent()
        self.heights = Heights()
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._rows = self._counted = 0
        """What was laid out, for the estimate of the rest."""

    # Which lines there are

    def adopt(self, extent: Extent) -> None:
        """Take in which lines there are now; what is laid out keeps its height."""
        if extent.gaps == self.extent.gaps and extent.last_seq == self.extent.last_seq:
            self.extent = extent
            return
        if extent.gaps == self.extent.gaps and extent.last_seq > self.extent.last_seq > 0:
            self.extent = extent
            self._grow()
        else:
            self.extent = extent
            self.heights = self._estimated()
            for number in list(self._blocks):
                if number < len(self.heights):
                    self.heights[number] = len(self._blocks[number].lines)
                else:
                    del self._blocks[number]

    def _grow(self) -> None:
        last = len(self.heights) - 1
        if last >= 0 and last not in self._blocks:
            self.heights[last] = self._estimate(last)
        for number in range(last + 1, self._count):
            self.heights.append(self._estimate(number))

    @property
    def _count(self) -> int:
        return -(-self.extent.last_seq // SIZE)

    def estimate_anew(self) -> None:
        """Forget every layout: the width has changed."""
        self._blocks.clear()
        self.heights = self._estimated()
        self._rows = self._counted = 0

    def outdate(self) -> None:
        """Note that every block may have changed."""
        for block in self._blocks.values():
            block.stale = True

    def _estimated(self) -> Heights:
        """Return the heights of all blocks; most are full, and alike."""
        count, full = self._count, round(self._average * SIZE)
        heights = Heights.alike(count, full)
        if self.extent.gaps:
            listed = [full] * count
            for first, last in self.extent.gaps:
                begins, ends = block_of(first), block_of(last)
                listed[begins : ends + 1] = [0] * (ends + 1 - begins)
                for number in {begins, ends}:
                    listed[number] = self._estimate(number)
            heights = Heights(listed)
        if count:
            heights[count - 1] = self._estimate(count - 1)
        return heights

    def _estimate(self, number: int) -> int:
        return round(self._average * self.extent.count(*bounds(number)))

    @property
    def _average(self) -> float:
        return self._rows / self._counted if self._counted else ROWS_A_MESSAGE

    # Which are laid out

    def lacking(self, first: int, last: int) -> tuple[int, int] | None:
        """Return the first and last block of a range that are to be read, None if none is."""
        found = [
            number
            for number in range(max(first, 0), min(last, len(self.heights) - 1) + 1)
            if self._lacks(number)
        ]
        return (found[0], found[-1]) if found else None

    def _lacks(self, number: int) -> bool:
        block = self._blocks.get(number)
        return block.stale if block is not None else self.extent.count(*bounds(number)) > 0

    def lay_out(
        self, timeline: Timeline, messages: Sequence[Message], first: int, last: int
    ) -> None:
        """Lay out a range of blocks.

        Args:
            timeline: How.
            messages: All from `needed`, in order.
            first: The first block.
            last: The last block.
        """
        for number in range(first, min(last, len(self.heights) - 1) + 1):
            low, high = bounds(number)
            within = [index for index, each in enumerate(messages) if low <= each.seq <= high]
            inside = [messages[index] for index in within]
            before = after = None
            if within:
                before = messages[within[0] - 1] if within[0] else None
                after = messages[within[-1] + 1] if within[-1] + 1 < len(messages) else None
            lines = timeline.lines(inside, before, after)
            self._blocks[number] = Block(inside, lines)
            self._blocks.move_to_end(number)
            self.heights[number] = len(lines)
            self._rows += len(lines)
            self._counted += len(inside)

    def lay_out_first(
        self,
        timeline: Timeline,
        messages: Sequence[Message],
        blocks: tuple[int, int],
        seq: int,
        rows: int,
    ) -> None:
        """Lay out of a range of blocks only those that the first frame shows.

        Args:
            timeline: How.
            messages: All from `needed` of the range, in order.
            blocks: The first and the last block of `beginning`.
            seq: The message that stands in the upper third; 0 for the end.
            rows: How many are shown.
        """
        first, last = blocks
        middle = min(block_of(seq), last) if seq else last
        self.lay_out(timeline, messages, middle, middle)
        top = self.heights.top(middle)
        above = self.row_of(seq) - top if seq else self.heights[middle]
        below = self.heights[middle] - above
        if below < rows and middle < last:
            self.lay_out(timeline, messages, middle + 1, middle + 1)
            below += self.heights[middle + 1]
        if above < max(rows // 3, rows - below) and middle > first:
            self.lay_out(timeline, messages, first, middle - 1)

    def drop(self, sight: tuple[int, int], ahead: int, selected: tuple[int, int] | None) -> None:
        """Let go of what is drawn out of sight, and of what was not in sight for longest.

        Args:
            sight: The first and the last block of which a row is on the screen.
            ahead: How many on either side of them are needed too.
            selected: The first and the last row of a selection, which stays, within reason.
        """
        for number, block in self._blocks.items():
            if not sight[0] <= number <= sight[1]:
                block.strips.clear()
        keep = sight[0] - ahead, sight[1] + ahead
        over = len(self._blocks) - KEPT
        if over > KEPT_SELECTED:
            selected = None
        for number in list(self._blocks):
            if over <= 0:
                break
            if keep[0] <= number <= keep[1] or self._within(number, selected):
                continue
            del self._blocks[number]
            over -= 1

    def _within(self, number: int, rows: tuple[int, int] | None) -> bool:
        if rows is None:
            return False
        top = self.heights.top(number)
        return rows[0] < top + self.heights[number] and top <= rows[1]

    # Rows

    def in_sight(self, top: int, rows: int) -> tuple[int, int]:
        """Return the first and the last block of which a row is on the screen.

        Args:
            top: The row that is the first on the screen.
            rows: How many fit there.
        """
        total = self.heights.total
        if not total:
            return 0, 0
        top = min(max(top, 0), total - 1)
        bottom = min(top + max(rows, 1), total) - 1
        return self.heights.find(top)[0], self.heights.find(bottom)[0]

    def at(self, row: int) -> tuple[Block | None, int, int]:
        """Return the block that has a row, None if it is not laid out; its number; the row in it.

        Raises:
            IndexError: There is no such row.
        """
        number, inside = self.heights.find(row)
        block = self._blocks.get(number)
        if block is not None:
            self._blocks.move_to_end(number)
        return block, number, inside

    def line(self, row: int) -> Line | None:
        """Return a row's line, None if it is not laid out."""
        block, _, inside = self.at(row)
        return block.lines[inside] if block is not None else None

    def row_of(self, seq: int) -> int:
        """Return the first row of a message or, where it is gone, of the one behind it."""
        if not self.heights:
            return 0
        number = min(block_of(max(seq, 1)), len(self.heights) - 1)
        block = self._blocks.get(number)
        return self.heights.top(number) + (block.first_row(seq) if block is not None else 0)

    def laid_out(self) -> Iterator[tuple[int, Block]]:
        """Yield the blocks that are laid out, each with its first row, from the oldest."""
        for number in sorted(self._blocks):
            yield self.heights.top(number), self._blocks[number]

    def message(self, seq: int) -> Message | None:
        """Return a message of a block that is laid out."""
        block = self._blocks.get(block_of(seq))
        messages = block.messages if block is not None else ()
        return next((each for each in messages if each.seq == seq), None)
