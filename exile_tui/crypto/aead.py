"""Authenticated encryption of bodies, headers and blobs (docs/protocol.md, section 3)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hmac import HMAC

from exile_tui.crypto import labels
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.kdf import hmac_sha512, sha512
from exile_tui.errors import CryptoError

SEAL_OVERHEAD: Final = 72
"""A nonce of 24 bytes, a commitment of 32, a tag of 16."""
HEADER_OVERHEAD: Final = 28
"""A nonce of 12 bytes, a tag of 16."""

_ZERO_NONCE: Final = bytes(12)
_RANDOM_SIZE: Final = 32
_SHA512: Final = SHA512()


def seal(message_key: bytes, plaintext: bytes, ad: bytes, entropy: Entropy) -> bytes:
    """Seal under a key that a restored copy of this machine may use again.

    The nonce depends on the text too, so two texts under one message key never share a keystream.

    Returns:
        `nonce 24 | commitment to the key 32 | ciphertext and tag`.
    """
    keyed = HMAC(message_key, _SHA512)
    body = keyed.copy()
    keyed.update(labels.NONCE + entropy.bytes(_RANDOM_SIZE) + sha512(plaintext) + sha512(ad))
    nonce = keyed.finalize()[:24]
    body.update(labels.BODY + nonce)
    output = body.finalize()
    ciphertext = ChaCha20Poly1305(output[:32]).encrypt(_ZERO_NONCE, plaintext, ad)
    return nonce + output[32:] + ciphertext


def open_sealed(message_key: bytes, sealed: bytes, ad: bytes, start: int = 0) -> bytes:
    """Open what `seal` made.

    Args:
        message_key: The key, 32 bytes.
        sealed: What ends with the sealed bytes.
        ad: What they are bound to.
        start: Where in `sealed` they begin.

    Raises:
        CryptoError: The key is not the one committed to, or any byte differs.
    """
    commitment_at, ciphertext_at = start + 24, start + 56
    output = hmac_sha512(message_key, labels.BODY + sealed[start:commitment_at])
    if not hmac.compare_digest(output[32:], sealed[commitment_at:ciphertext_at]):
        raise CryptoError
    try:
        return ChaCha20Poly1305(output[:32]).decrypt(_ZERO_NONCE, sealed[ciphertext_at:], ad)
    except InvalidTag:
        raise CryptoError from None


@dataclass(frozen=True, slots=True, eq=False)
class HeaderKey:
    """A key that seals many headers; its cipher and its HMAC are made on first use and kept."""

    raw: bytes = field(repr=False)
    _lazy: ChaCha20Poly1305 | None = field(default=None, init=False, repr=False)
    _lazy_hmac: HMAC | None = field(default=None, init=False, repr=False)

    def _cipher(self) -> ChaCha20Poly1305:
        cipher = ChaCha20Poly1305(self.raw)
        object.__setattr__(self, "_lazy", cipher)
        return cipher

    def _hmac(self) -> HMAC:
        keyed = HMAC(self.raw, _SHA512)
        object.__setattr__(self, "_lazy_hmac", keyed)
        return keyed

    def seal(self, header: bytes, ad: bytes, entropy: Entropy) -> bytes:
        """Return `nonce 12 | ciphertext and tag`."""
        random = entropy.bytes(_RANDOM_SIZE)
        keyed = (self._lazy_hmac or self._hmac()).copy()
        keyed.update(labels.HEADER_NONCE + random + sha512(header))
        nonce = keyed.finalize()[:12]
        return nonce + (self._lazy or self._cipher()).encrypt(nonce, header, ad)

    def try_open(self, sealed: bytes, ad: bytes) -> bytes | None:
        """Return the header, or None when it was sealed under another key."""
        if len(sealed) < HEADER_OVERHEAD:
            return None
        try:
            return (self._lazy or self._cipher()).decrypt(sealed[:12], sealed[12:], ad)
        except InvalidTag:
            return None


def seal_header(header_key: bytes, header: bytes, ad: bytes, entropy: Entropy) -> bytes:
    """Seal a header, or a request, under a key that seals many.

    Returns:
        `nonce 12 | ciphertext and tag`.
    """
    return HeaderKey(header_key).seal(header, ad, entropy)


def open_header(header_key: bytes, sealed: bytes, ad: bytes) -> bytes:
    """Open what `seal_header` made.

    Raises:
        CryptoError: The key is another one, or any byte differs.
    """
    header = HeaderKey(header_key).try_open(sealed, ad)
    if header is None:
        raise CryptoError
    return header


def aead_encrypt(key: bytes, plaintext: bytes, ad: bytes = b"") -> bytes:
    """Encrypt with ChaCha20-Poly1305 and the nonce 0^12, under a key that is used once."""
    return ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, plaintext, ad)


def aead_decrypt(key: bytes, ciphertext: bytes, ad: bytes = b"") -> bytes:
    """Decrypt what `aead_encrypt` made.

    Raises:
        CryptoError: The key is another one, or any byte differs.
    """
    try:
        return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, ciphertext, ad)
    except InvalidTag:
        raise CryptoError from None
