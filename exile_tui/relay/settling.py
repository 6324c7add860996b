"""How what still waits comes from the journal to the database, or becomes known to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.envelopes import Envelopes
from exile_tui.relay.index import OpenSegment
from exile_tui.relay.memory import memory
from exile_tui.relay.staying import blank_each, blank_some, may_stay, scrub

SETTLE = 64
"""Envelopes and mailboxes that are moved at once, so that no batch waits for long. Two at least."""

_MOST = 8
"""Times as many at most."""
_LIGHT = 4
"""Times as many where bodies stay in their file: that is so much less work."""

_BURST, _SMALLEST = 1 << 32, 1 << 26
_SHARE = 6
"""Part of the memory that the journal may be large: its index takes a sixteenth of that."""


def room_for_bursts() -> int:
    """Return how many bytes of what came in may lie in the journal, for the memory there is."""
    return max(_SMALLEST, min(_BURST, memory() // _SHARE))


class Settling:
    """Moves envelopes, a transaction at a time; not while another one is open."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        arrivals: Arrivals,
        envelopes: Envelopes,
        has_room: Callable[[], bool],
    ) -> None:
        """Make what moves.

        Args:
            connection: The database's.
            arrivals: The journal.
            envelopes: What waits.
            has_room: Tells whether the disk has room for more.
        """
        self._execute = connection.execute
        self._arrivals = arrivals
        self._envelopes = envelopes
        self._has_room = has_room
        self._came = 0
        self.hurried = False
        """Whether as much is to be moved as can be, however long a batch waits."""

    def some(self) -> None:
        """Settle some of the journal's oldest file; end the file behind it.

        Raises:
            sqlite3.Error: The disk is full or fails; what this began is to be undone.
            OSError: The same.
        """
        if not self._arrivals.closed:
            return
        segment = self._arrivals.closed[0]
        self._execute("BEGIN IMMEDIATE")
        stays, many = may_stay(segment), self._how_many()
        done = self._envelopes.settle(segment, many * _LIGHT if stays else many, stays=stays)
        self._execute("COMMIT")
        self._arrivals.keep()
        for mailbox in done:
            del segment.newest[mailbox]
        if not segment.newest:
            self._arrivals.settled(segment)

    def tidy(self) -> bool:
        """Do a part of what is to be done in files that stay; return whether that was all.

        Where little is left in one, that is moved; what was deleted is overwritten.

        Raises:
            sqlite3.Error: The disk is full or fails; what this began is to be undone.
            OSError: The same.
        """
        staying = self._arrivals.staying
        straggling = staying.straggling(tight=not self._has_room())
        if any(self._try(self._clean, segment) for segment in staying):
            return False
        return straggling is None or self._try(self._gather, straggling)

    def _try(self, do: Callable[[OpenSegment], bool], segment: OpenSegment) -> bool:
        try:
            return do(segment)
        except OSError:
            self._arrivals.staying.put_last(segment)  # or it would keep others back for ever
            raise

    def _clean(self, segment: OpenSegment) -> bool:
        """Overwrite some of what was deleted in a file; return whether there was something."""
        if not segment.kept:
            return False
        if segment.unseen:
            scrub(segment, self._envelopes.noted)
        elif segment.deleted:
            blank_some(segment)
        else:
            return False
        return True

    def blank(self) -> None:
        """Overwrite what was deleted in all files, where they can't be settled just now.

        Raises:
            sqlite3.Error, OSError: The disk fails; all other files are done.
        """
        blank_each(self._arrivals.files(), self._envelopes.noted)

    def _gather(self, segment: OpenSegment) -> bool:
        """Move some of what is left in a file, and delete the file behind it; return False."""
        self._execute("BEGIN IMMEDIATE")
        left = self._envelopes.gather(segment.number, _MOST * SETTLE)
        self._execute("COMMIT")
        self._arrivals.keep()
        if not left:  # the database has the last word
            self._arrivals.staying.remove(segment)
        return False

    def _how_many(self) -> int:
        """Return how many to move: more than came in since the last time, or it would never end."""
        came, self._came = self._arrivals.came - self._came, self._arrivals.came
        if self.hurried:
            return _MOST * SETTLE
        enough = 2 * came if came else SETTLE * len(self._arrivals.closed)
        return min(max(enough, SETTLE), _MOST * SETTLE)
