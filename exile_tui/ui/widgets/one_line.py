"""Fields of one line: calm ones, and one that takes a pasted text whole."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

LINK_SCHEME = "exile:"


def joined(text: str) -> str:
    """Return a pasted text on one line; a link loses the white space that wrapping put in."""
    pieces = text.split()
    is_link = bool(pieces) and pieces[0].lower().startswith((LINK_SCHEME, "https://"))
    return ("" if is_link else " ").join(pieces)


class Field(Input):
    """Never blinks."""

    def on_mount(self) -> None:
        """Keep the cursor still."""
        self.cursor_blink = False


class OneLineInput(Field):
    """Joins pasted lines, where a plain field keeps only the first."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = joined(event.text)
        if text:
            start, end = self.selection
            self.replace(text, min(start, end), max(start, end))
