"""Where bodies lie: slots of fixed sizes that are reused, never moved (see `schema`)."""

from __future__ import annotations

import heapq
import sqlite3

from exile_tui.wire.relay import ENVELOPE_SIZES


class Slots:
    """Free and taken slots of one database. Lowest first, so that writes stay close together."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._free: dict[int, list[int]] = {}
        self._next = 1
        self.reload()

    def reload(self) -> None:
        """Read the free slots from the file: at the start, and after a transaction was undone."""
        self._free = {size: [] for size in ENVELOPE_SIZES}
        query = "SELECT slot, size FROM slots WHERE mailbox IS NULL ORDER BY slot"
        for slot, size in self._connection.execute(query):
            self._free[size].append(slot)  # ascending, which is a heap
        (last,) = self._connection.execute("SELECT max(slot) FROM slots").fetchone()
        self._next = (last or 0) + 1

    def take(
        self, body: bytes, mailbox: int, seq: int | None, expires: int | None, digest: bytes | None
    ) -> int:
        """Put a body into a free slot of the smallest size that fits, and return the slot."""
        size = next(size for size in ENVELOPE_SIZES if size >= len(body))
        padded = body.ljust(size, b"\0")
        execute = self._connection.execute
        if self._free[size]:
            slot = heapq.heappop(self._free[size])
            execute(
                "UPDATE slots SET mailbox = ?, seq = ?, expires = ?, digest = ? WHERE slot = ?",
                (mailbox, seq, expires, digest, slot),
            )
            execute("UPDATE bodies SET body = ? WHERE slot = ?", (padded, slot))
            return slot
        slot = self._next
        self._next += 1
        execute(
            "INSERT INTO slots VALUES (?, ?, ?, ?, ?, ?)",
            (slot, size, mailbox, seq, expires, digest),
        )
        execute("INSERT INTO bodies VALUES (?, ?)", (slot, padded))
        return slot

    def free(self, slot: int, size: int) -> None:
        """Overwrite a slot with zeros and give it back."""
        execute = self._connection.execute
        execute(
            "UPDATE slots SET mailbox = NULL, seq = NULL, expires = NULL, digest = NULL "
            "WHERE slot = ?",
            (slot,),
        )
        execute("UPDATE bodies SET body = zeroblob(?) WHERE slot = ?", (size, slot))
        heapq.heappush(self._free[size], slot)

    def drop_free(self) -> None:
        """Remove every free slot from the file; only right before the file is rewritten."""
        self._connection.execute(
            "DELETE FROM bodies WHERE slot IN (SELECT slot FROM slots WHERE mailbox IS NULL)"
        )
        self._connection.execute("DELETE FROM slots WHERE mailbox IS NULL")
        self.reload()
