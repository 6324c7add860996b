"""An invite's bundle, and the sealed blob that carries it through the relay."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from exile_tui.crypto import labels
from exile_tui.crypto.aead import aead_decrypt, aead_encrypt
from exile_tui.crypto.handshake import InvitePublic, bundle_hash
from exile_tui.crypto.kdf import hkdf
from exile_tui.crypto.keys import MlKem768Public, MlKem1024Public, X25519Public
from exile_tui.errors import CryptoError, WireError
from exile_tui.wire.encoding import MAX_EXPIRY, Reader, require_length, require_range
from exile_tui.wire.mailbox import HASH_SIZE, ID_SIZE, TOKEN_SIZE, MailboxDescriptor

BLOB_SIZE = 4096
NO_TICKET = bytes(TOKEN_SIZE)
"""The ticket of an invite at a relay that is open to anyone."""

_VERSION = b"\x00\x01"
_PADDED_SIZE = BLOB_SIZE - 16
"""What fits beside the 16 bytes of the Poly1305 tag."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a joiner must know of an inviter (docs/protocol.md, section 4)."""

    public: InvitePublic
    expiry: int
    """Unix seconds, 0 to the end of the year 9999."""

    ticket: bytes = field(repr=False)
    """Lets the joiner create one mailbox at the relay; zeros when the relay is open."""

    mailbox: MailboxDescriptor

    def __post_init__(self) -> None:
        require_length(self.ticket, TOKEN_SIZE)
        require_range(self.expiry, 0, MAX_EXPIRY)

    def encode(self) -> bytes:
        """Encode as section 4 lays it out."""
        return b"".join(
            (
                _VERSION,
                self.public.ik.raw,
                self.public.spk.raw,
                self.public.kemh.raw,
                self.public.rdh.raw,
                self.public.rkem.raw,
                self.expiry.to_bytes(8, "big"),
                self.ticket,
                self.mailbox.encode(),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Bundle:
        """Read a bundle that is the whole input.

        Raises:
            WireError: Another version, wrong lengths, a public key that its check refuses.
        """
        reader = Reader(data)
        if reader.take(2) != _VERSION:
            raise WireError
        raw = [reader.take(length) for length in (32, 32, 1568, 32, 1184)]
        expiry = reader.integer(8)
        ticket = reader.take(TOKEN_SIZE)
        mailbox = MailboxDescriptor.decode(reader.rest())
        try:
            public = InvitePublic(
                ik=X25519Public(raw[0]),
                spk=X25519Public(raw[1]),
                kemh=MlKem1024Public(raw[2]),
                rdh=X25519Public(raw[3]),
                rkem=MlKem768Public(raw[4]),
            )
        except CryptoError:
            raise WireError from None
        return cls(public, expiry, ticket, mailbox)


def blob_id(bh: bytes) -> bytes:
    """Compute the id under which the relay keeps an invite's blob, 16 bytes."""
    return hkdf(bh, labels.LINK_ID, ID_SIZE)


def seal_blob(bundle: bytes) -> bytes:
    """Seal an encoded bundle under the key that its own hash gives, padded to 4096 bytes."""
    if len(bundle) > _PADDED_SIZE:
        raise WireError
    return aead_encrypt(_blob_key(bundle_hash(bundle)), bundle.ljust(_PADDED_SIZE, b"\0"))


def open_blob(blob: bytes, bh: bytes) -> Bundle:
    """Open an invite's blob with the hash from its link.

    Expiry, the relay's address and whether the invite is one's own are for the caller to check.

    Raises:
        WireError: It doesn't open, padding isn't zero, the hash is another's, or it doesn't parse.
    """
    require_length(blob, BLOB_SIZE)
    require_length(bh, HASH_SIZE)
    try:
        padded = aead_decrypt(_blob_key(bh), blob)
    except CryptoError:
        raise WireError from None
    end = _bundle_size(padded)
    encoded = padded[:end]
    if padded[end:] != bytes(len(padded) - end):
        raise WireError
    if not hmac.compare_digest(bundle_hash(encoded), bh):
        raise WireError
    return Bundle.decode(encoded)


def _blob_key(bh: bytes) -> bytes:
    return hkdf(bh, labels.LINK_ENCRYPTION, 32)


def _bundle_size(padded: bytes) -> int:
    """Find where the bundle ends: its descriptor, the last field, states its own length."""
    reader = Reader(padded)
    reader.take(2 + 32 + 32 + 1568 + 32 + 1184 + 8 + TOKEN_SIZE)
    reader.take(reader.integer(2))
    return len(padded) - reader.remaining
