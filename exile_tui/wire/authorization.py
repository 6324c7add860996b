"""What lets a client create mailboxes, tickets and blobs at a relay."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import IntEnum

from exile_tui.errors import WireError
from exile_tui.wire.encoding import Reader
from exile_tui.wire.endpoints import MAX_PHRASE
from exile_tui.wire.mailbox import ID_SIZE, TOKEN_SIZE


class AuthorizationKind(IntEnum):
    """The first byte of an authorization block."""

    NONE = 0
    PHRASE = 1
    TICKET = 2
    MAILBOX = 3
    RENEWAL = 4


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization block: `kind 1 | length 2 | secret`."""

    kind: AuthorizationKind = AuthorizationKind.NONE
    secret: bytes = field(default=b"", repr=False)
    """Nothing; a phrase in UTF-8 NFC; a ticket or a renewal token of 32 bytes; `id 16 | token 32`
    of a mailbox."""

    def __post_init__(self) -> None:
        if not _fits(self.kind, self.secret):
            raise WireError

    @classmethod
    def phrase(cls, phrase: str) -> Authorization:
        """Show a relay's access phrase; it is normalised to NFC."""
        try:
            return cls(AuthorizationKind.PHRASE, unicodedata.normalize("NFC", phrase).encode())
        except UnicodeEncodeError:
            raise WireError from None

    @classmethod
    def ticket(cls, ticket: bytes) -> Authorization:
        """Show a ticket from an invite."""
        return cls(AuthorizationKind.TICKET, ticket)

    @classmethod
    def mailbox(cls, mailbox_id: bytes, token: bytes) -> Authorization:
        """Show the send or receive token of a mailbox at this relay."""
        return cls(AuthorizationKind.MAILBOX, mailbox_id + token)

    @classmethod
    def renewal(cls, token: bytes) -> Authorization:
        """Show what the relay answered when it created this very mailbox."""
        return cls(AuthorizationKind.RENEWAL, token)

    @property
    def mailbox_token(self) -> tuple[bytes, bytes]:
        """The id and the token of kind MAILBOX."""
        return self.secret[:ID_SIZE], self.secret[ID_SIZE:]

    def encode(self) -> bytes:
        """Encode the block."""
        return b"".join((bytes((self.kind,)), len(self.secret).to_bytes(2, "big"), self.secret))

    @classmethod
    def read(cls, reader: Reader) -> Authorization:
        """Take a block off the front."""
        try:
            kind = AuthorizationKind(reader.integer(1))
        except ValueError:
            raise WireError from None
        return cls(kind, reader.take(reader.integer(2)))

    @classmethod
    def decode(cls, data: bytes) -> Authorization:
        """Read a block that is the whole input."""
        reader = Reader(data)
        authorization = cls.read(reader)
        reader.end()
        return authorization


def decode_renewal(answer: bytes) -> bytes:
    """Read the answer to a creation: a renewal token of 32 bytes, or nothing at an open relay."""
    if len(answer) not in (0, TOKEN_SIZE):
        raise WireError
    return answer


def _fits(kind: AuthorizationKind, secret: bytes) -> bool:
    if kind is AuthorizationKind.NONE:
        return not secret
    if kind in (AuthorizationKind.TICKET, AuthorizationKind.RENEWAL):
        return len(secret) == TOKEN_SIZE
    if kind is AuthorizationKind.MAILBOX:
        return len(secret) == ID_SIZE + TOKEN_SIZE
    if not 1 <= len(secret) <= MAX_PHRASE:
        return False
    try:
        return unicodedata.is_normalized("NFC", secret.decode())
    except UnicodeDecodeError:
        return False
