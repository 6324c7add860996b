"""The stored form of a ratchet: strict, and the same bytes for the same state.

`root key 32 | sending next header key 32 | receiving next header key 32 | sending | receiving |
count 1 of old chains | old chains`. A ratchet that has not started is never stored. A step is the
`dh 32 | ek 1184 | ct 1088` of a chain's headers.

| part | bytes |
|---|---|
| sending, pending | `0 | pn 4 | peer dh 32 | peer ek 1184` |
| sending, a chain | `1 | header key 32 | chain key 32 | n 4 | pn 4 | step 2304 | own` |
| own | `dh 32 | seed 64 | peer dh 32` |
| receiving, none | `0` |
| receiving, a chain | `1 | header key 32 | chain key 32 | n 4 | pn 4 | step 2304 | skipped` |
| old chain | `header key 32 | pn 4 | H(step) 32 | skipped` |
| skipped | `count 2`, then `n 4 | day 4 | message key 32` each |
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, TypeVar

from exile_tui.crypto.aead import HeaderKey
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
)
from exile_tui.crypto.keys import (
    MLKEM768_PUBLIC_SIZE,
    X25519_SIZE,
    MlKem768Public,
    MlKem768Seed,
    X25519Private,
    X25519Public,
)
from exile_tui.crypto.ratchet import MAX_N, STEP_SIZE, Ratchet
from exile_tui.crypto.skipped import ENTRY_SIZE, MAX_KEYS, MAX_OLD_CHAINS, SkippedKeys
from exile_tui.errors import CryptoError

_ABSENT: Final = b"\x00"
_PRESENT: Final = b"\x01"

_Choice = TypeVar("_Choice", bound=Enum)


class Reader:
    """Bytes that are read from the front and must end exactly."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes.

        Raises:
            CryptoError: There are fewer.
        """
        end = self._at + length
        part = self._raw[self._at : end]
        if len(part) != length:
            raise CryptoError
        self._at = end
        return part

    def number(self, length: int) -> int:
        """Return the next `length` bytes as a big-endian number."""
        return int.from_bytes(self.take(length), "big")

    def choice(self, kind: type[_Choice]) -> _Choice:
        """Return the member of `kind` that the next byte names.

        Raises:
            CryptoError: It names none.
        """
        try:
            return kind(self.number(1))
        except ValueError:
            raise CryptoError from None

    def flag(self) -> bool:
        """Return the next byte, 0 or 1, as a truth value."""
        value = self.number(1)
        if value > 1:
            raise CryptoError
        return bool(value)

    def end(self) -> None:
        """Check that nothing is left.

        Raises:
            CryptoError: Something is.
        """
        if self._at != len(self._raw):
            raise CryptoError


def encode_ratchet(ratchet: Ratchet) -> Iterator[bytes]:
    """Yield the parts of a ratchet's stored form."""
    roots = ratchet.roots
    yield roots.root_key
    yield roots.sending_next.raw
    yield roots.receiving_next.raw
    yield from _encode_sending(ratchet.sending)
    receiving = ratchet.receiving
    if isinstance(receiving, ReceivingChain):
        yield _PRESENT
        yield from _encode_chain(receiving.head, receiving.chain_key, receiving.n)
        yield receiving.skipped.to_bytes()
    else:
        yield _ABSENT
    yield bytes((len(ratchet.old),))
    for chain in ratchet.old:
        yield chain.header_key.raw
        yield chain.pn.to_bytes(4, "big")
        yield chain.step_hash
        yield chain.skipped.to_bytes()


def read_ratchet(reader: Reader) -> Ratchet:
    """Read a ratchet.

    Raises:
        CryptoError: The bytes are not a state that this program stores.
    """
    roots = Roots(reader.take(32), _read_header_key(reader), _read_header_key(reader))
    sending = _read_sending(reader)
    receiving = _read_receiving(reader)
    old = tuple(_read_old(reader) for _ in range(reader.number(1)))
    keys = sum(len(chain.skipped) for chain in old)
    if isinstance(receiving, ReceivingChain):
        keys += len(receiving.skipped)
    if len(old) > MAX_OLD_CHAINS or keys > MAX_KEYS:
        raise CryptoError
    return Ratchet(roots, sending, receiving, old)


def _encode_chain(head: ChainHead, chain_key: bytes, n: int) -> tuple[bytes, ...]:
    counts = n.to_bytes(4, "big") + head.pn.to_bytes(4, "big")
    return head.header_key.raw, chain_key, counts, head.step


def _encode_sending(sending: Sending) -> tuple[bytes, ...]:
    if isinstance(sending, SendingChain):
        own, peer_dh = sending.stepped.own, sending.stepped.peer_dh
        chain = _encode_chain(sending.head, sending.chain_key, sending.n)
        return _PRESENT, *chain, own.dh.raw, own.kem.raw, peer_dh.raw
    if isinstance(sending, Pending):
        sent = sending.sent.to_bytes(4, "big")
        return _ABSENT, sent, sending.peer_dh.raw, sending.peer_ek.raw
    raise CryptoError


def _read_sending(reader: Reader) -> Sending:
    if not reader.flag():
        return Pending(
            _read_count(reader),
            X25519Public(reader.take(X25519_SIZE)),
            MlKem768Public(reader.take(MLKEM768_PUBLIC_SIZE)),
        )
    header_key, chain_key = _read_header_key(reader), reader.take(32)
    n, pn, step = _read_count(reader), _read_count(reader), reader.take(STEP_SIZE)
    dh_public, ek = step[:X25519_SIZE], step[X25519_SIZE : X25519_SIZE + MLKEM768_PUBLIC_SIZE]
    dh, kem = X25519Private(reader.take(X25519_SIZE)), MlKem768Seed(reader.take(64))
    stepped = Stepped(OwnKeys(dh, kem, dh_public, ek), X25519Public(reader.take(X25519_SIZE)))
    return SendingChain(ChainHead(header_key, pn, step), stepped, chain_key, n)


def _read_receiving(reader: Reader) -> Receiving:
    if not reader.flag():
        return NoReceivingChain()
    header_key, chain_key = _read_header_key(reader), reader.take(32)
    n, pn, step = _read_count(reader), reader.number(4), reader.take(STEP_SIZE)
    return ReceivingChain(ChainHead(header_key, pn, step), chain_key, n, _read_skipped(reader))


def _read_old(reader: Reader) -> OldChain:
    header_key, pn, step_hash = _read_header_key(reader), reader.number(4), reader.take(32)
    skipped = _read_skipped(reader)
    if not len(skipped):
        raise CryptoError
    return OldChain(header_key, pn, step_hash, skipped)


def _read_skipped(reader: Reader) -> SkippedKeys:
    return SkippedKeys.from_entries(reader.take(reader.number(2) * ENTRY_SIZE))


def _read_header_key(reader: Reader) -> HeaderKey:
    return HeaderKey(reader.take(32))


def _read_count(reader: Reader) -> int:
    """Read how many messages a chain has: at most 20,000."""
    count = reader.number(4)
    if count > MAX_N + 1:
        raise CryptoError
    return count
