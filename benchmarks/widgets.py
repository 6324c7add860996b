"""Measure a conversation of a thousand beside a program with a widget for every message.

    python -m benchmarks.widgets

A widget a message is how chats in Textual are usually written; the other program here does so, and
nothing else: no encryption, no database, no names, days or marks. Both show the same texts, in a
pseudo-terminal of 120x40, in turns; times are milliseconds from a key to the frame that answers it
(see timeline.py), medians over the runs, and of all keys of their runs for those pressed often.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timeline import MESSAGES, Program, unlocked

MESSAGES_EACH = 1_000
SEED = 2014
PLAIN = f"""
from itertools import islice
from benchmarks.history import lines
from textual.app import App
from textual.containers import VerticalScroll
from textual.widgets import Static

class Plain(App):
    CSS = "Static {{ height: auto; margin-bottom: 1; }}"
    BINDINGS = [("o", "open", ""), ("a", "append", "")]

    def compose(self):
        self.texts = [line.text for line in lines({MESSAGES_EACH}, {SEED})]
        yield VerticalScroll(Static("ready"))

    async def action_open(self):
        scroll = self.query_one(VerticalScroll)
        await scroll.mount_all(self.widget(text) for text in self.texts)
        scroll.focus()
        scroll.scroll_end(animate=False)

    async def action_append(self):
        scroll = self.query_one(VerticalScroll)
        await scroll.mount(self.widget("one more"))
        scroll.scroll_end(animate=False)

    def widget(self, text):
        return Static("오후 3:00 ▎ " + text, markup=False)

Plain().run()
"""


def measure(program: Program, opening: bytes, appending: tuple[bytes, bytes]) -> dict[str, float]:
    """Open, page, append and resize; memory at the end."""
    found = {"open": program.press(opening, MESSAGES.search)}
    program.settle(0.5)
    typed, key = appending
    if typed:
        program.press(typed)
    found["append"] = program.press(key, lambda text: "one more" in text)
    if typed:
        program.press(b"\x1b[Z")
    found["page"] = statistics.median(program.press(b"\x1b[5~") for _ in range(15))
    found["line"] = statistics.median(program.press(b"\x1b[A") for _ in range(15))
    found["resize"] = statistics.median(program.resize(width) for width in (100, 120) * 2)
    found["memory, MB"] = program.rss()
    program.end()
    return found


def main() -> None:
    """Print one table of both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs: int = parser.parse_args().runs
    ours: list[dict[str, float]] = []
    plain: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "data"
        subprocess.run(
            (
                *(sys.executable, "-m", "benchmarks.history", str(directory), "--cheap"),
                *("--messages", str(MESSAGES_EACH), "--seed", str(SEED)),
            ),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(runs):
            program, _ = unlocked(directory)
            ours.append(measure(program, b"\r", (b"one more", b"\r")))
            program = Program("-c", PLAIN)
            program.frame(lambda text: "ready" in text, program.started)
            plain.append(measure(program, b"o", (b"", b"a")))
    print(f"{MESSAGES_EACH} messages{'':15}{'ours':>10}{'widgets':>10}{'ratio':>8}")
    for name in ours[0]:
        mine, theirs = (statistics.median(run[name] for run in each) for each in (ours, plain))
        print(f"{name:28}{mine:10.1f}{theirs:10.1f}{mine / theirs:8.2f}")


if __name__ == "__main__":
    main()
