"""What one address may take up at a relay, and how that is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What one address may take up, and all of them together.

    The defaults let some hundred people behind one address write, move and come back after a
    failure at once, and leave one address less than a twentieth of what a small machine does.
    """

    requests: float = 500.0
    """Requests a second, on average."""

    requests_burst: float = 5000.0
    """Requests at once after a rest."""

    mailboxes: float = 1.0
    """Mailboxes created a second, on average."""

    mailboxes_burst: float = 1000.0
    """Mailboxes created at once after a rest: somebody with many contacts moves."""

    traffic: float = 4_194_304.0
    """Bytes of bodies and of answers a second, on average."""

    traffic_burst: float = 33_554_432.0
    """Bytes at once after a rest."""

    at_once: int = 512
    """Requests under way."""

    streams: int = 1000
    """Receives open."""

    connections: int = 1000
    """Connections open."""

    held: int = 33_554_432
    """Bytes of unfinished bodies and unread answers."""

    held_in_all: int = 268_435_456
    """Bytes of unfinished bodies and unread answers, of all addresses."""

    held_anyway: int = 131_072
    """The same of one connection, whatever the others have."""

    crowd: int = 1024
    """Requests under way of all addresses, above which one may have fewer."""

    in_crowd: int = 32
    """So many."""

    per_connection: int = 128
    """Requests under way on one connection, whatever its address."""

    first_request: float = 20.0
    """Seconds in which a connection has to make its first request."""

    idle: float = 75.0
    """Seconds that a connection without a request stays open; our client gives it up after 60."""

    hurried: float = 2.0
    """Seconds for both when connections run short."""

    unasked: int = 262_144
    """Bytes that a connection may send beside its requests: handshake, window updates, pings.

    And what the system and the server hold of a request of which nobody has told the relay yet."""

    unasked_per_second: float = 64.0
    """And so many more for each second that it is open."""

    unread: int = 1_048_576
    """Bytes of bodies that may be on their way while there are requests."""

    fruitless: int = 200
    """Connections that ended without any request, beyond those that made one."""

    fruitless_forgotten: float = 5.0
    """So many of them are forgotten a second: some come by mistake, with an old pin, to look."""

    refused: float = 60.0
    """Seconds in which nobody connects from an address that flooded, or came for nothing."""

    look: float = 0.25
    """Seconds between looks at all connections, more where there are many."""

    salt: float = 600.0
    """Seconds after which another salt is drawn."""


class Bucket:
    """A token bucket. It may go into debt; nobody is let in before that is paid."""

    __slots__ = ("at", "tokens")

    def __init__(self, burst: float, now: float) -> None:
        self.tokens = burst
        self.at = now

    def wait(self, rate: float, burst: float, now: float, cost: float = 0.0) -> float:
        """Take `cost` tokens and return 0; or take none, and return the seconds until it may.

        Args:
            rate: Tokens a second that come in.
            burst: Tokens that it holds.
            now: Seconds of a clock that never goes back.
            cost: At most 1; with 0 only a debt is waited for.
        """
        self._fill(rate, burst, now)
        if self.tokens < cost:
            return (cost - self.tokens) / rate
        self.tokens -= cost
        return 0.0

    def spend(self, rate: float, burst: float, now: float, cost: float) -> None:
        """Take tokens, more than there are if need be."""
        self._fill(rate, burst, now)
        self.tokens -= cost

    def _fill(self, rate: float, burst: float, now: float) -> None:
        self.tokens = min(burst, self.tokens + (now - self.at) * rate)
        self.at = now

    def rested(self, rate: float, burst: float, now: float) -> bool:
        """Tell whether it is full again, so that it says nothing of its past any more."""
        return self.tokens + (now - self.at) * rate >= burst
