"""The conversation as it looks and is used: styles, keys, the message under the cursor, drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from exile_tui.errors import N_
from exile_tui.ui.selecting import selected_text
from exile_tui.ui.themes import NAMES
from exile_tui.ui.timeline import Line
from exile_tui.ui.widgets.bar_rows import BarRows
from exile_tui.ui.widgets.block_view import BlockView

if TYPE_CHECKING:
    from exile_tui.core.model import Message


class Conversation(BlockView):
    """Lines drawn from the blocks near the screen, never a widget a message."""

    DEFAULT_CSS = """
    Conversation {
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
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"conversation--{name}"
        for name in (
            *("text", "aside", "notice", "problem", "mine", "peer", "mine-name", "day", "unread"),
            *("cursor", "hit"),
            *NAMES,
        )
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_lines(-1)", N_("Up"), id="conversation.up", show=False,
                tooltip=N_("Scroll up")),
        Binding("down", "scroll_lines(1)", N_("Down"), id="conversation.down", show=False,
                tooltip=N_("Scroll down")),
        Binding("pageup", "scroll_pages(-1)", N_("Page up"), id="conversation.pageup",
                tooltip=N_("Scroll up by a screen")),
        Binding("pagedown", "scroll_pages(1)", N_("Page down"), id="conversation.pagedown",
                tooltip=N_("Scroll down by a screen")),
        Binding("ctrl+u", "scroll_pages(-0.5)", N_("Half a page up"), show=False,
                id="conversation.half_up", tooltip=N_("Scroll up by half a screen")),
        Binding("ctrl+d", "scroll_pages(0.5)", N_("Half a page down"), show=False,
                id="conversation.half_down", tooltip=N_("Scroll down by half a screen")),
        Binding("home", "oldest", N_("Oldest"), id="conversation.home", show=False,
                tooltip=N_("Go to the oldest message")),
        Binding("end", "newest", N_("Newest"), id="conversation.end",
                tooltip=N_("Go to the newest message and follow what comes")),
        Binding("left_square_bracket", "day(-1)", N_("Previous day"), show=False,
                id="conversation.previous_day", tooltip=N_("Go to the day before")),
        Binding("right_square_bracket", "day(1)", N_("Next day"), show=False,
                id="conversation.next_day", tooltip=N_("Go to the day after")),
        Binding("u,ctrl+home", "first_unread", N_("First unread"), show=False,
                id="conversation.first_unread",
                tooltip=N_("Go to the first message that was never on the screen")),
        Binding("k,shift+up", "cursor(-1)", N_("Message above"), show=False,
                id="conversation.previous", tooltip=N_("Choose the message above")),
        Binding("j,shift+down", "cursor(1)", N_("Message below"), show=False,
                id="conversation.next", tooltip=N_("Choose the message below")),
        Binding("n,right", "hit(1)", N_("Older hit"), id="conversation.next_hit",
                tooltip=N_("Go to the next older message that was found")),
        Binding("N,left", "hit(-1)", N_("Newer hit"), id="conversation.previous_hit", show=False,
                tooltip=N_("Go to the next newer message that was found")),
        Binding("enter", "choose", N_("Message"), id="conversation.menu",
                tooltip=N_("Copy, delete or look closer at the chosen message")),
    ]  # fmt: skip

    @dataclass
    class Chosen(TextualMessage):
        """Something is to be done with this message."""

        message: Message

    @dataclass
    class DayWanted(TextualMessage):
        """The day before or after this message is to be shown."""

        seq: int
        by: int

    @dataclass
    class HitWanted(TextualMessage):
        """The next message that was found is to be shown, or the one before."""

        by: int

    def __init__(self) -> None:
        super().__init__()
        self.walking = False
        """Whether there are messages that were found, to walk through."""
        self._cursor = 0
        """The message that was chosen; 0 for none."""
        self._base: RichStyle | None = None
        """What blank cells look like; it takes long to find for every row, and so do the others."""
        self._styles: dict[str, Style] = {}

    def clear(self) -> None:
        """Show nothing."""
        super().clear()
        self._cursor = 0

    @property
    def plain_lines(self) -> list[str]:
        """The rows without styles; empty ones for what is not laid out."""
        found = (self._blocks.line(row) for row in range(self._blocks.heights.total))
        return ["" if line is None else line.plain for line in found]

    # Scrolling

    def action_scroll_lines(self, by: int) -> None:
        """Scroll by lines."""
        self._jump(round(self.scroll_y) + by)

    def action_scroll_pages(self, by: float) -> None:
        """Scroll by pages, one line of overlap."""
        self._jump(round(self.scroll_y) + round(by * max(1, self.size.height - 1)))

    def action_newest(self) -> None:
        """Go to the end and follow it; what is above counts as read: somebody chose to pass it."""
        extent = self._blocks.extent
        self._follow, self._target, self._seen = True, 0, extent.last_seq
        self.post_message(self.Shown(1, extent.last_seq, 0, extent.unread))
        self.update_lines()

    def action_oldest(self) -> None:
        """Go to the oldest message."""
        self.go_to(self._blocks.extent.after(0))

    def action_first_unread(self) -> None:
        """Go to the first message that was never on the screen."""
        if self._blocks.extent.first_unread:
            self.go_to(self._blocks.extent.first_unread)

    def action_day(self, by: int) -> None:
        """Ask for the day before or after the first message on the screen."""
        shown = self.seqs_in_sight()
        if shown is not None:
            self.post_message(self.DayWanted(shown[0], by))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer hits only where something was searched for."""
        if action == "hit":
            return self.walking
        return super().check_action(action, parameters)

    def action_hit(self, by: int) -> None:
        """Ask for the next message that was found, or the one before."""
        self.post_message(self.HitWanted(by))

    # The chosen message

    def action_cursor(self, by: int) -> None:
        """Choose the message above or below; the first time the newest on the screen."""
        shown = self.seqs_in_sight()
        if shown is None:
            return
        extent = self._blocks.extent
        if not shown[0] <= self._cursor <= shown[1]:
            self._choose(shown[1])
            return
        after = extent.before(self._cursor) if by < 0 else extent.after(self._cursor)
        self._choose(after or self._cursor)

    def action_choose(self) -> None:
        """Ask what to do with the chosen message."""
        shown = self.seqs_in_sight()
        if shown is None:
            return
        if not shown[0] <= self._cursor <= shown[1]:
            self._choose(shown[1])
        message = self._blocks.message(self._cursor)
        if message is not None:
            self.post_message(self.Chosen(message))

    def _choose(self, seq: int) -> None:
        self._cursor = seq
        first = self._blocks.row_of(seq)
        last = first
        while (line := self._line_or_none(last + 1)) is not None and line.seq == seq:
            last += 1
        top = round(self.scroll_y)
        if first < top:
            self._jump(first)
        elif last >= top + self.size.height:
            self._jump(min(first, last - self.size.height + 1))
        self.refresh()

    def _line_or_none(self, row: int) -> Line | None:
        return self._blocks.line(row) if row < self._blocks.heights.total else None

    def on_click(self, event: events.Click) -> None:
        """Choose the message under the mouse; the right button asks what to do with it."""
        place = event.get_content_offset(self)
        if place is None or self.text_selection is not None:
            return
        line = self._line_or_none(place.y + self.scroll_offset.y)
        if line is None or not line.seq:
            return
        again = self._cursor == line.seq
        self._cursor = line.seq
        self.refresh()
        if event.button == 3 or (again and event.chain == 2):
            self.action_choose()

    def on_mount(self) -> None:
        """Give the scroll bar its quick rows."""
        # Meant for one bar too, as its documentation says, and yet declared for the class.
        self.vertical_scrollbar.renderer = BarRows  # type: ignore[misc]

    def on_blur(self) -> None:
        """Draw without the cursor."""
        self.refresh()

    def on_focus(self) -> None:
        """Draw with the cursor."""
        self.refresh()

    # Drawing

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
        base = self._base = self._base or self.rich_style
        if row >= self._blocks.heights.total:
            return Strip.blank(self.size.width, base)
        block, _, inside = self._blocks.at(row)
        if block is None:
            return Strip.blank(self.size.width, base)
        line = block.lines[inside]
        span = self.text_selection and self.text_selection.get_span(row)
        if self.has_focus and line.seq and line.seq == self._cursor:
            first = not inside or block.lines[inside - 1].seq != line.seq
            strip = self._draw(self._pointed(line) if first else line, span, chosen=True)
            strip = strip.extend_cell_length(self.size.width, self._style("cursor").rich_style)
        elif span is not None:
            strip = self._draw(line, span)
        else:
            strip = block.strips.get(inside) or block.strips.setdefault(inside, self._draw(line))
        return strip.apply_offsets(0, row).crop_extend(0, self.size.width, base)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_visual_style(f"conversation--{name or 'text'}")
        return style

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
        below = Style(background=self._style("cursor").background) if chosen else Style()
        styled = [(span.text, self._style(span.style) + below) for span in line.spans]
        if selected is not None:
            styled = self._mark(styled, *selected)
        return Strip([Segment(text, style.rich_style) for text, style in styled])

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

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what was selected with the mouse: of messages their own text only."""
        return selected_text(self._blocks, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self.refresh()
