"""One-shot timers of the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

if TYPE_CHECKING:
    from textual.timer import Timer, TimerCallback


class LateTimers(App[int]):
    """An app whose timers are late rather than never."""

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        """Call something later.

        Textual 8.2.8 drops a timer whose time is over before it begins to wait: on a busy machine
        the 8 ms after a new size were, and then the screen kept its size, whatever the window's.
        """
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False
        return timer
