"""Which envelopes wait in a mailbox, by their hashes and numbers: in memory only.

A stored hash would stay in the slack of the database's pages after its envelope was acknowledged.
What waits in a mailbox is read when something is first appended to it; from then on, appending,
looking for more and acknowledging ask the database for nothing that is known here.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, field

_DIGEST = 16

_MAX = 200_000
"""Envelopes and mailboxes known at most, some 90 MB; then all are dropped and read again as they
are needed."""


def digest_of(envelope: bytes) -> bytes:
    """Return what stands for an envelope's bytes, 16 bytes."""
    return hashlib.sha256(envelope).digest()[:_DIGEST]


@dataclass(slots=True)
class Waiting:
    """The envelopes of one mailbox."""

    by_digest: dict[bytes, int] = field(default_factory=dict)
    """The number of each."""
    by_seq: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    """Slot, the slot's size in bytes, and digest of each, in their order of arrival."""

    @property
    def newest(self) -> int:
        """The number of the one that came last; -1 for none."""
        return next(reversed(self.by_seq), -1)

    def add(self, seq: int, slot: int, size: int, digest: bytes) -> None:
        """Note an envelope that is stored."""
        self.by_digest[digest] = seq
        self.by_seq[seq] = slot, size, digest


class WaitingEnvelopes:
    """The envelopes of the mailboxes in use."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, Waiting] = {}
        self._count = 0

    def known(self, mailbox: int) -> Waiting | None:
        """Return what waits in a mailbox if it was read before."""
        return self._known.get(mailbox)

    def of(self, mailbox: int) -> Waiting:
        """Return what waits in a mailbox, read if need be."""
        if self._count + len(self._known) > _MAX:
            self.clear()
        return self._known.get(mailbox) or self._load(mailbox)

    def add(self, mailbox: int, seq: int, slot: int, size: int, digest: bytes) -> None:
        """Note an envelope that was stored in a mailbox that is known."""
        self._known[mailbox].add(seq, slot, size, digest)
        self._count += 1

    def forget(self, mailbox: int, seq: int) -> None:
        """Drop what is known of an envelope that is deleted."""
        known = self._known.get(mailbox)
        if known is not None and seq in known.by_seq:
            _, _, digest = known.by_seq.pop(seq)
            known.by_digest.pop(digest, None)
            self._count -= 1

    def drop(self, mailbox: int) -> None:
        """Drop what is known of a mailbox that is deleted."""
        known = self._known.pop(mailbox, None)
        if known is not None:
            self._count -= len(known.by_seq)

    def clear(self) -> None:
        """Drop everything: after a transaction was undone, or slots got other numbers."""
        self._known.clear()
        self._count = 0

    def _load(self, mailbox: int) -> Waiting:
        waiting = self._known[mailbox] = Waiting()
        for seq, slot, size, body in self._connection.execute(
            "SELECT seq, slot, size, body FROM slots JOIN bodies USING (slot) "
            "WHERE mailbox = ? AND seq >= 0 ORDER BY seq",
            (mailbox,),
        ):
            waiting.add(seq, slot, size, digest_of(body))
            self._count += 1
        return waiting
