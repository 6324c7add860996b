"""A relay's signed statement about itself (docs/protocol.md, section 8)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Meta, Struct

from exile_tui.crypto import labels
from exile_tui.errors import WireError
from exile_tui.wire.encoding import Reader
from exile_tui.wire.endpoints import MAX_FACTS

_MAX_SIGNATURE = 72
"""Bytes of the longest DER encoding of an ECDSA signature by a P-256 key."""

_Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_Line = Annotated[str, Meta(max_length=4096)]
_Date = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]


class Facts(Struct, frozen=True, kw_only=True):
    """What a relay states; fields of later versions are ignored here and stay in the body."""

    software: _Line
    build: _Line
    retention_days: _Count
    limits: dict[str, _Count]
    access: Literal["open", "phrase"]
    jurisdiction: _Line
    date: _Date
    """The day of the statement, YYYY-MM-DD, UTC."""

    requests_received: _Count
    """How many demands for data its operator has received."""


_DECODER = msgspec.json.Decoder(Facts)
_ENCODER = msgspec.json.Encoder(order="sorted")


def encode_facts(facts: Facts) -> bytes:
    """Encode the body that is signed: JSON in UTF-8, keys sorted, no white space."""
    return _ENCODER.encode(facts)


def facts_message(body: bytes) -> bytes:
    """Return the bytes that are signed: a prefix that no TLS signature has, then the body."""
    return labels.FACTS + b"\0" + body


@dataclass(frozen=True, slots=True)
class SignedFacts:
    """The answer to `GET /v1/facts`: `length 2 | spki | length 4 | body | signature`."""

    spki: bytes = field(repr=False)
    """The relay's SubjectPublicKeyInfo in DER."""

    body: bytes
    """The statement as it was signed."""

    signature: bytes = field(repr=False)
    """ECDSA with SHA-256 over `facts_message(body)`, DER."""

    @property
    def facts(self) -> Facts:
        """The statement, parsed; WireError when it isn't one."""
        try:
            return _DECODER.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise WireError from None

    def verify(self, pin: bytes) -> None:
        """Check that the pinned key signed this statement.

        Args:
            pin: SHA-256 of the key's SubjectPublicKeyInfo, 32 bytes.

        Raises:
            WireError: Another key, no P-256 key, or a signature that doesn't fit.
        """
        if not hmac.compare_digest(hashlib.sha256(self.spki).digest(), pin):
            raise WireError
        try:
            key = load_der_public_key(self.spki)
            if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
                raise WireError
            key.verify(self.signature, facts_message(self.body), ECDSA(SHA256()))
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            raise WireError from None

    def encode(self) -> bytes:
        """Encode the answer."""
        spki, body = self.spki, self.body
        return b"".join(
            (len(spki).to_bytes(2, "big"), spki, len(body).to_bytes(4, "big"), body, self.signature)
        )

    @classmethod
    def decode(cls, data: bytes) -> SignedFacts:
        """Read the whole answer; verifying it is `verify`."""
        if len(data) > MAX_FACTS:
            raise WireError
        reader = Reader(data)
        spki = reader.take(reader.integer(2))
        body = reader.take(reader.integer(4))
        if not 1 <= reader.remaining <= _MAX_SIGNATURE:
            raise WireError
        return cls(spki, body, reader.rest())
