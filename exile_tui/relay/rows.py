"""Rows of mailboxes, and who is let in to them."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

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
# Whoever is not there is looked for at as many places of the file, under a number that is theirs
# until this process ends: a place that was just read is found sooner.
# What is last is whether the database knows of envelopes that wait in it.
_ROW = """
coalesce({m}.number, nobody.number), coalesce({m}.receive_hash, nobody.receive_hash),
coalesce({m}.send_hash, nobody.send_hash), coalesce({m}.expires, nobody.expires),
coalesce({m}.next_seq, nobody.next_seq),
EXISTS (SELECT 1 FROM slots WHERE mailbox = coalesce({m}.number, ?) AND seq >= 0)
"""
_JOINED = """
LEFT JOIN mailboxes {m} ON +{m}.id = ?
    AND {m}.number = coalesce((SELECT number FROM mailboxes WHERE id = ?), ?)
"""
_NUMBERS = 2**62 - 1
_WIDTH = 6
_TOGETHER = 4
"""Mailboxes that one statement reads, which takes less time than four and hands Python's lock to
other threads a quarter as often."""


def _find(count: int) -> str:
    """Return a statement that reads so many mailboxes, all of them as one row."""
    names = [f"m{place}" for place in range(count)]
    rows = ", ".join(_ROW.format(m=name) for name in names)
    joined = (_JOINED.format(m=name) for name in names)
    return " ".join(("SELECT", rows, "FROM (SELECT * FROM nobody LIMIT 1) AS nobody", *joined))


def _bound(mailbox_ids: Sequence[bytes]) -> list[bytes | int]:
    """Return what is bound to such a statement."""
    # Python's hash of bytes is SipHash under a key of this process: nobody can tell the place.
    places = [hash(mailbox_id) & _NUMBERS for mailbox_id in mailbox_ids]
    joined = zip(mailbox_ids, mailbox_ids, places, strict=True)
    return [*places, *(value for each in joined for value in each)]


_FIND, _FIND_TOGETHER = _find(1), _find(_TOGETHER)


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
    untouched: bool = False
    """Whether nothing waited in it when it was read, and nothing was appended since."""

    def has_given(self, seq: int) -> bool:
        """Tell whether a number is of this mailbox, and not of an earlier life of it."""
        return seq < self.next_seq and not 0 <= seq - self.read_seq < self.gap

    @property
    def exists(self) -> bool:
        """Whether there is such a mailbox."""
        return self.number >= 0


class MailboxRows:
    """Finds mailboxes, and remembers them for those who have shown the right token.

    Whoever has another token, and whoever names a mailbox that is not there, is answered by the
    same comparisons and statements.
    """

    def __init__(self, connection: sqlite3.Connection, arrivals: Arrivals) -> None:
        self._execute = connection.execute
        self._arrivals = arrivals
        self._execute(_NOBODY)
        self._rows: dict[bytes, Row] = {}
        # Apart: who may send may not receive, nor see by the time it takes whether somebody does.
        self._receivers: dict[bytes, Row] = {}
        self._senders: dict[bytes, Row] = {}
        self._read: dict[bytes, Sequence[Any]] = {}
        """What was read for the batch that is being done."""
        self._nobody = Row(-1, secrets.token_bytes(32), secrets.token_bytes(32), 0, 0)

    def read_for(self, senders: Iterable[tuple[bytes, bytes]]) -> None:
        """Read together what a batch is going to ask `sent_to_by` for and is not remembered.

        How many statements that takes depends on how many ask, whatever they ask for.

        Args:
            senders: The ids of mailboxes and the hashes of tokens.
        """
        self._read.clear()
        unknown = [
            mailbox_id
            for mailbox_id, send_hash in senders
            if not hmac.compare_digest(self._sender(mailbox_id).send_hash, send_hash)
        ]
        while len(unknown) >= _TOGETHER:
            some = [unknown.pop() for _ in range(_TOGETHER)]
            found = self._execute(_FIND_TOGETHER, _bound(some)).fetchone()
            for place, mailbox_id in enumerate(some):
                self._read[mailbox_id] = found[place * _WIDTH : (place + 1) * _WIDTH]
        for mailbox_id in unknown:
            self._read[mailbox_id] = self._read_one(mailbox_id)

    def find(self, mailbox_id: bytes) -> Row:
        """Return a mailbox as it is stored; of an unknown one a row that nobody has a token for."""
        return self._as_row(self._read_one(mailbox_id))

    def received_by(self, mailbox_id: bytes, receive_hash: bytes) -> Row | None:
        """Return a mailbox, expired or not, for who may receive from it."""
        row = self._receivers.get(mailbox_id, self._nobody)
        if hmac.compare_digest(row.receive_hash, receive_hash):
            return row
        row = self.find(mailbox_id)
        if not hmac.compare_digest(row.receive_hash, receive_hash):
            return None
        row = self._receivers[mailbox_id] = self._remember(mailbox_id, row)
        return row

    def sent_to_by(self, mailbox_id: bytes, send_hash: bytes) -> Row | None:
        """Return a mailbox, expired or not, for who may send to it."""
        row = self._sender(mailbox_id)
        if hmac.compare_digest(row.send_hash, send_hash):
            return row
        found = self._as_row(self._read.get(mailbox_id) or self._read_one(mailbox_id))
        if not hmac.compare_digest(found.send_hash, send_hash):
            return None
        row = self._senders[mailbox_id] = self._remember(mailbox_id, found)
        # As it is now: whether somebody received while something waited is not the sender's to see.
        row.untouched = found.untouched
        return row

    def forget(self, mailbox_id: bytes) -> None:
        """Drop what is known of a mailbox that is made or deleted in the database."""
        self._read.clear()  # all of it: nobody sees that it was just theirs that somebody changed
        for known in (self._rows, self._receivers, self._senders):
            known.pop(mailbox_id, None)

    def renew(self, mailbox_id: bytes, expires: int) -> None:
        """Note that a mailbox lives longer; who sends to it need not read it again."""
        self._read.clear()
        known = self._rows.get(mailbox_id)
        if known is not None:
            known.expires = expires

    def clear(self) -> None:
        """Drop everything: after a transaction was undone."""
        for known in (self._read, self._rows, self._receivers, self._senders):
            known.clear()

    def _read_one(self, mailbox_id: bytes) -> Sequence[Any]:
        row: Sequence[Any] = self._execute(_FIND, _bound([mailbox_id])).fetchone()
        return row

    def _as_row(self, found: Sequence[Any]) -> Row:
        number, receives, sends, expires, seq, settled = found
        row = Row(number, receives, sends, expires, self._arrivals.next_seq(number, seq))
        row.untouched = not (settled or self._arrivals.index.of(number))
        return row

    def _sender(self, mailbox_id: bytes) -> Row:
        return self._senders.get(mailbox_id, self._nobody)

    def _remember(self, mailbox_id: bytes, row: Row) -> Row:
        if len(self._rows) >= _MAX:
            self.clear()
        gap = secrets.randbits(_GAP_BITS)  # for nothing too: who sends would see if none is drawn
        known = self._rows.get(mailbox_id)
        if known is not None:  # one row for both tokens: what one changes, the other sees
            return known
        if row.next_seq < _GAPS_END:
            row.read_seq, row.gap = row.next_seq, gap
            row.next_seq += gap
        self._rows[mailbox_id] = row
        return row
