"""What the operator's port shows of a running relay."""

from __future__ import annotations

import socket

from exile_tui.relay.metrics import CONTENT_TYPE, INTERVAL_S, Metrics
from exile_tui.relay.metrics_port import MetricsPort
from exile_tui.relay.service import Beside, Running


def observer(bound: socket.socket, interval: float = INTERVAL_S) -> Beside:
    """Return what serves the port beside a relay.

    Args:
        bound: The socket, listening.
        interval: Seconds for which totals stay as they were counted.
    """

    async def observe(running: Running) -> None:
        handlers = running.handlers
        metrics = Metrics(
            running.engine, handlers.open_streams, handlers.refused, running.clock, interval
        )

        async def totals() -> tuple[int, str, bytes]:
            return 200, CONTENT_TYPE, await metrics.text()

        await MetricsPort(bound, {"/metrics": totals}).run()

    return observe
