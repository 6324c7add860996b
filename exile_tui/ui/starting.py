"""A quick start: what is loaded when, and what the garbage collector does not look at."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from exile_tui import text
from exile_tui.ui.screens import load_screen

if TYPE_CHECKING:
    from exile_tui.ui.app import ExileApp

THRESHOLDS = (5_000, 10, 2)
"""When is collected; by default (700, 10, 10) several times a frame. All of it now and then: what
workers leave behind are cycles, 8 MB after 250 pages."""

SWITCH_S = 0.0005
"""How long a thread waits for another one that computes. A frame is written by a thread of its own,
in three pieces, while the program goes on with what comes behind it; by default each piece waits
for 5 ms."""

HURRY_S = 0.5
"""How long nothing is collected while a frame is awaited."""


class Starting:
    """Get from the command to the first frame, and from the passphrase to the chats.

    The collector goes through all that lives, again and again; modules, classes and stylesheets are
    most of it and live to the end. Frozen, they cost a full collection 60 ms less (78 before),
    and those come in the middle of a frame. What is frozen was made before a profile was open:
    nothing in it is anybody's secret.
    """

    def __init__(self, app: ExileApp) -> None:
        self._app = app
        self._freezes = self._prepared = False

    def begin(self) -> None:
        """Collect nothing until the first frame is shown; for a process that shows one app only."""
        self._freezes = True
        gc.disable()
        sys.setswitchinterval(SWITCH_S)

    def shown(self) -> None:
        """Take notice of the first frame."""
        self._freeze()
        gc.enable()
        if self._freezes:
            gc.set_threshold(*THRESHOLDS)

    def hurry(self) -> None:
        """Collect nothing for a moment: somebody waits for a frame, and it would take 15 ms."""
        if self._freezes:
            gc.disable()
            self._app.set_timer(HURRY_S, gc.enable)

    def prepare(self) -> None:
        """Load in the background what an open profile needs; a second time does nothing."""
        if not self._prepared:
            self._prepared = True
            self._app.run_worker(self._load, thread=True, exit_on_error=False)

    def _load(self) -> None:
        load_screen("chats")
        text.prepare()
        self._app.application.prepare()
        self._freeze()

    def _freeze(self) -> None:
        if self._freezes:
            gc.collect(1)
            gc.freeze()
