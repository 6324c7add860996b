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
from typing import Final, TypeAlias

from exile_tui.crypto import aead, labels
from exile_tui.crypto.chains import (
    ChainHead,
    NoReceivingChain,
    OldChain,
    OwnKeys,
    Pending,
    Receiving,
    ReceivingChain,
    Roots,
    Sending,
    SendingChain,
    Stepped,
    Unstarted,
)
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.failures import PossibleRestoredCopy
from exile_tui.crypto.kdf import kdf_ck, kdf_rk, sha256
from exile_tui.crypto.keys import (
    MLKEM768_CIPHERTEXT_SIZE,
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
)
from exile_tui.errors import CryptoError

MAX_N: Final = 19_999
MAX_GAP: Final = 25_000

_COUNTERS: Final = struct.Struct(">BII")
_VERSION: Final = 1
_EK_AT: Final = X25519_SIZE
_CT_AT: Final = _EK_AT + MLKEM768_PUBLIC_SIZE

STEP_SIZE: Final = _CT_AT + MLKEM768_CIPHERTEXT_SIZE
SEALED_HEADER_SIZE: Final = _COUNTERS.size + STEP_SIZE + aead.HEADER_OVERHEAD
ENVELOPE_OVERHEAD: Final = SEALED_HEADER_SIZE + aead.SEAL_OVERHEAD

_Sealed: TypeAlias = tuple[bytes, bytes]
"""An envelope, and what its sealed body is bound to: AD and the sealed header before it."""


class Ratchet:
    """The whole state of the ratchet of one contact; old chains are oldest first, none is empty."""

    __slots__ = ("old", "receiving", "roots", "sending")

    def __init__(
        self, roots: Roots, sending: Sending, receiving: Receiving, old: tuple[OldChain, ...]
    ) -> None:
        self.roots = roots
        self.sending = sending
        self.receiving = receiving
        self.old = old

    def __repr__(self) -> str:
        return f"Ratchet({self.sending!r}, {self.receiving!r}, old={len(self.old)})"

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
        roots, chain = self.roots, self.sending
        if isinstance(chain, Pending):
            roots, chain = _sending_step(roots, chain, entropy)
        if not isinstance(chain, SendingChain) or chain.n > MAX_N:
            raise CryptoError
        head = chain.head
        header = _COUNTERS.pack(_VERSION, head.pn, chain.n) + head.step
        sealed_header = head.header_key.seal(header, ad, entropy)
        chain_key, message_key = kdf_ck(chain.chain_key)
        sealed_body = aead.seal(message_key, body, ad + sealed_header, entropy)
        sending = SendingChain(head, chain.stepped, chain_key, chain.n + 1)
        return Ratchet(roots, sending, self.receiving, self.old), sealed_header + sealed_body

    def open(self, envelope: bytes, ad: bytes, day: int) -> tuple[Ratchet, bytes, int]:
        """Open an envelope; stored chains are tried first, then the current one, then a step.

        Args:
            envelope: Sealed header and sealed body.
            ad: The session's associated data.
            day: Whole days since the epoch, noted with the keys that are skipped.

        Returns:
            The ratchet after it, the body, and how many message keys became unobtainable.

        Raises:
            CryptoError: For every reason; `PossibleRestoredCopy` when it contradicts its chain.
        """
        if len(envelope) < ENVELOPE_OVERHEAD:
            raise CryptoError
        sealed_header = envelope[:SEALED_HEADER_SIZE]
        sealed = envelope, ad + sealed_header
        sending, current = self.sending, self.receiving
        for index, chain in enumerate(self.old):
            header = chain.header_key.try_open(sealed_header, ad)
            if header is not None:
                return self._open_old(index, header, sealed)
        if isinstance(current, ReceivingChain):
            header = current.head.header_key.try_open(sealed_header, ad)
            if header is not None:
                return self._open_current(current, header, sealed, day)
        if not isinstance(sending, Pending):
            header = self.roots.receiving_next.try_open(sealed_header, ad)
            if header is not None:
                return self._open_step(sending, header, sealed, day)
        raise CryptoError

    def expire(self, day: int) -> tuple[Ratchet, int]:
        """Drop skipped keys that are older than 14 days; return how many."""
        receiving = self.receiving
        if not self.old and (
            isinstance(receiving, NoReceivingChain) or receiving.skipped is NO_SKIPPED_KEYS
        ):
            return self, 0
        before = _count(self.old, receiving)
        old = tuple(chain.with_skipped(chain.skipped.expired(day)) for chain in self.old)
        old = tuple(chain for chain in old if len(chain.skipped))
        if isinstance(receiving, ReceivingChain):
            receiving = receiving.with_skipped(receiving.skipped.expired(day))
        lapsed = before - _count(old, receiving)
        if not lapsed:
            return self, 0
        return Ratchet(self.roots, self.sending, receiving, old), lapsed

    def _open_old(self, index: int, raw: bytes, sealed: _Sealed) -> tuple[Ratchet, bytes, int]:
        chain = self.old[index]
        pn, n, step = _parse_header(raw)
        if pn != chain.pn or sha256(step) != chain.step_hash:
            raise PossibleRestoredCopy
        key, skipped = chain.skipped.take(n)
        body = _open_body(key, sealed)
        rest = (chain.with_skipped(skipped),) if len(skipped) else ()
        old = self.old[:index] + rest + self.old[index + 1 :]
        return Ratchet(self.roots, self.sending, self.receiving, old), body, 0

    def _open_current(
        self, chain: ReceivingChain, raw: bytes, sealed: _Sealed, day: int
    ) -> tuple[Ratchet, bytes, int]:
        pn, n, step = _parse_header(raw)
        if pn != chain.head.pn or step != chain.head.step:
            raise PossibleRestoredCopy
        old, lapsed = self.old, 0
        if n < chain.n:
            key, skipped = chain.skipped.take(n)
            body = _open_body(key, sealed)
            chain = chain.with_skipped(skipped)
        elif n == chain.n:
            chain, body = _open_next(chain, sealed)
        else:
            chain, unkept = _skip_to(chain, n, day)
            chain, body = _open_next(chain, sealed)
            old, chain, evicted = _evict(old, chain)
            lapsed = unkept + evicted
        return Ratchet(self.roots, self.sending, chain, old), body, lapsed

    def _open_step(
        self, sending: Unstarted | SendingChain, raw: bytes, sealed: _Sealed, day: int
    ) -> tuple[Ratchet, bytes, int]:
        pn, n, step = _parse_header(raw)
        peer_dh = X25519Public(step[:_EK_AT])
        peer_ek = MlKem768Public(step[_EK_AT:_CT_AT])
        if isinstance(sending, SendingChain):
            own, sent = sending.stepped.own, sending.n
            if peer_dh == sending.stepped.peer_dh:
                raise CryptoError
        else:
            own, sent = sending.own, 0
        if peer_dh.raw == own.dh_public:
            raise CryptoError
        old, unkept_before = self._close_receiving(pn, day)
        ciphertext = step[_CT_AT:]
        ikm = own.dh.exchange(peer_dh) + own.kem.decapsulate(ciphertext)
        th = _step_hash(own.dh_public, peer_dh.raw, own.ek, peer_ek.raw, ciphertext)
        root_key, chain_key, next_header_key = kdf_rk(self.roots.root_key, ikm, th)
        head = ChainHead(self.roots.receiving_next, pn, step)
        chain = ReceivingChain(head, chain_key, 0, NO_SKIPPED_KEYS)
        chain, unkept = _skip_to(chain, n, day)
        chain, body = _open_next(chain, sealed)
        old, chain, evicted = _evict(old, chain)
        roots = Roots(root_key, self.roots.sending_next, aead.HeaderKey(next_header_key))
        ratchet = Ratchet(roots, Pending(sent, peer_dh, peer_ek), chain, old)
        return ratchet, body, unkept_before + unkept + evicted

    def _close_receiving(self, pn: int, day: int) -> tuple[tuple[OldChain, ...], int]:
        """Skip the current receiving chain to its end and put it with the old ones."""
        chain = self.receiving
        if isinstance(chain, NoReceivingChain):
            if pn != 0:
                raise CryptoError
            return self.old, 0
        if pn < chain.n:
            raise CryptoError
        chain, unkept = _skip_to(chain, pn, day)
        return ((*self.old, chain.closed()) if len(chain.skipped) else self.old), unkept


def _open_body(message_key: bytes, sealed: _Sealed) -> bytes:
    envelope, ad = sealed
    return aead.open_sealed(message_key, envelope, ad, SEALED_HEADER_SIZE)


def _parse_header(raw: bytes) -> tuple[int, int, bytes]:
    """Read `version 1 | pn 4 | n 4 | dh, ek, ct`; return pn, n and the rest."""
    version, pn, n = _COUNTERS.unpack_from(raw)
    if version != _VERSION or n > MAX_N:
        raise CryptoError
    return pn, n, raw[_COUNTERS.size :]


def _step_hash(
    receiver_dh: bytes, sender_dh: bytes, receiver_ek: bytes, sender_ek: bytes, ciphertext: bytes
) -> bytes:
    """Return th, which binds a step to both sides' keys and the ciphertext."""
    keys = receiver_dh + sender_dh + receiver_ek + sender_ek
    return sha256(labels.TRANSCRIPT_OF_STEP + keys + ciphertext)


def _sending_step(roots: Roots, pending: Pending, entropy: Entropy) -> tuple[Roots, SendingChain]:
    """Start a sending chain; draws the X25519 key, the ML-KEM seed, the encapsulation."""
    dh = X25519Private(entropy.bytes(32))
    own = OwnKeys.derive(dh, MlKem768Seed(entropy.bytes(64)))
    shared, ciphertext = entropy.encapsulate_768(pending.peer_ek)
    th = _step_hash(pending.peer_dh.raw, own.dh_public, pending.peer_ek.raw, own.ek, ciphertext)
    ikm = dh.exchange(pending.peer_dh) + shared
    root_key, chain_key, next_header_key = kdf_rk(roots.root_key, ikm, th)
    step = own.dh_public + own.ek + ciphertext
    head = ChainHead(roots.sending_next, pending.sent, step)
    chain = SendingChain(head, Stepped(own, pending.peer_dh), chain_key, 0)
    return Roots(root_key, aead.HeaderKey(next_header_key), roots.receiving_next), chain


def _skip_to(chain: ReceivingChain, n: int, day: int) -> tuple[ReceivingChain, int]:
    """Store the newest 1,000 keys up to n; return how many of the gap were not stored."""
    gap = n - chain.n
    if gap > MAX_GAP:
        raise CryptoError
    unkept = max(0, gap - MAX_KEPT_OF_GAP)
    chain_key = chain.chain_key
    for _ in range(unkept):
        chain_key, _ = kdf_ck(chain_key)
    keys = []
    for _ in range(gap - unkept):
        chain_key, message_key = kdf_ck(chain_key)
        keys.append(message_key)
    skipped = chain.skipped.with_gap(chain.n + unkept, keys, day)
    return ReceivingChain(chain.head, chain_key, n, skipped), unkept


def _open_next(chain: ReceivingChain, sealed: _Sealed) -> tuple[ReceivingChain, bytes]:
    """Open the chain's next message."""
    chain_key, message_key = kdf_ck(chain.chain_key)
    body = _open_body(message_key, sealed)
    return ReceivingChain(chain.head, chain_key, chain.n + 1, chain.skipped), body


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
            old = (oldest.with_skipped(oldest.skipped.without_oldest(excess)), *old[1:])
            excess = 0
        else:
            excess -= len(oldest.skipped)
            old = old[1:]
    if excess > 0:
        current = current.with_skipped(current.skipped.without_oldest(excess))
    return old, current, before - _count(old, current)


def _count(old: tuple[OldChain, ...], receiving: Receiving) -> int:
    count = len(receiving.skipped) if isinstance(receiving, ReceivingChain) else 0
    for chain in old:
        count += len(chain.skipped)
    return count
