"""How a relay reads the journal's files that a predecessor left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from exile_tui.relay.index import Arrival, Index, OpenSegment
from exile_tui.relay.journal import Segment
from exile_tui.relay.records import ForeignJournal, Kind, Record, records
from exile_tui.relay.schema import DamagedDatabase
from exile_tui.relay.waiting import mark_of

NextSeq = Callable[[int], int | None]
"""Returns the number in the database of a mailbox's next envelope; None for an unknown mailbox."""
Noted = Callable[[int], dict[int, int]]
"""Returns what stays in a file as the database says: bytes by offset."""


def journal_file(database: Path, number: int) -> Path:
    """Return the path of one of the journal's files."""
    return database.with_name(f"{database.name}-journal-{number}")


def journal_files(database: Path) -> list[tuple[int, Path]]:
    """Return the journal's files beside a database, with their numbers, in no order."""
    prefix = f"{database.name}-journal-"
    found = []
    for path in database.parent.glob(f"{prefix}*"):
        with contextlib.suppress(ValueError):
            found.append((int(path.name.removeprefix(prefix)), path))
    return found


def nothing_noted(_: int) -> dict[int, int]:
    """Return what stays in a file of which the database says nothing."""
    return {}


class Replay:
    """Reads one file after the other into the index."""

    def __init__(
        self,
        index: Index,
        files: Sequence[tuple[int, Path]],
        next_seq: NextSeq,
        noted: Noted,
    ) -> None:
        """Make what reads.

        Args:
            index: Gets what waits.
            files: All of them, the oldest first.
            next_seq: What the database says of a mailbox.
            noted: What it says of a file.
        """
        self._index = index
        self._files = files
        self._next_seq = next_seq
        self._noted = noted
        self._known: dict[int, int | None] = {}
        self._deleted: set[tuple[int, int]] | None = None

    def read(self, number: int, path: Path) -> OpenSegment:
        """Read a file; those before it were read.

        Raises:
            DamagedDatabase: It is none, or can't be read.
        """
        try:
            file, found = Segment.open(path)
        except (ForeignJournal, OSError) as error:
            raise DamagedDatabase(path=str(path)) from error
        segment, stays = OpenSegment(number, file), self._noted(number)
        if any(offset + size > file.size for offset, size in stays.items()):
            file.close()
            raise DamagedDatabase(path=str(path))
        segment.kept = sum(stays.values())
        for record in found:
            if record.kind is Kind.STORED and record.offset in stays:
                continue
            if not self._replay(segment, record):
                break  # a crash tore the batch: nothing behind it was answered
        return segment

    def _replay(self, segment: OpenSegment, record: Record) -> bool:
        """Do what a record says; return whether those behind it count."""
        mailbox, seq = record.mailbox, record.seq
        if mailbox not in self._known:
            self._known[mailbox] = self._next_seq(mailbox)
        settled = self._known[mailbox]
        if settled is None or seq < settled:
            segment.deleted[record.offset] = record.size
            return True
        if record.body is None and not self._was_deleted(mailbox, seq):
            return False
        # Whatever is said of a number: it was given.
        segment.newest[mailbox] = max(seq, segment.newest.get(mailbox, 0))
        if record.kind is Kind.STORED:
            self._store(segment, record)
            return True
        arrival = self._index.get(mailbox, seq)
        if arrival is not None and record.kind is Kind.DELETED:
            self._index.take_out(mailbox, seq)
            arrival.segment.waiting -= arrival.size
            arrival.segment.deleted[arrival.offset] = arrival.size
        elif arrival is not None:
            arrival.expires = record.expires
        return True

    def _store(self, segment: OpenSegment, record: Record) -> None:
        _, mailbox, seq, expires, offset, size, body = record
        if body is None:
            segment.deleted[offset] = size
            return
        segment.waiting += size
        arrival = Arrival(segment, offset, size, expires, mark_of(body), None)
        self._index.put(mailbox, seq, arrival)

    def _was_deleted(self, mailbox: int, seq: int) -> bool:
        """Tell whether an envelope was acknowledged: of that only, a body may have been blanked."""
        if self._deleted is None:
            self._deleted = {
                (record.mailbox, record.seq)
                for _, path in self._files
                for record in _read(path)
                if record.kind is Kind.DELETED
            }
        return (mailbox, seq) in self._deleted


def _read(path: Path) -> list[Record]:
    with path.open("rb") as file:
        return list(records(file))
