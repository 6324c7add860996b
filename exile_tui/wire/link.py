"""The invite link: a bearer secret for one use."""

from __future__ import annotations

from dataclasses import dataclass, field

from exile_tui.errors import N_, WireError
from exile_tui.wire.address import MAX_HOST, RelayAddress
from exile_tui.wire.encoding import Reader, decode_base64url, encode_base64url, require_length
from exile_tui.wire.mailbox import HASH_SIZE

SCHEME = "exile:"

_MAGIC = b"X1\x01"
_MAX_BYTES = 70 + MAX_HOST
_MAX_TEXT = 4096
"""Characters of the longest pasted text that is looked at, white space around the link included."""
_NOT_A_LINK = N_(
    "This is not an invite link. It begins with exile: and must be copied as a whole; "
    "ask for it again."
)


@dataclass(frozen=True, slots=True)
class InviteLink:
    """Where an invite's blob lies and the hash that opens it (docs/protocol.md, section 4)."""

    address: RelayAddress
    bh: bytes = field(repr=False)
    """SHA-256 of the bundle, 32 bytes: the secret."""

    def __post_init__(self) -> None:
        require_length(self.bh, HASH_SIZE)

    def to_bytes(self) -> bytes:
        """Encode as the QR code carries it: 70 bytes and the host."""
        return _MAGIC + self.address.to_bytes() + self.bh

    @classmethod
    def from_bytes(cls, data: bytes) -> InviteLink:
        """Read what a QR code carries.

        Raises:
            WireError: It is anything else, longer or shorter included.
        """
        try:
            reader = Reader(data)
            if reader.take(len(_MAGIC)) != _MAGIC:
                raise WireError
            link = cls(RelayAddress.read(reader), reader.take(HASH_SIZE))
            reader.end()
        except WireError:
            raise WireError(_NOT_A_LINK) from None
        return link

    def to_text(self) -> str:
        """Encode as people copy it: `exile:` and base64url."""
        return SCHEME + encode_base64url(self.to_bytes())

    @classmethod
    def parse(cls, text: str) -> InviteLink:
        """Read a link that someone pasted; white space around it is ignored.

        Raises:
            WireError: It is anything else.
        """
        link = text.strip() if len(text) <= _MAX_TEXT else ""
        if not link.startswith(SCHEME) or len(link) > len(SCHEME) + _MAX_BYTES * 4 // 3:
            raise WireError(_NOT_A_LINK)
        try:
            data = decode_base64url(link.removeprefix(SCHEME))
        except WireError:
            raise WireError(_NOT_A_LINK) from None
        return cls.from_bytes(data)
