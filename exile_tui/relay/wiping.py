"""How deleted bytes leave a relay's database: its log is emptied, a small file rewritten."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol

from exile_tui.relay.schema import PAGE
from exile_tui.relay.slots import Slots

REWRITE_LIMIT = 32 * 1024 * 1024
"""Bytes of what is rewritten at most after ids were deleted: 0.2 s of the disk's time."""

ORDER_LIMIT = 8 * 1024 * 1024
"""Bytes of what is rewritten at most after any change, to give up the order of arrival.

Between few envelopes the order would tell who answered whom.
"""


class Part(Protocol):
    """A part of the database with ids or hashes in it."""

    forgot: bool
    """Whether some were deleted since the file was last rewritten."""


class Held(Protocol):
    """What holds bodies elsewhere."""

    @property
    def bytes(self) -> int:
        """How many bytes they have."""
        ...


class Wiping:
    """Wipes one database; not while a transaction is open."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        slots: Slots,
        staying: Held,
        parts: Sequence[Part],
        reload: Callable[[], None],
        undo: Callable[[], None],
    ) -> None:
        """Make what wipes.

        Args:
            connection: The database's.
            slots: Where its bodies lie.
            staying: Where the journal's lie that it knows.
            parts: What ids and hashes are in.
            reload: Forgets what memory holds of the file.
            undo: Takes back what is open after a failure.
        """
        self._connection = connection
        self._slots = slots
        self._staying = staying
        self._parts = parts
        self._reload = reload
        self._undo = undo
        self._moved = False
        self.changed = True
        """Whether a row was changed since the file was last looked at."""

    def wipe(self) -> bool:
        """Make deleted bytes unrecoverable; return whether something is left to do.

        Raises:
            sqlite3.Error: The disk is full or fails.
        """
        try:
            if self.changed:
                self._forget()
                self.changed = False
        finally:  # where there is no room for rewriting, what was deleted must leave the log still
            busy = self._empty_log()
        return busy

    def overwrite(self, blank: Callable[[], None]) -> None:
        """Make deleted bytes of envelopes unrecoverable where the journal can't be settled yet.

        Args:
            blank: Overwrites what was deleted in the journal.

        Raises:
            sqlite3.Error, OSError: The disk is full or fails; what could be done was done.
        """
        try:
            blank()
        finally:
            self._empty_log()

    def _empty_log(self) -> bool:
        """Empty the log; return whether it is still in use."""
        checkpoint = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = checkpoint.fetchone()
        return bool(busy)

    def _forget(self) -> None:
        """Rewrite the file where it is small enough, so that it holds no order and no old row."""
        limit = ORDER_LIMIT
        if any(part.forgot for part in self._parts):
            limit = REWRITE_LIMIT
        if self._moved or self._held_bytes() <= limit:
            self._rewrite()
            for part in self._parts:
                part.forgot = False

    def _rewrite(self) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._slots.shuffle()
            self._reload()
            connection.execute("COMMIT")
        except sqlite3.Error:
            self._undo()
            raise
        self._moved = True  # copies of what was moved may lie anywhere
        connection.execute("VACUUM")
        self._moved = False

    def _held_bytes(self) -> int:
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (unused,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        held = int(pages - unused) * PAGE - self._slots.free_bytes()
        return held + self._staying.bytes
