"""Draw rows of a widget that has nothing around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.style import Style

if TYPE_CHECKING:
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
    filters, rows = widget.get_line_filters(), []
    for y in crop.line_range:
        row = widget.render_line(y)
        for each in filters:
            row = row.apply_filter(each, background)
        rows.append(row.crop_extend(*crop.column_span, blank))
    return rows


def has_rows(widget: Widget) -> bool:
    """Tell whether a widget can be drawn: not before its first layout, not once it is removed.

    A panel shows the screen under it through, as it was laid out last, while that is made anew too.
    """
    return bool(widget.size) and widget.is_attached
