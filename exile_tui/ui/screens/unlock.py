"""Open a locked profile with its passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from exile_tui import locale
from exile_tui.errors import N_, ExileError, UsageError
from exile_tui.locale import tr
from exile_tui.text import nfc, one_line
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.widgets.choices import Choice, Choices
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.widgets.working import Working
from exile_tui.ui.words import error_text

if TYPE_CHECKING:
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.model import Overview

LANGUAGES = (Choice("한국어"), Choice("English"))
LONGEST_PASSPHRASE = 1024

EMPTY = N_("Type your passphrase first.")


class UnlockScreen(ExileScreen):
    """Asks for the passphrase; whatever goes wrong leaves it where it was."""

    HEADING = N_("Locked")
    CSS_PATH = "unlock.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._busy = False

    def compose_body(self) -> ComposeResult:
        """Put one field in the middle."""
        with Container(id="unlock"), Vertical(id="card"):
            yield Static(tr("Everything here is encrypted"), classes="heading")
            yield Static(
                Content(tr("Profile {name}", name=one_line(self.exile.application.profile))),
                classes="muted",
            )
            yield Field(
                placeholder=tr("Passphrase"), password=True, max_length=LONGEST_PASSPHRASE,
                id="passphrase",
            )  # fmt: skip
            yield Button(tr("Unlock"), id="open", variant="primary")
            yield Working(id="working")
            yield Static(id="problem", classes="error", markup=False)
            yield Choices(
                LANGUAGES,
                chosen=locale.LANGUAGES.index(locale.language()),
                id="language",
                translate=str,
            )

    def on_mount(self) -> None:
        """Put the cursor into the field."""
        self.query_one("#passphrase").focus()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen; keep what was typed."""
        typed = self.query_one("#passphrase", Input).value
        await super().retranslate()
        self.query_one("#passphrase", Input).value = typed
        self.query_one("#language").focus()

    @on(Choices.Changed, "#language")
    def _language(self, event: Choices.Changed) -> None:
        self.app.call_later(self.exile.choose_language, locale.LANGUAGES[event.index])

    @on(Input.Submitted, "#passphrase")
    @on(Button.Pressed, "#open")
    def _unlock(self) -> None:
        passphrase = nfc(self.query_one("#passphrase", Input).value)
        if self._busy:
            return
        if not passphrase:
            self._failed(UsageError(EMPTY))
            return
        self._busy = True
        self.query_one("#problem", Static).update("")
        self.query_one(Working).begin(tr("Opening..."))

        async def unlock() -> tuple[Messenger, Overview | None]:
            messenger = await self.exile.application.unlock(passphrase)
            try:
                return messenger, await messenger.overview()
            except ExileError:  # the profile is open: the chats will say what is wrong with it
                return messenger, None

        self.command("profile", unlock, self._opened, self._failed)

    def _opened(self, found: tuple[Messenger, Overview | None]) -> None:
        self.query_one("#passphrase", Input).value = ""
        self.exile.enter(*found)

    @on(Input.Changed, "#passphrase")
    def _typing(self) -> None:
        """Load what an open profile needs while somebody types: half of what opening takes."""
        self.exile.starting.prepare()

    def _failed(self, error: ExileError) -> None:
        self._busy = False
        self.query_one(Working).end()
        self.query_one("#problem", Static).update(error_text(error))
        field = self.query_one("#passphrase", Input)
        field.focus()
        field.action_select_all()
