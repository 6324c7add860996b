"""The request envelope: how the joiner's first messages carry the handshake.

docs/protocol.md, section 4. 16384 bytes: `seal_header` under a key of the link, over
`EK 32 | IK_A 32 | ct1024 1568 | sealed profile block 1096 | ratchet envelope 13628`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exile_tui.crypto import aead, labels
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.kdf import hkdf, sha256, sha512
from exile_tui.crypto.keys import MLKEM1024_CIPHERTEXT_SIZE, X25519_SIZE
from exile_tui.crypto.ratchet import ENVELOPE_OVERHEAD

REQUEST_SIZE: Final = 16384
PROFILE_BLOCK_SIZE: Final = 1024
MAX_REQUESTS: Final = 8

_IK_AT: Final = X25519_SIZE
_CT_AT: Final = _IK_AT + X25519_SIZE
_PROFILE_AT: Final = _CT_AT + MLKEM1024_CIPHERTEXT_SIZE
PREFIX_SIZE: Final = _PROFILE_AT + PROFILE_BLOCK_SIZE + aead.SEAL_OVERHEAD
RATCHET_ENVELOPE_SIZE: Final = REQUEST_SIZE - aead.HEADER_OVERHEAD - PREFIX_SIZE
REQUEST_BODY_SIZE: Final = RATCHET_ENVELOPE_SIZE - ENVELOPE_OVERHEAD


def request_key(bundle_hash: bytes) -> aead.HeaderKey:
    """Return the key that whoever holds the link has for requests."""
    return aead.HeaderKey(hkdf(bundle_hash, labels.LINK_REQUEST, 32))


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """The parts of an opened request envelope; none of them is checked."""

    ek: bytes
    ik: bytes
    ciphertext: bytes
    sealed_profile: bytes
    ratchet_envelope: bytes

    def transcript(self, bundle_hash: bytes) -> bytes:
        """Return T, 64 bytes: what names this handshake."""
        return sha512(labels.TRANSCRIPT + bundle_hash + self.ik + self.ek + sha256(self.ciphertext))


def seal_request(
    bundle_hash: bytes, prefix: bytes, ratchet_envelope: bytes, entropy: Entropy
) -> bytes:
    """Return a request envelope, 16384 bytes."""
    return request_key(bundle_hash).seal(prefix + ratchet_envelope, bundle_hash, entropy)


def try_request(bundle_hash: bytes, envelope: bytes) -> Request | None:
    """Return the parts of a request, or None when the envelope is none of this link."""
    if len(envelope) != REQUEST_SIZE:
        return None
    content = request_key(bundle_hash).try_open(envelope, bundle_hash)
    if content is None:
        return None
    return Request(
        ek=content[:_IK_AT],
        ik=content[_IK_AT:_CT_AT],
        ciphertext=content[_CT_AT:_PROFILE_AT],
        sealed_profile=content[_PROFILE_AT:PREFIX_SIZE],
        ratchet_envelope=content[PREFIX_SIZE:],
    )
