"""Measure the real program in a pseudo-terminal: from a key to the frame that answers it.

    python -m benchmarks.history /tmp/10k --messages 10000
    python -m benchmarks.history /tmp/1m --messages 1000000
    python -m benchmarks.timeline /tmp/10k /tmp/1m

Each directory is copied and opened in Korean at 120x40; the smallest possible Textual program runs
beside it, in turns, for the first frame and the memory. Times are milliseconds, medians unless it
is said otherwise; "cold" is a new process with the database's pages dropped from memory
(posix_fadvise). A conversation is opened once the program has come to rest after it was unlocked;
"at once" is Enter as soon as the list was drawn, while the rest of the start goes on behind it, and
the network's begins. A frame is what stands between the marks of synchronized output; the first one
that shows what the key asked for counts.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

PASSPHRASE = "benchmark"
PATIENCE_S = 60.0
COLUMNS, ROWS = 120, 40
SMALLEST = """
from textual.app import App
from textual.widgets import Static
class Smallest(App):
    def compose(self):
        yield Static("smallest")
Smallest().run()
"""
_CODES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|.)")
_END_OF_FRAME = b"\x1b[?2026l"
MESSAGES = re.compile(r"오[전후] \d+:\d\d ▎")
REST_S = 0.2
"""A program that computed nothing for so long is at rest."""
TYPING_S = 1.0
"""How long somebody types: what an open profile needs is loaded meanwhile."""
OLDEST_BELOW = 9_000
"""So many messages are further down, at least, when the oldest are shown."""
DAY = re.compile(r"\d{4}년 \d+월 \d+일")
BELOW = re.compile(r"메시지 (\d+)개: End")


class Program:
    """A program in a pseudo-terminal of 120x40 that understands synchronized output."""

    def __init__(self, *arguments: str) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.environ |= {
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "TEXTUAL_ANIMATIONS": "none",
            }
            os.execv(sys.executable, [sys.executable, *arguments])
        self._size(COLUMNS)
        self._seen = b""
        self._asked = 0

    def _size(self, columns: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))

    def _read(self, seconds: float) -> bool:
        """Read what there is; answer whether the terminal can synchronize: yes."""
        if not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return False
        self._seen += os.read(self._fd, 1 << 16)
        while (at := self._seen.find(b"\x1b[?2026$p", self._asked)) >= 0:
            self._asked = at + 1
            os.write(self._fd, b"\x1b[?2026;2$y")
        return True

    def frame(
        self, shows: Callable[[str], object], since: float, within: float = PATIENCE_S
    ) -> float:
        """Wait for a whole frame after which the output shows something; return ms since then."""
        limit = since + within
        while time.perf_counter() < limit:
            end = self._seen.rfind(_END_OF_FRAME)
            if end >= 0 and shows(_CODES.sub(b"", self._seen[:end]).decode("utf-8", "replace")):
                return (time.perf_counter() - since) * 1000
            self._read(limit - time.perf_counter())
        raise SystemExit(f"nothing came within {within} s; last: {self._seen[-2000:]!r}")

    @property
    def text(self) -> str:
        """What was drawn since the last key, without the control sequences."""
        return _CODES.sub(b"", self._seen).decode("utf-8", "replace")

    def press(self, keys: bytes, shows: Callable[[str], object] = bool) -> float:
        """Press keys; return ms until the frame that shows something."""
        self.settle(0.05)
        self._seen, self._asked = b"", 0
        since = time.perf_counter()
        os.write(self._fd, keys)
        return self.frame(shows, since)

    def resize(self, columns: int) -> float:
        """Change the width; return ms until messages are drawn at it."""
        self.settle(0.2)
        self._seen, self._asked = b"", 0
        since = time.perf_counter()
        self._size(columns)
        os.kill(self.pid, signal.SIGWINCH)
        return self.frame(MESSAGES.search, since)

    def settle(self, quiet: float) -> float:
        """Read until nothing came for so many seconds; return when the last of it came."""
        last = time.perf_counter()
        while self._read(quiet):
            last = time.perf_counter()
            self._seen = self._seen[-200_000:]
            self._asked = 0 if b"\x1b[?2026$p" not in self._seen else self._asked
        return last

    def rest(self) -> None:
        """Wait until the program neither draws nor computes."""
        limit = time.perf_counter() + PATIENCE_S
        while time.perf_counter() < limit:
            before = self._ticks()
            if self.settle(REST_S) and self._ticks() == before:
                return
        raise SystemExit(f"the program did not come to rest within {PATIENCE_S} s")

    def _ticks(self) -> int:
        """Return the processor time that was used, in the system's ticks."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def hold(self, key: bytes, times: int, every: float) -> float:
        """Press a key many times, as one held down; return ms of work left behind the last."""
        due = time.perf_counter()
        for _ in range(times):
            os.write(self._fd, key)
            due += every
            while (left := due - time.perf_counter()) > 0:
                self._read(left)
        released = time.perf_counter()
        return max(0.0, (self.settle(0.3) - released) * 1000)

    def rss(self) -> float:
        """Return the memory that is in use, in MB (10^6)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024 / 1e6

    def end(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def forget_pages(directory: Path) -> None:
    """Drop a profile's pages from the system's memory."""
    for path in directory.rglob("database*"):
        fd = os.open(path, os.O_RDONLY)
        os.fdatasync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def ours(directory: Path) -> Program:
    """Start the program on a profile."""
    return Program(
        "-m", "exile_tui", "--data-dir", str(directory), "--profile", "bench", "--lang", "ko"
    )


def unlocked(directory: Path) -> tuple[Program, float]:
    """Start the program and unlock; return it and ms from Enter to the list of chats."""
    program = ours(directory)
    program.frame(lambda text: "암호문구" in text, program.started)
    program.press(PASSPHRASE.encode())
    time.sleep(TYPING_S)
    return program, program.press(b"\r", lambda text: "검증 안 됨" in text)


def first_frames(directory: Path, runs: int) -> dict[str, float]:
    """Compare the first frame and its memory with the smallest program's, in turns."""
    times: dict[str, list[float]] = {"ours": [], "smallest": []}
    memory: dict[str, list[float]] = {"ours": [], "smallest": []}
    for _ in range(runs):
        for name in times:
            program = ours(directory) if name == "ours" else Program("-c", SMALLEST)
            word = "암호문구" if name == "ours" else "smallest"
            times[name].append(program.frame(lambda text, word=word: word in text, program.started))
            program.settle(0.3)
            memory[name].append(program.rss())
            program.end()
    frame = {name: statistics.median(each) for name, each in times.items()}
    rss = {name: statistics.median(each) for name, each in memory.items()}
    return {
        "first frame": frame["ours"],
        "... times the smallest": frame["ours"] / frame["smallest"],
        "memory then, MB": rss["ours"],
        "... MB above the smallest": rss["ours"] - rss["smallest"],
    }


def worst_of_95(times: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def measure(source: Path, runs: int) -> dict[str, float]:
    """Measure one profile."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "data"
        shutil.copytree(source, directory)
        found |= first_frames(directory, runs)
        unlocks, opens, colds, oldest, coldest, hasty = [], [], [], [], [], []
        oldest_day = day_of_the_oldest(directory)
        for _ in range(runs):
            program, _ = unlocked(directory)
            hasty.append(program.press(b"\r", MESSAGES.search))
            program.end()
        for cold in (True, False) * runs:
            if cold:
                forget_pages(directory)
            program, unlock = unlocked(directory)
            program.rest()
            if cold:
                forget_pages(directory)
            opened = program.press(b"\r", MESSAGES.search)
            program.press(b"\x1b[Z")
            if cold:
                forget_pages(directory)
            home = program.press(b"\x1b[H", lambda text: oldest_day in text)
            (colds if cold else opens).append(opened)
            (coldest if cold else oldest).append(home)
            unlocks.append(unlock)
            program.end()
        found |= {"unlock to the list": statistics.median(unlocks)}
        found |= {"open": statistics.median(opens), "open, cold": statistics.median(colds)}
        found |= {"open, at once": statistics.median(hasty)}
        found |= {"oldest": statistics.median(oldest), "oldest, cold": statistics.median(coldest)}
        found |= scrolling(directory)
    return found


def day_of_the_oldest(directory: Path) -> str:
    """Return the date above the oldest messages, which no other frame shows."""
    program, _ = unlocked(directory)
    program.press(b"\r", MESSAGES.search)
    program.press(b"\x1b[Z")
    program.press(b"\x1b[H", _is_oldest)
    program.settle(0.3)
    shown = DAY.findall(program.text)
    program.end()
    return str(shown[-1])


def _is_oldest(text: str) -> bool:
    """Tell whether the beginning of a conversation of 10,000 or more is shown."""
    found = BELOW.findall(text)
    return bool(found) and int(found[-1]) > OLDEST_BELOW


def scrolling(directory: Path) -> dict[str, float]:
    """Measure keys, the wheel, resizing, memory and what is left behind a key held down."""
    program, _ = unlocked(directory)
    program.press(b"\r", MESSAGES.search)
    program.press(b"\x1b[Z")
    found: dict[str, float] = {}
    for name, key, times in (
        ("line", b"\x1b[A", 100),
        ("page", b"\x1b[5~", 60),
        ("wheel", b"\x1b[<64;80;20M", 60),
    ):
        taken = [program.press(key) for _ in range(times)]
        found[name] = statistics.median(taken)
        found[f"{name}, 95th percentile"] = worst_of_95(taken)
    found["resize"] = statistics.median(program.resize(width) for width in (100, 120) * 4)
    for _ in range(250 - 60):
        program.press(b"\x1b[5~")
    found["memory after 250 pages, MB"] = program.rss()
    found["left behind 300 pages at 33/s"] = program.hold(b"\x1b[5~", 300, 0.03)
    program.end()
    return found


def main() -> None:
    """Print one table of all profiles; the last column compares the last with the first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directories", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    columns = [measure(directory, given.runs) for directory in given.directories]
    print(f"{'':32}" + "".join(f"{each.name:>12}" for each in given.directories) + f"{'ratio':>8}")
    for name in columns[0]:
        values = [column[name] for column in columns]
        ratio = values[-1] / values[0] if values[0] else float("nan")
        print(f"{name:32}" + "".join(f"{value:12.1f}" for value in values) + f"{ratio:8.2f}")


if __name__ == "__main__":
    main()
