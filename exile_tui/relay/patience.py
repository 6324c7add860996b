"""How long the relay waits for somebody: many waits of the same length over one timer.

`asyncio.timeout` makes a timer for each, which took a twentieth of the time of a small request.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Patience:
    """Ends waits that last too long."""

    def __init__(self, seconds: float) -> None:
        """Make one.

        Args:
            seconds: How long each wait may last.
        """
        self._seconds = seconds
        self._waits: dict[Wait, None] = {}
        """Those that last, the oldest first."""
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that is running, which takes a call of the system to ask for."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def wait(self) -> Wait:
        """Return a context that raises TimeoutError in itself when it lasts too long."""
        return Wait(self)

    def begin(self, wait: Wait) -> float:
        """Begin a wait; return when it must have ended, by the loop's clock."""
        loop = self.loop
        until = loop.time() + self._seconds
        self._waits[wait] = None
        if self._timer is None:
            self._timer = loop.call_at(until, self._look)
        return until

    def end(self, wait: Wait) -> None:
        """End a wait."""
        self._waits.pop(wait, None)

    def _look(self) -> None:
        loop = self.loop
        late = [wait for wait in self._waits if wait.until <= loop.time()]
        for wait in late:
            del self._waits[wait]
            wait.expire()
        oldest = next(iter(self._waits), None)
        self._timer = None if oldest is None else loop.call_at(oldest.until, self._look)


class Wait:
    """One wait of one task."""

    __slots__ = ("_before", "_expired", "_patience", "_task", "until")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._task: asyncio.Task[object] | None = None
        self._before = 0
        self._expired = False
        self.until = 0.0

    def expire(self) -> None:
        """Interrupt the task."""
        self._expired = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task(self._patience.loop)
        if task is None:
            raise RuntimeError("only a task can be interrupted")
        self._task, self._before = task, task.cancelling()
        self.until = self._patience.begin(self)

    def __exit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        self._patience.end(self)
        task, self._task = self._task, None
        if self._expired and task is not None:
            alone = task.uncancel() <= self._before
            if alone and isinstance(error, asyncio.CancelledError):
                raise TimeoutError from error
