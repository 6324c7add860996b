"""How what still waits leaves the journal for the database."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.envelopes import Envelopes

SETTLE = 64
"""Envelopes and mailboxes that are moved at once, so that no batch waits for long. Two at least."""

_MOST = 8
"""Times as many at most."""

_BURST, _SMALLEST = 1 << 31, 1 << 26
_SHARE = 8
"""Part of the memory that the journal may be large: its index takes an eighth of that."""


def room_for_bursts() -> int:
    """Return how many bytes of what came in may lie in the journal, for the memory there is."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # where the system doesn't tell
        return _BURST // 2
    return max(_SMALLEST, min(_BURST, min(memory, _allowed()) // _SHARE))


def _allowed() -> int:
    """Return how much memory a container or unit may use; very much where there is no limit."""
    try:
        group = Path("/proc/self/cgroup").read_text("ascii").rpartition("0::/")[2].strip()
        return int(Path("/sys/fs/cgroup", group, "memory.max").read_text("ascii"))
    except (OSError, ValueError):  # also the word for no limit
        return sys.maxsize


class Settling:
    """Moves envelopes, a transaction at a time; not while another one is open."""

    def __init__(
        self, connection: sqlite3.Connection, arrivals: Arrivals, envelopes: Envelopes
    ) -> None:
        self._execute = connection.execute
        self._arrivals = arrivals
        self._envelopes = envelopes
        self._came = 0
        self.hurried = False
        """Whether as much is to be moved as can be, however long a batch waits."""

    def some(self) -> None:
        """Move some of the journal's oldest file; delete the file behind it.

        Raises:
            sqlite3.Error: The disk is full or fails; what this began is to be undone.
            OSError: The same.
        """
        if not self._arrivals.closed:
            return
        segment = self._arrivals.closed[0]
        self._execute("BEGIN IMMEDIATE")
        done = self._envelopes.settle(segment, self._how_many())
        self._execute("COMMIT")
        self._arrivals.keep()
        for mailbox in done:
            del segment.newest[mailbox]
        if not segment.newest:
            self._arrivals.settled(segment)

    def _how_many(self) -> int:
        """Return how many to move: more than came in since the last time, or it would never end."""
        came, self._came = self._arrivals.came - self._came, self._arrivals.came
        if self.hurried:
            return _MOST * SETTLE
        enough = 2 * came if came else SETTLE * len(self._arrivals.closed)
        return min(max(enough, SETTLE), _MOST * SETTLE)
