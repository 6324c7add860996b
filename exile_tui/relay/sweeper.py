"""Ends connections that waste: without a request for long, above their share, or flooding."""

from __future__ import annotations

import asyncio
import contextlib
import time

from exile_tui.relay.clients import Clients
from exile_tui.relay.defects import report_defect
from exile_tui.relay.door import Door
from exile_tui.relay.sockets import HAVE_DESCRIPTORS, Sockets

_SLICE_S = 0.001
"""Seconds after which the event loop has its turn."""
_SHARE = 20
"""Looking takes at most one part of this many of the relay's time, however many there are."""
_SCARCE = 0.75
"""The part of all connections above which those that do nothing are ended sooner."""


class Sweeper:
    """Looks at every connection again and again."""

    def __init__(self, clients: Clients, door: Door, most: int) -> None:
        """Make one that does not look yet.

        Args:
            clients: What is known of them; it says which to end.
            door: What they come through.
            most: How many connections fit.
        """
        self._clients = clients
        self._door = door
        self._ports = {one.getsockname()[1] for one in door.listening}
        self._scarce = int(_SCARCE * most)
        self._count = 0
        self._guarded = False

    async def run(self) -> None:
        """Look until cancelled; where sockets can't be found there is nothing to do."""
        if not HAVE_DESCRIPTORS:
            return
        with contextlib.closing(Sockets(self._ports)) as sockets:
            while True:
                took = 0.0
                try:
                    took = await self.sweep(sockets)
                except Exception as error:  # a relay that can't look goes on without
                    report_defect(error)
                await asyncio.sleep(max(self._clients.shares.look, _SHARE * took))

    async def sweep(self, sockets: Sockets) -> float:
        """Look at all connections once; return the seconds that it took of the loop's time."""
        clients = self._clients
        hurried = self._count > self._scarce
        # One accepted at the last look, behind its back, is seen by this one.
        guarded, self._guarded = self._guarded, self._door.guarded
        sockets.lets_through = guarded or self._guarded
        clients.begin_look()
        count, took = 0, 0.0
        started = time.perf_counter()
        for found in sockets:
            if found is not None:
                count += 1
                if clients.look(found.client, found.received, hurried=hurried):
                    clients.ended += sockets.end(found)
            spent = time.perf_counter() - started
            if spent > _SLICE_S:
                took += spent
                await asyncio.sleep(0)
                started = time.perf_counter()
        clients.end_look()
        self._door.refuse(list(clients.refused))
        self._count = count
        return took + time.perf_counter() - started
