"""Messages between the app and its screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from exile_tui.core.events import Event


class Happened(Message, bubble=False):
    """Tell a screen what the messenger said."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__()
