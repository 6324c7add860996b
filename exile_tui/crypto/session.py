"""One contact's whole secret state: the handshake's outcome and the ratchet.

docs/protocol.md, sections 4 and 5. A session is a value: sealing and opening return a new one,
and one that raised is the same as before, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from exile_tui.crypto import labels
from exile_tui.crypto.codec import Reader, encode_ratchet, read_ratchet
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.kdf import sha256
from exile_tui.crypto.keys import X25519Public
from exile_tui.crypto.ratchet import ENVELOPE_OVERHEAD, Ratchet
from exile_tui.crypto.request import (
    MAX_REQUESTS,
    PREFIX_SIZE,
    REQUEST_BODY_SIZE,
    REQUEST_SIZE,
    seal_request,
    try_request,
)
from exile_tui.errors import CryptoError

ENVELOPE_SIZES: Final = (4096, 16384, 65536)
BODY_SIZES: Final = tuple(size - ENVELOPE_OVERHEAD for size in ENVELOPE_SIZES)
REQUEST_BODY_SIZES: Final = (REQUEST_BODY_SIZE,)

_VERSION: Final = 1


class Role(Enum):
    """Which side of the handshake this is."""

    JOINER = 0
    INVITER = 1


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """What the handshake fixed for good."""

    role: Role
    local_identity: X25519Public
    remote_identity: X25519Public
    bundle_hash: bytes = field(repr=False)
    transcript: bytes = field(repr=False)
    """T, 64 bytes."""
    ad: bytes = field(init=False, repr=False)
    """H("exile/1/ad" || IK of the joiner || IK of the inviter || T)."""
    encoded: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        local, remote = self.local_identity.raw, self.remote_identity.raw
        joiner, inviter = (local, remote) if self.role is Role.JOINER else (remote, local)
        ad = sha256(labels.ASSOCIATED_DATA + joiner + inviter + self.transcript)
        object.__setattr__(self, "ad", ad)
        encoded = bytes((self.role.value,)) + local + remote + self.bundle_hash + self.transcript
        object.__setattr__(self, "encoded", encoded)


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """The joiner's requests: how many were sent, and what the next one starts with."""

    sent: int
    prefix: bytes = field(repr=False)
    """The first 2728 bytes of every request; empty once the inviter answered."""


NO_REQUESTS: Final = Requests(0, b"")


class Opened:
    """What opening an envelope gives; `lapsed` message keys became unobtainable by it."""

    __slots__ = ("body", "lapsed", "session")

    def __init__(self, session: Session, body: bytes, lapsed: int) -> None:
        self.session = session
        self.body = body
        self.lapsed = lapsed

    def __repr__(self) -> str:
        return f"Opened({self.session!r}, lapsed={self.lapsed})"


class Session:
    """The secret state that one contact has; immutable, and stored as `to_bytes` gives it."""

    __slots__ = ("_pairing", "_ratchet", "_requests")

    def __init__(self, pairing: Pairing, requests: Requests, ratchet: Ratchet) -> None:
        self._pairing: Final = pairing
        self._requests: Final = requests
        self._ratchet: Final = ratchet

    def __repr__(self) -> str:
        return f"Session({self._pairing.role.name.lower()})"

    @property
    def role(self) -> Role:
        """Return which side of the handshake this is."""
        return self._pairing.role

    @property
    def local_identity(self) -> X25519Public:
        """Return the own identity key of this contact; its private half is gone."""
        return self._pairing.local_identity

    @property
    def remote_identity(self) -> X25519Public:
        """Return the contact's identity key."""
        return self._pairing.remote_identity

    @property
    def bundle_hash(self) -> bytes:
        """Return bh of the invite, 32 bytes."""
        return self._pairing.bundle_hash

    @property
    def transcript(self) -> bytes:
        """Return T, 64 bytes."""
        return self._pairing.transcript

    @property
    def in_request_form(self) -> bool:
        """Tell whether this joiner has not yet opened a message of the inviter."""
        return bool(self._requests.prefix)

    @property
    def requests_sent(self) -> int:
        """Return how many request envelopes were sealed, 0 to 8."""
        return self._requests.sent

    @property
    def can_seal(self) -> bool:
        """Tell whether `seal` has a number left: eight requests, then 20,000 a chain."""
        if self.in_request_form and self._requests.sent >= MAX_REQUESTS:
            return False
        return self._ratchet.can_seal

    @property
    def body_sizes(self) -> tuple[int, ...]:
        """Return the lengths of body that `seal` takes now."""
        return REQUEST_BODY_SIZES if self._requests.prefix else BODY_SIZES

    def seal(self, body: bytes, entropy: Entropy) -> tuple[Session, bytes]:
        """Seal a body for the contact.

        Args:
            body: Exactly as long as one of `body_sizes`.
            entropy: Where randomness comes from.

        Returns:
            The session to store before the envelope leaves, and the envelope: 4096, 16384 or
            65536 bytes.

        Raises:
            CryptoError: The body has another length, or `can_seal` is false.
        """
        pairing, requests = self._pairing, self._requests
        if requests.prefix and requests.sent >= MAX_REQUESTS:
            raise CryptoError
        if len(body) not in (REQUEST_BODY_SIZES if requests.prefix else BODY_SIZES):
            raise CryptoError
        ratchet, envelope = self._ratchet.seal(body, pairing.ad, entropy)
        if requests.prefix:
            envelope = seal_request(pairing.bundle_hash, requests.prefix, envelope, entropy)
            requests = Requests(requests.sent + 1, requests.prefix)
        return Session(pairing, requests, ratchet), envelope

    def open(self, envelope: bytes, day: int) -> Opened:
        """Open an envelope of the contact.

        Args:
            envelope: 4096, 16384 or 65536 bytes.
            day: Whole days since the epoch.

        Returns:
            The session to store before the envelope is acknowledged, and the body.

        Raises:
            CryptoError: For every reason; nothing changed.
        """
        if len(envelope) not in ENVELOPE_SIZES:
            raise CryptoError
        pairing = self._pairing
        if len(envelope) == REQUEST_SIZE and pairing.role is Role.INVITER:
            envelope = self._ratchet_envelope(envelope)
        ratchet, lapsed = self._ratchet.expire(day)
        ratchet, body, unobtainable = ratchet.open(envelope, pairing.ad, day)
        requests = self._requests
        if requests.prefix:
            requests = Requests(requests.sent, b"")
        return Opened(Session(pairing, requests, ratchet), body, lapsed + unobtainable)

    def expire(self, day: int) -> tuple[Session, int]:
        """Drop skipped keys that are older than 14 days.

        Returns:
            The session, this very one if nothing lapsed, and how many keys did.
        """
        ratchet, lapsed = self._ratchet.expire(day)
        return (Session(self._pairing, self._requests, ratchet), lapsed) if lapsed else (self, 0)

    def to_bytes(self) -> bytes:
        """Return the state, the same bytes for the same state.

        `version 1 | role 1 | local identity 32 | remote identity 32 | bh 32 | T 64 |
        requests sent 1 | length 2 of the request's prefix | prefix | ratchet`.
        """
        requests = self._requests
        return b"".join(
            (
                bytes((_VERSION,)),
                self._pairing.encoded,
                bytes((requests.sent,)),
                len(requests.prefix).to_bytes(2, "big"),
                requests.prefix,
                *encode_ratchet(self._ratchet),
            )
        )

    @classmethod
    def from_bytes(cls, raw: bytes) -> Session:
        """Read what `to_bytes` gave.

        Raises:
            CryptoError: Another version, or not exactly such bytes.
        """
        reader = Reader(raw)
        if reader.number(1) != _VERSION:
            raise CryptoError
        role = reader.choice(Role)
        local, remote = X25519Public(reader.take(32)), X25519Public(reader.take(32))
        pairing = Pairing(role, local, remote, reader.take(32), reader.take(64))
        sent = reader.number(1)
        length = reader.number(2)
        if sent > MAX_REQUESTS or length not in (0, PREFIX_SIZE):
            raise CryptoError
        requests = Requests(sent, reader.take(length))
        if role is Role.INVITER and (sent or length):
            raise CryptoError
        ratchet = read_ratchet(reader)
        reader.end()
        return cls(pairing, requests, ratchet)

    def _ratchet_envelope(self, envelope: bytes) -> bytes:
        """Take the ratchet envelope out of a repeated request; any other envelope is its own.

        Raises:
            CryptoError: It is a request of this link, but of another joiner.
        """
        pairing = self._pairing
        request = try_request(pairing.bundle_hash, envelope)
        if request is None:
            return envelope
        if request.transcript(pairing.bundle_hash) != pairing.transcript:
            raise CryptoError
        return request.ratchet_envelope
