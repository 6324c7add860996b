"""A driver that writes nothing but remembers all of it, for what may reach a terminal."""

from __future__ import annotations

import re
from typing import Any

from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver

from exile_tui.ui.app import ExileApp


class RecordingDriver(HeadlessDriver):
    """Take the real rendering's bytes: it says that it isn't headless, so Textual draws."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.written: list[str] = []

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.written.append(data)


class RecordedApp(ExileApp):
    """The real app on that driver."""

    recording: RecordingDriver

    def _build_driver(
        self, headless: bool, inline: bool, mouse: bool, size: tuple[int, int] | None
    ) -> Driver:
        self.recording = self._driver = RecordingDriver(self, mouse=mouse, size=size)
        return self.recording

    @property
    def output(self) -> str:
        """Return everything written so far."""
        return "".join(self.recording.written)


ALLOWED = re.compile(
    r"\x1b\[[0-9;]*[mH]"  # colours and moves
    r"|\x1b\[\?(2026|25|1049|1000|1003|1015|1006|2004|1004|7|2048)[hl]"  # modes, ours
    r"|\x1b\[[0-9]*[ABCDJK]"
    r"|\x1b\]22;[a-z-]*\x07"  # the pointer's shape, ours
    r"|\x1b\]0;exile-tui(?: \([0-9]+\))?\x07"  # the title, a count
)
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]"
)


def illegal(output: str) -> list[str]:
    """Return everything in the output that is neither text nor a sequence that we write."""
    text = ALLOWED.sub("", output)
    return [repr(text[max(0, m.start() - 20) : m.end() + 20]) for m in FORBIDDEN.finditer(text)]
