"""Envelopes that came in last: in the journal's files, and found by what memory holds of them.

New ones go to the youngest file. Every few seconds it is closed and another one begun. What still
waits of a closed one is moved to the database, and its file is deleted, with every byte of what was
acknowledged meanwhile; or it stays, and only where it lies is noted there (`staying`). The
mailbox's next number is written in the same transaction: a record whose number is below that is
settled, whatever a crash left of the files.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from exile_tui.relay.bulk import BulkWriter
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.index import Arrival, Index, OpenSegment
from exile_tui.relay.journal import Segment
from exile_tui.relay.pace import Pace
from exile_tui.relay.records import Kind
from exile_tui.relay.replay import (
    NextSeq,
    Noted,
    Replay,
    journal_file,
    journal_files,
    nothing_noted,
)
from exile_tui.relay.schema import MISSING, DamagedDatabase
from exile_tui.relay.slots import Staying
from exile_tui.relay.staying import StayingFiles

SEGMENT = 64 * 1024 * 1024
"""Bytes after which another file is begun."""

_STORED = Kind.STORED
"""Looked up once: a name of an enumeration takes as long as a checksum."""


class Arrivals:
    """The journal and its index. What a batch changed is kept by `keep` or taken back by `undo`."""

    def __init__(self, database: Path) -> None:
        """Begin with nothing; `recover` reads what a predecessor left.

        Args:
            database: The relay's database; the journal lies beside it.
        """
        self._database = database
        self._number = 0
        self._current: OpenSegment | None = None
        self.closed: deque[OpenSegment] = deque()
        """Files that are to be settled, the oldest first."""
        self.index = Index()
        """Where everything is that waits here, unless the database says it."""
        self.staying = StayingFiles()
        """Files whose bodies the database knows."""
        self.came = 0
        """Envelopes that were appended since the start."""
        self._undo: list[tuple[Any, ...]] = []
        """What takes the batch back, from the last to the first: methods and their arguments."""
        self._unwritten: list[Arrival] = []
        self._pace = Pace()
        self._bulk = BulkWriter()

    def recover(
        self, next_seq: NextSeq, noted: Noted = nothing_noted, needed: Collection[int] = ()
    ) -> None:
        """Read what a predecessor left.

        Args:
            next_seq: What the database says of a mailbox.
            noted: What it says of a file.
            needed: The files of which it says something.

        Raises:
            DamagedDatabase: A file in its place is none, can't be read, or is missing.
        """
        files = sorted(journal_files(self._database))
        if missing := sorted(set(needed).difference(number for number, _ in files)):
            raise DamagedDatabase(MISSING, path=str(journal_file(self._database, missing[0])))
        replay = Replay(self.index, files, next_seq, noted)
        for number, path in files:
            segment = replay.read(number, path)
            self._number = number
            if segment.file.forgot:
                self.staying.add(segment)
            else:
                self.closed.append(segment)

    # What a batch does

    def begin(self) -> None:
        """Make sure that there is a file to append to; it touches the disk.

        Raises:
            OSError: The disk is full or fails.
        """
        if self._current is not None and self._current.file.size >= SEGMENT:
            self.close_current()
        if self._current is None:
            path = self._next_path()
            self._current = OpenSegment(self._number, Segment.create(path, self._bulk))

    def _next_path(self) -> Path:
        while True:
            self._number += 1
            path = journal_file(self._database, self._number)
            if not path.exists():  # else one that could not be deleted
                return path

    @property
    def ready(self) -> bool:
        """Whether there is a file with room, so that `begin` would do nothing."""
        return self._current is not None and self._current.file.size < SEGMENT

    def add(self, mailbox: int, seq: int, expires: int, envelope: bytes, mark: int) -> None:
        """Append an envelope; its number is larger than every one before in its mailbox.

        Raises:
            EngineUnavailable: There is no file to append to.
        """
        segment = self._segment()
        offset = segment.file.append(_STORED, mailbox, seq, expires, envelope)
        arrival = Arrival(segment, offset, len(envelope), expires, mark, envelope)
        before = segment.newest.get(mailbox)
        segment.newest[mailbox] = seq
        segment.waiting += arrival.size
        self.index.put(mailbox, seq, arrival)
        self.came += 1
        self._unwritten.append(arrival)
        self._undo.append((Arrivals._take_back, segment, mailbox, seq, before))

    def delete(self, mailbox: int, seq: int) -> bool:
        """Delete an envelope; return whether it was here.

        Raises:
            EngineUnavailable: There is no file to append to.
        """
        arrival = self.index.get(mailbox, seq)
        if arrival is None:
            return False
        self._segment().file.append(Kind.DELETED, mailbox, seq, 0)
        self.remove(mailbox, seq)
        return True

    def renew(self, mailbox: int, seq: int, expires: int) -> bool:
        """Let an envelope that was sent again expire later; return whether it was here."""
        arrival = self.index.get(mailbox, seq)
        if arrival is None:
            return False
        before = arrival.expires
        if before != expires:
            self._segment().file.append(Kind.RENEWED, mailbox, seq, expires)
            arrival.expires = expires
            self._undo.append((Arrivals._expire, arrival, before))
        return True

    def remove(self, mailbox: int, seq: int) -> None:
        """Take an envelope out of the index: it was moved to the database, or deleted."""
        arrival = self.index.take_out(mailbox, seq)
        arrival.segment.waiting -= arrival.size
        arrival.segment.deleted[arrival.offset] = arrival.size
        self._undo.append((Arrivals._put_back, mailbox, seq, arrival))

    def hand_over(
        self, segment: OpenSegment, mailbox: int, moving: Sequence[tuple[int, Arrival]]
    ) -> None:
        """Take envelopes of a file out of the index: the database says now where they lie."""
        for seq, arrival in moving:
            self.index.take_out(mailbox, seq)
            segment.waiting -= arrival.size
            segment.kept += arrival.size
        self._undo.append((Arrivals._take_over, segment, mailbox, moving))

    def forget(self, body: Staying) -> None:
        """Let a body that stayed be deleted: the database says no more where it lies."""
        segment = self._file(body.file)
        segment.kept -= body.size
        segment.deleted[body.offset] = body.size
        self._undo.append((Arrivals._remember, segment, body))

    def read(self, body: Staying) -> bytes:
        """Read a body that stays."""
        return self._file(body.file).file.read(body.offset, body.size)

    def _file(self, number: int) -> OpenSegment:
        found = self.staying.get(number)
        return found or next(each for each in self.closed if each.number == number)

    def drop(self, mailbox: int) -> int:
        """Forget what is here of a mailbox that is deleted in the database; return how many."""
        dropped = tuple(self.index.of(mailbox))
        for seq in dropped:
            self.remove(mailbox, seq)
        return len(dropped)

    def _segment(self) -> OpenSegment:
        if self._current is None:
            raise EngineUnavailable
        return self._current

    def _take_back(self, segment: OpenSegment, mailbox: int, seq: int, before: int | None) -> None:
        segment.waiting -= self.index.take_out(mailbox, seq).size
        if before is None:
            del segment.newest[mailbox]
        else:
            segment.newest[mailbox] = before

    def _put_back(self, mailbox: int, seq: int, arrival: Arrival) -> None:
        del arrival.segment.deleted[arrival.offset]
        arrival.segment.waiting += arrival.size
        self.index.put_back(mailbox, (seq, arrival))

    def _take_over(
        self, segment: OpenSegment, mailbox: int, moved: Sequence[tuple[int, Arrival]]
    ) -> None:
        for _, arrival in moved:
            segment.waiting += arrival.size
            segment.kept -= arrival.size
        if moved:
            self.index.put_back(mailbox, *moved)

    def _remember(self, segment: OpenSegment, body: Staying) -> None:
        segment.kept += body.size
        del segment.deleted[body.offset]

    def _expire(self, arrival: Arrival, expires: int) -> None:
        arrival.expires = expires

    # What becomes of a batch

    @property
    def pending(self) -> int:
        """Bytes that are to be written."""
        return 0 if self._current is None else self._current.file.pending

    def write(self) -> None:
        """Write what the batch gathered, durably.

        Raises:
            OSError: The disk is full or fails.
        """
        if size := self.pending:
            started = time.perf_counter()
            try:
                self._segment().file.write()
            finally:
                self._pace.note(time.perf_counter() - started, size)

    @property
    def quick(self) -> bool:
        """Whether `write` is so quick that no thread need be asked to wait for the disk."""
        return self._pace.allows(self.pending)

    def keep(self) -> None:
        """Take what the batch did for good."""
        if self._current is not None:
            self._current.file.keep()
        for arrival in self._unwritten:
            arrival.body = None
        self._unwritten.clear()
        self._undo.clear()

    def undo(self) -> None:
        """Take back what the batch did."""
        while self._undo:
            method, *arguments = self._undo.pop()
            method(self, *arguments)
        self._unwritten.clear()
        if self._current is not None:
            self._current.file.undo()

    # What is asked

    def next_seq(self, mailbox: int, stored: int) -> int:
        """Return the number of a mailbox's next envelope, given the one in the database."""
        segments = [*self.closed, self._current] if self._current else self.closed
        return max(stored, *(each.newest.get(mailbox, -1) + 1 for each in segments), 0)

    @property
    def size(self) -> int:
        """Bytes of all files that are still to be settled."""
        return sum(each.file.size for each in tuple(self.closed)) + (
            self._current.file.size if self._current else 0
        )

    # What is settled

    def close_current(self) -> None:
        """Append no more to the youngest file, unless nothing is in it."""
        if self._current is not None and not self._current.file.empty:
            self.closed.append(self._current)
            self._current = None

    def files(self) -> list[OpenSegment]:
        """Return all of the journal's files."""
        current = () if self._current is None else (self._current,)
        return [*self.staying, *self.closed, *current]

    def settled(self, segment: OpenSegment) -> None:
        """End the oldest file: the index has nothing of it any more.

        It is deleted if the database has nothing of it either. Or else its records are forgotten.

        Raises:
            OSError: The disk fails.
        """
        if segment.kept:
            segment.file.forget_records()
            self.closed.remove(segment)
            self.staying.add(segment)
            return
        segment.file.empty_out()  # also where it can't be deleted, as somebody reads it on Windows
        self.closed.remove(segment)
        with contextlib.suppress(OSError):  # at the next start
            segment.file.remove()
        if not self.closed and not self.staying and self._current is None:
            self._number = 0

    def close(self) -> None:
        """Close the files; an empty one is deleted."""
        if self._current is not None:
            if self._current.file.empty:
                self._current.file.remove()
            else:
                self._current.file.close()
        for each in (*self.closed, *self.staying):
            each.file.close()
        self._current = None
        self.closed.clear()
        self.staying.clear()
