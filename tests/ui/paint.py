"""Paint what the compositor holds as a picture: the cell grid, each cell where a terminal has it.

Textual's SVG squeezes Hangul in browsers, since `rich` counts characters and not cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.color import ColorType
from rich.segment import Segment
from textual.strip import Strip

from exile_tui.text import cell_len, graphemes
from tests.painting import BACKGROUND, FOREGROUND, Canvas, Look, dimmed


def strips(app: Any) -> list[Strip]:
    """Return the rows of the screen as they go to the terminal, screens below included."""
    screen = app.screen
    return list(screen._compositor.render_strips(app.size))


def screen_lines(app: Any) -> list[str]:
    """Return the rows of the screen as text."""
    return [strip.text.rstrip() for strip in strips(app)]


def screen_text(app: Any) -> str:
    """Return the screen as text."""
    return "\n".join(screen_lines(app))


def paint(app: Any, file: Path | str) -> None:
    """Write the screen as a PNG.

    Args:
        app: A running app.
        file: Where to.
    """
    canvas = Canvas(*app.size)
    for row, strip in enumerate(strips(app)):
        column = 0
        for segment in strip:
            look = _look(segment)
            for cluster in graphemes(segment.text):
                cells = cell_len(cluster)
                canvas.cell(cluster, (column, row, max(cells, 1)), look)
                column += cells
    canvas.save(file)


def _look(segment: Segment) -> Look:
    style = segment.style
    front, back = FOREGROUND, BACKGROUND
    if style is None:
        return Look()
    if style.color is not None and style.color.type is ColorType.TRUECOLOR:
        red, green, blue = style.color.get_truecolor()
        front = (red, green, blue)
    if style.bgcolor is not None and style.bgcolor.type is ColorType.TRUECOLOR:
        red, green, blue = style.bgcolor.get_truecolor()
        back = (red, green, blue)
    if style.dim:
        front = dimmed(front, back)
    look = Look(front, back, bool(style.bold), bool(style.underline))
    return look.reversed() if style.reverse else look
