"""The envelopes in mailboxes: in the journal while they are new, then known to the database.

Of one mailbox everything that the database knows came before everything that is only in the
journal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.index import OpenSegment
from exile_tui.relay.limits import Limits
from exile_tui.relay.slots import Slots, Staying
from exile_tui.relay.waiting import Waiting, WaitingEnvelopes, mark_of
from exile_tui.wire.relay import ENVELOPE_SIZES, Verdict

SWEEP = 512
"""Rows that one sweep deletes at most, so that it never holds up a batch."""

_STORED = Verdict.STORED
"""Looked up once: a name of an enumeration takes as long as a checksum."""


_FILES = "SELECT DISTINCT file FROM slots WHERE file IS NOT NULL"


class Listed(NamedTuple):
    """What is known of an envelope beside its bytes."""

    seq: int
    size: int
    expires: int


class Envelopes:
    """The envelopes of all mailboxes, which are named by their rows' numbers."""

    def __init__(
        self, connection: sqlite3.Connection, slots: Slots, arrivals: Arrivals, limits: Limits
    ) -> None:
        self._execute = connection.execute
        self._slots = slots
        self._arrivals = arrivals
        self._most = limits.envelopes
        self._waiting = WaitingEnvelopes()

    def reload(self) -> None:
        """Forget what memory holds of the database."""
        self._waiting.clear()

    def begin(self, number: int) -> None:
        """Take note of a mailbox in which nothing waits."""
        self._waiting.begin(number)

    def append(
        self, number: int, envelopes: Sequence[bytes], seq: int, expires: int
    ) -> tuple[list[tuple[int, bytes]], list[Verdict]]:
        """Append envelopes up to the first that can't be; one that waits already is a success.

        Returns:
            Those that are new, as (seq, envelope) from `seq` on, and the verdicts so far.
        """
        waiting = self._waiting.known(number) or self._load(number)
        news: list[tuple[int, bytes]] = []
        verdicts: list[Verdict] = []
        for envelope in envelopes:
            size = len(envelope)
            if size not in ENVELOPE_SIZES:
                verdicts.append(Verdict.BAD_SIZE)
                break
            mark = mark_of(envelope)
            same = waiting.by_mark.get(mark)
            if same is not None and self._body(number, same) == envelope:
                self._renew(number, same, expires)
            elif len(waiting.by_seq) >= self._most:
                verdicts.append(Verdict.FULL)
                break
            else:
                self._arrivals.add(number, seq, expires, envelope, mark)
                self._waiting.add(waiting, seq, mark)
                news.append((seq, envelope))
                seq += 1
            verdicts.append(_STORED)
        return news, verdicts

    def _body(self, number: int, seq: int) -> bytes:
        arrival = self._arrivals.index.get(number, seq)
        if arrival is not None:
            return arrival.read()
        found = self._execute(
            "SELECT body, file, start, size FROM slots LEFT JOIN bodies USING (slot) "
            "WHERE mailbox = ? AND seq = ?",
            (number, seq),
        )
        return self._read(*found.fetchone())

    def _read(self, body: bytes | None, file: int, start: int, size: int) -> bytes:
        return self._arrivals.read(Staying(file, start, size)) if body is None else body

    def _renew(self, number: int, seq: int, expires: int) -> None:
        if not self._arrivals.renew(number, seq, expires):
            self._execute(
                "UPDATE slots SET expires = ? WHERE mailbox = ? AND seq = ? AND expires <> ?",
                (expires, number, seq, expires),
            )

    def delete(self, number: int, seq: int) -> bool:
        """Delete an envelope; return whether there was one."""
        arrived = self._arrivals.delete(number, seq)
        if not arrived:
            waiting = self._waiting.known(number)
            if waiting is not None and seq not in waiting.by_seq:
                return False
            place = self._execute(
                "SELECT slot, size, file, start FROM slots WHERE mailbox = ? AND seq = ?",
                (number, seq),
            ).fetchone()
            if place is None:
                return False
            self._free(*place)
        self._waiting.forget(number, seq, settled=not arrived)
        return True

    def _free(self, slot: int, size: int, file: int | None, start: int) -> None:
        if file is None:
            self._slots.free(slot, size)
        else:
            self._slots.forget(slot)
            self._arrivals.forget(Staying(file, start, size))

    def delete_all(self, number: int) -> int:
        """Delete what waits in a mailbox; return how many."""
        places = self._execute(
            "SELECT slot, size, file, start FROM slots WHERE mailbox = ? AND seq >= 0", (number,)
        ).fetchall()
        for place in places:
            self._free(*place)
        self._waiting.drop(number)
        return len(places) + self._arrivals.drop(number)

    def read(self, number: int, after: int, max_bytes: int) -> list[tuple[int, bytes]]:
        """Read (seq, envelope) pairs after a seq; one at least, and no further beyond the bytes."""
        waiting = self._waiting.known(number)
        if waiting is not None and waiting.newest <= after:
            return []
        envelopes: list[tuple[int, bytes]] = []
        total = 0
        for seq, body in self._after(number, after, settled=waiting is None or waiting.settled > 0):
            total += len(body)
            if envelopes and total > max_bytes:
                break
            envelopes.append((seq, body))
        return envelopes

    def _after(self, number: int, after: int, *, settled: bool) -> Iterator[tuple[int, bytes]]:
        if settled:
            for seq, *place in self._execute(
                "SELECT seq, body, file, start, size FROM slots LEFT JOIN bodies USING (slot) "
                "WHERE mailbox = ? AND seq > ? ORDER BY seq",
                (number, after),
            ):
                yield seq, self._read(*place)
        for seq, arrival in self._arrivals.index.of(number).items():
            if seq > after:
                yield seq, arrival.read()

    def bytes_until(self, number: int, seq: int) -> int:
        """Count the bytes that wait in a mailbox up to a seq."""
        (settled,) = self._execute(
            "SELECT coalesce(sum(size), 0) FROM slots WHERE mailbox = ? AND seq >= 0 AND seq <= ?",
            (number, seq),
        ).fetchone()
        arrived = self._arrivals.index.of(number).items()
        return int(settled) + sum(each.size for other, each in arrived if other <= seq)

    def listed(self, number: int) -> list[Listed]:
        """List what waits in a mailbox."""
        settled = self._execute(
            "SELECT seq, size, expires FROM slots WHERE mailbox = ? AND seq >= 0 ORDER BY seq",
            (number,),
        )
        arrived = self._arrivals.index.of(number).items()
        return [
            *(Listed(*row) for row in settled),
            *(Listed(seq, each.size, each.expires) for seq, each in arrived),
        ]

    def count(self) -> tuple[int, int]:
        """Count all envelopes, and their bytes; reads all of the directory of slots."""
        settled, size = self._execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM slots WHERE seq >= 0"
        ).fetchone()
        return settled + self._arrivals.index.count, size + self._arrivals.index.bytes

    def sweep(self, start: int, day: int) -> tuple[int, int | None]:
        """Delete what expired, from a slot on.

        Returns:
            How many, and the slot to go on from; None when all were looked at.
        """
        arrived = list(islice(self._arrivals.index.expired(day), SWEEP)) if not start else []
        for number, seq in arrived:
            self.delete(number, seq)
        if len(arrived) == SWEEP:
            return SWEEP, start
        expired = self._execute(
            "SELECT mailbox, seq, slot, size, file, start FROM slots "
            "WHERE slot >= ? AND slot < ? AND seq >= 0 AND expires <= ? LIMIT ?",
            (start, start + 16 * SWEEP, day, SWEEP),
        ).fetchall()
        for number, seq, *place in expired:
            self._waiting.forget(number, seq, settled=True)
            self._free(*place)
        count = len(arrived) + len(expired)
        if len(expired) == SWEEP:
            return count, start
        (more,) = self._execute(
            "SELECT min(slot) FROM slots WHERE slot >= ?", (start + 16 * SWEEP,)
        ).fetchone()
        return count, more

    def settle(self, segment: OpenSegment, most: int, *, stays: bool) -> list[int]:
        """Let the database know some of what waits in the journal's oldest file.

        Args:
            segment: That file.
            most: Envelopes and mailboxes to settle at most; two at least, as one is a mailbox.
            stays: Whether bodies stay where they are; else they are moved.

        Returns:
            The mailboxes of which nothing waits there any more.
        """
        done, left = [], most
        for number, newest in segment.newest.items():
            if left <= 0:
                break
            left -= 1
            moving = self._arrivals.index.until(number, newest, left)
            if stays:
                self._arrivals.hand_over(segment, number, moving)
                self._slots.note(segment.number, number, moving)
            else:
                for seq, arrival in moving:
                    self._slots.take(arrival.read(), number, seq, arrival.expires)
                    self._arrivals.remove(number, seq)
            self._waiting.settle(number, len(moving))
            left -= len(moving)
            if left > 0:
                done.append(number)
            elif moving:
                newest = moving[-1][0]
            else:
                break
            self._execute(
                "UPDATE mailboxes SET next_seq = ? WHERE number = ? AND next_seq <= ?",
                (newest + 1, number, newest),
            )
        return done

    def gather(self, file: int, most: int) -> bool:
        """Move some of what stays in a file of the journal; return whether something was left."""
        rows = self._execute(
            "SELECT slot, size, mailbox, seq, expires, start FROM slots WHERE file = ? LIMIT ?",
            (file, most),
        ).fetchall()
        for slot, size, number, seq, expires, start in rows:
            body = Staying(file, start, size)
            self._slots.forget(slot)
            self._slots.take(self._arrivals.read(body), number, seq, expires)
            self._arrivals.forget(body)
        return len(rows) == most

    def noted(self, file: int) -> dict[int, int]:
        """Return what stays in a file of the journal: bytes by offset, in their order."""
        return dict(
            self._execute("SELECT start, size FROM slots WHERE file = ? ORDER BY start", (file,))
        )

    def files(self) -> set[int]:
        """Return the numbers of the journal's files in which something stays."""
        return {file for (file,) in self._execute(_FILES)}

    def _load(self, number: int) -> Waiting:
        """Read what waits in a mailbox."""
        waiting = self._waiting.begin(number)
        for seq, *place in self._execute(
            "SELECT seq, body, file, start, size FROM slots LEFT JOIN bodies USING (slot) "
            "WHERE mailbox = ? AND seq >= 0 ORDER BY seq",
            (number,),
        ):
            self._waiting.add(waiting, seq, mark_of(self._read(*place)))
        waiting.settled = len(waiting.by_seq)
        for seq, arrival in self._arrivals.index.of(number).items():
            self._waiting.add(waiting, seq, arrival.mark)
        return waiting
