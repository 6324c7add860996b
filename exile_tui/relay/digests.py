"""Which envelopes lie in a mailbox, by their hashes: in memory only.

A stored hash would stay in the slack of the database's pages after its envelope was acknowledged.
A mailbox's envelopes are hashed when something is first appended to it.
"""

from __future__ import annotations

import hashlib
import sqlite3

_DIGEST = 16

_MAX = 200_000
"""Hashes held at most, some 60 MB; then all are dropped and made again as they are needed."""


class Digests:
    """The slots of waiting envelopes by mailbox and hash."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, dict[bytes, int]] = {}
        self._places: dict[int, tuple[int, bytes]] = {}

    def slot_of(self, mailbox: int, envelope: bytes) -> int | None:
        """Return the slot in which these bytes lie already."""
        if mailbox not in self._known:
            self._load(mailbox)
        return self._known[mailbox].get(_digest_of(envelope))

    def add(self, mailbox: int, slot: int, envelope: bytes) -> None:
        """Note an envelope that was stored, after `slot_of` was asked for it."""
        digest = _digest_of(envelope)
        self._known[mailbox][digest] = slot
        self._places[slot] = mailbox, digest

    def forget(self, slot: int) -> None:
        """Drop what is known of a slot that is freed."""
        mailbox, digest = self._places.pop(slot, (0, b""))
        known = self._known.get(mailbox)
        if known is not None:
            known.pop(digest, None)
            if not known:
                del self._known[mailbox]

    def clear(self) -> None:
        """Drop everything: after a transaction was undone, or slots got other numbers."""
        self._known.clear()
        self._places.clear()

    def _load(self, mailbox: int) -> None:
        if len(self._places) + len(self._known) > _MAX:
            self.clear()
        self._known[mailbox] = {}
        for slot, body in self._connection.execute(
            "SELECT slot, body FROM slots JOIN bodies USING (slot) WHERE mailbox = ? AND seq >= 0",
            (mailbox,),
        ):
            self.add(mailbox, slot, body)


def _digest_of(envelope: bytes) -> bytes:
    return hashlib.sha256(envelope).digest()[:_DIGEST]
