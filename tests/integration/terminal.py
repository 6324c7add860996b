"""The real program in a real terminal: tmux, driven and read through its control mode."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PATIENCE_S = 60.0
TMUX = shutil.which("tmux")


class Terminal:
    """One tmux server with one window; every wait ends with the next output, not with a clock."""

    def __init__(
        self,
        socket: str,
        columns: int,
        rows: int,
        *arguments: str,
        shell: bool = False,
        program: Sequence[str] = (sys.executable, "-m", "exile_tui"),
        environment: Mapping[str, str] | None = None,
        kind: str = "screen",
    ) -> None:
        """Start the program.

        Args:
            socket: The server's own socket, so that no other tmux is touched.
            columns: Cells in a row.
            rows: Rows.
            arguments: The program's.
            shell: Leave a shell behind when the program ends.
            program: What to start; ours if not given.
            environment: All that the program gets; None for ours, in UTF-8.
            kind: What TERM says.
        """
        self.size = (columns, rows)
        self._base = ["tmux", "-u", "-L", socket, "-f", os.devnull]
        if environment is None:
            language = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "COLORTERM": "truecolor"}
            environment = {**os.environ, **language}
        command = [*program, *arguments]
        if shell:
            command = ["sh", "-c", '"$@"; echo "ended with $?"; exec sh', "sh", *command]
        terminal = ["start-server", ";", "set", "-g", "default-terminal", kind, ";"]
        session = ["new-session", "-d", "-x", str(columns), "-y", str(rows), *command]
        self._run([*terminal, *session], environment)
        self._socket = Path(self.tmux("display", "-p", "#{socket_path}").rstrip("\n"))
        self._control = subprocess.Popen(
            [*self._base, "-C", "attach", "-f", "ignore-size"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._control.stdout is not None
        os.set_blocking(self._control.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._control.stdout, selectors.EVENT_READ)

    def _run(self, command: list[str], environment: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            [*self._base, *command], check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys by their tmux names."""
        self._run(["send-keys", *keys])

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._run(["send-keys", "-l", text])

    def paste(self, text: str) -> None:
        """Paste text, bracketed."""
        self._run(["set-buffer", text])
        self._run(["paste-buffer", "-p"])

    def click(self, column: int, row: int) -> None:
        """Click with the mouse on a cell, counted from 0."""
        place = f"{column + 1};{row + 1}"
        self._run(["send-keys", "-l", f"\x1b[<0;{place}M\x1b[<0;{place}m"])

    @property
    def clipboard(self) -> str:
        """What the program copied, if `set-clipboard` is on."""
        return self._run(["show-buffer"])

    @property
    def screen(self) -> str:
        """What is on the screen, line by line."""
        return self._run(["capture-pane", "-p"])

    @property
    def colored(self) -> str:
        """What is on the screen with its colours, as SGR sequences."""
        return self._run(["capture-pane", "-e", "-N", "-p"])

    @property
    def everything(self) -> str:
        """All that the terminal keeps: the scrollback, the screen, the window's title."""
        return self._run(["capture-pane", "-p", "-S", "-"]) + self.title

    @property
    def title(self) -> str:
        """The title of the window."""
        return self._run(["display", "-p", "#{pane_title}"]).rstrip("\n")

    @property
    def process(self) -> int:
        """The process that tmux started."""
        return int(self._run(["display", "-p", "#{pane_pid}"]))

    def tmux(self, *words: str) -> str:
        """Run a command of tmux and return what it printed."""
        return self._run(list(words))

    @property
    def cursor_shown(self) -> bool:
        """Whether the program shows the terminal's own cursor."""
        return self._run(["display", "-p", "#{cursor_flag}"]).strip() == "1"

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the terminal's own cursor, in cells from 0."""
        column, row = self._run(["display", "-p", "#{cursor_x} #{cursor_y}"]).split()
        return int(column), int(row)

    def wait_for(
        self, wanted: str | Callable[[str], object], patience_s: float = PATIENCE_S
    ) -> str:
        """Return the screen as soon as it holds a text, or satisfies a test."""
        test = wanted if callable(wanted) else (lambda screen: wanted in screen)
        deadline = time.monotonic() + patience_s
        while not test(screen := self.screen):
            left = deadline - time.monotonic()
            assert left > 0, f"waited in vain for {wanted!r}:\n{screen}"
            # Wakes with the next byte that the program writes; at the latest to look once more.
            self._selector.select(min(left, 0.5))
            assert self._control.stdout is not None
            while self._control.stdout.read(65536):
                pass
        return screen

    def wait_for_quiet(self, quiet_s: float) -> None:
        """Return when the program wrote nothing for so long; for pictures, which show the end."""
        assert self._control.stdout is not None
        deadline = time.monotonic() + PATIENCE_S
        while self._selector.select(quiet_s) and time.monotonic() < deadline:
            while self._control.stdout.read(65536):
                pass

    def close(self) -> None:
        """End the program and its terminal."""
        subprocess.run([*self._base, "kill-server"], check=False, capture_output=True)
        self._control.communicate()
        self._socket.unlink(missing_ok=True)  # tmux leaves it
        self._selector.close()


def link_in(screen: str) -> str:
    """Return the invite link on a screen, joined over its lines."""
    lines = screen.splitlines()
    start = next(number for number, line in enumerate(lines) if "exile:" in line)
    column = lines[start].index("exile:")
    parts = []
    for line in lines[start:]:
        match = re.match(r"[A-Za-z0-9_:-]+", line[column:])
        if match is None:
            break
        parts.append(match[0])
    return "".join(parts)


def end_embedded_relay(data: Path) -> None:
    """End the embedded relay of a data directory, which only this test used."""
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(data / "relay").encode() in words:
            os.kill(int(entry.name), 15)
