"""What a terminal does beside its cells: notices, title, clipboard. Pure; only makes sequences.

Each terminal has its own sequence for notices, found by what it sets in the environment; tmux
passes one on when it is wrapped (and `allow-passthrough` is on). Text inside a sequence is made
safe here again, whoever made it: no control character, which could end the sequence, and no
semicolon, which divides its fields.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from exile_tui.text import cut, one_line

BELL = "\x07"
ST = "\x1b\\"
PRODUCT = "exile-tui"
LONGEST_NOTICE = 80
"""Cells of a notice; desktops cut longer ones anyway."""
PUSH_TITLE = "\x1b[22;0t"
POP_TITLE = "\x1b[23;0t"
ERASE = "\x1b[m\x1b[H\x1b[J"
"""Empty the screen before it is left: the alternate screen's cells can be shown again later.
Erasing from the first cell on moves nothing into the scrollback, as erasing the display may."""


class Protocol(Enum):
    """How a terminal takes a notice."""

    BELL_ONLY = 0
    OSC_9 = 9
    """iTerm2, WezTerm, Ghostty, Windows Terminal."""
    OSC_777 = 777
    """foot, urxvt."""
    OSC_99 = 99
    """kitty."""


_BY_TERM = (
    ("xterm-kitty", Protocol.OSC_99),
    ("xterm-ghostty", Protocol.OSC_9),
    ("wezterm", Protocol.OSC_9),
    ("foot", Protocol.OSC_777),
    ("rxvt-unicode", Protocol.OSC_777),
)
_BY_PROGRAM = {
    "iTerm.app": Protocol.OSC_9,
    "WezTerm": Protocol.OSC_9,
    "ghostty": Protocol.OSC_9,
}
_BY_VARIABLE = (
    ("KITTY_WINDOW_ID", Protocol.OSC_99),
    ("GHOSTTY_RESOURCES_DIR", Protocol.OSC_9),
    ("WEZTERM_PANE", Protocol.OSC_9),
    ("ITERM_SESSION_ID", Protocol.OSC_9),
    ("WT_SESSION", Protocol.OSC_9),
)
"""The last resort: a terminal started inside another inherits these from it, and inside tmux they
are all that is left. A sequence that a terminal does not know is not shown."""
_WITHOUT_TITLE = ("linux", "dumb")


@dataclass(frozen=True, slots=True)
class Terminal:
    """The terminal that we are in, as far as its environment tells."""

    protocol: Protocol = Protocol.BELL_ONLY
    tmux: bool = False
    """Sequences for the terminal around tmux are wrapped."""
    has_title: bool = True

    def notice(self, text: str, *, bell: bool) -> str:
        """Return what shows a notice outside of our screen.

        Args:
            text: One short line.
            bell: Also ring; inside tmux this marks our window.
        """
        body = _payload(text)
        match self.protocol:
            case Protocol.OSC_9:
                shown = self._around(f"\x1b]9;{PRODUCT}: {body}{BELL}")
            case Protocol.OSC_777:
                shown = self._around(f"\x1b]777;notify;{PRODUCT};{body}{BELL}")
            case Protocol.OSC_99:
                # One id: a later notice takes the place of the one before.
                shown = self._around(f"\x1b]99;i={PRODUCT}:d=0;{PRODUCT}{ST}")
                shown += self._around(f"\x1b]99;i={PRODUCT}:d=1:p=body;{body}{ST}")
            case Protocol.BELL_ONLY:
                shown = ""
        return shown + BELL if bell else shown

    def withdraw(self) -> str:
        """Return what takes a shown notice back; only kitty can."""
        if self.protocol is not Protocol.OSC_99:
            return ""
        return self._around(f"\x1b]99;i={PRODUCT}:p=close;{ST}")

    def title(self, unread: int = 0) -> str:
        """Return what sets the window's title: our name and a count, nobody's name."""
        if not self.has_title:
            return ""
        return f"\x1b]0;{PRODUCT} ({unread}){BELL}" if unread else f"\x1b]0;{PRODUCT}{BELL}"

    def begin(self) -> str:
        """Return what keeps the title that was there and sets ours."""
        return PUSH_TITLE + self.title() if self.has_title else ""

    def end(self) -> str:
        """Return what leaves nothing of ours behind: cells, notice, title."""
        # A terminal that keeps no titles at least gets an empty one.
        title = f"\x1b]0;{BELL}{POP_TITLE}" if self.has_title else ""
        return ERASE + self.withdraw() + title

    def clipboard(self, text: str) -> str:
        """Return what puts a text into the clipboard.

        Inside tmux twice: what reaches the clipboard depends on its options, wrapped with
        `allow-passthrough on`, plain with `set-clipboard on`.
        """
        encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
        plain = f"\x1b]52;c;{encoded}{BELL}"
        return self._around(plain) + plain if self.tmux else plain

    def _around(self, sequence: str) -> str:
        """Hand a sequence through tmux to the terminal around it."""
        if not self.tmux:
            return sequence
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + ST


def detect(environment: Mapping[str, str]) -> Terminal:
    """Find out which terminal this is; one that isn't known only rings."""
    term = environment.get("TERM", "")
    return Terminal(
        _protocol(environment, term),
        tmux=bool(environment.get("TMUX")),
        has_title=term not in _WITHOUT_TITLE,
    )


def _protocol(environment: Mapping[str, str], term: str) -> Protocol:
    for beginning, protocol in _BY_TERM:
        if term.startswith(beginning):
            return protocol
    if term in _WITHOUT_TITLE:
        return Protocol.BELL_ONLY
    program = environment.get("TERM_PROGRAM", "")
    if program in _BY_PROGRAM:
        return _BY_PROGRAM[program]
    if environment.get("LC_TERMINAL") == "iTerm2":
        return Protocol.OSC_9
    for variable, protocol in _BY_VARIABLE:
        if environment.get(variable):
            return protocol
    return Protocol.BELL_ONLY


_OTHERS = str.maketrans({";": ",", "<": "\u2039", ">": "\u203a"})


def _payload(text: str) -> str:
    # Desktops read markup in a notice, and some terminals hand it to a program as an argument.
    return cut(one_line(text).translate(_OTHERS).lstrip("- "), LONGEST_NOTICE)
