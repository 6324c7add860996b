"""The books of a relay under siege: what was posted, answered, received; and whether they balance.

An envelope is its run's mark and its own number, over and over: any piece of one that is left in a
file shows the mark.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field

from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import ENVELOPE_SIZES

MARK_SIZE = 16


@dataclass(slots=True)
class Posted:
    """One envelope that a sender made."""

    sender: int
    size: int
    posted: int
    """The moment before it was posted first."""
    stored: int | None = None
    """The moment after "stored" was answered first."""
    posts: int = 0
    """How often it was posted."""


@dataclass(slots=True)
class Box:
    """One mailbox: its keys, what went in, what came out."""

    keys: MailboxKeys
    posted: dict[int, Posted] = field(default_factory=dict)
    received: dict[int, int] = field(default_factory=dict)
    """The number of an envelope by the seq under which it was received."""
    acknowledged: set[int] = field(default_factory=set)
    """Seqs whose deletion was answered as done."""

    def missing(self) -> set[int]:
        """Return the numbers that were answered "stored" and have not been received."""
        stored = {number for number, each in self.posted.items() if each.stored is not None}
        return stored - set(self.received.values())


class Books:
    """Every mailbox of one run, and its moments: a count that only grows."""

    def __init__(self, mailboxes: int, rng: random.Random) -> None:
        self.mark = rng.randbytes(MARK_SIZE)
        self.boxes = [
            Box(MailboxKeys(rng.randbytes(32), rng.randbytes(32))) for _ in range(mailboxes)
        ]
        self._random = rng
        self._numbers = itertools.count()
        self._moments = itertools.count()
        self.duplicates = 0
        """Envelopes that were received under more than one seq."""

    def envelope(self, number: int, size: int) -> bytes:
        """Make the bytes of an envelope."""
        piece = self.mark + number.to_bytes(8, "big")
        return (piece * (size // len(piece) + 1))[:size]

    def make(self, box: Box, sender: int, count: int) -> list[int]:
        """Note new envelopes that will be posted in this order; return their numbers."""
        numbers = [next(self._numbers) for _ in range(count)]
        for number in numbers:
            size = self._random.choices(ENVELOPE_SIZES, (40, 2, 1))[0]
            box.posted[number] = Posted(sender, size, next(self._moments))
        return numbers

    def post(self, box: Box, numbers: list[int]) -> list[bytes]:
        """Note that these are posted now; return their bytes."""
        for number in numbers:
            box.posted[number].posts += 1
        return [self.envelope(number, box.posted[number].size) for number in numbers]

    def store(self, box: Box, number: int) -> None:
        """Note that "stored" was answered."""
        if box.posted[number].stored is None:
            box.posted[number].stored = next(self._moments)

    def receive(self, box: Box, seq: int, envelope: bytes) -> None:
        """Note what arrived.

        Raises:
            AssertionError: Other bytes under this seq, bytes that nobody posted here, or what
                was answered as deleted.
        """
        number = int.from_bytes(envelope[MARK_SIZE : MARK_SIZE + 8], "big")
        assert number in box.posted, "nobody posted this to this mailbox"
        assert envelope == self.envelope(number, box.posted[number].size), "damaged"
        assert box.received.setdefault(seq, number) == number, "other bytes under a seq"
        assert seq not in box.acknowledged, "back after its deletion was answered"

    def count(self) -> int:
        """Count the envelopes that were posted."""
        return sum(len(box.posted) for box in self.boxes)

    def count_again(self) -> int:
        """Count those that were posted more than once: no answer came, or the mailbox was full."""
        return sum(each.posts > 1 for box in self.boxes for each in box.posted.values())

    def check(self) -> None:
        """Compare.

        Raises:
            AssertionError: Something is lost, out of order, or doubled though not posted again.
        """
        for box in self.boxes:
            assert not box.missing(), f"lost: {sorted(box.missing())}"
            times = Counter(box.received.values())
            for number, count in times.items():
                assert count <= box.posted[number].posts, "doubled by the relay"
                self.duplicates += count > 1
            # An envelope that was answered before another was made lies before it.
            latest = -1
            made: dict[int, int] = {}
            for number in dict.fromkeys(box.received[seq] for seq in sorted(box.received)):
                each = box.posted[number]
                assert each.stored is None or each.stored > latest, "out of order"
                latest = max(latest, each.posted)
                assert made.get(each.sender, -1) < number, "out of order of its sender"
                made[each.sender] = number
