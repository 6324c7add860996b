"""The first line: where you are, the connection, and what is encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.content import Content
from textual.widget import Widget

from exile_tui.locale import dates, tr, tr_n
from exile_tui.ui.words import PRODUCT, connection_words

if TYPE_CHECKING:
    from exile_tui.ui.app import ExileApp


_COUNTS = "done", "total"


class StatusLine(Widget):
    """Show product and place at the left, the connection at the right."""

    DEFAULT_CSS = """
    StatusLine {
        dock: top;
        height: 1;
        padding: 0 1;
        background: $surface;
        color: $text-muted;
    }
    StatusLine > .status-line--product { color: $primary; text-style: bold; }
    StatusLine > .status-line--good { color: $success; }
    StatusLine > .status-line--bad { color: $warning; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status-line--product",
        "status-line--good",
        "status-line--bad",
    }

    def __init__(self, heading: str = "") -> None:
        """Make the line.

        Args:
            heading: A catalog key.
        """
        super().__init__()
        self.heading = heading

    def render(self) -> Content:
        """Drop what is least needed until it fits."""
        product = Content.styled(PRODUCT, self.get_visual_style("status-line--product"))
        badge = cast("ExileApp", self.app).badge
        if badge:
            style = self.get_visual_style("status-line--bad")
            product = Content.assemble(product, "   ", (badge, style))
        left = Content.assemble(product, "   ", tr(self.heading)) if self.heading else product
        right = self._right()
        while right:
            line = Content("   ").join(right)
            gap = self.content_size.width - left.cell_length - line.cell_length
            if gap >= 2:
                return Content.assemble(left, " " * gap, line)
            right.pop()
        return left

    def _right(self) -> list[Content]:
        """Return the parts from the right side, the most needed first."""
        app = cast("ExileApp", self.app)
        encrypted = Content(tr("end-to-end encrypted"))
        if app.application.messenger is None:
            return [Content(tr("locked"))] if app.application.exists() else [encrypted]
        connection = app.connection
        retry = ""
        if connection is not None and connection.retry_at_ms is not None:
            retry = dates.time_of_day(connection.retry_at_ms, hours_24=app.settings.time_24h)
        words, good = connection_words(connection, retry)
        mark = app.marks.online if good else app.marks.offline
        style = self.get_visual_style(f"status-line--{'good' if good else 'bad'}")
        parts = [Content.assemble((mark, style), " ", words)]
        if connection is not None and connection.waiting:
            waiting = tr_n("{n} message waiting", "{n} messages waiting", connection.waiting)
            parts.append(Content(waiting))
        work = app.application.messenger.work
        if work is not None:
            percent = int(work.share * 100)
            parts.insert(1, Content(tr("work for the relay {percent}%", percent=percent)))
        deleting = app.application.messenger.deletions.running
        if deleting:
            done, total = (sum(getattr(each, name) for each in deleting) for name in _COUNTS)
            percent = done * 100 // total if total else 0
            parts.insert(1, Content(tr("deleting {percent}%", percent=percent)))
        parts.append(encrypted)
        return parts
