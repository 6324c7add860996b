"""The terminal's driver, with what Hangul and emoji input needs.

Textual pushes the keyboard flags 25 (report all keys with their text), and its parser gives up on
sequences over 32 characters: ten syllables committed at once, or one family emoji, would arrive as
garbage, and iTerm2 loses input-method text. Only "disambiguate" stays on; Shift+Enter still works.
It also leaves the terminal as it was: title, and no cells of ours in the alternate screen.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from textual import _xterm_parser, constants

from exile_tui.ui import escapes

if sys.platform == "win32":
    from textual.drivers.windows_driver import WindowsDriver as _Base
else:
    from textual.drivers.linux_driver import LinuxDriver as _Base

DISAMBIGUATE_ONLY = "\x1b[=1;1u"
LONGEST_SEQUENCE = 4096
"""Characters that the parser waits for before it gives up; a paste is not a sequence."""


class ExileDriver(_Base):
    """Start the terminal with plain key reports; everything written passes `write`."""

    def start_application_mode(self) -> None:
        """Take over the terminal."""
        vars(_xterm_parser)["_MAX_SEQUENCE_SEARCH_THRESHOLD"] = LONGEST_SEQUENCE
        start: Callable[[], None] = super().start_application_mode
        start()
        if not constants.DISABLE_KITTY_KEY:
            self.write(DISAMBIGUATE_ONLY)
        self.write(escapes.detect(os.environ).begin())
        self.flush()
        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminated)

    def stop_application_mode(self) -> None:
        """Give the terminal back, however the program ends, with nothing of ours on it."""
        self.write(escapes.detect(os.environ).end())
        stop: Callable[[], None] = super().stop_application_mode
        stop()

    def _terminated(self) -> None:
        """End in an orderly way; a second SIGTERM ends at once."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        self._app.exit()

    def write(self, data: str) -> None:
        """Write to the terminal: the one place that every byte goes through."""
        super().write(data)
