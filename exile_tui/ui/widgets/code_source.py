"""One field for what another screen shows: pasted text, a picture's path, or the camera."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Static

from exile_tui.errors import N_, ExileError, UsageError
from exile_tui.locale import tr
from exile_tui.text import nfc
from exile_tui.ui.scan import read_camera, read_image, typed_path
from exile_tui.ui.widgets.one_line import OneLineInput

LONGEST = 4096
"""Characters taken: more than any link, number or path has."""

EMPTY = N_("Paste it here, or type where the picture is. Nothing was sent.")


class CodeSource(Vertical):
    """Takes pasted text, an image file or the camera, and hands over what they hold."""

    DEFAULT_CSS = """
    CodeSource { height: auto; }
    CodeSource > Input { width: 1fr; }
    CodeSource > Horizontal { height: 1; }
    CodeSource Button { margin-right: 2; }
    CodeSource > #code-state { height: auto; margin-top: 1; }
    CodeSource > Input { margin-bottom: 1; }
    """
    GROUP: ClassVar[str] = "scan"

    @dataclass
    class Pasted(Message):
        """Text that is no path was entered."""

        text: str

    @dataclass
    class Scanned(Message):
        """QR codes were read."""

        payloads: list[bytes]

    @dataclass
    class Failed(Message):
        """Nothing could be read; the error says why."""

        error: ExileError

    def __init__(self, placeholder: str, open_label: str, *, id: str | None = None) -> None:
        """Make the widget.

        Args:
            placeholder: Catalog key of what the empty field says.
            open_label: Catalog key of the button that takes the field's text.
            id: The widget's id.
        """
        super().__init__(id=id)
        self._placeholder = placeholder
        self._open_label = open_label
        self._stop = threading.Event()

    def compose(self) -> ComposeResult:
        """Build the field, its two buttons and the line that says what goes on."""
        yield OneLineInput(placeholder=tr(self._placeholder), max_length=LONGEST, id="code-text")
        with Horizontal():
            yield Button(tr(self._open_label), id="code-open", variant="primary")
            yield Button(tr("Use the camera"), id="code-camera")
        yield Static("", id="code-state", markup=False)

    def focus_field(self) -> None:
        """Put the cursor into the field."""
        self.query_one("#code-text", Input).focus()

    def say(self, sentence: str, *, wrong: bool = False) -> None:
        """Show a translated sentence under the field; empty clears it."""
        state = self.query_one("#code-state", Static)
        state.set_class(wrong, "error")
        state.update(sentence)

    @on(Input.Submitted, "#code-text")
    @on(Button.Pressed, "#code-open")
    def _take(self, event: Message) -> None:
        event.stop()
        text = nfc(self.query_one("#code-text", Input).value.strip())
        if not text:
            self.post_message(self.Failed(UsageError(EMPTY)))
        elif looks_like_path(text):
            self.run_worker(
                self._read_image(text), group=self.GROUP, exclusive=True, exit_on_error=False
            )
        else:
            self.post_message(self.Pasted(text))

    @on(Button.Pressed, "#code-camera")
    def _look(self, event: Message) -> None:
        event.stop()
        self._stop.set()
        self._stop = threading.Event()
        self.say(tr("Looking through the camera. Hold the code in front of it."))
        self.run_worker(
            self._read_camera(self._stop), group=self.GROUP, exclusive=True, exit_on_error=False
        )

    def on_unmount(self) -> None:
        """Let go of the camera."""
        self._stop.set()

    async def _read_image(self, text: str) -> None:
        self.say(tr("Reading the picture..."))
        try:
            payloads = await asyncio.to_thread(lambda: read_image(typed_path(text)))
        except ExileError as error:
            self.post_message(self.Failed(error))
        else:
            self.post_message(self.Scanned(payloads))

    async def _read_camera(self, stop: threading.Event) -> None:
        try:
            payloads = await asyncio.to_thread(read_camera, stop)
        except ExileError as error:
            self.post_message(self.Failed(error))
            return
        if payloads:
            self.post_message(self.Scanned(payloads))


def looks_like_path(text: str) -> bool:
    """Tell a picture's path from a link or a number: by how it starts or ends, or being there."""
    if text.startswith(("/", "~", "./", "../", "file://", "'", '"')):
        return True
    if text.lower().startswith("exile:"):
        return False
    ending = text.lower().rsplit(".", 1)[-1]
    if ending in ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "ppm"):
        return True
    return "\n" not in text and any(c.isalpha() for c in text) and typed_path(text).is_file()
