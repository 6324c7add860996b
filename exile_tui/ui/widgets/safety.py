"""A safety number as people compare it: twelve groups of five digits, or twelve numbered words."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from exile_tui.text import cell_len, fit

GROUPS_A_ROW = 4
WORD_COLUMNS = 2


def digit_groups(groups: Sequence[str], across: int = GROUPS_A_ROW) -> Content:
    """Return the groups in rows, as both people see them in the same order.

    Args:
        groups: Twelve groups of five digits.
        across: Groups in a row.
    """
    rows = [groups[start : start + across] for start in range(0, len(groups), across)]
    return Content("\n".join("  ".join(row) for row in rows))


def numbered_words(words: Sequence[str], columns: int = WORD_COLUMNS) -> Content:
    """Return the words numbered down the columns, so that nobody loses the place.

    Args:
        words: Twelve words.
        columns: Columns of equal length.
    """
    down = -(-len(words) // columns)
    widest = max((cell_len(word) for word in words), default=0)
    lines = []
    for row in range(down):
        cells = []
        for number in range(row, len(words), down):
            cells.append(("$text-muted", f"{number + 1:>2}"))
            cells.append(("", f" {fit(words[number], widest)}   "))
        lines.append(Content.assemble(*((text, style) for style, text in cells)).rstrip())
    return Content("\n").join(lines)
