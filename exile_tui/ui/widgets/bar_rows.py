"""A scroll bar's rows, drawn at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip
from textual.visual import RenderOptions, Visual

from exile_tui.ui.widgets.plain_rows import plain_rows

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.style import Style


def quicken(bar: ScrollBar) -> None:
    """Let a vertical scroll bar, which every layout draws anew, be drawn at once."""
    # Meant for one bar too, as its documentation says, and yet declared for the class.
    bar.renderer = BarRows  # type: ignore[misc]
    setattr(bar, "render_lines", partial(plain_rows, bar))  # noqa: B010  # mypy refuses the assignment


class BarRows(ScrollBarRender, Visual):
    """The renderer of a vertical scroll bar that is drawn with every row that is scrolled.

    It looks like Textual's own, whose one cell a row goes through all that lays out a text: 2 ms
    of a frame for 38 rows, a quarter of that here.
    """

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """Return a strip for each row."""
        bar, below = self.style, style.rich_style
        assert isinstance(bar, RichStyle)
        assert bar.bgcolor is not None
        assert bar.color is not None
        segments = self.render_bar(
            size=height or 0,
            virtual_size=self.virtual_size,
            window_size=self.window_size,
            position=self.position,
            thickness=width,
            back_color=bar.bgcolor,
            bar_color=bar.color,
        ).segments
        drawn: dict[int, Strip] = {}  # most rows are one of two segments
        for each in segments:
            if id(each) not in drawn:
                whole = below + each.style if each.style is not None else below
                drawn[id(each)] = Strip([Segment(each.text, whole)], width)
        return [drawn[id(each)] for each in segments]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """Return how wide it is."""
        return self.thickness

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Return how high it is."""
        return self.window_size
