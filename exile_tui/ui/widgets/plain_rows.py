"""Draw rows of a widget that has nothing around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.style import Style

if TYPE_CHECKING:
    from textual.color import Color
    from textual.geometry import Region
    from textual.widget import Widget


def plain_rows(widget: Widget, crop: Region) -> list[Strip]:
    """Return rows as a widget without padding, border, outline, tint and opacity has them.

    What any widget may have is looked for in every row, 0.15 ms a row; a conversation and the list
    beside it have nothing of it, and some seventy rows in each frame.

    Args:
        widget: Which; its `render_line` is called for each row.
        crop: The part of it that is to be drawn.
    """
    if not has_rows(widget):
        return [Strip.blank(crop.width)] * crop.height
    below, background = widget.background_colors
    blank = Style(background=below + background).rich_style
    rows = (filtered(widget, widget.render_line(y), background) for y in crop.line_range)
    return [row.crop_extend(*crop.column_span, blank) for row in rows]


def has_rows(widget: Widget) -> bool:
    """Tell whether a widget can be drawn: not before its first layout, not once it is removed.

    A panel shows the screen under it through, as it was laid out last, while that is made anew too.
    """
    return bool(widget.size) and widget.is_attached


def filtered(widget: Widget, row: Strip, background: Color) -> Strip:
    """Return a row as the terminal's colours allow it; without what a strip keeps of its way there.

    Args:
        widget: Whose row it is.
        background: The widget's.
    """
    for each in widget.get_line_filters():
        row = Strip(each.apply(list(row), background), row.cell_length)
    return row
