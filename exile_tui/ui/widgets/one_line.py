"""Fields of one line: calm ones, and one that takes a pasted text whole."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.widgets import Input

LINK_SCHEME = "exile:"


def joined(text: str) -> str:
    """Return a pasted text on one line; a link loses the white space that wrapping put in."""
    pieces = text.split()
    is_link = bool(pieces) and pieces[0].lower().startswith((LINK_SCHEME, "https://"))
    return ("" if is_link else " ").join(pieces)


class Field(Input):
    """Never blinks, and keeps the terminal's cursor on its own."""

    def on_mount(self) -> None:
        """Keep the cursor still, and follow it from the first text on."""
        self.cursor_blink = False
        # Textual scrolls only after the first change: a pasted link would hide its own end.
        self._initial_value = False

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Take the terminal's cursor along: Textual places it only before it scrolls."""
        super().watch_scroll_x(old_value, new_value)
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the cursor is drawn: input methods compose there.

        Textual's own is a cell too far at the end, and counts hidden syllables as they would show.
        """
        x, y, _, _ = self.content_region
        width = self._position_to_cell(self.cursor_position)
        return Offset(x + width - self.scroll_offset.x, y)

    def _position_to_cell(self, position: int) -> int:
        return position if self.password else super()._position_to_cell(position)


class OneLineInput(Field):
    """Joins pasted lines, where a plain field keeps only the first."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = joined(event.text)
        if text:
            start, end = self.selection
            self.replace(text, min(start, end), max(start, end))
