"""Mailboxes in SQLite: each function is one operation inside the batch's transaction."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Any

from exile_tui.clock import Clock
from exile_tui.relay import engine
from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.engine import QuotaReached
from exile_tui.relay.envelopes import SWEEP, Envelopes
from exile_tui.relay.limits import Limits, day_after, today
from exile_tui.relay.rows import MailboxRows, Row
from exile_tui.relay.schema import random_number
from exile_tui.relay.tickets import Tickets
from exile_tui.wire.encoding import encode_base64url
from exile_tui.wire.relay import Verdict

_STORED = Verdict.STORED


class Mailboxes:
    """Mailboxes and the envelopes in them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        envelopes: Envelopes,
        arrivals: Arrivals,
        tickets: Tickets,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._execute = connection.execute
        self._envelopes = envelopes
        self._tickets = tickets
        self._limits = limits
        self._clock = clock
        self.changed: dict[bytes, list[tuple[int, bytes]] | None] = {}
        """Ids of mailboxes whose readers have something to look at: what came, as (seq, envelope),
        None where more happened than that."""
        self.tally: Counter[str] = Counter()
        """What the batch did with envelopes, for `Activity`; it counts once this is committed."""
        self.refused: Counter[str] = Counter()
        """The verdicts of those that the batch did not store."""
        self.forgot = True  # a predecessor may have been killed between deleting and rewriting
        """Whether ids or hashes were deleted since the file was last rewritten."""
        self._rows = MailboxRows(connection, arrivals)
        self._count = 0
        self.made = 0
        """Mailboxes that were made since the start, without those that their owners deleted."""
        self.reload()

    def reload(self) -> None:
        """Forget what memory holds of the file: after an undone transaction or a rewriting."""
        self._rows.clear()
        self._envelopes.reload()
        (self._count,) = self._execute("SELECT count(*) FROM mailboxes").fetchone()

    def undo(self) -> None:
        """Take back what the batch gathered; `reload` follows."""
        self.changed.clear()
        self.tally.clear()
        self.refused.clear()

    def take_changed(self) -> dict[bytes, engine.News]:
        """Return what `changed` has gathered, and begin anew."""
        taken, self.changed = self.changed, {}
        return {mailbox_id: news or () for mailbox_id, news in taken.items()}

    @property
    def count(self) -> int:
        """How many mailboxes are held, those included that expired and were not swept yet."""
        return self._count

    def next_seq(self, number: int) -> int | None:
        """Return the number below which every envelope is settled; None: no such mailbox."""
        found = self._execute("SELECT next_seq FROM mailboxes WHERE number = ?", (number,))
        row = found.fetchone()
        return row and int(row[0])

    def read_for(self, batch: Iterable[engine.Operation[Any]]) -> None:
        """Read together the mailboxes that a batch is going to append to."""
        self._rows.read_for(
            (each.mailbox_id, each.send_hash) for each in batch if isinstance(each, engine.Append)
        )

    def create(self, operation: engine.CreateMailbox) -> bool:
        """Create a mailbox, or renew the same one."""
        mailbox_id = operation.mailbox_id
        expires = day_after(self._clock, self._limits.mailbox_days)
        row = self._rows.find(mailbox_id)
        lives = row.expires > today(self._clock)
        if not row.exists and self._count >= self._limits.mailboxes:
            raise QuotaReached
        ticket = None if lives else operation.ticket
        if ticket is not None and not self._tickets.spend(ticket, mailbox_id):
            return False
        if row.exists:  # also one that lapsed: what lies there may be by a wrong clock only
            expires = max(row.expires, expires)
            self._execute(
                "UPDATE mailboxes SET expires = ? WHERE number = ?", (expires, row.number)
            )
            self._rows.renew(mailbox_id, expires)
            if not lives:
                self.changed[mailbox_id] = None
            return True
        self._rows.forget(mailbox_id)
        # A random start: an acknowledgement meant for an earlier mailbox of this id, or for a
        # relay whose data was lost, must not delete what has not been fetched here.
        self._execute(
            "INSERT INTO mailboxes VALUES (?, ?, ?, ?, ?, ?)",
            (
                random_number(),
                mailbox_id,
                operation.receive_hash,
                operation.send_hash,
                expires,
                secrets.randbits(60),
            ),
        )
        self._count += 1
        self.made += 1
        self.changed[mailbox_id] = None
        return True

    def delete(self, operation: engine.DeleteMailbox) -> bool:
        """Delete a mailbox with all in it."""
        row = self._owned(operation.mailbox_id, operation.receive_hash)
        if row is None:
            return False
        self.tally["deleted"] += self._remove(operation.mailbox_id, row.number)
        self.made -= 1
        self.changed[operation.mailbox_id] = None
        return True

    def append(self, operation: engine.Append) -> list[Verdict]:
        """Append envelopes; after the first that is not stored the rest is to try later."""
        row = self._rows.sent_to_by(operation.mailbox_id, operation.send_hash)
        if row is None or row.expires <= today(self._clock):
            verdicts = [Verdict.REFUSED]
        else:
            expires = day_after(self._clock, self._limits.retention_days)
            if row.untouched:
                self._envelopes.begin(row.number)
                row.untouched = False
            news, verdicts = self._envelopes.append(
                row.number, operation.envelopes, row.next_seq, expires
            )
            if news:
                self.tally["appended"] += len(news)
                row.next_seq += len(news)
                gathered = self.changed.setdefault(operation.mailbox_id, [])
                if gathered is not None:
                    gathered += news
        last = verdicts[-1]
        if last is not _STORED:
            self.refused[last.name] += 1
            verdicts += [Verdict.TRY_LATER] * (len(operation.envelopes) - len(verdicts))
        return verdicts

    def acknowledge(self, operation: engine.Acknowledge) -> bool:
        """Wipe envelopes by their numbers."""
        row = self._owned(operation.mailbox_id, operation.receive_hash)
        if row is None:
            return False
        self.tally["acknowledged"] += sum(
            self._envelopes.delete(row.number, seq) for seq in operation.seqs
        )
        return True

    def open(self, operation: engine.OpenMailboxes) -> list[bool]:
        """Check tokens and let the mailboxes live on."""
        expires = day_after(self._clock, self._limits.mailbox_days)
        opened = []
        for mailbox_id, receive_hash in operation.mailboxes:
            row = self._owned(mailbox_id, receive_hash)
            opened.append(row is not None)
            # Never earlier: a computer whose clock is years back until it asked the network would
            # else end every mailbox that is received from in that time.
            if row is not None and row.expires < expires:
                self._execute(
                    "UPDATE mailboxes SET expires = ? WHERE number = ?", (expires, row.number)
                )
                self._rows.renew(mailbox_id, expires)
        return opened

    def fetch(self, operation: engine.Fetch) -> list[tuple[int, bytes]] | None:
        """Read envelopes in their order of arrival."""
        row = self._owned(operation.mailbox_id, operation.receive_hash)
        if row is None:
            return None
        # A number that was not given here is of an earlier life of the mailbox, whose numbers
        # began elsewhere: it was deleted and made again while somebody received from it.
        after = operation.after if row.has_given(operation.after) else -1
        envelopes = self._envelopes.read(row.number, after, operation.max_bytes)
        self.tally["delivered"] += len(envelopes)
        return envelopes

    def count_bytes(self, operation: engine.CountBytes) -> int:
        """Count bytes of envelopes up to a seq; nothing for whom is not let in."""
        total = 0
        for mailbox_id, receive_hash, seq in operation.mailboxes:
            if (row := self._owned(mailbox_id, receive_hash)) is not None:
                total += self._envelopes.bytes_until(row.number, seq)
        return total

    def check(self, operation: engine.CheckToken) -> bool:
        """Compare with both hashes, whichever fits."""
        row = self._rows.find(operation.mailbox_id)
        receives = hmac.compare_digest(row.receive_hash, operation.token_hash)
        sends = hmac.compare_digest(row.send_hash, operation.token_hash)
        return (receives or sends) and row.expires > today(self._clock)

    def disclose(self, operation: engine.Disclose) -> dict[str, Any] | None:
        """Tell every column of every row about a mailbox; the bodies are what receive returns."""
        row = self._owned(operation.mailbox_id, operation.receive_hash)
        if row is None:
            return None
        return {
            "mailbox_id": encode_base64url(operation.mailbox_id),
            "receive_token_sha256": encode_base64url(row.receive_hash),
            "send_token_sha256": encode_base64url(row.send_hash),
            "expires_day": _date(row.expires),
            "next_seq": self._rows.find(operation.mailbox_id).next_seq,  # as it is stored
            "envelopes": [
                {
                    "seq": seq,
                    "bytes": size,
                    "expires_day": _date(expires),
                }
                for seq, size, expires in self._envelopes.listed(row.number)
            ],
        }

    def sweep(self, start: int) -> int | None:
        """Delete expired envelopes, and then mailboxes, of a bounded range; see engine.Sweep."""
        day = today(self._clock)
        expired, more = self._envelopes.sweep(start, day)
        self.tally["expired"] += expired
        if more is not None:
            return more
        rows = self._execute(
            "SELECT id, number FROM mailboxes WHERE expires <= ? LIMIT ?",
            (day, SWEEP // 8),
        ).fetchall()
        for mailbox_id, number in rows:
            self.tally["expired"] += self._remove(mailbox_id, number)
            self.changed[mailbox_id] = None
        return start if len(rows) == SWEEP // 8 else None

    def _owned(self, mailbox_id: bytes, receive_hash: bytes) -> Row | None:
        row = self._rows.received_by(mailbox_id, receive_hash)
        return None if row is None or row.expires <= today(self._clock) else row

    def _remove(self, mailbox_id: bytes, number: int) -> int:
        """Delete a mailbox; return how many envelopes were in it."""
        envelopes = self._envelopes.delete_all(number)
        self._rows.forget(mailbox_id)
        self._count -= 1
        self._execute("DELETE FROM mailboxes WHERE id = ?", (mailbox_id,))
        self.forgot = True
        return envelopes


def _date(day: int) -> str:
    import datetime

    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=day))
