"""How the rows of a conversation are drawn: kept as they were drawn as long as nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip
from textual.style import Style

from exile_tui.ui.themes import NAMES
from exile_tui.ui.timeline import Line
from exile_tui.ui.widgets.block_view import BlockView
from exile_tui.ui.widgets.plain_rows import has_rows

if TYPE_CHECKING:
    from textual.color import Color
    from textual.geometry import Region

_STYLES = (
    *("aside", "notice", "problem", "mine", "peer", "mine-name", "day", "unread"),
    *("cursor", "edge", "hit"),
    *NAMES,
)
"""Beside that of usual text."""


class DrawnRows(BlockView):
    """Draws the blocks near the screen, the chosen message, hits and what is selected."""

    DEFAULT_CSS = """
    DrawnRows {
        background: $background;
        scrollbar-gutter: stable;
        & > .conversation--text { color: $foreground; }
        & > .conversation--aside { color: $text-muted; }
        & > .conversation--notice { color: $text-muted; text-style: italic; }
        & > .conversation--problem { color: $error; }
        & > .conversation--mine { color: $bubble-mine; }
        & > .conversation--peer { color: $bubble-peer; }
        & > .conversation--mine-name { color: $bubble-mine; text-style: bold; }
        & > .conversation--day { color: $day-separator; }
        & > .conversation--edge { color: $primary; }
        & > .conversation--cursor { background: $surface; }
        & > .conversation--hit { text-style: bold underline; color: $mention; }
        & > .conversation--unread { color: $mention; }
        & > .conversation--name-1 { color: $name-1; text-style: bold; }
        & > .conversation--name-2 { color: $name-2; text-style: bold; }
        & > .conversation--name-3 { color: $name-3; text-style: bold; }
        & > .conversation--name-4 { color: $name-4; text-style: bold; }
        & > .conversation--name-5 { color: $name-5; text-style: bold; }
        & > .conversation--name-6 { color: $name-6; text-style: bold; }
        & > .conversation--name-7 { color: $name-7; text-style: bold; }
        & > .conversation--name-8 { color: $name-8; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"conversation--{name}" for name in ("text", *_STYLES)}

    def __init__(self) -> None:
        super().__init__()
        self._cursor = 0
        """The message that was chosen; 0 for none."""
        self._base: tuple[Color, RichStyle] | None = None
        """What lies under all rows, and what their blank cells look like; it takes long to find for
        every row, and so do the others."""
        self._styles: dict[str, Style] = {}

    def clear(self) -> None:
        """Show nothing."""
        super().clear()
        self._cursor = 0

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._base = None
        self._styles.clear()
        for _, block in self._blocks.laid_out():
            block.strips.clear()

    def render_line(self, y: int) -> Strip:
        """Draw one row from memory; nothing is awaited here."""
        row = y + self.scroll_offset.y
        block, inside = None, 0
        if row < self._blocks.heights.total:
            block, _, inside = self._blocks.at(row)
        if block is None:
            return self._whole(Strip([], 0))
        line = block.lines[inside]
        selection = self.text_selection
        span = selection and selection.get_span(row)
        if self.has_focus and line.seq and line.seq == self._cursor:
            first = not inside or block.lines[inside - 1].seq != line.seq
            strip = self._draw(self._pointed(line) if first else line, span, chosen=True)
            strip = strip.extend_cell_length(self.size.width, self._style("cursor").rich_style)
        elif span is not None:
            strip = self._draw(line, span)
        else:
            drawn_as, drawn = block.strips.get(inside, (-1, None))
            if drawn is None or drawn_as != row:
                drawn = self._whole(self._draw(line).apply_offsets(0, row))
                block.strips[inside] = row, drawn
            return drawn
        return self._whole(strip.apply_offsets(0, row))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw rows without what any widget may have around them (see `plain_rows`)."""
        if not has_rows(self):
            return [Strip.blank(crop.width)] * crop.height
        rows = map(self.render_line, crop.line_range)
        _, blank = self._ground
        return [row.crop_extend(*crop.column_span, blank) for row in rows]

    @property
    def _ground(self) -> tuple[Color, RichStyle]:
        if self._base is None:
            ground = self.background_colors[1]
            blank = self._as_allowed([Segment(" ", self.rich_style)], ground)
            self._base = ground, next(iter(blank)).style or RichStyle.null()
        return self._base

    def _whole(self, strip: Strip) -> Strip:
        """Return a row as wide as the screen has it; with the focus, a line at its left."""
        width, (_, blank) = self.size.width, self._ground
        strip = strip.crop_extend(0, width, blank)
        if self.has_focus:
            edge = self._as_allowed(
                [Segment(self.exile.marks.edge, self._style("edge").rich_style)]
            )
            strip = Strip([*edge, *strip.crop(1, width)], width)
        return strip

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_visual_style(f"conversation--{name or 'text'}")
        return style

    def prepare(self) -> None:
        """Find all styles, before the first conversation is opened: a third of its drawing."""
        for name in ("", *_STYLES):
            self._as_allowed([Segment(" ", self._style(name).rich_style)])

    def _pointed(self, line: Line) -> Line:
        """Return a line with a mark in the blank cell before its bar or its text."""
        spans = list(line.spans)
        at = next((n for n, span in enumerate(spans) if span.style in ("mine", "peer")), 0)
        text = spans[at].text
        blank = max(0, len(text) - len(text.lstrip()) - 1)
        spans[at] = replace(
            spans[at], text=text[:blank] + self.exile.marks.pointer + text[blank + 1 :]
        )
        return replace(line, spans=tuple(spans))

    def _draw(
        self, line: Line, selected: tuple[int, int] | None = None, *, chosen: bool = False
    ) -> Strip:
        styled = [(span.text, self._style(span.style)) for span in line.spans]
        if chosen:
            below = Style(background=self._style("cursor").background)
            styled = [(text, style + below) for text, style in styled]
        if selected is not None:
            styled = self._mark(styled, *selected)
        return self._as_allowed([Segment(text, style.rich_style) for text, style in styled])

    def _as_allowed(self, segments: list[Segment], ground: Color | None = None) -> Strip:
        """Return what the terminal's colours allow of it.

        Before each cell gets its place for a selection: by then no two styles are the same.
        """
        for each in self.get_line_filters():
            segments = each.apply(segments, ground or self._ground[0])
        return Strip(segments)

    def _mark(
        self, styled: Sequence[tuple[str, Style]], start: int, end: int
    ) -> list[tuple[str, Style]]:
        """Mark what is selected of a row; -1 is its end."""
        mark = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        end = 1_000_000 if end == -1 else end
        marked, at = [], 0
        for text, style in styled:
            cuts = sorted({0, len(text), *(min(max(0, e - at), len(text)) for e in (start, end))})
            for left, right in pairwise(cuts):
                inside = start <= at + left < end
                marked.append((text[left:right], style + mark if inside else style))
            at += len(text)
        return marked
