"""Tickets in SQLite: each lets one mailbox be created (docs/protocol.md, sections 4 and 8)."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3

from exile_tui.clock import Clock
from exile_tui.relay import engine
from exile_tui.relay.engine import QuotaReached
from exile_tui.relay.limits import Limits, today
from exile_tui.relay.schema import random_number


class Tickets:
    """Tickets by their hashes."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits, clock: Clock) -> None:
        self._execute = connection.execute
        self._limits = limits
        self._clock = clock
        self.forgot = False

    def put(self, operation: engine.PutTicket) -> None:
        """Allow one mailbox; the later expiry of the same ticket counts."""
        (count,) = self._execute("SELECT count(*) FROM tickets").fetchone()
        if count >= self._limits.tickets:
            raise QuotaReached
        self._execute(
            "INSERT INTO tickets (number, hash, expires) VALUES (?, ?, ?) "
            "ON CONFLICT (hash) DO UPDATE SET expires = max(expires, excluded.expires)",
            (random_number(), operation.ticket_hash, operation.expires),
        )

    def spend(self, ticket: bytes, mailbox_id: bytes) -> bool:
        """Spend a ticket on a mailbox; again on the same one is a success."""
        ticket_hash = hashlib.sha256(ticket).digest()
        found = self._execute(
            "SELECT expires, spent FROM tickets WHERE hash = ?", (ticket_hash,)
        ).fetchone()
        expires, spent = found or (0, None)
        if expires <= today(self._clock):
            return False
        # Keyed by the ticket, which the relay does not keep: its files don't tie ticket to mailbox.
        binding = hashlib.blake2b(mailbox_id, key=ticket, digest_size=16).digest()
        if spent is not None:
            return hmac.compare_digest(spent, binding)
        self._execute("UPDATE tickets SET spent = ? WHERE hash = ?", (binding, ticket_hash))
        return True

    def sweep(self) -> None:
        """Delete expired tickets."""
        deleted = self._execute("DELETE FROM tickets WHERE expires <= ?", (today(self._clock),))
        self.forgot = self.forgot or deleted.rowcount > 0
