"""The conversation as it is used: its keys, the message under the cursor, what is selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.selection import Selection

from exile_tui.errors import N_
from exile_tui.ui.selecting import selected_text
from exile_tui.ui.timeline import Line
from exile_tui.ui.widgets.bar_rows import quicken
from exile_tui.ui.widgets.drawn_rows import DrawnRows

if TYPE_CHECKING:
    from exile_tui.core.model import Message


class Conversation(DrawnRows):
    """Lines drawn from the blocks near the screen, never a widget a message."""

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
        """Give the scroll bar its quick rows; find the styles behind the first frame."""
        quicken(self.vertical_scrollbar)
        self.call_after_refresh(self.prepare)

    def on_blur(self) -> None:
        """Draw without the cursor."""
        self.refresh()

    def on_focus(self) -> None:
        """Draw with the cursor."""
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what was selected with the mouse: of messages their own text only."""
        return selected_text(self._blocks, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self.refresh()
