"""Above a conversation: whose it is, the trust in words, and what has to be dealt with."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from exile_tui.core.model import Contact, ContactState, Trust
from exile_tui.locale import tr
from exile_tui.text import cut
from exile_tui.ui.words import NAME_IN_SENTENCE, contact_name, trust_words

if TYPE_CHECKING:
    from exile_tui.ui.app import ExileApp


class TalkHeader(Vertical):
    """Name and trust on one line; under it a bar for each thing that waits or changed."""

    DEFAULT_CSS = """
    TalkHeader { height: auto; }
    TalkHeader #who { height: 2; padding: 1 1 0 1; text-wrap: nowrap; }
    TalkHeader .banner {
        height: auto; padding: 0 1; margin-top: 1; background: $panel; color: $mention;
    }
    TalkHeader #changed { color: $error; text-style: bold; }
    """

    def compose(self) -> ComposeResult:
        """Yield the line and the bars."""
        yield Static(id="who", markup=False)
        yield Static(id="waiting", classes="banner", markup=False)
        yield Static(id="changed", classes="banner", markup=False)

    def show(self, contact: Contact) -> None:
        """Show a contact as it is now."""
        trust = trust_words(contact, cast("ExileApp", self.app).marks)
        who = Content.assemble(
            (f"{trust.mark} {trust.word}", f"${trust.color}"),
            "   ",
            (contact_name(contact), "bold $foreground"),
        )
        self.query_one("#who", Static).update(who)
        waiting = self.query_one("#waiting", Static)
        waiting.display = contact.state is ContactState.JOINING
        waiting.update(_waiting_words(contact))
        changed = self.query_one("#changed", Static)
        changed.display = contact.trust is Trust.CHANGED
        changed.update(tr("The safety number changed. Compare it again before you go on: F3"))


def _waiting_words(contact: Contact) -> str:
    if contact.name:
        name = cut(contact_name(contact), NAME_IN_SENTENCE)
        return tr("Waiting for {name} to accept.", name=name)
    return tr("Waiting for the other person to accept.")
