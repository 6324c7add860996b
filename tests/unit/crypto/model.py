"""A model of the ratchet without keys: it says what must happen to each message.

It knows of a message only who sent it, in which chain, with which number and how long the chain
before was; and of a side which messages it can still open. docs/protocol.md, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Message:
    """A message in flight."""

    chain: int
    """Counts the sender's sending steps."""
    pn: int
    n: int
    text: bytes
    envelope: bytes


@dataclass
class Side:
    """What one side can open and how it would send."""

    pending: bool
    sending_chain: int = -1
    sent: int = 0
    previous_sent: int = 0
    receiving_chain: int = -1
    next_n: int = 0
    skipped: dict[tuple[int, int], int] = field(default_factory=dict)
    """(chain, n) to the day on which it was skipped; oldest first."""

    def send(self) -> tuple[int, int, int]:
        """Send; return chain, pn, n."""
        if self.pending:
            self.pending = False
            self.sending_chain += 1
            self.previous_sent, self.sent = self.sent, 0
        self.sent += 1
        return self.sending_chain, self.previous_sent, self.sent - 1

    def receive(self, message: Message, day: int) -> int | None:
        """Receive; return how many keys lapsed, or None when it must be refused."""
        after = replace(self, skipped=dict(self.skipped))
        lapsed = after._receive(message, day)
        if lapsed is None:
            return None
        self.__dict__.update(after.__dict__)
        return lapsed

    def _receive(self, message: Message, day: int) -> int | None:
        lapsed = self.expire(day)
        name = (message.chain, message.n)
        if name in self.skipped:
            del self.skipped[name]
            return lapsed
        if message.chain == self.receiving_chain:
            if message.n < self.next_n:
                return None
        elif message.chain == self.receiving_chain + 1 and not self.pending:
            if self.receiving_chain >= 0:
                lapsed += self._skip(message.pn, day)
            self.receiving_chain, self.next_n, self.pending = message.chain, 0, True
        else:
            return None
        lapsed += self._skip(message.n, day)
        self.next_n += 1
        return lapsed + self._evict()

    def expire(self, day: int) -> int:
        """Forget what is older than 14 days; return how many."""
        old = [name for name, stored in self.skipped.items() if day - stored > 14]
        for name in old:
            del self.skipped[name]
        return len(old)

    def _skip(self, until: int, day: int) -> int:
        gap = range(self.next_n, until)
        kept = gap[-1000:]
        self.skipped.update({(self.receiving_chain, n): day for n in kept})
        self.next_n = until
        return len(gap) - len(kept)

    def _evict(self) -> int:
        lapsed = 0
        while (
            len(self.skipped) > 2000
            or len({chain for chain, _ in self.skipped} - {self.receiving_chain}) > 64
        ):
            del self.skipped[next(iter(self.skipped))]
            lapsed += 1
        return lapsed
