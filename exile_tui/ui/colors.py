"""What reaches a terminal without colours, with few of them, or with 256.

Textual answers NO_COLOR with shades of grey, which are colours too, and turns sixteen colours
into whatever is nearest; of 256, Rich takes a dark blue for a dark grey. Here NO_COLOR leaves
bold, underline and reverse only, a terminal of sixteen colours keeps its own, and of 256 the
nearest to the eye is taken. Stylesheets call the first two plain (`.-plain`, plain.tcss): the
ground is the terminal's, so nothing may be told by a shade of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from rich._palettes import EIGHT_BIT_PALETTE
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.color import Color

_NONE = Style.from_color(RichColor.default(), RichColor.default())
_HALF_BLOCK = "▀"
_BLACK_AND_WHITE = {(0, 0, 0), (255, 255, 255)}

_REVERSE = VisualStyle(reverse=True)
_textual_visual_style: Callable[..., VisualStyle] = Widget.get_visual_style


def _visual_style(self: Widget, *names: str, partial: bool = False) -> VisualStyle:
    """Keep "reverse", the one text style that Textual 8.2.8 leaves out of a component's."""
    style = _textual_visual_style(self, *names, partial=partial)
    if any(self.get_component_styles(name).text_style.reverse for name in names):
        return style + _REVERSE
    return style


setattr(Widget, "get_visual_style", _visual_style)  # noqa: B010  # mypy refuses the assignment

# Textual 8.2.8 keeps the escape sequences of 16,384 styles. Where text can be selected, every row
# has styles of its own, with its place in them, so that is what it comes to: 8 MB for nothing.
_render_ansi = getattr(Strip.render_ansi, "__wrapped__")  # noqa: B009  # lru_cache's, not in its type
setattr(Strip, "render_ansi", staticmethod(lru_cache(1024)(partial(_render_ansi, Strip))))  # noqa: B010


def no_color(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether no colours are wanted, as no-color.org defines it: set and not empty."""
    return bool(environment.get("NO_COLOR"))


def few_colors(app: App[object]) -> bool:
    """Return whether the terminal says that it has sixteen colours at most."""
    return app.console.color_system == "standard"


def line_filters(app: App[object]) -> list[LineFilter]:
    """Return the filters for what this terminal shows and the person wants; none for the usual."""
    if no_color():
        return [Colorless()]
    return [Nearest()] if app.console.color_system == "256" else []


class Colorless(LineFilter):
    """Take all colours away but a QR code's: that is read by cameras, black on white."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with the terminal's own colours.

        Args:
            segments: A row, or a part of one.
            background: What lies under it; there is nothing under it then.
        """
        return [
            Segment(text, _colorless(style) if style and not _is_code(text, style) else style)
            for text, style, _ in segments
        ]


class Nearest(LineFilter):
    """Choose of the 256 colours; the first sixteen are the terminal's own and mean anything."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in colours of the 256.

        Args:
            segments: A row, or a part of one.
            background: What lies under it.
        """
        return [Segment(text, style and _nearest_style(style), None) for text, style, _ in segments]


@lru_cache(1024)
def _nearest_style(style: Style) -> Style:
    return style + Style.from_color(_nearest(style.color), _nearest(style.bgcolor))


@lru_cache(1024)
def _nearest(color: RichColor | None) -> RichColor | None:
    if color is None or color.triplet is None:
        return color
    red, green, blue = color.triplet

    def distance(number: int) -> float:
        other = EIGHT_BIT_PALETTE[number]
        middle = (red + other.red) / 2  # "redmean": what eyes tell apart, cheaply
        return float(
            (2 + middle / 256) * (red - other.red) ** 2
            + 4 * (green - other.green) ** 2
            + (2 + (255 - middle) / 256) * (blue - other.blue) ** 2
        )

    return RichColor.from_ansi(min(range(16, 256), key=distance))


@lru_cache(1024)
def _colorless(style: Style) -> Style:
    return style + _NONE


def _is_code(text: str, style: Style) -> bool:
    """Return whether this is a part of a QR code: half blocks in pure black and white."""
    return set(text) == {_HALF_BLOCK} and all(
        color is not None and color.triplet in _BLACK_AND_WHITE
        for color in (style.color, style.bgcolor)
    )
