"""What the operator's port shows of a running relay."""

from __future__ import annotations

import asyncio
import socket

from exile_tui.relay.engine import Engine, EngineUnavailable, Probe
from exile_tui.relay.metrics import CONTENT_TYPE, INTERVAL_S, Metrics
from exile_tui.relay.metrics_port import MetricsPort
from exile_tui.relay.service import Beside, Running

_PLAIN = "text/plain; charset=utf-8"
_FRESH_S = 1.0
"""Seconds for which it is taken that the disk works, so that nobody keeps it busy by asking."""
_PATIENCE_S = 3.0
"""Seconds that the disk may take for a commit; who asks usually waits five."""


class Readiness:
    """Whether new work would be done: a commit tells."""

    def __init__(self, running: Running) -> None:
        """Make it for a relay."""
        self._engine: Engine = running.engine
        self._handlers = running.handlers
        self._clock = running.clock
        self._probing: asyncio.Task[bool] | None = None
        self._good_until = 0.0

    async def missing(self) -> str:
        """Return what is missing, empty when nothing is."""
        if not self._handlers.stopping and self._clock.monotonic() >= self._good_until:
            if self._probing is None or self._probing.done():
                self._probing = asyncio.create_task(self._commits())
            probing = self._probing  # a disk that hangs gets no second one to do
            done, _ = await asyncio.wait((probing,), timeout=_PATIENCE_S)
            if done and probing.result():
                self._good_until = self._clock.monotonic() + _FRESH_S
            elif not self._handlers.stopping:
                return "the database takes no commit"
        return "stopping" if self._handlers.stopping else ""

    async def _commits(self) -> bool:
        try:
            await self._engine.submit(Probe())
        except EngineUnavailable:
            return False
        return True


def observer(bound: socket.socket, interval: float = INTERVAL_S) -> Beside:
    """Return what serves the port beside a relay.

    Args:
        bound: The socket, listening.
        interval: Seconds for which totals stay as they were counted.
    """

    async def observe(running: Running) -> None:
        handlers = running.handlers
        metrics = Metrics(
            running.engine,
            handlers.open_streams,
            handlers.refused,
            handlers.work.totals,
            running.clock,
            interval,
        )

        async def totals() -> tuple[int, str, bytes]:
            return 200, CONTENT_TYPE, await metrics.text()

        async def health() -> tuple[int, str, bytes]:
            return 200, _PLAIN, b"it answers\n"

        async def ready() -> tuple[int, str, bytes]:
            missing = await readiness.missing()
            return 503 if missing else 200, _PLAIN, f"{missing or 'ready'}\n".encode()

        readiness = Readiness(running)
        pages = {"/metrics": totals, "/health": health, "/ready": ready}
        await MetricsPort(bound, pages).run()

    return observe
