"""A key from a passphrase, and keys wrapped by it.

Argon2id (RFC 9106) with the second recommended parameter set's memory and passes, on one lane.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from exile_tui.crypto import aead
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.kdf import KEY_SIZE
from exile_tui.errors import CryptoError


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """What Argon2id costs; stored beside the salt."""

    memory_kib: int = 65536
    passes: int = 3
    lanes: int = 1


def derive_key(passphrase: str, salt: bytes, parameters: Argon2Parameters) -> bytes:
    """Derive a key-encryption key, 32 bytes.

    Args:
        passphrase: Normalised to NFC first: input methods differ in how they compose Hangul.
        salt: At least 8 random bytes.
        parameters: What it costs.

    Raises:
        CryptoError: The salt or the parameters are out of range, or the text is no Unicode text.
    """
    try:
        secret = unicodedata.normalize("NFC", passphrase).encode("utf-8")
        argon2 = Argon2id(
            salt=salt,
            length=KEY_SIZE,
            iterations=parameters.passes,
            lanes=parameters.lanes,
            memory_cost=parameters.memory_kib,
        )
        return argon2.derive(secret)
    except (ValueError, OverflowError, MemoryError, UnsupportedAlgorithm):
        raise CryptoError from None


def wrap_key(kek: bytes, key: bytes, ad: bytes, entropy: Entropy) -> bytes:
    """Seal a key under a key-encryption key, committing to the latter: 72 bytes more."""
    return aead.seal(kek, key, ad, entropy)


def unwrap_key(kek: bytes, wrapped: bytes, ad: bytes) -> bytes:
    """Open what `wrap_key` made.

    Raises:
        CryptoError: The passphrase was another one, or any byte differs.
    """
    return aead.open_sealed(kek, wrapped, ad)
