"""The exact bytes for notices, title and clipboard, and that no text breaks out of them."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.ui.escapes import Protocol, Terminal, detect
from tests.ui.worlds import HOSTILE

TEXT = "새 메시지가 왔어요"


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, Protocol.OSC_99),
        ({"TERM": "xterm-ghostty", "KITTY_WINDOW_ID": "1"}, Protocol.OSC_9),
        ({"TERM": "foot-extra"}, Protocol.OSC_777),
        ({"TERM": "rxvt-unicode-256color"}, Protocol.OSC_777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Protocol.OSC_9),
        # Started inside kitty, so that kitty's variable was inherited.
        (
            {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm", "KITTY_WINDOW_ID": "1"},
            Protocol.OSC_9,
        ),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, Protocol.OSC_9),
        ({"TERM": "xterm-256color", "WT_SESSION": "b1"}, Protocol.OSC_9),
        (
            {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "KITTY_WINDOW_ID": "1"},
            Protocol.OSC_99,
        ),
        ({"TERM": "xterm-256color"}, Protocol.BELL_ONLY),
        ({"TERM": "linux", "WT_SESSION": "b1"}, Protocol.BELL_ONLY),
        ({}, Protocol.BELL_ONLY),
    ],
)
def test_each_terminal_is_known_by_its_environment(
    environment: dict[str, str], protocol: Protocol
) -> None:
    assert detect(environment).protocol is protocol


def test_tmux_and_titles_are_known() -> None:
    assert detect({"TMUX": "/tmp/tmux-0/default,1,0"}).tmux
    assert not detect({"TERM": "xterm"}).tmux
    assert detect({"TERM": "xterm"}).has_title
    assert not detect({"TERM": "linux"}).has_title


@pytest.mark.parametrize(
    ("terminal", "written"),
    [
        (Terminal(Protocol.BELL_ONLY), "\x07"),
        (Terminal(Protocol.OSC_9), f"\x1b]9;exile-tui: {TEXT}\x07\x07"),
        (Terminal(Protocol.OSC_777), f"\x1b]777;notify;exile-tui;{TEXT}\x07\x07"),
        (
            Terminal(Protocol.OSC_99),
            "\x1b]99;i=exile-tui:d=0;exile-tui\x1b\\"
            f"\x1b]99;i=exile-tui:d=1:p=body;{TEXT}\x1b\\\x07",
        ),
        (
            Terminal(Protocol.OSC_9, tmux=True),
            f"\x1bPtmux;\x1b\x1b]9;exile-tui: {TEXT}\x07\x1b\\\x07",
        ),
        (
            Terminal(Protocol.OSC_99, tmux=True),
            "\x1bPtmux;\x1b\x1b]99;i=exile-tui:d=0;exile-tui\x1b\x1b\\\x1b\\"
            f"\x1bPtmux;\x1b\x1b]99;i=exile-tui:d=1:p=body;{TEXT}\x1b\x1b\\\x1b\\\x07",
        ),
        (Terminal(Protocol.BELL_ONLY, tmux=True), "\x07"),
    ],
)
def test_a_notice_is_written_as_the_terminal_takes_it(terminal: Terminal, written: str) -> None:
    assert terminal.notice(TEXT, bell=True) == written
    assert terminal.notice(TEXT, bell=False) == written.removesuffix("\x07")


def test_title_counts_and_names_nobody() -> None:
    terminal = Terminal()
    assert terminal.begin() == "\x1b[22;0t\x1b]0;exile-tui\x07"
    assert terminal.title(3) == "\x1b]0;exile-tui (3)\x07"
    assert terminal.title() == "\x1b]0;exile-tui\x07"
    assert terminal.end() == "\x1b[m\x1b[H\x1b[J\x1b]0;\x07\x1b[23;0t"
    assert Terminal(Protocol.OSC_99).withdraw() == "\x1b]99;i=exile-tui:p=close;\x1b\\"
    assert Terminal(Protocol.OSC_99).withdraw() in Terminal(Protocol.OSC_99).end()


def test_a_terminal_without_titles_gets_none() -> None:
    console = Terminal(has_title=False)
    assert console.begin() == console.title(3) == console.withdraw() == ""
    assert console.end() == "\x1b[m\x1b[H\x1b[J"


def test_the_clipboard_goes_through_tmux_both_ways() -> None:
    encoded = base64.b64encode(TEXT.encode()).decode()
    plain = f"\x1b]52;c;{encoded}\x07"
    assert Terminal().clipboard(TEXT) == plain
    assert Terminal(tmux=True).clipboard(TEXT) == f"\x1bPtmux;\x1b{plain}\x1b\\{plain}"
    assert Terminal().clipboard("\ud800") == "\x1b]52;c;Pw==\x07"


FIELDS = re.compile(r"\x1b\]777;notify;exile-tui;([^\x00-\x1f\x7f-\x9f;]*)\x07")


@given(st.text(st.characters(codec=None), max_size=200))
def test_no_text_breaks_out_of_its_field(text: str) -> None:
    assert FIELDS.fullmatch(Terminal(Protocol.OSC_777).notice(text, bell=False))


def test_a_hostile_text_stays_in_its_field_and_short() -> None:
    found = FIELDS.fullmatch(Terminal(Protocol.OSC_777).notice(HOSTILE * 9, bell=False))
    assert found is not None
    assert len(found[1]) <= 80


@pytest.mark.parametrize("protocol", [Protocol.OSC_9, Protocol.OSC_777, Protocol.OSC_99])
def test_a_name_is_no_markup_and_no_option_to_what_shows_it(protocol: Protocol) -> None:
    shown = Terminal(protocol).notice("--icon=x <img src=//a.b/c> -", bell=False)
    assert "<" not in shown
    assert ">" not in shown
    assert "--icon" not in shown
