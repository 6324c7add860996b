"""Fields of one line: calm ones, and one that takes a pasted text whole."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import Input

LINK_SCHEME = "exile:"


def joined(text: str) -> str:
    """Return a pasted text on one line; a link loses the white space that wrapping put in."""
    pieces = text.split()
    is_link = bool(pieces) and pieces[0].lower().startswith((LINK_SCHEME, "https://"))
    return ("" if is_link else " ").join(pieces)


class Field(Input):
    """Never blinks, keeps the terminal's cursor on its own, and lets no letter overtake Enter.

    Textual acts on Enter only after the event went all the way up; letters typed right behind it
    (a slow line hands them over together) would still land here. They are held until everybody has
    heard of Enter, and then go to wherever the focus is.
    """

    class Settled(Message):
        """Whoever cares about Enter in this field has acted on it."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    _held: list[events.Key] | None = None

    def on_mount(self) -> None:
        """Keep the cursor still."""
        self.cursor_blink = False

    def release(self) -> list[events.Key]:
        """Hand over the keys that came behind Enter."""
        held, self._held = self._held or [], None
        return held

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

    async def _on_key(self, event: events.Key) -> None:
        if self._held is not None:
            self._held.append(events.Key(event.key, event.character))
        elif event.key == "enter":
            self._held = []
            await self.action_submit()
            self.post_message(self.Settled(self))
        else:
            return
        event.stop()
        event.prevent_default()


class OneLineInput(Field):
    """Joins pasted lines, where a plain field keeps only the first."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = joined(event.text)
        if text:
            start, end = self.selection
            self.replace(text, min(start, end), max(start, end))
