"""Ask where a QR code's picture should go, and write it there."""

from __future__ import annotations

import asyncio
from pathlib import Path

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

NO_FILE = N_("Type where the picture should go, with a file name at the end.")


class SavePicture(ExileModal[Path]):
    """Ends with the file that was written; an error leaves what was typed."""

    DEFAULT_CSS = """
    SavePicture #panel { width: 64; max-width: 96%; height: auto; }
    SavePicture Input { margin: 1 0; }
    SavePicture Horizontal { height: auto; }
    SavePicture Button { margin-right: 2; }
    SavePicture #problem { color: $error; height: auto; }
    """

    def __init__(self, payload: bytes, suggestion: Path) -> None:
        super().__init__()
        self._payload = payload
        self._suggestion = suggestion

    def compose_panel(self) -> ComposeResult:
        """Yield the field, filled with a suggestion."""
        yield Static(tr("Save the picture as"), classes="heading")
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
            self._failed(UsageError(NO_FILE))
            return
        if not file.suffix:
            file = file.with_name(f"{file.name}.png")

        async def write() -> Path:
            await asyncio.to_thread(save_png, self._payload, file)
            return file

        self.command("picture", write, self._written, self._failed)

    def _written(self, file: Path) -> None:
        self.dismiss(file)

    def _failed(self, error: ExileError) -> None:
        self.query_one("#problem", Static).update(error_text(error))
