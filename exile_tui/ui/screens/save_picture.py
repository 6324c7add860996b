"""Ask where a file should go, a QR code's picture above all, and write it there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from exile_tui.errors import N_, ExileError, UsageError
from exile_tui.locale import tr
from exile_tui.text import nfc
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.widgets.qr import save_png
from exile_tui.ui.words import error_text


class SaveFile(ExileModal[Path]):
    """Ends with the file that was written; an error leaves what was typed."""

    TITLE_KEY: ClassVar[str]
    """Catalog key of the question."""
    NO_FILE: ClassVar[str]
    """Catalog key of what is said to an empty field."""
    SUFFIX: ClassVar[str]
    """What a name without an ending gets."""
    DEFAULT_CSS = """
    SaveFile #panel { width: 64; max-width: 96%; height: auto; }
    SaveFile Input { margin: 1 0; }
    SaveFile Horizontal { height: auto; }
    SaveFile Button { margin-right: 2; }
    SaveFile #problem { color: $error; height: auto; }
    """

    def __init__(self, suggestion: Path) -> None:
        super().__init__()
        self._suggestion = suggestion

    def save(self, file: Path) -> None:
        """Write the file; called in a thread.

        Raises:
            UsageError: It is there already or can't be written.
        """
        raise NotImplementedError

    def compose_panel(self) -> ComposeResult:
        """Yield the field, filled with a suggestion."""
        yield Static(tr(self.TITLE_KEY), classes="heading")
        yield Field(str(self._suggestion), id="file", select_on_focus=False)
        yield Static(id="problem", markup=False)
        with Horizontal():
            yield Button(tr("Save"), id="write", variant="primary")
            yield Button(tr("Cancel"), id="cancel")

    def on_mount(self) -> None:
        """Begin at the path."""
        self.query_one("#file").focus()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Input.Submitted)
    @on(Button.Pressed, "#write")
    def _write(self) -> None:
        file = Path(nfc(self.query_one("#file", Input).value.strip())).expanduser()
        if not file.name:
            self._failed(UsageError(self.NO_FILE))
            return
        if not file.suffix:
            file = file.with_name(f"{file.name}{self.SUFFIX}")

        async def write() -> Path:
            await asyncio.to_thread(self.save, file)
            return file

        self.command("file", write, self._written, self._failed)

    def _written(self, file: Path) -> None:
        self.dismiss(file)

    def _failed(self, error: ExileError) -> None:
        self.query_one("#problem", Static).update(error_text(error))


class SavePicture(SaveFile):
    """Saves a QR code as a picture."""

    TITLE_KEY = N_("Save the picture as")
    NO_FILE = N_("Type where the picture should go, with a file name at the end.")
    SUFFIX = ".png"

    def __init__(self, payload: bytes, suggestion: Path) -> None:
        super().__init__(suggestion)
        self._payload = payload

    def save(self, file: Path) -> None:
        """Draw and write it."""
        save_png(self._payload, file)
