"""What is known about a contact, in a pane beside the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from exile_tui.core.model import Contact, ContactState, Trust
from exile_tui.locale import tr
from exile_tui.locale.dates import date_and_time
from exile_tui.ui.words import contact_name, how_words, trust_words

if TYPE_CHECKING:
    from exile_tui.ui.app import ExileApp

GROUPS_A_ROW = 3
"""Groups of five digits that the narrowest pane holds beside each other."""


class Details(VerticalScroll):
    """Name, trust with its history, safety number, and where the contact receives."""

    DEFAULT_CSS = """
    Details { width: 28; height: 1fr; background: $surface; padding: 1 2; display: none; }
    Details Static { height: auto; margin-bottom: 1; }
    Details Button { margin-bottom: 1; }
    """

    def __init__(self) -> None:
        super().__init__(id="details", can_focus=False)

    def compose(self) -> ComposeResult:
        """Yield the facts and the one thing to do."""
        yield Static(id="details-name", markup=False)
        yield Static(id="details-trust", markup=False)
        yield Static(id="details-number", markup=False)
        yield Button(tr("Safety number"), id="details-verify", variant="primary")
        yield Static(id="details-facts", markup=False)

    def show(self, contact: Contact) -> None:
        """Show a contact as it is now."""
        app = cast("ExileApp", self.app)
        trust = trust_words(contact, app.marks)
        self.query_one("#details-name", Static).update(
            Content.styled(contact_name(contact), "bold $foreground")
        )
        self.query_one("#details-trust", Static).update(
            Content.assemble(
                (f"{trust.mark} {trust.word}", f"${trust.color}"),
                "\n",
                (self._history(contact), "$muted"),
            )
        )
        self.query_one("#details-number", Static).update(_number(contact.safety_digits))
        self.query_one("#details-verify").display = contact.state is not ContactState.ARCHIVED
        self.query_one("#details-facts", Static).update(self._facts(contact))

    def _time(self, at_ms: int) -> str:
        app = cast("ExileApp", self.app)
        return date_and_time(at_ms, app.clock.now_ms(), hours_24=app.settings.time_24h)

    def _history(self, contact: Contact) -> str:
        """Say when and how the number was compared, or what comparing is good for."""
        compared = contact.verification
        if contact.state is ContactState.ARCHIVED:
            return tr("These messages come from a file. Nobody can vouch for them.")
        if compared is None:
            return tr("Compare the safety number: only then you know who reads along.")
        how = how_words(compared.how)
        if contact.trust is Trust.CHANGED:
            return tr("Compared {time} {how}; the number is another one since.",
                      time=self._time(compared.at_ms), how=how)  # fmt: skip
        return tr("Compared {time} {how}", time=self._time(compared.at_ms), how=how)

    def _facts(self, contact: Contact) -> Content:
        since = tr("In contact since")
        if contact.state is ContactState.ARCHIVED:
            since = tr("Imported")
        rows = [(since, self._time(contact.created_ms))]
        if contact.state is ContactState.JOINING:
            rows.append((tr("Request"), tr("waiting for an answer")))
        if contact.peer_mailbox is not None:
            relay = contact.peer_mailbox.address
            rows.append((tr("Receives at"), f"{relay.host}:{relay.port}"))
        return Content("\n\n").join(
            Content.assemble((title, "$muted"), "\n", (value, "$foreground"))
            for title, value in rows
        )


def _number(digits: str) -> Content:
    groups = [digits[start : start + 5] for start in range(0, len(digits), 5)]
    rows = [groups[start : start + GROUPS_A_ROW] for start in range(0, len(groups), GROUPS_A_ROW)]
    return Content("\n".join("  ".join(row) for row in rows))
