"""The conversation: lines drawn from the newest messages, never a widget a message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from exile_tui.errors import N_
from exile_tui.text import sanitize_terminal_text
from exile_tui.ui.themes import NAMES

if TYPE_CHECKING:
    from exile_tui.core.model import Message
    from exile_tui.ui.timeline import Line, Timeline


class Conversation(ScrollView, can_focus=True):
    """Show lines, follow the end, and keep the place of who reads further up."""

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
        Binding("home", "scroll_pages(-1000000)", N_("Oldest"), id="conversation.home", show=False,
                tooltip=N_("Go to the oldest message that is shown")),
        Binding("end", "newest", N_("Newest"), id="conversation.end",
                tooltip=N_("Go to the newest message and follow what comes")),
    ]  # fmt: skip

    @dataclass
    class Shown(TextualMessage):
        """Messages up to this one are on the screen."""

        seq: int
        below: int
        """Lines of others that are further down."""

    def __init__(self) -> None:
        super().__init__()
        self._timeline: Timeline | None = None
        self._messages: Sequence[Message] = ()
        self._lines: list[Line] = []
        self._follow = True
        self._target = 0
        self._wrapped: dict[tuple[str, int], list[str]] = {}
        self._strips: dict[int, Strip] = {}

    # What is shown

    def show(self, timeline: Timeline, messages: Sequence[Message]) -> None:
        """Lay messages out; the place stays, or the end if that was shown.

        Args:
            timeline: How; its width is replaced by the widget's own.
            messages: The newest of the conversation, oldest first.
        """
        self._timeline, self._messages = timeline, messages
        self._lay_out()

    def open(self, timeline: Timeline, messages: Sequence[Message], seq: int = 0) -> None:
        """Lay another conversation out.

        Args:
            timeline: How; its width is replaced by the widget's own.
            messages: The newest of the conversation, oldest first.
            seq: Where to begin; 0 for the first unread, else the end.
        """
        self._timeline, self._messages = timeline, messages
        self._wrapped.clear()
        self._target = seq or timeline.first_unread
        self._follow = not self._target
        self._lay_out()

    def clear(self) -> None:
        """Show nothing."""
        self._timeline, self._messages, self._lines = None, (), []
        self._wrapped.clear()
        self._strips.clear()
        self.virtual_size = Size(0, 0)
        self.refresh()

    def _lay_out(self) -> None:
        if self._timeline is None or not self.size:
            return
        anchor = self._anchor()
        timeline = replace(self._timeline, width=self._width, wrapped=self._wrapped)
        self._lines = timeline.lines(self._messages)
        self._strips.clear()
        self.virtual_size = Size(self._width, len(self._lines))
        self.refresh()
        if self._target:
            self._go_to(self._target)
        elif self._follow:
            self.scroll_end(animate=False, immediate=True, force=True)
        elif anchor is not None:
            self._restore(*anchor)
        self.call_after_refresh(self._settle)

    @property
    def _width(self) -> int:
        return max(1, self.scrollable_content_region.width)

    def _anchor(self) -> tuple[int, int] | None:
        """Return the first visible message and how many lines of it are above the view."""
        top = round(self.scroll_y)
        for number in range(top, len(self._lines)):
            if self._lines[number].seq:
                seq = self._lines[number].seq
                first = next(n for n, line in enumerate(self._lines) if line.seq == seq)
                return seq, top - first
        return None

    def _restore(self, seq: int, lines_above: int) -> None:
        for number, line in enumerate(self._lines):
            if line.seq >= seq:
                self._jump(number + lines_above)
                return

    def _jump(self, number: int) -> None:
        self.scroll_to(y=max(0, number), animate=False, immediate=True, force=True)

    def _go_to(self, seq: int) -> None:
        """Bring a message to the upper third of the screen."""
        above = max(0, self.size.height // 3)
        for number, line in enumerate(self._lines):
            if line.seq >= seq:
                self._follow = number - above >= self.max_scroll_y
                self._jump(number - above)
                break

    def follow(self) -> None:
        """Stay at the end from the next change on: something of our own comes."""
        self._follow = True

    def _settle(self) -> None:
        """Once the layout stands: be where the target or the end now is, and say what is seen."""
        if self._target:
            self._go_to(self._target)
            self._target = 0
        elif self._follow:
            self.scroll_end(animate=False, immediate=True, force=True)
        self.tell()

    def tell(self) -> None:
        """Say what is on the screen now."""
        bottom = min(len(self._lines), round(self.scroll_y) + self.size.height)
        seen = [line.seq for line in self._lines[:bottom] if line.seq]
        if seen:
            below = {line.seq for line in self._lines[bottom:] if line.seq > seen[-1]}
            self.post_message(self.Shown(max(seen), len(below)))

    @property
    def plain_lines(self) -> list[str]:
        """The rows without styles."""
        return [line.plain for line in self._lines]

    # Scrolling

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end from when it is reached until it is left."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._follow = new_value >= self.max_scroll_y
            self.call_after_refresh(self.tell)

    def action_scroll_lines(self, by: int) -> None:
        """Scroll by lines."""
        self._jump(round(self.scroll_y) + by)

    def action_scroll_pages(self, by: int) -> None:
        """Scroll by pages, one line of overlap."""
        self._jump(round(self.scroll_y) + by * max(1, self.size.height - 1))

    def action_newest(self) -> None:
        """Go to the end and follow it."""
        self._follow = True
        self._settle()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap again for the new width; stay at the same message."""
        self._wrapped.clear()
        self._lay_out()

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._strips.clear()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one row from memory; nothing is awaited here."""
        number = y + self.scroll_offset.y
        base = self.rich_style
        if number >= len(self._lines):
            return Strip.blank(self.size.width, base)
        strip = self._strips.get(number)
        if strip is None:
            strip = self._strips[number] = self._draw(self._lines[number])
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(number)) is not None:
            strip = self._draw(self._lines[number], span)
        strip = strip.apply_offsets(0, number)
        return strip.crop_extend(0, self.size.width, base)

    def _draw(self, line: Line, selected: tuple[int, int] | None = None) -> Strip:
        segments = []
        at = 0
        start, end = selected if selected is not None else (0, 0)
        end = 1_000_000 if end == -1 else end
        mark = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        for span in line.spans:
            style = self.get_visual_style(f"conversation--{span.style or 'text'}")
            cuts = sorted(
                {0, len(span.text), *(min(max(0, e - at), len(span.text)) for e in (start, end))}
            )
            for left, right in pairwise(cuts):
                inside = start <= at + left < end
                shown = style + mark if inside else style
                segments.append(Segment(span.text[left:right], shown.rich_style))
            at += len(span.text)
        return Strip(segments)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what was selected with the mouse: of messages their own text only."""
        picked: dict[int, list[str]] = {}
        for number, line in enumerate(self._lines):
            if (span := selection.get_span(number)) is not None and (text := _within(line, span)):
                picked.setdefault(line.seq, []).append(text)
        if not picked:
            return selection.extract("\n".join(self.plain_lines)), "\n"
        bodies = {each.seq: sanitize_terminal_text(each.text) for each in self._messages}
        texts = [_unwrapped(rows, bodies.get(seq, "")) for seq, rows in picked.items()]
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self.refresh()


def _within(line: Line, selected: tuple[int, int]) -> str:
    """Return what of a message's own text is selected on a row; -1 stands for the row's end."""
    found, at = "", 0
    start, end = selected
    for span in line.spans:
        if span.style == "text":
            stop = len(span.text) if end == -1 else max(0, end - at)
            found += span.text[max(0, start - at) : stop]
        at += len(span.text)
    return found.strip()


def _unwrapped(rows: list[str], body: str) -> str:
    """Return the part of a body that was wrapped into these rows, its own line breaks in it."""
    words = [re.escape(word) for row in rows for word in row.split()]
    part = re.search(r"\s*".join(words), body)
    return part[0] if part else "\n".join(rows)
