"""Who is connected and what each address takes up: in memory only, hashed, and forgotten.

An address is kept as a hash under a salt that is drawn anew every few minutes; an IPv6 address
counts as its network of 64 bits, since that is what one household has. Of a connection there is a
hash too (Python's own, under a key of this process), for as long as it is open and the system knows
its address anyway. Nothing of it is in a file, an output or a total.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection

from exile_tui.relay.addresses import address_of, hashed, packed
from exile_tui.relay.shares import Bucket, Shares
from exile_tui.relay.turns import Place, Turns

_LOOPBACK = ("127.0.0.1", "::1")
"""From here come Tor and whoever shares this computer; other loopback addresses are chosen ones."""

_ITEMS_PER_REQUEST = 32
"""Envelopes acknowledged, mailboxes opened or blobs read that count as one more request."""
_HEAD = 2048
"""Bytes of a request's head, with all that is around it."""
_PER_UPDATE = 64
"""Bytes sent that cost the other end one at most, in window updates."""
_SPARE = 1000
"""Addresses that are kept beside those that are connected, before the rested ones are dropped."""


class Origin:
    """What one address takes up."""

    __slots__ = (
        "connections",
        "fruitless",
        "held",
        "mailboxes",
        "place",
        "refused_until",
        "requests",
        "streams",
        "traffic",
        "under_way",
    )

    def __init__(self, shares: Shares, now: float) -> None:
        self.requests = Bucket(shares.requests_burst, now)
        self.mailboxes = Bucket(shares.mailboxes_burst, now)
        self.traffic = Bucket(shares.traffic_burst, now)
        self.connections = 0
        self.under_way = 0
        self.streams = 0
        self.held = 0
        self.place = Place()
        self.fruitless = Bucket(shares.fruitless, now)
        """In debt after too many connections without any request, beyond those that made one."""
        self.refused_until = 0.0

    def rested(self, shares: Shares, now: float) -> bool:
        """Tell whether nothing would be lost by forgetting it."""
        return (
            not self.connections
            and not self.under_way
            and self.refused_until <= now
            and self.fruitless.rested(shares.fruitless_forgotten, shares.fruitless, now)
            and self.requests.rested(shares.requests, shares.requests_burst, now)
            and self.mailboxes.rested(shares.mailboxes, shares.mailboxes_burst, now)
            and self.traffic.rested(shares.traffic, shares.traffic_burst, now)
        )


class Connection:
    """One open connection, as far as its requests tell."""

    __slots__ = (
        "admitted",
        "doomed",
        "held",
        "origin",
        "quiet_since",
        "requests",
        "sent",
        "since",
        "suspected",
        "turn",
        "under_way",
    )

    def __init__(self, origin: Origin | None, now: float) -> None:
        self.origin = origin
        """None where no address is held to its share."""
        self.admitted = True
        """Whether it is within its address's share of connections."""
        self.doomed = False
        """Whether it is to be ended at the next look."""
        self.since = now
        self.quiet_since = now
        self.under_way = 0
        self.requests = 0
        self.held = 0
        """Bytes kept in memory for it."""
        self.sent = 0
        """Bytes of bodies that it sent."""
        self.suspected = -1
        """How many requests it had made when more came in than could be explained; -1: it could."""
        self.turn = 0
        """The look that saw it last."""


class Clients:
    """The table of connections and addresses."""

    def __init__(
        self,
        shares: Shares,
        monotonic: Callable[[], float],
        balancers: Collection[str] = (),
    ) -> None:
        """Make an empty table.

        Args:
            shares: What each may take up.
            monotonic: Tells seconds.
            balancers: Addresses behind which everybody comes: they are not held to shares.
        """
        self.shares = shares
        self._now = monotonic
        self._exempt = {packed(address) for address in (*_LOOPBACK, *balancers)}
        self._connections: dict[int, Connection] = {}
        self._origins: dict[bytes, Origin] = {}
        self._salt = secrets.token_bytes(16)
        self._before: tuple[bytes, dict[bytes, Origin]] | None = None
        self._drawn = monotonic()
        self._turn = 0
        self._held = self._held_exempt = 0
        """Bytes kept in memory for all, and of them for those who are held to no share."""
        self._under_way = 0
        """Requests, without receives that are open."""
        self.swept = False
        """Whether sockets are looked at; else a connection is forgotten with its request."""
        self.turns = Turns()
        self.refused: dict[bytes, float] = {}
        """Addresses from which nobody is to connect, and until when."""
        self.ended = 0
        """Connections ended since the start."""

    def __len__(self) -> int:
        return len(self._connections)

    def enter(self, client: str) -> Connection:
        """Begin a request; `leave` ends it.

        Args:
            client: The other end, `1.2.3.4:5` or `[::1]:5`.
        """
        connection = self._connections.get(hash(client))
        if connection is None:
            connection = self._meet(client)
        connection.under_way += 1
        connection.requests += 1
        self._under_way += 1
        if (origin := connection.origin) is not None:
            origin.under_way += 1
            if connection.requests == 1:
                self._count_fruitless(origin, -1)
        return connection

    def leave(self, client: str, connection: Connection) -> None:
        """End a request."""
        connection.under_way -= 1
        self._under_way -= 1
        if connection.origin is not None:
            connection.origin.under_way -= 1
        if not connection.under_way:
            connection.quiet_since = self._now()
            if not self.swept:
                self._forget(hash(client))

    def must_wait(
        self, connection: Connection, *, creates: bool, streams: bool, reads: bool = False
    ) -> float:
        """Return the seconds after which a request may be tried again; 0 when it may be done.

        Args:
            creates: It creates a mailbox.
            streams: It opens a receive.
            reads: Its answer may be large.
        """
        shares, origin = self.shares, connection.origin
        if reads and self._is_crowded(connection):
            return 10.0
        if connection.under_way > shares.per_connection:
            return 1.0
        if origin is None:
            return 0.0
        at_once = shares.in_crowd if self._under_way > shares.crowd else shares.at_once
        if not connection.admitted or origin.under_way > at_once:
            return 1.0
        if streams and origin.streams >= shares.streams:
            return 30.0
        now = self._now()
        # A debt of bytes is looked at before anything is taken.
        return (
            origin.traffic.wait(shares.traffic, shares.traffic_burst, now)
            or origin.requests.wait(shares.requests, shares.requests_burst, now, 1)
            or (creates and origin.mailboxes.wait(shares.mailboxes, shares.mailboxes_burst, now, 1))
        )

    def count_body(self, connection: Connection, size: int, items: int = 0) -> None:
        """Count bytes of a body that were read, and what it asks for beyond one request."""
        connection.sent += size
        if (origin := connection.origin) is not None:
            shares, now = self.shares, self._now()
            origin.traffic.spend(shares.traffic, shares.traffic_burst, now, size)
            if items:
                cost = items / _ITEMS_PER_REQUEST
                origin.requests.spend(shares.requests, shares.requests_burst, now, cost)

    def excuse(self, connection: Connection, size: int) -> None:
        """Expect bytes of a body that nobody reads."""
        connection.sent += max(0, size)

    def hold(self, connection: Connection, size: int) -> bool:
        """Note bytes kept in memory for a connection, negative ones when they are let go.

        Returns:
            Whether they are within its address's share and everybody's; noted they are in any case.
        """
        self._held += size
        connection.held += size
        within = self._held <= self.shares.held_in_all
        if connection.origin is not None:
            connection.origin.held += size
            within = within and connection.origin.held <= self.shares.held
        else:
            self._held_exempt += size
            within = within and self._held_exempt <= self.shares.held_in_all // 2
        return within or connection.held <= self.shares.held_anyway

    def has_room(self, connection: Connection, size: int) -> bool:
        """Tell whether there is so much room that bytes may count as kept before they come."""
        most, origin = self.shares, connection.origin
        within = origin is None or 4 * (origin.held + size) <= most.held
        return within and 4 * (self._held + size) <= most.held_in_all

    def _is_crowded(self, connection: Connection) -> bool:
        """Tell whether there is no room in memory; who comes without an address has half of it."""
        most = self.shares.held_in_all
        exempt = connection.origin is None and self._held_exempt >= most // 2
        return exempt or self._held >= most

    def count_answer(self, connection: Connection, size: int) -> bool:
        """Count bytes of an answer that are about to be sent; `hold` tells when they were."""
        self.count_push(connection, size)
        if (origin := connection.origin) is not None:
            shares = self.shares
            origin.traffic.spend(shares.traffic, shares.traffic_burst, self._now(), size)
        return self.hold(connection, size)

    def count_push(self, connection: Connection, size: int) -> None:
        """Count bytes that are sent: the other end says that it takes more, now and then."""
        connection.sent += size // _PER_UPDATE

    def open_stream(self, connection: Connection, count: int) -> None:
        """Count a receive that opens (1) or ends (-1); while it is open it is no request."""
        self._under_way -= count
        if connection.origin is not None:
            connection.origin.streams += count
            connection.origin.under_way -= count

    def begin_look(self) -> None:
        """Begin a look at all sockets; draw another salt when it is time."""
        self._turn += 1
        self.swept = True
        if self._now() - self._drawn >= self.shares.salt:
            self._drawn = self._now()
            self._before = self._salt, self._origins
            self._salt, self._origins = secrets.token_bytes(16), {}

    def look(self, client: str, received: int, *, hurried: bool) -> bool:
        """Look at an open connection; return whether to end it.

        Args:
            client: The other end, written as for `enter`.
            received: Bytes that came in over it; 0 where the system doesn't tell.
            hurried: Connections run short.
        """
        connection = self._connections.get(hash(client))
        if connection is None:
            connection = self._meet(client)
        elif self._before is not None and connection.origin is not None:
            self._origins.setdefault(self._key(address_of(client)), connection.origin)
        connection.turn = self._turn
        shares, origin, now = self.shares, connection.origin, self._now()
        if connection.doomed or not connection.admitted:
            return True
        if received <= self._expected(connection, now):
            connection.suspected = -1
        elif connection.suspected != connection.requests:
            # A request may have come that the event loop has not heard of: it will have by then.
            connection.suspected = connection.requests
        else:
            if origin is not None:
                self._refuse(address_of(client), origin, now)
            return True
        if origin is not None:
            if origin.fruitless.wait(shares.fruitless_forgotten, shares.fruitless, now):
                self._refuse(address_of(client), origin, now)
            # Who made a request may be somebody else behind the same address.
            if origin.refused_until > now and not connection.requests:
                return True
        if connection.under_way:
            return False
        allowed = shares.idle if connection.requests else shares.first_request
        if hurried:
            allowed = min(allowed, shares.hurried)
        return now - connection.quiet_since > allowed

    def _expected(self, connection: Connection, now: float) -> float:
        """Return how many bytes may have come in over a connection by now."""
        shares = self.shares
        return (
            shares.unasked
            + shares.unasked_per_second * (now - connection.since)
            + (shares.unread if connection.under_way else 0)
            + 2 * connection.sent
            + _HEAD * connection.requests
        )

    def end_look(self) -> None:
        """Forget what was not seen: connections that are gone, addresses without any."""
        gone = [
            key
            for key, one in self._connections.items()
            if one.turn < self._turn and not one.under_way
        ]
        for key in gone:
            self._forget(key)
        now, self._before = self._now(), None
        self.refused = {one: until for one, until in self.refused.items() if until > now}
        if len(self._origins) > _SPARE + 2 * len(self._connections):
            self._origins = {
                key: one for key, one in self._origins.items() if not one.rested(self.shares, now)
            }

    def _meet(self, client: str) -> Connection:
        now = self._now()
        address = address_of(client)
        origin = None if address in self._exempt else self._origin(address, now)
        connection = Connection(origin, now)
        connection.turn = self._turn
        if origin is not None:
            origin.connections += 1
            connection.admitted = origin.connections <= self.shares.connections
        self._connections[hash(client)] = connection
        return connection

    def _origin(self, address: bytes, now: float) -> Origin:
        key = self._key(address)
        origin = self._origins.get(key)
        if origin is None and self._before is not None:
            salt, origins = self._before
            origin = origins.get(hashed(address, salt))
        if origin is None:
            origin = Origin(self.shares, now)
        self._origins[key] = origin
        return origin

    def _forget(self, key: int) -> None:
        connection = self._connections.pop(key, None)
        if connection is not None and connection.origin is not None:
            connection.origin.connections -= 1
            if not connection.requests:
                self._count_fruitless(connection.origin, 1)

    def _count_fruitless(self, origin: Origin, count: int) -> None:
        shares = self.shares
        origin.fruitless.spend(shares.fruitless_forgotten, shares.fruitless, self._now(), count)

    def _refuse(self, address: bytes, origin: Origin, now: float) -> None:
        origin.refused_until = now + self.shares.refused
        origin.fruitless = Bucket(self.shares.fruitless, now)
        self.refused[address] = origin.refused_until

    def _key(self, address: bytes) -> bytes:
        return hashed(address, self._salt)
