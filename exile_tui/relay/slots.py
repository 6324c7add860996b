"""Where bodies lie: slots of fixed sizes that are reused, never moved (see `schema`)."""

from __future__ import annotations

import heapq
import random
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from exile_tui.relay.index import Arrival
from exile_tui.wire.relay import ENVELOPE_SIZES

_NOT_HERE = 0
"""The size of a free slot that never held a body here."""


class Staying(NamedTuple):
    """Where a body is that stays in the journal."""

    file: int
    offset: int
    size: int


class Slots:
    """Free and taken slots of one database. Lowest first, so that writes stay close together."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._free: dict[int, list[int]] = {}
        self._next = 1
        self.reload()

    def reload(self) -> None:
        """Read the free slots from the file: at the start, and after a transaction was undone."""
        self._free = {size: [] for size in (_NOT_HERE, *ENVELOPE_SIZES)}
        query = "SELECT slot, size FROM slots WHERE mailbox IS NULL ORDER BY slot"
        for slot, size in self._connection.execute(query):
            self._free[size].append(slot)  # ascending, which is a heap
        (last,) = self._connection.execute("SELECT max(slot) FROM slots").fetchone()
        self._next = (last or 0) + 1

    def take(self, body: bytes, mailbox: int, seq: int | None, expires: int | None) -> int:
        """Put a body into a free slot of the smallest size that fits, and return the slot."""
        size = next(size for size in ENVELOPE_SIZES if size >= len(body))
        padded = body.ljust(size, b"\0")
        execute = self._connection.execute
        if self._free[size]:
            slot = heapq.heappop(self._free[size])
            execute(
                "UPDATE slots SET mailbox = ?, seq = ?, expires = ? WHERE slot = ?",
                (mailbox, seq, expires, slot),
            )
            execute("UPDATE bodies SET body = ? WHERE slot = ?", (padded, slot))
            return slot
        slot = self._next
        self._next += 1
        execute(
            "INSERT INTO slots (slot, size, mailbox, seq, expires) VALUES (?, ?, ?, ?, ?)",
            (slot, size, mailbox, seq, expires),
        )
        execute("INSERT INTO bodies VALUES (?, ?)", (slot, padded))
        return slot

    def note(self, file: int, mailbox: int, staying: Iterable[tuple[int, Arrival]]) -> None:
        """Note envelopes, by number, that stay in a file of the journal, each in its own slot."""
        free = self._free[_NOT_HERE]
        rows = [(one.size, mailbox, seq, one.expires, file, one.offset) for seq, one in staying]
        again = [(*row, heapq.heappop(free)) for row in rows[: len(free)]]
        first = self._next
        self._next += len(rows) - len(again)
        execute = self._connection.executemany
        execute(
            "UPDATE slots SET size = ?, mailbox = ?, seq = ?, expires = ?, file = ?, start = ? "
            "WHERE slot = ?",
            again,
        )
        execute(
            "INSERT INTO slots (size, mailbox, seq, expires, file, start, slot) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*row, slot) for slot, row in enumerate(rows[len(again) :], first)],
        )

    def forget(self, slot: int) -> None:
        """Give back the slot of a body that lies in the journal."""
        self._connection.execute(
            "UPDATE slots SET size = ?, mailbox = NULL, seq = NULL, expires = NULL, file = NULL, "
            "start = NULL WHERE slot = ?",
            (_NOT_HERE, slot),
        )
        heapq.heappush(self._free[_NOT_HERE], slot)

    def free(self, slot: int, size: int) -> None:
        """Overwrite a slot with zeros and give it back."""
        execute = self._connection.execute
        execute(
            "UPDATE slots SET mailbox = NULL, seq = NULL, expires = NULL WHERE slot = ?", (slot,)
        )
        execute("UPDATE bodies SET body = zeroblob(?) WHERE slot = ?", (size, slot))
        heapq.heappush(self._free[size], slot)

    def free_bytes(self) -> int:
        """Count the bytes of free slots."""
        return sum(size * len(slots) for size, slots in self._free.items())

    def shuffle(self) -> None:
        """Remove free slots, number the others anew at random; only right before a rewriting.

        Slots are taken in the order of arrival, which would say what came right after what.
        """
        execute = self._connection.execute
        execute("DELETE FROM bodies WHERE slot IN (SELECT slot FROM slots WHERE mailbox IS NULL)")
        execute("DELETE FROM slots WHERE mailbox IS NULL")
        old = [slot for (slot,) in execute("SELECT slot FROM slots")]
        random.SystemRandom().shuffle(old)
        blobs = dict(execute("SELECT slot, number FROM blobs").fetchall())
        for new, slot in enumerate(old, self._next):
            execute("UPDATE bodies SET slot = ? WHERE slot = ?", (new, slot))
            execute("UPDATE slots SET slot = ? WHERE slot = ?", (new, slot))
            if slot in blobs:
                execute("UPDATE blobs SET slot = ? WHERE number = ?", (new, blobs[slot]))
        self.reload()
