"""The composer: many lines, whole characters, and the terminal's cursor where the text is.

An input method draws the syllable that is being composed at the terminal's real cursor, and gives
only finished syllables to the program. So the cursor follows every edit, scroll and change of the
layout, and sending empties the field at once: a syllable that comes after Enter stays in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.document import _wrapped_document
from textual.document._document import Location
from textual.message import Message
from textual.widgets import TextArea

from exile_tui.errors import N_
from exile_tui.text import (
    ZWJ,
    next_boundary,
    nfc,
    previous_boundary,
    sanitize_terminal_text,
    wrap_offsets,
)

NEWLINE_KEYS = ("shift+enter", "shift+\r")
"""What terminals send for Shift+Enter; tmux and xterm the second, which no binding can name."""

_textual_offsets: Callable[..., list[int]] = vars(_wrapped_document)["compute_wrap_offsets"]


def _offsets(text: str, width: int, tab_size: int, *rest: Any, **more: Any) -> list[int]:
    """Wrap by graphemes: Textual's own way breaks a family emoji in two."""
    if "\t" in text or width <= 0:
        return _textual_offsets(text, width, tab_size, *rest, **more)
    return wrap_offsets(text, width)


vars(_wrapped_document)["compute_wrap_offsets"] = _offsets


class Composer(TextArea):
    """Write a message; Enter sends and Ctrl+J breaks the line, or the other way round."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 1;
        max-height: 8;
        border: none;
        padding: 0 1;
        background: $surface;
        &:focus { border: none; background: $panel; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit('enter')", N_("Send"), id="composer.send",
                tooltip=N_("Send what you wrote")),
        Binding("ctrl+j", "newline('ctrl+j')", N_("New line"), id="composer.newline",
                tooltip=N_("Shift+Enter does it too, where the terminal tells it apart")),
        Binding("ctrl+j", "submit('ctrl+j')", N_("Send"), id="composer.send",
                tooltip=N_("Send what you wrote")),
        Binding("enter", "newline('enter')", N_("New line"), id="composer.newline",
                tooltip=N_("Begin a new line")),
    ]  # fmt: skip

    @dataclass
    class Submitted(Message):
        """Something is to be sent; the field is empty already."""

        composer: Composer
        text: str
        addressee: int | None
        """Who the field was for when it was sent."""

        @property
        def control(self) -> Composer:
            """Return the composer, for `on`'s selectors."""
            return self.composer

    def __init__(self, *, enter_sends: bool = True, placeholder: str = "") -> None:
        """Make a composer.

        Args:
            enter_sends: Whether Enter sends and Ctrl+J breaks the line, or the reverse.
            placeholder: What an empty one says.
        """
        super().__init__(placeholder=placeholder, highlight_cursor_line=False)
        self.enter_sends = enter_sends
        self.addressee: int | None = None
        """The contact that this is written to."""
        self.cursor_blink = False
        self.match_cursor_bracket = False

    def on_mount(self) -> None:
        """Keep the terminal's cursor right also when something else moves the field."""
        self.screen.screen_layout_refresh_signal.subscribe(self, lambda _: self._place_cursor())

    def _place_cursor(self) -> None:
        if self.has_focus:
            self._cursor_offset = self.wrapped_document.location_to_offset(self.cursor_location)
            self.app.cursor_position = self.cursor_screen_offset

    # Sending

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Give Enter and Ctrl+J the meaning that was chosen."""
        if action == "submit":
            return (parameters == ("enter",)) == self.enter_sends
        if action == "newline":
            return (parameters == ("enter",)) != self.enter_sends
        return True

    def action_submit(self, key: str) -> None:
        """Hand the text over and be empty at once; nothing is kept to undo back to."""
        text = nfc(self.text).strip()
        if text:
            self.load_text("")
            self.post_message(self.Submitted(self, text, self.addressee))

    def action_newline(self, key: str) -> None:
        """Break the line."""
        self._replace_via_keyboard("\n", *self.selection)

    def give_back(self, text: str) -> None:
        """Put a text that could not be sent before what was written since."""
        rest = self.text
        self.load_text(f"{text}\n{rest}" if rest else text)
        self.move_cursor(self.document.end)

    # Typing

    async def _on_key(self, event: events.Key) -> None:
        if event.key in NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            self.action_newline(event.key)
        elif event.character == ZWJ:
            event.stop()
            event.prevent_default()
            self._replace_via_keyboard(ZWJ, *self.selection)
        else:
            await self._act_now(event)

    async def _act_now(self, event: events.Key) -> None:
        """Do what a key is bound to before the next key is looked at.

        Textual asks the bindings only once a key has bubbled up to the app; letters typed quickly
        after Enter would overtake it, and go out with the message.
        """
        for binding in reversed(self._bindings.key_to_bindings.get(event.key, ())):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
        if event.key == "enter":
            event.prevent_default()  # no binding wanted it: it is no text either

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = sanitize_terminal_text(nfc(event.text))
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)
            self.focus()

    # Moving by what a person calls a character

    def clamp_visitable(self, location: Location) -> Location:
        """Keep the cursor out of the inside of a grapheme."""
        row, column = super().clamp_visitable(location)
        line = self.document[row]
        if 0 < column < len(line):
            column = next_boundary(line, column - 1)
        return row, column

    def get_cursor_left_location(self) -> Location:
        """Return the start of the grapheme before the cursor."""
        row, column = self.cursor_location
        if column == 0:
            return super().get_cursor_left_location()
        return row, previous_boundary(self.document[row], column)

    def get_cursor_right_location(self) -> Location:
        """Return the end of the grapheme at the cursor."""
        row, column = self.cursor_location
        line = self.document[row]
        if column >= len(line):
            return super().get_cursor_right_location()
        return row, next_boundary(line, column)

    def get_cursor_word_left_location(self) -> Location:
        """Return the start of the word before the cursor, never inside a grapheme."""
        row, column = super().get_cursor_word_left_location()
        line = self.document[row]
        if 0 < column < len(line):
            column = previous_boundary(line, column + 1)
        return row, column

    def get_cursor_word_right_location(self) -> Location:
        """Return the end of the word after the cursor, never inside a grapheme."""
        return self.clamp_visitable(super().get_cursor_word_right_location())
