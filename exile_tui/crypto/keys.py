"""Keys as distinct types, so that one can't be taken for another (docs/protocol.md, section 2).

A public key is checked when it is made: whoever holds one of these types holds a key that was
checked. Private keys are made from bytes; deriving the library's object from them takes tens of
microseconds, so it happens on first use and is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
    MLKEM1024PrivateKey,
    MLKEM1024PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from exile_tui.errors import CryptoError

X25519_SIZE: Final = 32
MLKEM_SEED_SIZE: Final = 64
MLKEM_SECRET_SIZE: Final = 32
MLKEM768_PUBLIC_SIZE: Final = 1184
MLKEM768_CIPHERTEXT_SIZE: Final = 1088
MLKEM1024_PUBLIC_SIZE: Final = 1568
MLKEM1024_CIPHERTEXT_SIZE: Final = 1568

_FIELD_PRIME: Final = 2**255 - 19


def _require_size(raw: bytes, size: int) -> None:
    if not isinstance(raw, bytes) or len(raw) != size:
        raise CryptoError


@dataclass(frozen=True, slots=True)
class X25519Public:
    """An X25519 public key in its one canonical encoding.

    Raises:
        CryptoError: Not 32 bytes, or 2^255 - 19 or more when read little-endian with the top bit.
    """

    raw: bytes
    _key: X25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_size(self.raw, X25519_SIZE)
        # The library accepts these silently: two encodings of one key would be two identities.
        if int.from_bytes(self.raw, "little") >= _FIELD_PRIME:
            raise CryptoError
        object.__setattr__(self, "_key", X25519PublicKey.from_public_bytes(self.raw))


@dataclass(frozen=True, slots=True, eq=False)
class X25519Private:
    """An X25519 private key, 32 bytes."""

    raw: bytes = field(repr=False)
    _lazy: X25519PrivateKey | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        _require_size(self.raw, X25519_SIZE)

    def _key(self) -> X25519PrivateKey:
        key = self._lazy
        if key is None:
            key = X25519PrivateKey.from_private_bytes(self.raw)
            object.__setattr__(self, "_lazy", key)
        return key

    def public(self) -> X25519Public:
        """Return the public half."""
        return X25519Public(self._key().public_key().public_bytes_raw())

    def exchange(self, peer: X25519Public) -> bytes:
        """Return the 32 bytes that both sides compute.

        Raises:
            CryptoError: The output is all zero, so the peer's key has a low order.
        """
        try:
            return self._key().exchange(peer._key)
        except ValueError:
            raise CryptoError from None


@dataclass(frozen=True, slots=True)
class MlKem768Public:
    """An ML-KEM-768 encapsulation key that passed the check of FIPS 203, section 7.2.

    Raises:
        CryptoError: Not 1184 bytes, or a coefficient is not reduced.
    """

    raw: bytes
    _key: MLKEM768PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_size(self.raw, MLKEM768_PUBLIC_SIZE)
        try:
            key = MLKEM768PublicKey.from_public_bytes(self.raw)
        except (ValueError, UnsupportedAlgorithm):
            raise CryptoError from None
        object.__setattr__(self, "_key", key)

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Return a fresh shared secret (32 bytes) and its ciphertext (1088 bytes)."""
        return self._key.encapsulate()


@dataclass(frozen=True, slots=True, eq=False)
class MlKem768Seed:
    """An ML-KEM-768 decapsulation key, kept as its 64-byte seed."""

    raw: bytes = field(repr=False)
    _lazy: MLKEM768PrivateKey | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        _require_size(self.raw, MLKEM_SEED_SIZE)

    def _key(self) -> MLKEM768PrivateKey:
        key = self._lazy
        if key is None:
            key = MLKEM768PrivateKey.from_seed_bytes(self.raw)
            object.__setattr__(self, "_lazy", key)
        return key

    def public_raw(self) -> bytes:
        """Return the 1184 bytes of the public half."""
        return self._key().public_key().public_bytes_raw()

    def public(self) -> MlKem768Public:
        """Return the public half."""
        return MlKem768Public(self.public_raw())

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret; a forged ciphertext gives an unrelated one (FIPS 203, 6.3)."""
        _require_size(ciphertext, MLKEM768_CIPHERTEXT_SIZE)
        return self._key().decapsulate(ciphertext)


@dataclass(frozen=True, slots=True)
class MlKem1024Public:
    """An ML-KEM-1024 encapsulation key that passed the check of FIPS 203, section 7.2.

    Raises:
        CryptoError: Not 1568 bytes, or a coefficient is not reduced.
    """

    raw: bytes
    _key: MLKEM1024PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_size(self.raw, MLKEM1024_PUBLIC_SIZE)
        try:
            key = MLKEM1024PublicKey.from_public_bytes(self.raw)
        except (ValueError, UnsupportedAlgorithm):
            raise CryptoError from None
        object.__setattr__(self, "_key", key)

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Return a fresh shared secret (32 bytes) and its ciphertext (1568 bytes)."""
        return self._key.encapsulate()


@dataclass(frozen=True, slots=True, eq=False)
class MlKem1024Seed:
    """An ML-KEM-1024 decapsulation key, kept as its 64-byte seed."""

    raw: bytes = field(repr=False)
    _lazy: MLKEM1024PrivateKey | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        _require_size(self.raw, MLKEM_SEED_SIZE)

    def _key(self) -> MLKEM1024PrivateKey:
        key = self._lazy
        if key is None:
            key = MLKEM1024PrivateKey.from_seed_bytes(self.raw)
            object.__setattr__(self, "_lazy", key)
        return key

    def public(self) -> MlKem1024Public:
        """Return the public half."""
        return MlKem1024Public(self._key().public_key().public_bytes_raw())

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret; a forged ciphertext gives an unrelated one (FIPS 203, 6.3)."""
        _require_size(ciphertext, MLKEM1024_CIPHERTEXT_SIZE)
        return self._key().decapsulate(ciphertext)
