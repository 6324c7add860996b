"""A view of a conversation of any length: only what is near the screen is read and laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from textual import events
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView

from exile_tui.core.model import Excerpt, Extent, Message
from exile_tui.ui.blocks import Blocks, beginning, block_of, needed
from exile_tui.ui.screens.base import ServiceCalls
from exile_tui.ui.selecting import moved, selected_rows
from exile_tui.ui.timeline import Timeline

AHEAD = 2
"""Blocks on either side of the screen that are read before they come into sight."""
AT_ONCE = 4
"""Blocks that one reading takes: it holds back the wiping of the disk for so long only."""
MOST_WRAPPED = 2000
"""Wrapped texts that are kept, for what is laid out again unchanged."""

Choose = Callable[[Extent], tuple[int, int] | None]
"""From which seq to which is to be read, of those that there are."""


class Reader(Protocol):
    """Where the lines of one conversation come from."""

    async def excerpt(self, choose: Choose) -> Excerpt:
        """Return the lines that are chosen when it is known which there are."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """What one reading found."""

    extent: Extent
    blocks: tuple[int, int] | None
    """The first and the last that were read."""
    messages: Sequence[Message]
    target: int


class BlockView(ServiceCalls, ScrollView, can_focus=True):
    """Read, lay out and keep the place; what a line looks like is left to the subclass.

    Everything that was read is laid in place while a message that is on the screen stays where it
    is, whatever is corrected above it; or the end does, where that is followed.
    """

    @dataclass
    class Shown(TextualMessage):
        """Messages from one seq to another are on the screen."""

        first: int
        last: int
        below: int
        """How many more are further down."""
        unread: int
        """Of the whole conversation."""

    @dataclass
    class Filled(TextualMessage):
        """It is known whether there is any message."""

        any: bool

    def __init__(self) -> None:
        super().__init__()
        self._timeline: Timeline | None = None
        self._reader: Reader | None = None
        self._blocks = Blocks()
        self._wrapped: dict[tuple[str, int], list[str]] = {}
        self._opening = self._anew = False
        """Nothing is laid out yet, or not at this width."""
        self._follow = True
        self._target = 0
        """The message to go to as soon as it is laid out."""
        self._target_row: int | None = None
        """On which row of the screen it is to begin; None for the upper third."""
        self._seen = 0
        """The newest message that somebody has looked at."""

    # What is shown

    @staticmethod
    def beginning(seq: int) -> Choose:
        """Return what chooses the lines to open a conversation with."""

        def choose(extent: Extent) -> tuple[int, int] | None:
            blocks = beginning(extent, seq or extent.first_unread)
            return blocks and needed(extent, *blocks)

        return choose

    def open(self, timeline: Timeline, reader: Reader, excerpt: Excerpt, seq: int = 0) -> None:
        """Show another conversation.

        Args:
            timeline: How; its width and first unread message are found here.
            reader: Where its lines come from.
            excerpt: The lines that `beginning` chose; as one frame shows them with all the rest.
            seq: Where to begin; 0 for the first unread, else the end.
        """
        self.clear()
        self._timeline, self._reader = timeline, reader
        self._opening = self._anew = True
        target = self._target = seq or excerpt.extent.first_unread
        blocks = beginning(excerpt.extent, target)
        self._take(reader, Page(excerpt.extent, blocks, excerpt.lines, target))

    def update_lines(self, timeline: Timeline | None = None) -> None:
        """Read again what may have changed; the place stays, or the end if that is followed."""
        if timeline is not None and self._timeline is not None:
            self._timeline = replace(timeline, first_unread=self._timeline.first_unread)
        self._blocks.outdate()
        self._read()

    def clear(self) -> None:
        """Show nothing."""
        self._timeline = self._reader = None
        self._blocks = Blocks()
        self._wrapped.clear()
        self._follow, self._target, self._target_row, self._seen = True, 0, None, 0
        self.virtual_size = Size(0, 0)
        self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.refresh()

    def follow(self) -> None:
        """Stay at the end from the next change on, under no line of unread: we write ourselves."""
        self._follow, self._target = True, 0
        self._seen = self._blocks.extent.last_seq
        if self._timeline is not None:
            self._timeline = replace(self._timeline, first_unread=0)

    def go_to(self, seq: int, below_top: int | None = None) -> None:
        """Bring a message onto the screen.

        Args:
            seq: Which.
            below_top: On which row of the screen it begins; None for the upper third.
        """
        self._target, self._target_row, self._follow = seq, below_top, False
        self._read()

    def holds(self, seq: int) -> bool:
        """Tell whether there is such a message, as far as was read: not if it was deleted."""
        return self._blocks.extent.count(seq, seq) > 0

    # Reading

    def _read(self) -> None:
        reader = self._reader
        if reader is not None:
            self.load("lines", lambda: self._gather(reader), partial(self._take, reader))

    async def _gather(self, reader: Reader) -> Page:
        blocks, target = None, 0

        def choose(extent: Extent) -> tuple[int, int] | None:
            nonlocal blocks, target
            target = self._target or (extent.first_unread if self._opening else 0)
            blocks = self._wanted(extent, target)
            return blocks and needed(extent, *blocks)

        excerpt = await reader.excerpt(choose)
        return Page(excerpt.extent, blocks, excerpt.lines, target)

    def _wanted(self, extent: Extent, target: int) -> tuple[int, int] | None:
        """Return the blocks to read next: the target's, then those in sight, then around them."""
        news = extent.last_seq != self._blocks.extent.last_seq
        if target or (self._follow and (self._anew or news)):
            return beginning(extent, target)
        return self._lacking() if extent.last_seq else None

    def _lacking(self) -> tuple[int, int] | None:
        first, last = self._in_sight()
        found = self._blocks.lacking(first, last)
        found = found or self._blocks.lacking(first - AHEAD, last + AHEAD)
        return found and (found[0], min(found[1], found[0] + AT_ONCE - 1))

    def _in_sight(self) -> tuple[int, int]:
        return self._blocks.in_sight(round(self.scroll_y), self.size.height)

    def _take(self, reader: Reader, page: Page) -> None:
        """Lay out what was read and keep the place."""
        if reader is not self._reader or self._timeline is None:
            return
        self.post_message(self.Filled(page.extent.count(1, page.extent.last_seq) > 0))
        if not self.size:
            return  # hidden: see `on_show`
        anchor, opened, anew = self._anchor(), not self._opening, self._anew
        if self._opening:
            self._opening = False
            self._timeline = replace(self._timeline, first_unread=page.extent.first_unread)
            self._seen = page.extent.before(page.extent.first_unread) or page.extent.last_seq
        if page.target:
            self._target, self._follow = page.target, False
        if self._anew:
            self._anew = False
            self._wrapped.clear()
            self._blocks.estimate_anew()
        self._blocks.adopt(page.extent)
        if page.blocks is not None:
            if len(self._wrapped) > MOST_WRAPPED:
                self._wrapped.clear()
            timeline = replace(self._timeline, width=self._width, wrapped=self._wrapped)
            if anew:
                rows = self.size.height
                self._blocks.lay_out_first(timeline, page.messages, page.blocks, self._target, rows)
            else:
                self._blocks.lay_out(timeline, page.messages, *page.blocks)
        self._wait_at_new()
        self._place(anchor)
        if opened:
            # In the frame that shows it; how much room there is at first is known after that.
            self.tell()

    def _wait_at_new(self) -> None:
        """Follow no further than that the first new message stays on the screen."""
        first = self._blocks.extent.first_unread
        if not self._follow or first <= self._seen or self._timeline is None:
            return
        if self._blocks.heights.total - self._blocks.row_of(first) > self.size.height:
            self._target, self._follow = first, False

    # The place

    @property
    def _width(self) -> int:
        return max(1, self.scrollable_content_region.width)

    def _anchor(self) -> tuple[int, int, int] | None:
        """Return a message on the screen, which row of it, and on which row of the screen."""
        top = round(self.scroll_y)
        for row in range(top, min(top + self.size.height, self._blocks.heights.total)):
            line = self._blocks.line(row)
            if line is not None and line.seq:
                return line.seq, row - self._blocks.row_of(line.seq), row - top
        return None

    def _place(self, anchor: tuple[int, int, int] | None) -> None:
        self._measure()
        self.refresh()
        if anchor is not None:
            seq, inside, below_top = anchor
            top = self._blocks.row_of(seq) + inside - below_top
            self._move_selection(top - round(self.scroll_y))
            if not (self._follow or self._target):
                self._jump(top)
        self._hold()
        if self.max_scroll_y:
            # Textual tells it only while it is there; it comes with the next layout.
            self.vertical_scrollbar.position = self.scroll_y
        self.call_after_refresh(self._settle)

    def _measure(self) -> None:
        """Tell how high everything is; only where the scroll bar comes or goes it is laid out."""
        size = Size(self._width, self._blocks.heights.total)
        scrolls = size.height > self.container_size.height
        if size.width == self.virtual_size.width and scrolls and self.show_vertical_scrollbar:
            self.set_reactive(BlockView.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size

    def _hold(self) -> None:
        """Be where the target or the end is."""
        if self._target:
            above = self.size.height // 3 if self._target_row is None else self._target_row
            top = self._blocks.row_of(self._target) - above
            self._jump(top)
            self._follow = top >= self.max_scroll_y
        elif self._follow:
            self.scroll_end(animate=False, immediate=True, force=True)

    def _settle(self) -> None:
        """Once the layout stands: be in place, say what is seen, read what is missing."""
        if not self._anew:
            self._hold()
        if self._reader is None or self._anew:
            return
        if self._target and self._blocks.lacking(*[block_of(self._target)] * 2) is None:
            self._target, self._target_row = 0, None
        self.tell()
        self._blocks.drop(self._in_sight(), AHEAD, selected_rows(self.text_selection))
        if self._lacking() is not None:
            self._read()

    def _jump(self, row: int) -> None:
        self.scroll_to(y=max(0, row), animate=False, immediate=True, force=True)

    def _move_selection(self, rows: int) -> None:
        selection = self.text_selection
        if rows and selection is not None:
            self.screen.selections = {**self.screen.selections, self: moved(selection, rows)}

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end from when it is reached until it is left."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value) and self._reader is not None:
            self._follow = new_value >= self.max_scroll_y
            self.call_after_refresh(self._settle)

    def on_resize(self, event: events.Resize) -> None:
        """Lay out anew for a new width; stay at the same message."""
        if self._reader is None:
            return
        if self._width != self.virtual_size.width:
            anchor = self._anchor()
            if anchor is not None and not self._follow and not self._target:
                self._target, self._target_row = anchor[0], anchor[2] - anchor[1]
            self._anew = True
            self._read()
        self.call_after_refresh(self._settle)

    def on_show(self) -> None:
        """Read what came while this was hidden."""
        self.update_lines()

    # What is on the screen

    def seqs_in_sight(self) -> tuple[int, int] | None:
        """Return the first and the last message of which a row is on the screen."""
        top = round(self.scroll_y)
        rows = range(top, min(top + self.size.height, self._blocks.heights.total))
        lines = (self._blocks.line(row) for row in rows)
        seqs = [line.seq for line in lines if line is not None and line.seq]
        return (min(seqs), max(seqs)) if seqs else None

    def tell(self) -> None:
        """Say what is on the screen now."""
        shown = self.seqs_in_sight()
        if shown is None:
            return
        first, last = shown
        if self.app.app_focus and self.app.screen is self.screen:
            self._seen = max(self._seen, last)
        extent = self._blocks.extent
        below = extent.count(last + 1, extent.last_seq)
        self.post_message(self.Shown(first, last, below, extent.unread))
