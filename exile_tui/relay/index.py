"""What lies in the journal, found by mailbox and number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from exile_tui.relay.journal import Segment


@dataclass(slots=True, eq=False)
class Arrival:
    """An envelope in the journal."""

    segment: OpenSegment
    offset: int
    size: int
    expires: int
    mark: int
    body: bytes | None
    """Its bytes, until they are written."""

    def read(self) -> bytes:
        """Return its bytes."""
        return self.body or self.segment.file.read(self.offset, self.size)


class OpenSegment:
    """A file of the journal."""

    def __init__(self, number: int, file: Segment) -> None:
        self.number = number
        self.file = file
        self.newest: dict[int, int] = {}
        """The largest number that each mailbox gave in it."""
        self.deleted: dict[int, int] = {}
        """Bodies that nobody waits for any more: bytes by offset."""
        self.waiting = 0
        """Bytes of the bodies in it that are found by the index in memory."""
        self.kept = 0
        """Bytes of those that are found through the database."""
        self.unseen = False
        """Whether there may be bodies in it that neither of the two knows."""


class Index:
    """The envelopes in the journal, of each mailbox the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[int, dict[int, Arrival]] = {}
        self.count = 0
        """Envelopes here."""
        self.bytes = 0
        """And how many bytes they have."""

    def of(self, mailbox: int) -> dict[int, Arrival]:
        """Return what is here of a mailbox by number, oldest first; not to be changed."""
        return self._waiting.get(mailbox, {})

    def get(self, mailbox: int, seq: int) -> Arrival | None:
        """Return an envelope, None if it is not here."""
        return self._waiting.get(mailbox, {}).get(seq)

    def until(self, mailbox: int, seq: int, most: int) -> list[tuple[int, Arrival]]:
        """Return the oldest of a mailbox up to a number by number, so many at most."""
        found = islice(self.of(mailbox).items(), most)
        return list(takewhile(lambda each: each[0] <= seq, found))

    def put(self, mailbox: int, seq: int, arrival: Arrival) -> None:
        """Note an envelope; none of its mailbox here came after it."""
        waiting = self._waiting.get(mailbox)
        if waiting is None:
            waiting = self._waiting[mailbox] = {}
        waiting[seq] = arrival
        self.count += 1
        self.bytes += arrival.size

    def put_back(self, mailbox: int, *arrivals: tuple[int, Arrival]) -> None:
        """Note some, by number, that were taken out."""
        for seq, arrival in arrivals:
            self.put(mailbox, seq, arrival)
        self._waiting[mailbox] = dict(sorted(self._waiting[mailbox].items()))

    def take_out(self, mailbox: int, seq: int) -> Arrival:
        """Forget one that is here, and return it."""
        waiting = self._waiting[mailbox]
        arrival = waiting.pop(seq)
        if not waiting:
            del self._waiting[mailbox]
        self.count -= 1
        self.bytes -= arrival.size
        return arrival

    def expired(self, day: int) -> Iterator[tuple[int, int]]:
        """Find what expired, as (mailbox, seq) pairs; reads all."""
        for mailbox, waiting in self._waiting.items():
            for seq, arrival in waiting.items():
                if arrival.expires <= day:
                    yield mailbox, seq
