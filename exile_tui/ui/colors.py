"""What reaches a terminal without colours, or with few of them.

Textual answers NO_COLOR with shades of grey, which are colours too, and turns sixteen colours
into whatever is nearest. Here NO_COLOR leaves bold, underline and reverse only, and a terminal of
sixteen colours keeps its own. Stylesheets call both plain (`.-plain`, plain.tcss): the ground is
the terminal's, so nothing may be told by a shade of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
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


def no_color(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether no colours are wanted, as no-color.org defines it: set and not empty."""
    return bool(environment.get("NO_COLOR"))


def few_colors(app: App[object]) -> bool:
    """Return whether the terminal says that it has sixteen colours at most."""
    return app.console.color_system == "standard"


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


@lru_cache(1024)
def _colorless(style: Style) -> Style:
    return style + _NONE


def _is_code(text: str, style: Style) -> bool:
    """Return whether this is a part of a QR code: half blocks in pure black and white."""
    return set(text) == {_HALF_BLOCK} and all(
        color is not None and color.triplet in _BLACK_AND_WHITE
        for color in (style.color, style.bgcolor)
    )
