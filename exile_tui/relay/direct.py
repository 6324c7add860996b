"""Coroutines that run without a task.

For a request that takes some microseconds, the making of a task and its turns of the event loop are
a tenth of the work, and who waits for the disk together with sixty others goes on only after all
that came in meanwhile. `run` runs a coroutine at once until it waits for something; when that is a
`Reply`, it goes on in the moment in which the reply is given.

There is no current task in it, so that what asks for one (`asyncio.timeout`, `asyncio.wait_for`)
can't be used in it. Waiting for futures, events, locks, tasks and `asyncio.sleep` can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Reply(asyncio.Future[_Result]):
    """A future whose giver calls `then`: who waits without a task goes on at once."""

    __slots__ = ("_then",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._then: Callable[[], None] | None = None

    def give(self, result: _Result | Exception) -> None:
        """Give the result, or an error to raise; nothing happens where nobody waits any more."""
        if self.done():
            return
        if isinstance(result, Exception):
            self.set_exception(result)
        else:
            self.set_result(result)
        if (step := self._then) is not None:
            self._then = None
            step()

    def then(self, step: Callable[[], None]) -> None:
        """Call a function, which raises nothing, when the reply is given."""
        self._then = step


class _Run:
    """One coroutine that runs."""

    __slots__ = ("_coroutine", "_ended", "_loop")

    def __init__(
        self,
        coroutine: Coroutine[Any, None, None],
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[_Run], None],
    ) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._ended = ended

    def step(self) -> None:
        """Run until the coroutine waits or ends."""
        self._resume(self._coroutine.send, None)

    def _go_on(self, future: asyncio.Future[Any]) -> None:
        try:
            future.result()
        except BaseException as error:  # a cancellation included, which is the future's
            self._resume(self._coroutine.throw, error)
        else:
            self.step()

    def _resume(self, how: Callable[[Any], Any], argument: BaseException | None) -> None:
        try:
            waits_for = how(argument)
        except BaseException as error:
            self._end(error)
        else:
            self._wait(waits_for)

    def _wait(self, waits_for: Any) -> None:
        if waits_for is None:  # it lets others go first
            self._loop.call_soon(self.step)
            return
        waits_for._asyncio_future_blocking = False  # as a task does: it was waited for rightly
        if type(waits_for) is Reply:
            waits_for.then(self.step)
        else:
            waits_for.add_done_callback(self._go_on)

    def _end(self, error: BaseException) -> None:
        self._ended(self)
        if not isinstance(error, StopIteration | Exception | asyncio.CancelledError):
            raise error


class Runs:
    """The coroutines that run without a task, each until it ends."""

    def __init__(self) -> None:
        self._running: set[_Run] = set()
        self.loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._running)

    def run(self, coroutine: Coroutine[Any, None, None]) -> None:
        """Run a coroutine, now and whenever what it waits for has come.

        An error that it raises is lost: it has to look to its errors itself.
        """
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        run = _Run(coroutine, self.loop, self._running.discard)
        self._running.add(run)
        run.step()
