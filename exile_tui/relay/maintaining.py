"""What an engine does by itself: it deletes what expired, and wipes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import Protocol

from exile_tui.clock import Clock
from exile_tui.relay.direct import Reply
from exile_tui.relay.engine import EngineUnavailable, Sweep
from exile_tui.relay.limits import today
from exile_tui.relay.steady import SteadyCalendar

_NOT_NOW = (EngineUnavailable, sqlite3.Error, OSError)
"""What is tried again after the interval."""


class Maintained(Protocol):
    """An engine that can wipe."""

    def submit(self, operation: Sweep) -> Reply[int | None]:
        """Do an operation."""
        ...

    async def wipe(self) -> None:
        """Make deleted bytes unrecoverable."""
        ...


async def maintain(engine: Maintained, clock: Clock, interval: float, pause: float) -> None:
    """Sweep on each day, and wipe again and again, until cancelled.

    Args:
        engine: What is to do it.
        clock: Tells the day.
        interval: Seconds from the beginning of one wiping to that of the next.
        pause: Seconds until the first one.
    """
    swept, calendar = None, SteadyCalendar(clock)
    now = asyncio.get_running_loop().time
    while True:
        with contextlib.suppress(*_NOT_NOW):
            if calendar.may_be_believed() and swept != (day := today(clock)):
                await sweep_all(engine)
                swept = day
        await asyncio.sleep(pause)
        began = now()
        with contextlib.suppress(*_NOT_NOW):
            await engine.wipe()
        pause = max(0.0, interval - (now() - began))


async def sweep_all(engine: Maintained) -> None:
    """Delete what expired.

    Raises:
        EngineUnavailable: Not all of it.
    """
    start: int | None = 0
    while start is not None:
        start = await engine.submit(Sweep(start))
