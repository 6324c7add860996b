"""Blobs in SQLite: written once, read by whoever knows the id, gone when they expire."""

from __future__ import annotations

import hmac
import sqlite3

from exile_tui.clock import Clock
from exile_tui.relay import engine
from exile_tui.relay.engine import NewBlob
from exile_tui.relay.limits import Limits, today
from exile_tui.relay.schema import random_number
from exile_tui.relay.slots import Slots
from exile_tui.wire.relay import Verdict

_SWEEP = 64
_BLOB_SLOT = 0
"""What slots.mailbox holds for a blob's slot."""


class Blobs:
    """Blobs by their ids."""

    def __init__(
        self, connection: sqlite3.Connection, slots: Slots, limits: Limits, clock: Clock
    ) -> None:
        self._execute = connection.execute
        self._slots = slots
        self._limits = limits
        self._clock = clock
        self.forgot = False
        """Whether ids or hashes were deleted since the file was last rewritten."""

    def count(self) -> tuple[int, int]:
        """Count all blobs, and their bytes."""
        row: tuple[int, int] = self._execute(
            "SELECT count(*), coalesce(sum(length), 0) FROM blobs"
        ).fetchone()
        return row

    def put(self, operation: engine.PutBlobs) -> list[Verdict]:
        """Store blobs, each for itself."""
        return [self._put_one(blob) for blob in operation.blobs]

    def _put_one(self, blob: NewBlob) -> Verdict:
        if not 1 <= len(blob.body) <= self._limits.blob_bytes:
            return Verdict.BAD_SIZE
        if blob.expires <= today(self._clock):
            return Verdict.REFUSED
        found = self._execute(
            "SELECT delete_hash, expires, length, slot FROM blobs WHERE id = ?", (blob.blob_id,)
        ).fetchone()
        if found is not None and found[1] > today(self._clock):
            (body,) = self._execute(
                "SELECT body FROM bodies WHERE slot = ?", (found[3],)
            ).fetchone()
            same = body[: found[2]] == blob.body and found[0] == blob.delete_hash
            return Verdict.STORED if same else Verdict.REFUSED
        if found is not None:
            self._remove(blob.blob_id, found[3])
        (count,) = self._execute("SELECT count(*) FROM blobs").fetchone()
        if count >= self._limits.blobs:
            return Verdict.FULL
        slot = self._slots.take(blob.body, _BLOB_SLOT, None, None)
        self._execute(
            "INSERT INTO blobs VALUES (?, ?, ?, ?, ?, ?)",
            (
                random_number(),
                blob.blob_id,
                blob.delete_hash,
                blob.expires,
                len(blob.body),
                slot,
            ),
        )
        return Verdict.STORED

    def get(self, operation: engine.GetBlobs) -> list[bytes | None]:
        """Read blobs in the order of their ids."""
        blobs: list[bytes | None] = []
        for blob_id in operation.blob_ids:
            found = self._execute(
                "SELECT length, body FROM blobs JOIN bodies USING (slot) "
                "WHERE id = ? AND expires > ?",
                (blob_id, today(self._clock)),
            ).fetchone()
            blobs.append(None if found is None else found[1][: found[0]])
        return blobs

    def delete(self, operation: engine.DeleteBlob) -> None:
        """Delete a blob if the token is its own."""
        found = self._execute(
            "SELECT delete_hash, slot FROM blobs WHERE id = ?", (operation.blob_id,)
        ).fetchone()
        delete_hash, slot = found or (bytes(32), 0)
        same = hmac.compare_digest(delete_hash, operation.delete_hash)
        if same and found is not None:
            self._remove(operation.blob_id, slot)

    def sweep(self) -> bool:
        """Delete expired blobs, a bounded number. Return whether there may be more."""
        expired = self._execute(
            "SELECT id, slot FROM blobs WHERE expires <= ? LIMIT ?", (today(self._clock), _SWEEP)
        ).fetchall()
        for blob_id, slot in expired:
            self._remove(blob_id, slot)
        return len(expired) == _SWEEP

    def _remove(self, blob_id: bytes, slot: int) -> None:
        (size,) = self._execute("SELECT size FROM slots WHERE slot = ?", (slot,)).fetchone()
        self._slots.free(slot, size)
        self._execute("DELETE FROM blobs WHERE id = ?", (blob_id,))
        self.forgot = True
