"""TLS that trusts one key and no authority (docs/protocol.md, section 8)."""

from __future__ import annotations

import hashlib
import hmac
import ssl

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate


class PinMismatch(ssl.SSLCertVerificationError):
    """The other end has another key than the pinned one."""


def pinned_context(pin: bytes) -> ssl.SSLContext:
    """Make a TLS 1.3 context whose handshakes succeed with one key only, whatever name it bears.

    Nothing is taken from the environment.

    Args:
        pin: SHA-256 of the SubjectPublicKeyInfo that must answer, 32 bytes.
    """

    class PinnedObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            # Raised here, the handshake's last flight is never sent: no request gets out.
            certificate = self.getpeercert(binary_form=True) or b""
            if not hmac.compare_digest(key_hash(certificate), pin):
                raise PinMismatch(1, "the relay's key is not the pinned one")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    # An attribute and not a subclass: anyio takes a subclass's handshakes to worker threads.
    context.sslobject_class = PinnedObject
    return context


def key_hash(certificate: bytes) -> bytes:
    """Hash the SubjectPublicKeyInfo of a certificate in DER; empty when it can't be read."""
    try:
        key = load_der_x509_certificate(certificate).public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""
    return hashlib.sha256(spki).digest()
