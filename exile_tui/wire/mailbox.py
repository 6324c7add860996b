"""Mailboxes: their ids, their tokens, and the description that a peer gets."""

from __future__ import annotations

from dataclasses import dataclass, field

from exile_tui.crypto import labels
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.kdf import sha256
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.encoding import Reader, require_length

ID_SIZE = 16
TOKEN_SIZE = 32
HASH_SIZE = 32


def mailbox_id(receive_hash: bytes, send_hash: bytes) -> bytes:
    """Compute a mailbox's id from the hashes of its tokens (docs/protocol.md, section 4)."""
    require_length(receive_hash, HASH_SIZE)
    require_length(send_hash, HASH_SIZE)
    return sha256(labels.MAILBOX + receive_hash + send_hash)[:ID_SIZE]


@dataclass(frozen=True, slots=True)
class MailboxKeys:
    """The two tokens of a mailbox of one's own, 32 bytes each."""

    receive_token: bytes = field(repr=False)
    send_token: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require_length(self.receive_token, TOKEN_SIZE)
        require_length(self.send_token, TOKEN_SIZE)

    @classmethod
    def generate(cls, entropy: Entropy) -> MailboxKeys:
        """Draw new tokens."""
        return cls(entropy.bytes(TOKEN_SIZE), entropy.bytes(TOKEN_SIZE))

    @property
    def receive_hash(self) -> bytes:
        """SHA-256 of the receive token: what the relay keeps."""
        return sha256(self.receive_token)

    @property
    def send_hash(self) -> bytes:
        """SHA-256 of the send token: what the relay keeps."""
        return sha256(self.send_token)

    @property
    def id(self) -> bytes:
        """The mailbox's id, 16 bytes."""
        return mailbox_id(self.receive_hash, self.send_hash)


@dataclass(frozen=True, slots=True)
class MailboxDescriptor:
    """Where to send TO its giver (docs/protocol.md, section 4)."""

    address: RelayAddress
    mailbox_id: bytes
    send_token: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require_length(self.mailbox_id, ID_SIZE)
        require_length(self.send_token, TOKEN_SIZE)

    def encode(self) -> bytes:
        """Encode as `length 2 | host length 1 | host | port 2 | pin 32 | id 16 | send token 32`."""
        described = self.address.to_bytes() + self.mailbox_id + self.send_token
        return len(described).to_bytes(2, "big") + described

    @classmethod
    def decode(cls, data: bytes) -> MailboxDescriptor:
        """Read a descriptor that is the whole input; WireError otherwise."""
        outer = Reader(data)
        reader = Reader(outer.take(outer.integer(2)))
        outer.end()
        descriptor = cls(RelayAddress.read(reader), reader.take(ID_SIZE), reader.take(TOKEN_SIZE))
        reader.end()
        return descriptor
