"""Hashes and key derivation (docs/protocol.md, section 3)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from exile_tui.crypto import labels

HASH_SIZE: Final = 64
KEY_SIZE: Final = 32

_sha512: Final = hashlib.sha512
_hmac: Final = hmac.digest


def sha256(data: bytes) -> bytes:
    """Return H(data), 32 bytes."""
    return hashlib.sha256(data).digest()


def sha512(data: bytes) -> bytes:
    """Return SHA-512(data), 64 bytes."""
    return _sha512(data).digest()


def hmac_sha512(key: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA-512 (RFC 2104), 64 bytes."""
    return _hmac(key, data, "sha512")


def _expand(pseudorandom_key: bytes, info: bytes, length: int) -> bytes:
    """Expand as RFC 5869, section 2.3, says."""
    output = block = b""
    counter = 1
    while len(output) < length:
        block = hmac_sha512(pseudorandom_key, block + info + bytes((counter,)))
        output += block
        counter += 1
    return output[:length]


def hkdf(ikm: bytes, info: bytes, length: int) -> bytes:
    """Derive `length` bytes with HKDF-SHA-512 and the salt 0^64."""
    return _expand(hmac_sha512(bytes(HASH_SIZE), ikm), info, length)


def kdf_ck(chain_key: bytes) -> tuple[bytes, bytes]:
    """Return the next chain key and the message key, 32 bytes each."""
    output = _hmac(chain_key, labels.CHAIN_KEY, "sha512")
    return output[:KEY_SIZE], output[KEY_SIZE:]


def kdf_rk(root_key: bytes, ikm: bytes, step_hash: bytes) -> tuple[bytes, bytes, bytes]:
    """Take a root step.

    Args:
        root_key: The root key before the step, 32 bytes; the salt.
        ikm: X25519 output and ML-KEM secret, 32 bytes each.
        step_hash: `th`, 32 bytes, over both sides' keys and the ciphertext.

    Returns:
        The root key, the chain key and the next header key of that direction, 32 bytes each.
    """
    output = _expand(hmac_sha512(root_key, ikm), labels.ROOT_KEY + step_hash, 96)
    return output[:32], output[32:64], output[64:]
