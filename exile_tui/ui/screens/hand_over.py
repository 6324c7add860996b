"""Show the text that goes with an invite, in either language, to be copied or saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from exile_tui import locale
from exile_tui.errors import N_, UsageError
from exile_tui.locale import tr
from exile_tui.ui.handover import hand_over_text, reaches_others
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.screens.save_picture import SaveFile
from exile_tui.ui.widgets.choices import Choice, Choices

if TYPE_CHECKING:
    from exile_tui.core.model import Invite

AROUND = 13
"""Rows of heading, language, warning, buttons, keys and the space between them."""
LEAST_ROWS = 4
LANGUAGES = (Choice("한국어"), Choice("English"))
NOT_SAVED = N_("The text {file} can't be written: {problem}. Choose another place.")


class SaveText(SaveFile):
    """Saves a text for its owner's eyes only: the link in it is a bearer secret."""

    TITLE_KEY = N_("Save the text as")
    NO_FILE = N_("Type where the text should go, with a file name at the end.")
    SUFFIX = ".txt"

    def __init__(self, text: str, suggestion: Path) -> None:
        super().__init__(suggestion)
        self._text = text

    def save(self, file: Path) -> None:
        """Write a new file."""

        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        try:
            with open(file, "x", encoding="utf-8", opener=private) as stream:
                stream.write(self._text)
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            raise UsageError(NOT_SAVED, file=file.name, problem=problem) from error


class HandOver(ExileModal[None]):
    """The text for one invite."""

    CSS_PATH = "hand_over.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f7", "language", N_("Other language"),
            tooltip=N_("Show the text in the other language"), id="handover.language",
        ),
        Binding(
            "f8,c", "copy", N_("Copy"), tooltip=N_("Put the text on the clipboard"),
            id="handover.copy",
        ),
        Binding(
            "ctrl+s,s", "save", N_("Save"), tooltip=N_("Save the text as a file"),
            id="handover.save",
        ),
    ]  # fmt: skip

    def __init__(self, invite: Invite) -> None:
        super().__init__()
        self._invite = invite
        self._language = locale.language()

    def compose_panel(self) -> ComposeResult:
        """Put the language above the text, and what can be done with it below."""
        yield Static(tr("A text to send with the invite"), classes="heading")
        yield Choices(
            LANGUAGES,
            chosen=locale.LANGUAGES.index(self._language),
            id="language",
            translate=str,
        )
        if not reaches_others(self._invite.relay.host):
            yield Static(
                tr("Your relay runs on this computer: nobody elsewhere can open this link."),
                classes="warning",
            )
        with VerticalScroll(id="text"):
            yield Static(Content(self.text), id="words")
        with Horizontal(id="actions"):
            yield Button(tr("Copy"), id="copy", variant="primary")
            yield Button(tr("Save as a file"), id="save")
            yield Button(tr("Close"), id="close")

    def on_mount(self) -> None:
        """Let Enter copy."""
        self.query_one("#copy").focus()

    def on_resize(self) -> None:
        """Leave room for what stands around the text."""
        self.query_one("#text").styles.max_height = max(LEAST_ROWS, self.size.height - AROUND)

    @property
    def text(self) -> str:
        """The text in the language that was chosen."""
        return hand_over_text(
            self._invite.link,
            self._invite.expires_ms,
            self._language,
            hours_24=self.exile.settings.time_24h,
        )

    @on(Choices.Changed, "#language")
    def _show(self, event: Choices.Changed) -> None:
        self._language = locale.LANGUAGES[event.index]
        self.query_one("#words", Static).update(Content(self.text))

    def action_language(self) -> None:
        """Show the text in the other language."""
        self.query_one("#language", Choices).action_next()

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Put the text on the terminal's clipboard."""
        self.app.copy_to_clipboard(self.text)
        self.exile.notify(tr("Copied, if your terminal allows it. Else save it as a file."))

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Save the text as a file."""
        suggestion = Path.home() / f"exile-invite-{self._invite.id}.txt"
        self.app.push_screen(SaveText(self.text, suggestion), self._saved)

    def _saved(self, file: Path | None) -> None:
        if file is not None:
            self.exile.notify(
                tr("Saved as {file}. Delete it once the invite was opened.", file=str(file))
            )

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
