"""How long the relay waits for somebody: many waits of the same length over one timer.

`asyncio.timeout` makes a timer for each, which took a twentieth of the time of a small request.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Patience:
    """Ends waits that last too long."""

    def __init__(self, seconds: float) -> None:
        """Make one.

        Args:
            seconds: How long each wait may last.
        """
        self._seconds = seconds
        self._waits: dict[_Wait, None] = {}
        """Those that last, the oldest first."""
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that is running, which takes a call of the system to ask for."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    async def wait(self, future: asyncio.Future[_Result]) -> _Result:
        """Wait for a future, which is cancelled when that lasts too long.

        Raises:
            TimeoutError: It lasted too long.
        """
        if future.done():
            return await future
        wait = _Wait(future, self._begin())
        self._waits[wait] = None
        try:
            return await future
        except asyncio.CancelledError:
            # Who was cancelled by somebody else meanwhile is told so.
            if wait.expired and not _is_cancelled():
                raise TimeoutError from None
            raise
        finally:
            self._waits.pop(wait, None)

    def _begin(self) -> float:
        """Return when a wait that begins now must have ended, by the loop's clock."""
        loop = self.loop
        until = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(until, self._look)
        return until

    def _look(self) -> None:
        loop = self.loop
        late = [wait for wait in self._waits if wait.until <= loop.time()]
        for wait in late:
            del self._waits[wait]
            wait.expire()
        oldest = next(iter(self._waits), None)
        self._timer = None if oldest is None else loop.call_at(oldest.until, self._look)


class _Wait:
    """One wait for one future."""

    __slots__ = ("_future", "expired", "until")

    def __init__(self, future: asyncio.Future[Any], until: float) -> None:
        self._future = future
        self.until = until
        self.expired = False

    def expire(self) -> None:
        """End it."""
        self.expired = True
        self._future.cancel()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
