"""How what still waits leaves the journal for the database."""

from __future__ import annotations

import sqlite3

from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.envelopes import Envelopes


class Settling:
    """Moves envelopes, a transaction at a time; not while another one is open."""

    def __init__(
        self, connection: sqlite3.Connection, arrivals: Arrivals, envelopes: Envelopes
    ) -> None:
        self._execute = connection.execute
        self._arrivals = arrivals
        self._envelopes = envelopes

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
        done = self._envelopes.settle(segment, len(self._arrivals.closed))
        self._execute("COMMIT")
        self._arrivals.keep()
        for mailbox in done:
            del segment.newest[mailbox]
        if not segment.newest:
            self._arrivals.settled(segment)
