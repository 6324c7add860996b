"""Which envelopes wait in a mailbox, by marks of their bytes and their numbers: in memory only.

A stored hash would stay in the slack of the database's pages after its envelope was acknowledged.
What waits in a mailbox is read when something is first appended to it; from then on, appending,
looking for more and acknowledging ask the database for nothing that is known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exile_tui.relay.memory import memory

mark_of = hash
"""Returns what tells an envelope's bytes from nearly all others: an int.

Python's own hash of bytes is SipHash under a key that is drawn at each start, so that nobody can
look for envelopes with the same mark. It takes a third of SHA-256's time, and it is enough, as
bytes with the same mark are compared.
"""

_EACH = 200
"""Bytes of memory that an envelope takes here."""
_MAX = max(200_000, memory() // 64 // _EACH)
"""Envelopes and mailboxes known at most; then those known for longest are dropped, and read again
when they are needed."""


@dataclass(slots=True)
class Waiting:
    """The envelopes of one mailbox."""

    by_mark: dict[int, int] = field(default_factory=dict)
    """The number of each; of several with the same mark, of the newest."""
    by_seq: dict[int, int] = field(default_factory=dict)
    """The marks by number, in their order of arrival."""
    settled: int = 0
    """How many the database knows."""

    @property
    def newest(self) -> int:
        """The number of the one that came last; -1 for none."""
        return next(reversed(self.by_seq), -1)


class WaitingEnvelopes:
    """The envelopes of the mailboxes in use."""

    def __init__(self) -> None:
        self._known: dict[int, Waiting] = {}
        self._count = 0

    def known(self, mailbox: int) -> Waiting | None:
        """Return what waits in a mailbox if it was read before."""
        return self._known.get(mailbox)

    def begin(self, mailbox: int) -> Waiting:
        """Begin to know a mailbox; others are dropped if they are too many."""
        while self._known and self._count + len(self._known) > _MAX:
            self.drop(next(iter(self._known)))
        waiting = self._known[mailbox] = Waiting()
        return waiting

    def add(self, waiting: Waiting, seq: int, mark: int) -> None:
        """Note an envelope in a mailbox that is known; none there came after it."""
        waiting.by_mark[mark] = seq
        waiting.by_seq[seq] = mark
        self._count += 1

    def settle(self, mailbox: int, count: int) -> None:
        """Note that so many envelopes of a mailbox became known to the database."""
        waiting = self._known.get(mailbox)
        if waiting is not None:
            waiting.settled += count

    def forget(self, mailbox: int, seq: int, *, settled: bool) -> None:
        """Drop what is known of an envelope that is deleted, from the database or not."""
        waiting = self._known.get(mailbox)
        if waiting is not None and seq in waiting.by_seq:
            waiting.by_mark.pop(waiting.by_seq.pop(seq), None)
            waiting.settled -= settled
            self._count -= 1

    def drop(self, mailbox: int) -> None:
        """Drop what is known of a mailbox that is deleted."""
        waiting = self._known.pop(mailbox, None)
        if waiting is not None:
            self._count -= len(waiting.by_seq)

    def clear(self) -> None:
        """Drop everything: after a transaction was undone, or slots got other numbers."""
        self._known.clear()
        self._count = 0
