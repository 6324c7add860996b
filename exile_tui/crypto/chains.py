"""The parts of a ratchet's state: chains, and what stands in their place while there is none.

All are values. What every message makes anew is a plain class with slots, which nothing changes
after it was made: a NamedTuple takes half as long again to make, a frozen dataclass several times
as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from exile_tui.crypto.aead import HeaderKey
from exile_tui.crypto.kdf import sha256
from exile_tui.crypto.keys import MlKem768Public, MlKem768Seed, X25519Private, X25519Public
from exile_tui.crypto.skipped import SkippedKeys


@dataclass(frozen=True, slots=True, eq=False)
class Roots:
    """What the next step of either side starts from."""

    root_key: bytes = field(repr=False)
    sending_next: HeaderKey
    receiving_next: HeaderKey


@dataclass(frozen=True, slots=True, eq=False)
class OwnKeys:
    """The own ratchet keys, from the step that made them to the step that uses them."""

    dh: X25519Private
    kem: MlKem768Seed
    dh_public: bytes
    ek: bytes

    @classmethod
    def derive(cls, dh: X25519Private, kem: MlKem768Seed) -> OwnKeys:
        """Make them from the private halves."""
        return cls(dh, kem, dh.public().raw, kem.public_raw())


@dataclass(frozen=True, slots=True, eq=False)
class ChainHead:
    """What all messages of a chain have in common."""

    header_key: HeaderKey
    pn: int
    """How many messages the sender's chain before had."""
    step: bytes = field(repr=False)
    """What every header repeats: dh 32, ek 1184, ct 1088."""


@dataclass(frozen=True, slots=True, eq=False)
class Unstarted:
    """The inviter's sending side until the first message arrived: its invite's ratchet keys."""

    own: OwnKeys


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A sending side that takes its step on the next send; there is no chain and no own key."""

    sent: int
    """How many messages the chain before had: the next chain's pn."""
    peer_dh: X25519Public
    peer_ek: MlKem768Public


@dataclass(frozen=True, slots=True, eq=False)
class Stepped:
    """What a sending step leaves until the peer's step: own keys, and the peer's key it used."""

    own: OwnKeys
    peer_dh: X25519Public


class SendingChain:
    """A sending chain; n is the next message's number: how many were sent."""

    __slots__ = ("chain_key", "head", "n", "stepped")

    def __init__(self, head: ChainHead, stepped: Stepped, chain_key: bytes, n: int) -> None:
        self.head = head
        self.stepped = stepped
        self.chain_key = chain_key
        self.n = n

    def __repr__(self) -> str:
        return f"SendingChain(n={self.n})"


@dataclass(frozen=True, slots=True, eq=False)
class NoReceivingChain:
    """Nothing was received yet."""


class ReceivingChain:
    """The peer's current sending chain as seen from here; n is the lowest number not yet passed."""

    __slots__ = ("chain_key", "head", "n", "skipped")

    def __init__(self, head: ChainHead, chain_key: bytes, n: int, skipped: SkippedKeys) -> None:
        self.head = head
        self.chain_key = chain_key
        self.n = n
        self.skipped = skipped

    def __repr__(self) -> str:
        return f"ReceivingChain(n={self.n}, skipped={len(self.skipped)})"

    def with_skipped(self, skipped: SkippedKeys) -> ReceivingChain:
        """Return this chain with other skipped keys."""
        return ReceivingChain(self.head, self.chain_key, self.n, skipped)

    def closed(self) -> OldChain:
        """Return what remains of this chain once it is stepped over."""
        head = self.head
        return OldChain(head.header_key, head.pn, sha256(head.step), self.skipped)


@dataclass(frozen=True, slots=True, eq=False)
class OldChain:
    """A receiving chain that was stepped over and of which messages may still come."""

    header_key: HeaderKey
    pn: int
    step_hash: bytes
    """H(dh || ek || ct): 64 such chains with the whole would be 147 KB."""
    skipped: SkippedKeys

    def with_skipped(self, skipped: SkippedKeys) -> OldChain:
        """Return this chain with other skipped keys."""
        return OldChain(self.header_key, self.pn, self.step_hash, skipped)


Sending: TypeAlias = Unstarted | Pending | SendingChain
Receiving: TypeAlias = NoReceivingChain | ReceivingChain
