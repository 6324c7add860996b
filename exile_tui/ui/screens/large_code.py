"""A QR code over the whole window, for small terminals and far cameras."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.screen import ModalScreen

from exile_tui.errors import N_
from exile_tui.ui.widgets.qr import QrCode


class LargeCode(ModalScreen[None]):
    """Shows nothing but the code; any of the usual keys or a click ends it."""

    CSS = """
    LargeCode { align: center middle; background: $background; }
    LargeCode > Container { align: center middle; width: 100%; height: 100%; }
    """
    BINDINGS = [  # noqa: RUF012 - Textual's own declaration
        Binding("escape,enter,space,f6,q", "close", N_("Close"), id="large-code.close",
                tooltip=N_("Close the large code")),
    ]  # fmt: skip

    def __init__(self, payload: bytes) -> None:
        super().__init__()
        self._payload = payload

    def compose(self) -> ComposeResult:
        """Put the code in the middle."""
        with Container():
            yield QrCode(self._payload, id="large-code")

    def on_click(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)
