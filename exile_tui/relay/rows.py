"""Rows of mailboxes, and who is let in to them."""

from __future__ import annotations

import hmac
import sqlite3
from dataclasses import dataclass

_MAX = 50_000
"""Rows kept in memory at most, some 30 MB; then all are read again as they are needed."""


@dataclass(slots=True)
class Row:
    """A mailbox as stored."""

    number: int
    receive_hash: bytes
    send_hash: bytes
    expires: int
    next_seq: int


NOBODY = Row(-1, bytes(32), bytes(32), 0, 0)
"""Stands for an unknown mailbox, so that the same statements run and the same bytes compare."""


class MailboxRows:
    """Finds mailboxes, and remembers them for those who have shown the right token.

    What is remembered is found by id and token hash together. Whoever has another token, and
    whoever names a mailbox that is not there, is answered by the same statement and comparison.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._rows: dict[bytes, Row] = {}
        self._entries: dict[bytes, Row] = {}

    def find(self, mailbox_id: bytes) -> Row:
        """Return a mailbox as it is stored, `NOBODY` for an unknown one."""
        found = self._execute(
            "SELECT number, receive_hash, send_hash, expires, next_seq FROM mailboxes WHERE id = ?",
            (mailbox_id,),
        ).fetchone()
        return NOBODY if found is None else Row(*found)

    def received_by(self, mailbox_id: bytes, receive_hash: bytes) -> Row | None:
        """Return a mailbox, expired or not, for who may receive from it."""
        row = self._entries.get(mailbox_id + receive_hash)
        if row is None:
            row = self.find(mailbox_id)
            if not hmac.compare_digest(row.receive_hash, receive_hash):
                return None
            row = self._remember(mailbox_id, receive_hash, row)
        return row

    def sent_to_by(self, mailbox_id: bytes, send_hash: bytes) -> Row | None:
        """Return a mailbox, expired or not, for who may send to it."""
        row = self._entries.get(mailbox_id + send_hash)
        if row is None:
            row = self.find(mailbox_id)
            if not hmac.compare_digest(row.send_hash, send_hash):
                return None
            row = self._remember(mailbox_id, send_hash, row)
        return row

    def forget(self, mailbox_id: bytes) -> None:
        """Drop what is remembered of a mailbox that is changed or deleted in the database."""
        row = self._rows.pop(mailbox_id, None)
        if row is not None:
            self._entries.pop(mailbox_id + row.receive_hash, None)
            self._entries.pop(mailbox_id + row.send_hash, None)

    def clear(self) -> None:
        """Drop everything: after a transaction was undone."""
        self._rows.clear()
        self._entries.clear()

    def _remember(self, mailbox_id: bytes, token_hash: bytes, row: Row) -> Row:
        if row is NOBODY:  # its hashes are known: let nobody in by them
            return row
        if len(self._rows) >= _MAX:
            self.clear()
        # One row for both tokens: what one changes, the other sees.
        row = self._rows.setdefault(mailbox_id, row)
        self._entries[mailbox_id + token_hash] = row
        return row
