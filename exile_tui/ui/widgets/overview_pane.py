"""The pane at the left: what needs attention, the conversations, or that nobody is here yet."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from exile_tui.clock import DAY_MS
from exile_tui.core.model import Overview
from exile_tui.locale import tr_n
from exile_tui.ui.widgets.conversation_list import ConversationList


class OverviewPane(Vertical):
    """Shows an overview; what has nothing to say takes no room."""

    def __init__(self) -> None:
        super().__init__(id="list")

    def compose(self) -> ComposeResult:
        """Yield the lines above the list, the list, and what stands in its place."""
        yield Static(id="clock", markup=False)
        yield Static(id="requests", markup=False)
        yield ConversationList()
        yield Static(id="nobody", classes="empty", markup=False)

    def show(self, overview: Overview, open_contact: int | None, clock_jump_ms: int | None) -> None:
        """Show the conversations and what waits.

        Args:
            overview: Both.
            open_contact: Whose conversation is open.
            clock_jump_ms: By how much the computer's clock jumped, if that is to be confirmed.
        """
        listed = self.query_one(ConversationList)
        listed.display = bool(overview.conversations)
        if listed.display and self.screen.focused is None and self.app.screen is self.screen:
            listed.focus()
        listed.show(overview.conversations, open_contact)
        self.query_one("#nobody").display = not overview.conversations
        self._show_clock(clock_jump_ms)
        line = self.query_one("#requests", Static)
        line.display = overview.requests > 0
        line.update(tr_n("{n} contact request: F2", "{n} contact requests: F2", overview.requests))

    def say(self, nobody: Content) -> None:
        """Set what stands in the place of the list."""
        self.query_one("#nobody", Static).update(nobody)

    def _show_clock(self, jump_ms: int | None) -> None:
        clock = self.query_one("#clock", Static)
        clock.display = jump_ms is not None
        days = abs(jump_ms or 0) // DAY_MS
        clock.update(
            tr_n(
                "The clock of this computer jumped by {n} day. Nothing expires until you confirm "
                "that it is right: F8",
                "The clock of this computer jumped by {n} days. Nothing expires until you confirm "
                "that it is right: F8",
                days,
            )
        )
