"""Rows of mailboxes, and who is let in to them."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from dataclasses import dataclass

from exile_tui.relay.arrivals import Arrivals

_MAX = 50_000
"""Rows kept in memory at most, some 30 MB; then all are read again as they are needed."""

_GAP_BITS = 38
"""Bits of the random gap that is left in a mailbox's numbers each time its row is read.

Numbers that were sent and then lost, with a batch that could not be written or in a crash, are in
no file: what comes later has others, so that an acknowledgement of the lost ones hits nothing.
"""
_GAPS_END = 2**62
"""From here on none is left: who makes their own mailbox be read again and again ends there; a
mailbox that is read every 20 seconds, after 16 years."""

# A row of the same shape, for whoever names a mailbox that is not there: finding it takes as long.
_NOBODY = """
CREATE TEMP TABLE nobody AS SELECT -1 AS number, randomblob(32) AS receive_hash,
    randomblob(32) AS send_hash, 0 AS expires, 0 AS next_seq
"""
_FIND = """
SELECT number, receive_hash, send_hash, expires, next_seq FROM mailboxes WHERE id = ?
UNION ALL SELECT number, receive_hash, send_hash, expires, next_seq FROM nobody LIMIT 1
"""


@dataclass(slots=True)
class Row:
    """A mailbox as stored."""

    number: int
    receive_hash: bytes
    send_hash: bytes
    expires: int
    next_seq: int
    """The number of the next envelope; in the database that of the first one that may still be in
    the journal."""
    gap: int = 0
    """How many numbers were left out when it was read."""
    read_seq: int = 0
    """The number that would have been the next one then."""

    def has_given(self, seq: int) -> bool:
        """Tell whether a number is of this mailbox, and not of an earlier life of it."""
        return seq < self.next_seq and not 0 <= seq - self.read_seq < self.gap

    @property
    def exists(self) -> bool:
        """Whether there is such a mailbox."""
        return self.number >= 0


class MailboxRows:
    """Finds mailboxes, and remembers them for those who have shown the right token.

    What is remembered is found by id and token hash together. Whoever has another token, and
    whoever names a mailbox that is not there, is answered by the same statement and comparison.
    """

    def __init__(self, connection: sqlite3.Connection, arrivals: Arrivals) -> None:
        self._execute = connection.execute
        self._arrivals = arrivals
        self._execute(_NOBODY)
        self._rows: dict[bytes, Row] = {}
        # Apart: who may send may not receive.
        self._receivers: dict[bytes, Row] = {}
        self._senders: dict[bytes, Row] = {}

    def find(self, mailbox_id: bytes) -> Row:
        """Return a mailbox as it is stored; of an unknown one a row that nobody has a token for."""
        number, receives, sends, expires, seq = self._execute(_FIND, (mailbox_id,)).fetchone()
        return Row(number, receives, sends, expires, self._arrivals.next_seq(number, seq))

    def received_by(self, mailbox_id: bytes, receive_hash: bytes) -> Row | None:
        """Return a mailbox, expired or not, for who may receive from it."""
        row = self._receivers.get(mailbox_id + receive_hash)
        if row is None:
            row = self.find(mailbox_id)
            if not hmac.compare_digest(row.receive_hash, receive_hash):
                return None
            row = self._remember(mailbox_id, row)
            self._receivers[mailbox_id + receive_hash] = row
        return row

    def sent_to_by(self, mailbox_id: bytes, send_hash: bytes) -> Row | None:
        """Return a mailbox, expired or not, for who may send to it."""
        row = self._senders.get(mailbox_id + send_hash)
        if row is None:
            row = self.find(mailbox_id)
            if not hmac.compare_digest(row.send_hash, send_hash):
                return None
            row = self._remember(mailbox_id, row)
            self._senders[mailbox_id + send_hash] = row
        return row

    def forget(self, mailbox_id: bytes) -> None:
        """Drop what is remembered of a mailbox that is changed or deleted in the database."""
        row = self._rows.pop(mailbox_id, None)
        if row is not None:
            self._receivers.pop(mailbox_id + row.receive_hash, None)
            self._senders.pop(mailbox_id + row.send_hash, None)

    def clear(self) -> None:
        """Drop everything: after a transaction was undone."""
        self._rows.clear()
        self._receivers.clear()
        self._senders.clear()

    def _remember(self, mailbox_id: bytes, row: Row) -> Row:
        if len(self._rows) >= _MAX:
            self.clear()
        known = self._rows.get(mailbox_id)
        if known is not None:  # one row for both tokens: what one changes, the other sees
            return known
        if row.next_seq < _GAPS_END:
            row.read_seq, row.gap = row.next_seq, secrets.randbits(_GAP_BITS)
            row.next_seq += row.gap
        self._rows[mailbox_id] = row
        return row
