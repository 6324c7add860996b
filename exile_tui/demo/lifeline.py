"""Notice in a child that the demo's own process is gone, and leave nothing behind."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from exile_tui.demo import place


def watch(directory: Path, end: Callable[[], None] = lambda: None) -> None:
    """Wait in a thread until standard input closes; then remove the directory and end at once.

    Only the demo's own process holds the other end, so that it closes with it: at an orderly end as
    well as after `kill -9`. A thread, since the event loop may be busy or stuck; an abrupt end,
    since there is nothing that would be worth an orderly one. Whoever removes last leaves nothing.

    Args:
        directory: The demo's directory.
        end: What else to end first.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        try:
            end()
        finally:
            place.remove(directory)
            os._exit(0)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
