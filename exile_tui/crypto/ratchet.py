"""The Double Ratchet with header encryption, an ML-KEM-768 encapsulation in every step.

https://signal.org/docs/specifications/doubleratchet/ (section 4, header encryption), with the
differences of docs/protocol.md, section 5:

- every root step mixes X25519 and ML-KEM-768, and binds both sides' keys and the ciphertext;
- a receiving step only marks that the next send steps; the sending step happens on that send,
  so that an own key exists only while the peer may answer to it;
- every message of a chain repeats the chain's keys, and a contradiction is refused.

All of it is values: an operation returns a new `Ratchet` or raises and changes nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from exile_tui.crypto import aead, labels
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.failures import PossibleRestoredCopy
from exile_tui.crypto.kdf import kdf_ck, kdf_rk, sha256
from exile_tui.crypto.keys import (
    MLKEM768_PUBLIC_SIZE,
    X25519_SIZE,
    MlKem768Public,
    MlKem768Seed,
    X25519Private,
    X25519Public,
)
from exile_tui.crypto.skipped import (
    MAX_KEPT_OF_GAP,
    MAX_KEYS,
    MAX_OLD_CHAINS,
    NO_SKIPPED_KEYS,
    SkippedKeys,
)
from exile_tui.errors import CryptoError

MAX_N: Final = 19_999
MAX_GAP: Final = 25_000
HEADER_SIZE: Final = 2313
SEALED_HEADER_SIZE: Final = HEADER_SIZE + aead.HEADER_OVERHEAD
ENVELOPE_OVERHEAD: Final = SEALED_HEADER_SIZE + aead.SEAL_OVERHEAD

_COUNTERS: Final = struct.Struct(">BII")
_VERSION: Final = 1
_EK_AT: Final = X25519_SIZE
_CT_AT: Final = _EK_AT + MLKEM768_PUBLIC_SIZE


@dataclass(frozen=True, slots=True, eq=False)
class OwnKeys:
    """The own ratchet keys, from the step that made them to the step that uses them."""

    dh: X25519Private
    kem: MlKem768Seed


@dataclass(frozen=True, slots=True, eq=False)
class Unstarted:
    """The inviter's sending side until the first message arrived: its invite's ratchet keys."""

    own: OwnKeys


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A sending side that takes its step on the next send; there is no chain and no own key."""

    previous_n: int
    """How many messages the chain before had: the next chain's pn."""
    peer_dh: X25519Public
    peer_ek: MlKem768Public


@dataclass(frozen=True, slots=True, eq=False)
class SendingChain:
    """A sending chain and the own keys that the peer will step with."""

    header_key: bytes = field(repr=False)
    chain_key: bytes = field(repr=False)
    n: int
    """The next message's number: how many were sent."""
    pn: int
    step: bytes = field(repr=False)
    """What every header of the chain repeats: dh, ek, ct."""
    own: OwnKeys
    peer_dh: X25519Public
    """The peer's key that the step was made with."""


@dataclass(frozen=True, slots=True, eq=False)
class NoReceivingChain:
    """Nothing was received yet."""


@dataclass(frozen=True, slots=True, eq=False)
class ReceivingChain:
    """The peer's current sending chain as seen from here."""

    header_key: bytes = field(repr=False)
    chain_key: bytes = field(repr=False)
    n: int
    """The lowest number not yet passed."""
    pn: int
    step: bytes = field(repr=False)
    """What every header of the chain repeats: dh, ek, ct."""
    skipped: SkippedKeys


@dataclass(frozen=True, slots=True, eq=False)
class OldChain:
    """A receiving chain that was stepped over and of which messages may still come."""

    header_key: bytes = field(repr=False)
    pn: int
    step_hash: bytes
    """H(dh || ek || ct): 64 such chains with the whole would be 147 KB."""
    skipped: SkippedKeys


Sending: TypeAlias = Unstarted | Pending | SendingChain
Receiving: TypeAlias = NoReceivingChain | ReceivingChain


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """An opened header: version 1, then pn, n, dh, ek, ct."""

    pn: int
    n: int
    step: bytes
    """dh, ek, ct."""

    @classmethod
    def parse(cls, raw: bytes) -> Header:
        """Read the 2313 bytes of a header.

        Raises:
            CryptoError: Another version, or n above 19,999.
        """
        version, pn, n = _COUNTERS.unpack_from(raw)
        if version != _VERSION or n > MAX_N:
            raise CryptoError
        return cls(pn, n, raw[_COUNTERS.size :])


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """What opening an envelope gives."""

    ratchet: Ratchet
    body: bytes = field(repr=False)
    lapsed: int
    """How many message keys became unobtainable."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratchet:
    """The whole state of the ratchet of one contact."""

    root_key: bytes = field(repr=False)
    sending_next_header_key: bytes = field(repr=False)
    receiving_next_header_key: bytes = field(repr=False)
    sending: Sending
    receiving: Receiving
    old: tuple[OldChain, ...] = ()
    """Oldest first; none is without keys."""

    @property
    def can_seal(self) -> bool:
        """Tell whether a message can be sealed without an answer of the peer."""
        sending = self.sending
        if isinstance(sending, SendingChain):
            return sending.n <= MAX_N
        return isinstance(sending, Pending)

    def seal(self, body: bytes, ad: bytes, entropy: Entropy) -> tuple[Ratchet, bytes]:
        """Seal a body, taking the sending step first when it is pending.

        Returns:
            The ratchet after it, and the envelope: 2413 bytes more than the body.

        Raises:
            CryptoError: The chain is used up, or nothing was received to answer to.
        """
        ratchet = self._sending_step(entropy) if isinstance(self.sending, Pending) else self
        chain = ratchet.sending
        if not isinstance(chain, SendingChain) or chain.n > MAX_N:
            raise CryptoError
        header = _COUNTERS.pack(_VERSION, chain.pn, chain.n) + chain.step
        sealed_header = aead.seal_header(chain.header_key, header, ad, entropy)
        chain_key, message_key = kdf_ck(chain.chain_key)
        sealed_body = aead.seal(message_key, body, ad + sealed_header, entropy)
        sending = SendingChain(
            chain.header_key,
            chain_key,
            chain.n + 1,
            chain.pn,
            chain.step,
            chain.own,
            chain.peer_dh,
        )
        return ratchet._with_sending(sending), sealed_header + sealed_body

    def open(self, envelope: bytes, ad: bytes, day: int) -> Received:
        """Open an envelope; stored chains are tried first, then the current one, then a step.

        Args:
            envelope: Sealed header and sealed body.
            ad: The session's associated data.
            day: Whole days since the epoch, noted with the keys that are skipped.

        Raises:
            CryptoError: For every reason; `PossibleRestoredCopy` when it contradicts its chain.
        """
        if len(envelope) < ENVELOPE_OVERHEAD:
            raise CryptoError
        sealed_header = envelope[:SEALED_HEADER_SIZE]
        bound = ad + sealed_header
        sealed_body = envelope[SEALED_HEADER_SIZE:]
        for index, old in enumerate(self.old):
            raw = aead.try_header(old.header_key, sealed_header, ad)
            if raw is not None:
                return self._open_old(index, Header.parse(raw), sealed_body, bound)
        current = self.receiving
        if isinstance(current, ReceivingChain):
            raw = aead.try_header(current.header_key, sealed_header, ad)
            if raw is not None:
                return self._open_current(current, Header.parse(raw), sealed_body, bound, day)
        if not isinstance(self.sending, Pending):
            raw = aead.try_header(self.receiving_next_header_key, sealed_header, ad)
            if raw is not None:
                return self._open_step(self.sending, Header.parse(raw), sealed_body, bound, day)
        raise CryptoError

    def expire(self, day: int) -> tuple[Ratchet, int]:
        """Drop skipped keys that are older than 14 days; return how many."""
        before = _count(self.old, self.receiving)
        old = tuple(_replace_old(chain, chain.skipped.expired(day)) for chain in self.old)
        old = tuple(chain for chain in old if len(chain.skipped))
        receiving = self.receiving
        if isinstance(receiving, ReceivingChain):
            receiving = _replace_skipped(receiving, receiving.skipped.expired(day))
        lapsed = before - _count(old, receiving)
        return (self._with_receiving(receiving, old), lapsed) if lapsed else (self, 0)

    def _open_old(self, index: int, header: Header, sealed: bytes, bound: bytes) -> Received:
        chain = self.old[index]
        if header.pn != chain.pn or sha256(header.step) != chain.step_hash:
            raise PossibleRestoredCopy
        if header.n not in chain.skipped:
            raise CryptoError
        body = aead.open_sealed(chain.skipped.key(header.n), sealed, bound)
        rest = _replace_old(chain, chain.skipped.without(header.n))
        kept = (rest,) if len(rest.skipped) else ()
        old = self.old[:index] + kept + self.old[index + 1 :]
        return Received(self._with_receiving(self.receiving, old), body, 0)

    def _open_current(
        self, chain: ReceivingChain, header: Header, sealed: bytes, bound: bytes, day: int
    ) -> Received:
        if header.pn != chain.pn or header.step != chain.step:
            raise PossibleRestoredCopy
        n = header.n
        if n < chain.n:
            if n not in chain.skipped:
                raise CryptoError
            body = aead.open_sealed(chain.skipped.key(n), sealed, bound)
            late = _replace_skipped(chain, chain.skipped.without(n))
            return Received(self._with_receiving(late, self.old), body, 0)
        gap = n - chain.n
        chain, lapsed = _skip_to(chain, n, day) if gap else (chain, 0)
        chain, body = _open_next(chain, sealed, bound)
        if not gap:
            return Received(self._with_receiving(chain, self.old), body, 0)
        old, receiving, evicted = _evict(self.old, chain)
        return Received(self._with_receiving(receiving, old), body, lapsed + evicted)

    def _open_step(
        self,
        sending: Unstarted | SendingChain,
        header: Header,
        sealed: bytes,
        bound: bytes,
        day: int,
    ) -> Received:
        peer_dh = X25519Public(header.step[:_EK_AT])
        peer_ek = MlKem768Public(header.step[_EK_AT:_CT_AT])
        own_dh = sending.own.dh.public()
        sent = 0
        if isinstance(sending, SendingChain):
            sent = sending.n
            if peer_dh == sending.peer_dh:
                raise CryptoError
        if peer_dh == own_dh:
            raise CryptoError
        old, lapsed = self._close_receiving(header.pn, day)
        root_key, chain_key, next_header_key = _root_step_of_receiver(
            self.root_key, sending, peer_dh, header.step
        )
        chain = ReceivingChain(
            self.receiving_next_header_key,
            chain_key,
            0,
            header.pn,
            header.step,
            NO_SKIPPED_KEYS,
        )
        chain, skipped_over = _skip_to(chain, header.n, day)
        chain, body = _open_next(chain, sealed, bound)
        old, receiving, evicted = _evict(old, chain)
        ratchet = Ratchet(
            root_key,
            self.sending_next_header_key,
            next_header_key,
            Pending(sent, peer_dh, peer_ek),
            receiving,
            old,
        )
        return Received(ratchet, body, lapsed + skipped_over + evicted)

    def _close_receiving(self, pn: int, day: int) -> tuple[tuple[OldChain, ...], int]:
        """Skip the current receiving chain to its end and put it with the old ones."""
        chain = self.receiving
        if isinstance(chain, NoReceivingChain):
            if pn != 0:
                raise CryptoError
            return self.old, 0
        if pn < chain.n:
            raise CryptoError
        chain, lapsed = _skip_to(chain, pn, day)
        if not len(chain.skipped):
            return self.old, lapsed
        closed = OldChain(chain.header_key, chain.pn, sha256(chain.step), chain.skipped)
        return (*self.old, closed), lapsed

    def _sending_step(self, entropy: Entropy) -> Ratchet:
        pending = self.sending
        if not isinstance(pending, Pending):
            raise CryptoError
        own = OwnKeys(X25519Private(entropy.bytes(32)), MlKem768Seed(entropy.bytes(64)))
        shared, ciphertext = entropy.encapsulate_768(pending.peer_ek)
        own_dh = own.dh.public().raw
        own_ek = own.kem.public_raw()
        root_key, chain_key, next_header_key = kdf_rk(
            self.root_key,
            own.dh.exchange(pending.peer_dh) + shared,
            _step_hash(pending.peer_dh.raw, own_dh, pending.peer_ek.raw, own_ek, ciphertext),
        )
        sending = SendingChain(
            self.sending_next_header_key,
            chain_key,
            0,
            pending.previous_n,
            own_dh + own_ek + ciphertext,
            own,
            pending.peer_dh,
        )
        return Ratchet(
            root_key,
            next_header_key,
            self.receiving_next_header_key,
            sending,
            self.receiving,
            self.old,
        )

    def _with_sending(self, sending: Sending) -> Ratchet:
        return Ratchet(
            self.root_key,
            self.sending_next_header_key,
            self.receiving_next_header_key,
            sending,
            self.receiving,
            self.old,
        )

    def _with_receiving(self, receiving: Receiving, old: tuple[OldChain, ...]) -> Ratchet:
        return Ratchet(
            self.root_key,
            self.sending_next_header_key,
            self.receiving_next_header_key,
            self.sending,
            receiving,
            old,
        )


def _step_hash(
    receiver_dh: bytes, sender_dh: bytes, receiver_ek: bytes, sender_ek: bytes, ciphertext: bytes
) -> bytes:
    return sha256(
        labels.TRANSCRIPT_OF_STEP + receiver_dh + sender_dh + receiver_ek + sender_ek + ciphertext
    )


def _root_step_of_receiver(
    root_key: bytes, sending: Unstarted | SendingChain, peer_dh: X25519Public, step: bytes
) -> tuple[bytes, bytes, bytes]:
    own = sending.own
    if isinstance(sending, SendingChain):
        own_dh, own_ek = sending.step[:_EK_AT], sending.step[_EK_AT:_CT_AT]
    else:
        own_dh, own_ek = own.dh.public().raw, own.kem.public_raw()
    ciphertext = step[_CT_AT:]
    ikm = own.dh.exchange(peer_dh) + own.kem.decapsulate(ciphertext)
    th = _step_hash(own_dh, step[:_EK_AT], own_ek, step[_EK_AT:_CT_AT], ciphertext)
    return kdf_rk(root_key, ikm, th)


def _skip_to(chain: ReceivingChain, n: int, day: int) -> tuple[ReceivingChain, int]:
    """Store the newest 1,000 keys up to n; return how many of the gap were not stored."""
    gap = n - chain.n
    if gap > MAX_GAP:
        raise CryptoError
    if not gap:
        return chain, 0
    unkept = max(0, gap - MAX_KEPT_OF_GAP)
    chain_key = chain.chain_key
    for _ in range(unkept):
        chain_key, _ = kdf_ck(chain_key)
    keys = []
    for _ in range(gap - unkept):
        chain_key, message_key = kdf_ck(chain_key)
        keys.append(message_key)
    skipped = chain.skipped.with_gap(chain.n + unkept, keys, day)
    return ReceivingChain(chain.header_key, chain_key, n, chain.pn, chain.step, skipped), unkept


def _open_next(chain: ReceivingChain, sealed: bytes, bound: bytes) -> tuple[ReceivingChain, bytes]:
    """Open the chain's next message."""
    chain_key, message_key = kdf_ck(chain.chain_key)
    body = aead.open_sealed(message_key, sealed, bound)
    moved = ReceivingChain(
        chain.header_key, chain_key, chain.n + 1, chain.pn, chain.step, chain.skipped
    )
    return moved, body


def _evict(
    old: tuple[OldChain, ...], current: ReceivingChain
) -> tuple[tuple[OldChain, ...], ReceivingChain, int]:
    """Drop the oldest keys beyond 2,000 keys or 64 old chains; return how many keys went."""
    before = _count(old, current)
    old = old[-MAX_OLD_CHAINS:]
    excess = _count(old, current) - MAX_KEYS
    while excess > 0 and old:
        oldest = old[0]
        if len(oldest.skipped) > excess:
            old = (_replace_old(oldest, oldest.skipped.without_oldest(excess)), *old[1:])
            excess = 0
        else:
            excess -= len(oldest.skipped)
            old = old[1:]
    if excess > 0:
        current = _replace_skipped(current, current.skipped.without_oldest(excess))
    return old, current, before - _count(old, current)


def _count(old: tuple[OldChain, ...], receiving: Receiving) -> int:
    current = len(receiving.skipped) if isinstance(receiving, ReceivingChain) else 0
    return current + sum(len(chain.skipped) for chain in old)


def _replace_old(chain: OldChain, skipped: SkippedKeys) -> OldChain:
    return OldChain(chain.header_key, chain.pn, chain.step_hash, skipped)


def _replace_skipped(chain: ReceivingChain, skipped: SkippedKeys) -> ReceivingChain:
    return ReceivingChain(chain.header_key, chain.chain_key, chain.n, chain.pn, chain.step, skipped)
