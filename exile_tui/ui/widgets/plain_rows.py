"""Draw rows of a widget that has nothing around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.style import Style

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip
    from textual.widget import Widget


def plain_rows(widget: Widget, crop: Region) -> list[Strip]:
    """Return rows as a widget without padding, border, outline, tint and opacity has them.

    What any widget may have is looked for in every row, 0.15 ms a row; a conversation and the list
    beside it have nothing of it, and some seventy rows in each frame.

    Args:
        widget: Which; its `render_line` is called for each row.
        crop: The part of it that is to be drawn.
    """
    below, background = widget.background_colors
    blank = Style(background=below + background).rich_style
    filters = widget.get_line_filters()
    rows = []
    for y in crop.line_range:
        row = widget.render_line(y)
        for each in filters:
            row = row.apply_filter(each, background)
        rows.append(row.crop_extend(*crop.column_span, blank))
    return rows
