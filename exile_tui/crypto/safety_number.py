"""Safety numbers: what two people compare to know that nobody sits between them.

The form of Signal's numeric fingerprint, version 0 with 5200 iterations, and of its scannable
fingerprint, version 2 (docs/protocol.md, section 7).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from exile_tui.crypto import labels
from exile_tui.crypto.kdf import sha256, sha512
from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError

IDENTITY_SIZE: Final = 33
_KEY_TYPE: Final = b"\x05"
_VERSION: Final = b"\x00\x00"
_ITERATIONS: Final = 5200
_SCANNED_SIZE: Final = 32
_BEFORE_LOCAL: Final = bytes.fromhex("080212220a20")
_BEFORE_REMOTE: Final = bytes.fromhex("1a220a20")
_REMOTE_AT: Final = len(_BEFORE_LOCAL) + _SCANNED_SIZE + len(_BEFORE_REMOTE)


@dataclass(frozen=True, slots=True)
class SafetyNumber:
    """What one side shows and scans; the digits are the same on both sides."""

    digits: str
    """60 ASCII digits: two halves of 30, the smaller first."""
    scannable: bytes
    """74 bytes for a QR code: the local hash, then the remote one."""

    def matches(self, scanned: bytes) -> bool:
        """Tell whether what was scanned at the other side belongs to this number.

        The other's local hash must be the remote one here and the other way round; both are
        compared, in constant time. Anything that is not such a code is no match.
        """
        own = self.scannable
        crosswise = (
            _BEFORE_LOCAL
            + own[_REMOTE_AT:]
            + _BEFORE_REMOTE
            + own[len(_BEFORE_LOCAL) : len(_BEFORE_LOCAL) + _SCANNED_SIZE]
        )
        return hmac.compare_digest(crosswise, scanned)


def numeric_fingerprint(
    local_id: bytes, local_key: bytes, remote_id: bytes, remote_key: bytes
) -> SafetyNumber:
    """Compute the safety number of two identities.

    Args:
        local_id: What names the own side; any length.
        local_key: The own identity key: 0x05 and 32 bytes.
        remote_id: What names the other side.
        remote_key: The other's identity key: 0x05 and 32 bytes.

    Raises:
        CryptoError: A key has another form.
    """
    local, remote = _iterated_hash(local_id, local_key), _iterated_hash(remote_id, remote_key)
    digits = "".join(sorted((_digits(local), _digits(remote))))
    scannable = _BEFORE_LOCAL + local[:_SCANNED_SIZE] + _BEFORE_REMOTE + remote[:_SCANNED_SIZE]
    return SafetyNumber(digits, scannable)


def fingerprint_id(ik: bytes, bh: bytes) -> bytes:
    """Return what names a side in its safety number, 32 bytes.

    Args:
        ik: The side's identity key, 32 raw bytes.
        bh: The hash of the invite's bundle, 32 bytes.
    """
    return sha256(labels.FINGERPRINT_ID + ik + bh)


def session_safety_number(session: Session) -> SafetyNumber:
    """Compute the safety number of a contact; it takes some milliseconds."""
    local, remote = session.local_identity.raw, session.remote_identity.raw
    return numeric_fingerprint(
        fingerprint_id(local, session.bundle_hash),
        _KEY_TYPE + local,
        fingerprint_id(remote, session.bundle_hash),
        _KEY_TYPE + remote,
    )


def _iterated_hash(identifier: bytes, key: bytes) -> bytes:
    if len(key) != IDENTITY_SIZE or not key.startswith(_KEY_TYPE):
        raise CryptoError
    output = sha512(_VERSION + key + identifier + key)
    for _ in range(_ITERATIONS - 1):
        output = sha512(output + key)
    return output


def _digits(output: bytes) -> str:
    groups = (int.from_bytes(output[at : at + 5], "big") for at in range(0, 30, 5))
    return "".join(f"{group % 100_000:05d}" for group in groups)
