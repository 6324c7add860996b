"""Lock a profile that nobody uses: no key, mouse or paste for as long as was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual import events

from exile_tui.locale import tr_n

if TYPE_CHECKING:
    from exile_tui.ui.app import ExileApp

CHECK_S = 5.0
"""How often is looked; it locks so much later at most."""
_MINUTE_S = 60
_SIGNS = (events.Key, events.Paste, events.MouseEvent)


class AutoLock:
    """Counts by the app's monotonic clock, which goes on while a laptop sleeps."""

    def __init__(self, app: ExileApp) -> None:
        self._app = app
        self._seen = app.clock.monotonic()
        self._held = 0

    def start(self) -> None:
        """Look every few seconds from now on."""
        self.seen()
        self._app.set_interval(CHECK_S, self.check)

    def seen(self) -> None:
        """Note that somebody is there."""
        self._seen = self._app.clock.monotonic()

    def comes_too_late(self, event: events.Event) -> bool:
        """Note an event as a sign of somebody, unless the time was up before it came.

        The first key after a laptop woke must not keep open what should long be locked.
        """
        if not isinstance(event, _SIGNS):
            return False
        if self.check():
            return True
        self.seen()
        return False

    def check(self) -> bool:
        """Lock if the time is up; return whether it was."""
        minutes = self._app.settings.auto_lock_minutes
        idle_s = self._app.clock.monotonic() - self._seen
        open_ = self._app.application.messenger is not None
        if not (minutes and open_ and not self._held and idle_s >= minutes * _MINUTE_S):
            return False
        self.seen()
        self._app.action_lock()
        self._app.notify(
            tr_n(
                "Locked, since nobody was here for {n} minute.",
                "Locked, since nobody was here for {n} minutes.",
                minutes,
            )
        )
        return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Don't lock while something runs that whoever started it waits for."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self.seen()
