"""Take another display name."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from exile_tui.errors import ExileError
from exile_tui.locale import tr
from exile_tui.text import nfc, sanitize_name
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.screens.first_run_steps import LONGEST_NAME
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.words import error_text


class RenamePanel(ExileModal[None]):
    """Asks for the name; a name that does not fit stays in the field."""

    DEFAULT_CSS = """
    RenamePanel #panel { width: 60; max-width: 96%; height: auto; }
    RenamePanel Field { margin: 1 0; }
    RenamePanel .text { color: $text-muted; }
    RenamePanel Horizontal { height: auto; margin-top: 1; }
    RenamePanel Button { margin-right: 2; }
    """

    def compose_panel(self) -> ComposeResult:
        """Yield one field."""
        yield Static(tr("What should your contacts call you?"), classes="heading", markup=False)
        name = sanitize_name(self.messenger.name, "")
        yield Field(name, max_length=LONGEST_NAME, select_on_focus=False, id="own-name")
        yield Static(
            tr("Your contacts are told. The relay never sees it."),
            classes="text", markup=False,
        )  # fmt: skip
        yield Static(id="problem", classes="error", markup=False)
        with Horizontal():
            yield Button(tr("Save"), id="save", variant="primary")
            yield Button(tr("Cancel"), id="cancel")

    def on_mount(self) -> None:
        """Put the cursor behind the name."""
        self.query_one("#problem").display = False
        self.query_one(Field).focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def _save(self) -> None:
        name = nfc(self.query_one(Field).value).strip()
        if name == self.messenger.name:
            self.dismiss(None)
            return
        self.command("name", lambda: self.messenger.rename(name), self._saved, self._not_saved)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.action_cancel()

    def _saved(self, _: None) -> None:
        name = sanitize_name(self.messenger.name, "")
        self.exile.notify(tr("You are called {name} from now on.", name=name))
        self.dismiss(None)

    def _not_saved(self, error: ExileError) -> None:
        problem = self.query_one("#problem", Static)
        problem.display = True
        problem.update(Content(error_text(error)))
        self.query_one(Field).focus()
