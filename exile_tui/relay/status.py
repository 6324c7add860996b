"""The running relay's one quiet line on a terminal: totals only, the QR code on request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from exile_tui.locale import tr, tr_n
from exile_tui.relay.engine import CountAll, Engine, EngineUnavailable, Totals
from exile_tui.text import cut

INTERVAL_S = 5.0
_SHARE = 100
"""Counting takes at most one part of this many of the relay's time, however much it holds."""
_CLEAR = "\r\x1b[2K"
_QR_KEYS = frozenset("qㅂ")


class StatusLine:
    """Draws in place, and gives the line up before anything else is written."""

    def __init__(self, stream: TextIO, code: Callable[[], str]) -> None:
        """Make the line.

        Args:
            stream: A terminal.
            code: Draws the address as a QR code.
        """
        self._stream = stream
        self._code = code
        self._wanted = asyncio.Event()

    async def run(self, engine: Engine) -> None:
        """Show what the engine holds until cancelled; the line is cleared then."""
        try:
            with self._listening():
                while True:
                    started = time.perf_counter()
                    with contextlib.suppress(EngineUnavailable):
                        self._draw(status_text(await engine.submit(CountAll())))
                    took = time.perf_counter() - started
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(max(INTERVAL_S, _SHARE * took)):
                            await self._wanted.wait()
                    if self._wanted.is_set():
                        self._wanted.clear()
                        self._write(_CLEAR + self._code())
        finally:
            self._write(_CLEAR)

    def show_code(self) -> None:
        """Draw the QR code as soon as may be."""
        self._wanted.set()

    def _draw(self, text: str) -> None:
        columns = shutil.get_terminal_size().columns
        self._write(_CLEAR + cut(text, columns - 1))

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, UnicodeEncodeError):  # the terminal is gone, or not ours
            self._stream.write(text)
            self._stream.flush()

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Hear the key and the signal that ask for the QR code."""
        loop = asyncio.get_running_loop()
        number = getattr(signal, "SIGUSR1", None)
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            if number is not None:
                loop.add_signal_handler(number, self.show_code)
        with keys(self._pressed):
            yield

    def _pressed(self, text: str) -> None:
        if not _QR_KEYS.isdisjoint(text.casefold()):
            self.show_code()


def status_text(totals: Totals) -> str:
    """Return the line: totals, nothing about any one of them."""
    parts = [
        tr_n("{n} mailbox", "{n} mailboxes", totals.mailboxes),
        tr_n("{n} envelope ({size})", "{n} envelopes ({size})", totals.envelopes,
             size=size_text(totals.envelope_bytes)),
        tr_n("{n} blob ({size})", "{n} blobs ({size})", totals.blobs,
             size=size_text(totals.blob_bytes)),
        tr("q: QR code"),
        tr("Ctrl+C: end"),
    ]  # fmt: skip
    return "   ".join(parts)


def size_text(size: int) -> str:
    """Return bytes in the largest unit that leaves a whole number in front: `24 KiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    at = 0
    while size >= 1024 and at < len(units) - 1:
        size, at = size // 1024, at + 1
    return f"{size} {units[at]}"


@contextlib.contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Hand over what is typed, key by key, where standard input is this terminal's foreground."""
    try:
        import termios
        import tty

        number = sys.stdin.fileno()
        # From the background, changing the terminal would stop this process.
        if not sys.stdin.isatty() or os.tcgetpgrp(number) != os.getpgrp():
            raise OSError
        before = termios.tcgetattr(number)
        tty.setcbreak(number)
    except (ImportError, OSError, ValueError):
        yield
        return
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = os.read(number, 64)
        if not data:
            loop.remove_reader(number)
        pressed(data.decode("utf-8", "ignore"))

    loop.add_reader(number, read)
    try:
        yield
    finally:
        loop.remove_reader(number)
        termios.tcsetattr(number, termios.TCSADRAIN, before)
