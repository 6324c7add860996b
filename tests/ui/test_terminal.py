"""The app in a real terminal: what it writes, where the cursor is, and how it leaves."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pytest

from exile_tui.ui.driver import DISAMBIGUATE_ONLY
from tests.ui.recording import illegal

PROGRAM = """
from exile_tui.config import Settings
from exile_tui.ui.app import ExileApp
from tests.ui.doubles import FakeApplication
from tests.ui.worlds import korean
messenger = korean()
app = ExileApp(FakeApplication(messenger), Settings(lang="ko"), messenger.clock)
raise SystemExit(app.run())
"""
COLUMNS, ROWS = 80, 24
PATIENCE = 30
"""Seconds; the machine may be busy. Only a failure waits that long."""
MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")


class Terminal:
    """A program on a pseudo-terminal, and everything that it wrote."""

    def __init__(self, program: str) -> None:
        self.output = ""
        self._pid, self._file = pty.fork()
        if self._pid == 0:  # pragma: no cover - the child
            os.environ.update(TERM="xterm-256color", PYTHONPATH=os.pathsep.join(sys.path))
            os.environ.pop("PYTEST_CURRENT_TEST", None)
            os.execv(sys.executable, [sys.executable, "-W", "error", "-c", program])
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def type(self, text: str) -> None:
        """Send what a keyboard would."""
        os.write(self._file, text.encode())

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Read until a condition on the output holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ready, _, _ = select.select([self._file], [], [], max(0, deadline - time.monotonic()))
            assert ready, self.output[-2000:]
            try:
                self.output += os.read(self._file, 65536).decode(errors="replace")
            except OSError:  # the child has closed its side
                assert condition(), self.output[-2000:]

    @property
    def cursor(self) -> tuple[int, int]:
        """Return the row and column that the cursor was last moved to, from 1."""
        row, column = MOVE.findall(self.output)[-1]
        return int(row), int(column)

    def end(self) -> int:
        """Wait for the program's end and return its exit code."""
        _, status = os.waitpid(self._pid, 0)
        os.close(self._file)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        """End the program if it still runs."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self.end()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Run the app over the double."""
    started = Terminal(PROGRAM)
    yield started
    started.kill()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_the_cursor_is_where_the_input_method_must_draw(terminal: Terminal) -> None:
    terminal.wait_for(lambda: "김하늘" in terminal.output)
    terminal.type("\r")
    terminal.wait_for(lambda: "시지를 쓰세요" in terminal.output)
    terminal.wait_for(lambda: terminal.cursor == (22, 31))
    terminal.type("안녕")
    terminal.wait_for(lambda: terminal.cursor == (22, 35))
    terminal.type("\x1b[D")
    terminal.wait_for(lambda: terminal.cursor == (22, 33))
    terminal.type("\r")
    terminal.wait_for(lambda: "보내는 중" in terminal.output)
    terminal.wait_for(lambda: terminal.cursor == (22, 31))
    assert DISAMBIGUATE_ONLY in terminal.output
    started = terminal.output.index("종단간")
    assert illegal(terminal.output[started:].replace("\r\n", "\n")) == []
    terminal.type("\x11")
    terminal.wait_for(lambda: "\x1b[?1049l" in terminal.output)
    terminal.wait_for(lambda: "\x1b[?1004l" in terminal.output)
    assert "\x1b[<u" in terminal.output
    assert terminal.end() == 0
