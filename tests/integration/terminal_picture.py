"""Paint what a terminal shows: `tmux capture-pane -e`, its colours read into cells.

The capture holds text, SGR sequences whose state runs on from row to row, links (OSC 8) and the
shifts to and from the line-drawing set; nothing that moves the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from exile_tui.text import cell_len, graphemes
from tests.integration.terminal import Terminal
from tests.painting import BACKGROUND, FOREGROUND, Canvas, Color, Look, dimmed

SEQUENCE = re.compile(r"\x1b\[([\d;:]*)m|\x1b\]8;.*?(?:\x1b\\|\x07)|([\x0e\x0f])")
LINES = str.maketrans("jklmnqtuvwxa~", "┘┐┌└┼─├┤┴┬│▒·")
"""What the line-drawing set shows for letters."""

NORMAL: tuple[Color, ...] = (
    *((18, 21, 26), (205, 71, 71), (72, 178, 116), (215, 186, 87)),
    *((74, 132, 208), (184, 98, 190), (60, 170, 190), (205, 209, 214)),
)
BRIGHT: tuple[Color, ...] = (
    *((110, 118, 129), (241, 100, 100), (94, 212, 144), (240, 215, 120)),
    *((108, 164, 240), (214, 130, 220), (96, 204, 222), (245, 247, 250)),
)
"""The sixteen colours, which are the terminal's own; both painters' grounds fit to them."""
BLOCKS = "▀▄█"
STEPS = (0, 95, 135, 175, 215, 255)


@dataclass(frozen=True, slots=True)
class Style:
    """What SGR has set so far; None is the terminal's own colour."""

    front: Color | None = None
    back: Color | None = None
    bold: bool = False
    dim: bool = False
    underline: bool = False
    reverse: bool = False
    hidden: bool = False

    @property
    def look(self) -> Look:
        """How a terminal draws it."""
        front, back = self.front or FOREGROUND, self.back or BACKGROUND
        if self.dim:
            front = dimmed(front, back)
        look = Look(front, back, self.bold, self.underline)
        if self.reverse:
            look = look.reversed()
        return replace(look, front=look.back) if self.hidden else look


@dataclass(frozen=True, slots=True)
class Cell:
    """One grapheme on the screen."""

    cluster: str
    column: int
    cells: int
    style: Style


def indexed(number: int) -> Color:
    """Return one of the 256 colours."""
    if number < 16:
        return (*NORMAL, *BRIGHT)[number]
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    number -= 16
    return STEPS[number // 36], STEPS[number // 6 % 6], STEPS[number % 6]


def changed(style: Style, parameters: str) -> Style:
    """Return a style after one SGR sequence; what we don't draw changes nothing.

    Args:
        style: Before.
        parameters: What stands between `ESC [` and `m`.
    """
    parts = iter(parameters.split(";"))
    for part in parts:
        code, *more = (int(number or 0) for number in part.split(":"))
        if code in (38, 48, 58):
            if len(more) == 5:
                del more[1]  # the colour space
            color = _color(iter(more) if more else (int(each or 0) for each in parts))
            if code != 58:
                change: dict[str, Any] = {"front" if code == 38 else "back": color}
                style = replace(style, **change)
        elif code == 4:
            style = replace(style, underline=more[:1] != [0])
        else:
            style = _simple(style, code)
    return style


def _color(numbers: Iterator[int]) -> Color | None:
    """Read the colour that follows 38, 48 or 58."""
    kind = next(numbers, 0)
    if kind == 5:
        return indexed(next(numbers, 0) & 0xFF)
    if kind == 2:
        red, green, blue = next(numbers, 0), next(numbers, 0), next(numbers, 0)
        return red, green, blue
    return None


SIMPLE: dict[int, dict[str, Any]] = {
    1: {"bold": True}, 2: {"dim": True}, 7: {"reverse": True}, 8: {"hidden": True},
    21: {"underline": True}, 22: {"bold": False, "dim": False}, 24: {"underline": False},
    27: {"reverse": False}, 28: {"hidden": False}, 39: {"front": None}, 49: {"back": None},
}  # fmt: skip
RANGES = ((30, "front", 0), (40, "back", 0), (90, "front", 8), (100, "back", 8))


def _simple(style: Style, code: int) -> Style:
    if code == 0:
        return Style()
    for first, field, offset in RANGES:
        if first <= code < first + 8:
            change: dict[str, Any] = {field: indexed(code - first + offset)}
            return replace(style, **change)
    return replace(style, **SIMPLE.get(code, {}))


def read(captured: str) -> list[list[Cell]]:
    """Return the rows of a capture as cells.

    Args:
        captured: What `tmux capture-pane -e -p` printed.
    """
    style, lines, rows = Style(), False, []
    for line in captured.removesuffix("\n").split("\n"):
        row: list[Cell] = []
        at = column = 0
        for sequence in [*SEQUENCE.finditer(line), None]:
            text = line[at : sequence.start() if sequence else None]
            for cluster in graphemes(text.translate(LINES) if lines else text):
                cells = max(cell_len(cluster), 1)
                row.append(Cell(cluster, column, cells, style))
                column += cells
            if sequence is None:
                break
            at = sequence.end()
            if sequence[1] is not None:
                style = changed(style, sequence[1])
            elif sequence[2]:
                lines = sequence[2] == "\x0e"
        rows.append(row)
    return rows


def picture(terminal: Terminal, *, letters: bool = True) -> Canvas:
    """Return what a terminal shows now, its cursor too.

    Args:
        terminal: Which one.
        letters: False for blocks and grounds only, as in a QR code, which need no font.
    """
    columns, height = terminal.size
    canvas = Canvas(columns, height)
    cursor = terminal.cursor if terminal.cursor_shown else None
    for number, row in enumerate(read(terminal.colored)[:height]):
        for cell in row:
            here = cursor is not None and cursor == (cell.column, number)
            look = cell.style.look.reversed() if here else cell.style.look
            cluster = cell.cluster if letters or cell.cluster in BLOCKS else " "
            canvas.cell(cluster, (cell.column, number, cell.cells), look)
            cursor = None if here else cursor
    if cursor is not None:  # beyond what was written in its row
        canvas.cell(" ", (*cursor, 1), Look().reversed())
    return canvas
