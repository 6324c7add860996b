"""Run a document's commands as its reader would: a shell on a terminal, in a home of its own."""

from __future__ import annotations

import errno
import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
ASKS = re.compile(r"(?:passphrase|암호문구)[^:\n]*: *$", re.I)
"""A question for the passphrase, at the end of what was written so far."""
AS_ROOT = "# as root\n"
CTRL_C, CTRL_Q = b"\x03", b"\x11"


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    document: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The command lines, comments aside."""
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]

    @property
    def file(self) -> str:
        """The file that the block is, from its first line `# NAME`."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# ") if first.startswith("# ") else ""


def documents() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every document for people."""
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


def blocks(*languages: str) -> list[Block]:
    """Return the fenced blocks in these languages, in their order."""
    return [
        Block(name, found[1], found[2])
        for name, text in documents()
        for found in BLOCK.finditer(text)
        if found[1] in languages
    ]


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


class Typed:
    """One command line on a terminal of its own; the passphrase is typed when it is asked for."""

    def __init__(self, line: str, home: Path, passphrase: str) -> None:
        self._passphrase = passphrase.encode() + b"\n"
        self.output = ""
        self._answered = 0
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(home)
            os.execve("/bin/sh", ["sh", "-c", line], environment(home))

    def until(self, wanted: str) -> str:
        """Read up to a pattern."""
        while not re.search(wanted, self.output):
            assert self._read(), f"{wanted!r} never came:\n{self.output}"
        return self.output

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._terminal, key)

    def end(self) -> tuple[int, str]:
        """Read to the end; return the exit code and everything that was written."""
        while self._read():
            pass
        os.close(self._terminal)
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status), self.output

    def kill(self) -> None:
        """End what hangs."""
        os.kill(self._pid, signal.SIGKILL)

    def _read(self) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        ready, _, _ = select.select([self._terminal], [], [], deadline - time.monotonic())
        if not ready:
            self.kill()
            raise AssertionError(f"nothing more came:\n{self.output}")
        try:
            data = os.read(self._terminal, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux's way to say that the other side is gone
                raise
            return False
        self.output += data.decode(errors="replace").replace("\r\n", "\n")
        if ASKS.search(self.output[self._answered :]):
            self._answered = len(self.output)
            os.write(self._terminal, self._passphrase)
        return bool(data)


def environment(home: Path) -> dict[str, str]:
    """Return a newcomer's environment: `exile-tui` on the path, nothing else of ours."""
    tools = home / "bin"
    tools.mkdir(exist_ok=True)
    program = tools / "exile-tui"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m exile_tui "$@"\n')
    program.chmod(0o700)
    return {
        "HOME": str(home),
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TMPDIR": str(home),
    }


def type_line(line: str, home: Path, passphrase: str) -> str:
    """Run one line to its end, which is to be good; return what it wrote."""
    code, output = Typed(line, home, passphrase).end()
    assert code == 0, f"{line}: {code}\n{output}"
    assert "Traceback" not in output
    return output


def parses(line: str) -> None:
    """Assert that a shell understands a line that is not run here."""
    done = subprocess.run(["sh", "-n", "-c", line], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
