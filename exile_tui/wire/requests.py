"""The bodies of a relay's requests, both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from exile_tui.errors import WireError
from exile_tui.wire.authorization import Authorization
from exile_tui.wire.encoding import (
    MAX_EXPIRY,
    MAX_U64_STORED,
    Reader,
    require_length,
    require_range,
)
from exile_tui.wire.endpoints import (
    ENVELOPE_SIZES,
    MAX_ACKNOWLEDGE,
    MAX_APPEND,
    MAX_BLOBS,
    MAX_SUBSCRIPTIONS,
)
from exile_tui.wire.mailbox import HASH_SIZE, ID_SIZE, TOKEN_SIZE
from exile_tui.wire.puzzle import Solution

_SIZE_BYTES = {size: bytes((index,)) for index, size in enumerate(ENVELOPE_SIZES)}
_SUBSCRIPTION = ID_SIZE + TOKEN_SIZE
_SEQ = 8


@dataclass(frozen=True, slots=True)
class CreateMailbox:
    """`id 16 | H(receive token) 32 | H(send token) 32 | authorization`, and perhaps a solution."""

    mailbox_id: bytes
    receive_hash: bytes
    send_hash: bytes
    authorization: Authorization
    solution: Solution | None = None
    """Of the puzzle that the relay answered before."""

    def __post_init__(self) -> None:
        require_length(self.mailbox_id, ID_SIZE)
        require_length(self.receive_hash, HASH_SIZE)
        require_length(self.send_hash, HASH_SIZE)

    def encode(self) -> bytes:
        """Encode the body."""
        hashes = self.mailbox_id + self.receive_hash + self.send_hash
        solution = b"" if self.solution is None else self.solution.encode()
        return hashes + self.authorization.encode() + solution

    @classmethod
    def decode(cls, body: bytes) -> CreateMailbox:
        """Read the whole body; whether the id fits the hashes is the relay's to check."""
        reader = Reader(body)
        fields = (reader.take(ID_SIZE), reader.take(HASH_SIZE), reader.take(HASH_SIZE))
        authorization = Authorization.read(reader)
        solution = Solution.read(reader) if reader.remaining else None
        reader.end()
        return cls(*fields, authorization, solution)


@dataclass(frozen=True, slots=True)
class Append:
    """`id 16 | send token 32`, then 1 to 32 envelopes, each `size 1 | bytes`."""

    mailbox_id: bytes
    send_token: bytes = field(repr=False)
    envelopes: Sequence[bytes] = field(repr=False)

    def __post_init__(self) -> None:
        require_length(self.mailbox_id, ID_SIZE)
        require_length(self.send_token, TOKEN_SIZE)
        require_range(len(self.envelopes), 1, MAX_APPEND)

    def encode(self) -> bytes:
        """Encode the body, copying every envelope once."""
        parts = [self.mailbox_id, self.send_token]
        for envelope in self.envelopes:
            size = _SIZE_BYTES.get(len(envelope))
            if size is None:
                raise WireError
            parts += (size, envelope)
        return b"".join(parts)

    @classmethod
    def decode(cls, body: bytes) -> Append:
        """Read the whole body, copying every envelope once."""
        envelopes: list[bytes] = []
        at = ID_SIZE + TOKEN_SIZE
        # By hand, as this is what a relay does most: a reader takes three times as long.
        while at < len(body):
            size = body[at]
            if size >= len(ENVELOPE_SIZES) or len(envelopes) == MAX_APPEND:
                raise WireError
            start, at = at + 1, at + 1 + ENVELOPE_SIZES[size]
            envelopes.append(body[start:at])
        if at != len(body):
            raise WireError
        return cls(body[:ID_SIZE], body[ID_SIZE : ID_SIZE + TOKEN_SIZE], envelopes)


@dataclass(frozen=True, slots=True)
class Receive:
    """Repeated `id 16 | receive token 32`, 1 to 1024; a frame's index counts from 0 in here.

    No id comes twice: in one answer, a thousand times what looking for a mailbox takes would tell
    whether it is there.
    """

    mailboxes: Sequence[tuple[bytes, bytes]] = field(repr=False)

    def __post_init__(self) -> None:
        require_range(len(self.mailboxes), 1, MAX_SUBSCRIPTIONS)
        if len(dict(self.mailboxes)) < len(self.mailboxes):
            raise WireError
        for mailbox_id, token in self.mailboxes:
            require_length(mailbox_id, ID_SIZE)
            require_length(token, TOKEN_SIZE)

    def encode(self) -> bytes:
        """Encode the body."""
        return b"".join(part for pair in self.mailboxes for part in pair)

    @classmethod
    def decode(cls, body: bytes) -> Receive:
        """Read the whole body."""
        if len(body) % _SUBSCRIPTION or len(body) > MAX_SUBSCRIPTIONS * _SUBSCRIPTION:
            raise WireError
        return cls(
            [
                (body[at : at + ID_SIZE], body[at + ID_SIZE : at + _SUBSCRIPTION])
                for at in range(0, len(body), _SUBSCRIPTION)
            ]
        )


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """`id 16 | receive token 32`, then 1 to 1024 times `seq 8`; not cumulative."""

    mailbox_id: bytes
    receive_token: bytes = field(repr=False)
    seqs: Sequence[int]

    def __post_init__(self) -> None:
        require_length(self.mailbox_id, ID_SIZE)
        require_length(self.receive_token, TOKEN_SIZE)
        require_range(len(self.seqs), 1, MAX_ACKNOWLEDGE)
        for seq in self.seqs:
            require_range(seq, 0, MAX_U64_STORED)

    def encode(self) -> bytes:
        """Encode the body."""
        seqs = b"".join(seq.to_bytes(_SEQ, "big") for seq in self.seqs)
        return self.mailbox_id + self.receive_token + seqs

    @classmethod
    def decode(cls, body: bytes) -> Acknowledge:
        """Read the whole body."""
        reader = Reader(body)
        mailbox_id, token = reader.take(ID_SIZE), reader.take(TOKEN_SIZE)
        count, spare = divmod(reader.remaining, _SEQ)
        if spare or count > MAX_ACKNOWLEDGE:
            raise WireError
        return cls(mailbox_id, token, [reader.integer(_SEQ) for _ in range(count)])


@dataclass(frozen=True, slots=True)
class MailboxToken:
    """`id 16 | receive token 32`: the body of deleting a mailbox and of its disclosure."""

    mailbox_id: bytes
    receive_token: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require_length(self.mailbox_id, ID_SIZE)
        require_length(self.receive_token, TOKEN_SIZE)

    def encode(self) -> bytes:
        """Encode the body."""
        return self.mailbox_id + self.receive_token

    @classmethod
    def decode(cls, body: bytes) -> MailboxToken:
        """Read the whole body."""
        return cls(body[:ID_SIZE], body[ID_SIZE:])


@dataclass(frozen=True, slots=True)
class PutTicket:
    """`authorization | H(ticket) 32 | expiry 8`: allow one mailbox for who shows the ticket."""

    authorization: Authorization
    ticket_hash: bytes
    expiry: int
    """Unix seconds."""

    def __post_init__(self) -> None:
        require_length(self.ticket_hash, HASH_SIZE)
        require_range(self.expiry, 0, MAX_EXPIRY)

    def encode(self) -> bytes:
        """Encode the body."""
        return self.authorization.encode() + self.ticket_hash + self.expiry.to_bytes(8, "big")

    @classmethod
    def decode(cls, body: bytes) -> PutTicket:
        """Read the whole body."""
        reader = Reader(body)
        ticket = cls(Authorization.read(reader), reader.take(HASH_SIZE), reader.integer(8))
        reader.end()
        return ticket


@dataclass(frozen=True, slots=True)
class GetBlobs:
    """Repeated `id 16`, 1 to 1024."""

    blob_ids: Sequence[bytes]

    def __post_init__(self) -> None:
        require_range(len(self.blob_ids), 1, MAX_BLOBS)
        for blob_id in self.blob_ids:
            require_length(blob_id, ID_SIZE)

    def encode(self) -> bytes:
        """Encode the body."""
        return b"".join(self.blob_ids)

    @classmethod
    def decode(cls, body: bytes) -> GetBlobs:
        """Read the whole body."""
        if len(body) % ID_SIZE or len(body) > MAX_BLOBS * ID_SIZE:
            raise WireError
        return cls([body[at : at + ID_SIZE] for at in range(0, len(body), ID_SIZE)])


@dataclass(frozen=True, slots=True)
class DeleteBlob:
    """`id 16 | delete token 32`."""

    blob_id: bytes
    delete_token: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require_length(self.blob_id, ID_SIZE)
        require_length(self.delete_token, TOKEN_SIZE)

    def encode(self) -> bytes:
        """Encode the body."""
        return self.blob_id + self.delete_token

    @classmethod
    def decode(cls, body: bytes) -> DeleteBlob:
        """Read the whole body."""
        return cls(body[:ID_SIZE], body[ID_SIZE:])
