"""Go to a conversation by a part of the name, its initials, or typed in the wrong mode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.content import Content

from exile_tui.locale import dates, tr, tr_n
from exile_tui.text import cell_len, cut
from exile_tui.ui.screens.picker import Picker
from exile_tui.ui.words import contact_name, trust_words

if TYPE_CHECKING:
    from exile_tui.core.model import Conversation, Overview


class SwitcherScreen(Picker["Conversation"]):
    """List conversations, the newest first; the chosen one is given back."""

    def __init__(self) -> None:
        super().__init__(tr("Whose conversation?"))
        self._loaded = False

    def on_mount(self) -> None:
        """Read the conversations."""
        self.load("conversations", self.messenger.overview, self._show)

    def _show(self, overview: Overview) -> None:
        self.items, self._loaded = overview.conversations, True
        self.show_items()

    def texts(self, item: Conversation) -> Iterable[str]:
        """Return the name."""
        return (contact_name(item.contact),)

    def line(self, item: Conversation, width: int) -> Content:
        """Return the name; below it trust, time and how much is unread: all of that ours."""
        exile = self.exile
        trust = trust_words(item.contact, exile.marks)
        name = cut(contact_name(item.contact), width)
        moment = item.last.stored_ms if item.last else item.contact.created_ms
        when = dates.in_list(moment, exile.clock.now_ms(), hours_24=exile.settings.time_24h)
        right = Content.styled(when, "$text-muted")
        if item.unread:
            unread = tr_n("{n} unread", "{n} unread", item.unread)
            right = Content.assemble(right, "  ", Content.styled(unread, "bold $primary"))
        left = cut(f"{trust.mark} {trust.word}", max(0, width - right.cell_length - 2))
        gap = " " * max(1, width - cell_len(left) - right.cell_length)
        style = "bold $foreground" if item.unread else "$foreground"
        return Content.assemble(
            Content.styled(name, style), "\n", Content.styled(left, f"${trust.color}"), gap, right
        )

    def nothing(self, query: str) -> str:
        """Return what is said when there is nobody, or nobody by that name."""
        if self.items:
            return tr("Nobody by that name. Esc closes this.")
        if not self._loaded:
            return ""
        return tr("Nobody here yet. Ctrl+N invites someone, Ctrl+O opens an invite you got.")
