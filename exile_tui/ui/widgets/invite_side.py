"""What stands beside an invite's code: the link and what to do with it, or who has used it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from exile_tui.locale import tr
from exile_tui.ui.handover import reaches_others
from exile_tui.ui.invite_text import Time, facts_text, spent_text, state_words
from exile_tui.ui.widgets.work_pane import WorkPane

if TYPE_CHECKING:
    from exile_tui.core.model import Contact, Invite


class InviteSide(VerticalScroll):
    """Shows an invite in words; the screen does what its buttons ask for."""

    def __init__(self, *, embedded: bool, id: str | None = None) -> None:
        """Make it empty, as while an invite is made.

        Args:
            embedded: Whether the relay is the one of this computer.
            id: The widget's id.
        """
        super().__init__(id=id, can_focus=False)
        self._embedded = embedded

    def compose(self) -> ComposeResult:
        """Yield what an open invite needs, and what one needs that is over."""
        with Vertical(id="usable"):
            yield from self._compose_usable()
        with Vertical(id="over"):
            yield Static(tr("This invite can't be used any more."), classes="heading")
            yield Static(id="used", markup=False)
            with Horizontal(classes="buttons"):
                yield Button(tr("Contacts"), id="contacts", variant="primary")
                yield Button(tr("New invite"), id="again")
        with Horizontal(classes="buttons", id="more"):
            yield Button(tr("All invites"), id="list")
            yield Button(tr("Revoke"), id="revoke")

    def _compose_usable(self) -> ComposeResult:
        yield WorkPane()
        yield Static(tr("Hand over the code or the link"), classes="heading")
        yield Static(tr("Making the invite..."), id="link", markup=False)
        with Horizontal(classes="buttons"):
            yield Button(tr("Copy link"), id="copy", variant="primary")
            yield Button(tr("Save picture"), id="save")
        with Horizontal(classes="buttons"):
            yield Button(tr("Copy a text to send"), id="text")
        with Vertical(id="only-here"):
            yield Static(
                tr("Nobody on another computer can use it: only this one reaches your relay.")
            )
            with Horizontal(classes="buttons"):
                yield Button(tr("Let others reach it"), id="reach", variant="primary")
                yield Button(tr("Use another relay"), id="move")
        yield Static(id="state")
        yield Static(
            tr("Whoever holds it can use it. Hand it over in a way you trust."), id="bearer"
        )

    def on_mount(self) -> None:
        """Begin with an invite that is being made."""
        self.query_one("#only-here").display = False
        self.query_one("#reach").display = self._embedded
        self.query_one("#over").display = False

    def show(self, invite: Invite, user: Contact | None, time: Time) -> None:
        """Show an invite.

        Args:
            invite: Which.
            user: Who used it, if a contact did.
            time: Turns a moment into text.
        """
        from exile_tui.core.model import InviteState

        usable = invite.state is InviteState.OPEN
        self.query_one("#usable").display = usable
        self.query_one("#over").display = not usable
        self.query_one("#revoke").display = usable
        here = not reaches_others(invite.relay.host)
        self.query_one("#only-here").display = usable and here
        self.query_one("#link", Static).update(Content(invite.link if usable else ""))
        self.query_one("#state", Static).update(facts_text(invite, time) if usable else "")
        self.query_one("#contacts").display = user is not None
        used = invite.state is InviteState.SPENT
        words = spent_text(user, time) if used else state_words(invite)
        self.query_one("#used", Static).update(Content(words))
        self._keep_focus()

    def _keep_focus(self) -> None:
        """Move the focus from what is not there any more: Enter must not do something else."""
        focused = self.screen.focused
        if focused is not None and self in focused.ancestors and not _shown(focused):
            self.focus_first()

    def focus_first(self) -> None:
        """Put the focus where it does no harm: on copying, else on the way to the list."""
        copy = self.query_one("#copy", Button)
        (copy if _shown(copy) else self.query_one("#list", Button)).focus()


def _shown(widget: Widget) -> bool:
    return all(each.display for each in widget.ancestors_with_self if isinstance(each, Widget))
