"""The driver's keyboard fix, held by tests because it depends on Textual's insides."""

from __future__ import annotations

import asyncio
import signal

from textual import _xterm_parser, events
from textual._xterm_parser import XTermParser

from exile_tui.ui.driver import DISAMBIGUATE_ONLY, LONGEST_SEQUENCE, ExileDriver


class Recorded(ExileDriver):
    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, data: str) -> None:
        self.written.append(data)

    def flush(self) -> None:
        pass


async def test_only_disambiguation_stays_on_after_the_start(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    base = ExileDriver.__mro__[1]
    monkeypatch.setattr(base, "start_application_mode", lambda self: self.write("\x1b[>25u"))
    monkeypatch.setattr(_xterm_parser, "_MAX_SEQUENCE_SEARCH_THRESHOLD", 32)
    driver = Recorded()
    driver.start_application_mode()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    assert driver.written == [
        "\x1b[>25u",
        DISAMBIGUATE_ONLY,
        "\x1b[22;0t\x1b]0;exile-tui\x07",
    ]
    assert vars(_xterm_parser)["_MAX_SEQUENCE_SEARCH_THRESHOLD"] == LONGEST_SEQUENCE


def test_the_parser_reads_the_limit_when_it_runs(monkeypatch) -> None:
    """Ten syllables committed at once in a kitty sequence arrive as one text."""
    monkeypatch.setattr(_xterm_parser, "_MAX_SEQUENCE_SEARCH_THRESHOLD", LONGEST_SEQUENCE)
    text = "안녕하세요반갑습니다"
    codes = ":".join(str(ord(character)) for character in text)
    found = list(XTermParser().feed(f"\x1b[0;1;{codes}u"))
    assert not any(
        isinstance(event, events.Key) and event.character in set("[;:0123456789u")
        for event in found
    )
