"""Use another relay: its address, its phrase if it asks for one, and what happens then."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from exile_tui.errors import N_, ExileError, RelayRefused, UsageError
from exile_tui.locale import tr
from exile_tui.text import nfc
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.one_line import LINK_SCHEME, Field, OneLineInput
from exile_tui.ui.widgets.working import Working
from exile_tui.ui.words import error_text

AROUND = 7
"""Rows of the answers, the keys, what goes on, and the space around them."""
NO_ADDRESS = N_("Paste the relay's address here first.")
NOT_A_RELAY = N_("This is an invite link. What is needed here is a relay's address: https://...")


class MovePanel(ExileModal[bool]):
    """Asks for a relay; the answer is whether it is ours now."""

    CSS_PATH = "move.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "move", N_("Move"), id="move.move",
                tooltip=N_("Ask this relay, and move to it if it takes you")),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._busy = False

    def compose_panel(self) -> ComposeResult:
        """Yield the fields, what follows, and the answers."""
        with VerticalScroll(id="content", can_focus=False):
            yield Static(tr("Use another relay"), classes="heading")
            yield OneLineInput(placeholder="https://HOST:PORT/#...", max_length=4096, id="to")
            yield Field(
                placeholder=tr("Access phrase"), password=True, max_length=1024, id="phrase"
            )
            yield Static(
                tr(
                    "Each contact gets a new mailbox there and is told in a message. The old "
                    "relay is read too, until all have followed, 14 days at most. No message is "
                    "lost, and open invites can still be used. The new relay is asked first: if "
                    "it doesn't take you, nothing changes."
                ),
                classes="muted",
            )
            yield Static(id="problem", classes="error", markup=False)
        yield Working(id="working")
        with Horizontal():
            yield Button(tr("Move"), id="move", variant="primary")
            if not self.messenger.embedded:
                yield Button(tr("This computer's relay"), id="here")
            yield Button(tr("Cancel"), id="cancel")

    def on_mount(self) -> None:
        """Begin with the address; the phrase appears when it is asked for."""
        self.query_one("#phrase").display = False
        self._say("")
        self.query_one("#to").focus()

    def on_resize(self) -> None:
        """Keep the answers in sight: what does not fit above them scrolls."""
        self.query_one("#content").styles.max_height = max(4, self.size.height - AROUND)

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen; keep what was typed."""
        typed = [self.query_one(name, Input).value for name in ("#to", "#phrase")]
        await super().retranslate()
        self.on_mount()
        for name, value in zip(("#to", "#phrase"), typed, strict=True):
            self.query_one(name, Input).value = value

    @on(Input.Submitted)
    @on(Button.Pressed, "#move")
    def action_move(self) -> None:
        """Ask the relay and move to it."""
        address = self.query_one("#to", Input).value.strip()
        phrase = nfc(self.query_one("#phrase", Input).value)
        if self._busy:
            return
        if not address:
            self._fail(UsageError(NO_ADDRESS))
        elif address.lower().startswith(LINK_SCHEME):
            self._fail(UsageError(NOT_A_RELAY))
        else:
            self._begin(tr("Asking the relay..."))
            self.command(
                "move", lambda: self.messenger.move_to(address, phrase), self._done, self._fail
            )

    @on(Button.Pressed, "#here")
    def _here(self) -> None:
        if not self._busy:
            self._begin(tr("Starting this computer's relay..."))
            self.command("move", self.messenger.move_to_embedded, self._done, self._fail)

    def _begin(self, sentence: str) -> None:
        self._busy = True
        self._say("")
        self.query_one(Working).begin(sentence)

    def _say(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.display = bool(problem)
        line.update(Content(problem))

    def _done(self, _: None) -> None:
        self.exile.notify(tr("This is your relay now. Your contacts are being told."))
        self.dismiss(True)

    def _fail(self, error: ExileError) -> None:
        self._busy = False
        self.query_one(Working).end()
        self._say(error_text(error))
        refused = isinstance(error, RelayRefused)
        if refused:
            self.query_one("#phrase").display = True
        # Once it is laid out: input methods compose where the terminal's cursor is.
        self.call_after_refresh(self._attend, "#phrase" if refused else "#to")

    def _attend(self, field: str) -> None:
        # Textual would scroll to a field by where it was before it was laid out. What is wrong
        # stands at the end, and the fields a little above.
        self.query_one(field).focus(scroll_visible=False)
        self.query_one("#content").scroll_end(animate=False)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close; a move that is under way goes on."""
        self.dismiss(False)
