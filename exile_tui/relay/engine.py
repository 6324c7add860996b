"""The port behind which a relay stores: operations are batched, and durable when answered.

Everything that a single process knows of mailboxes, their readers included, is behind this port, so
that an engine for many processes can take its place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from exile_tui.errors import ExileError
from exile_tui.relay.activity import Activity
from exile_tui.wire.relay import Verdict

Result_co = TypeVar("Result_co", covariant=True)


class EngineUnavailable(ExileError):
    """Nothing of this operation was stored: the disk is full or fails, or the relay stops."""


class QuotaReached(ExileError):
    """The relay holds as many of these as it allows."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[Result_co]):
    """What an engine is asked; the type parameter is what it answers."""


@dataclass(frozen=True, slots=True)
class CreateMailbox(Operation[bool]):
    """Create a mailbox whose id was checked; again is a success. False: the ticket doesn't fit."""

    mailbox_id: bytes
    receive_hash: bytes
    send_hash: bytes
    ticket: bytes | None = field(default=None, repr=False)
    """A ticket to spend on this mailbox; None when the caller was let in otherwise."""


@dataclass(frozen=True, slots=True)
class DeleteMailbox(Operation[bool]):
    """Delete a mailbox and all in it. False: unknown or another token."""

    mailbox_id: bytes
    receive_hash: bytes


@dataclass(frozen=True, slots=True)
class Append(Operation[list[Verdict]]):
    """Append envelopes to one mailbox, a verdict each."""

    mailbox_id: bytes
    send_hash: bytes
    envelopes: Sequence[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Acknowledge(Operation[bool]):
    """Delete envelopes by their numbers; unknown numbers are a success. False: not let in."""

    mailbox_id: bytes
    receive_hash: bytes
    seqs: Sequence[int]


@dataclass(frozen=True, slots=True)
class OpenMailboxes(Operation[list[bool]]):
    """Check (id, receive hash) pairs and renew the lives of those mailboxes."""

    mailboxes: Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Fetch(Operation[list[tuple[int, bytes]] | None]):
    """Read (seq, envelope) pairs after a seq, oldest first. None: unknown or another token."""

    mailbox_id: bytes
    receive_hash: bytes
    after: int
    max_bytes: int
    """At least one envelope is read, and no further one that exceeds this."""


@dataclass(frozen=True, slots=True)
class CountBytes(Operation[int]):
    """Count the bytes that still lie in mailboxes up to a seq: what was sent and not deleted."""

    mailboxes: Sequence[tuple[bytes, bytes, int]]
    """(id, receive hash, seq) each."""


@dataclass(frozen=True, slots=True)
class CheckToken(Operation[bool]):
    """Check either token's hash of a mailbox."""

    mailbox_id: bytes
    token_hash: bytes


@dataclass(frozen=True, slots=True)
class PutTicket(Operation[None]):
    """Allow one mailbox until a day; again is a success."""

    ticket_hash: bytes
    expires: int


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A blob to store until a day."""

    blob_id: bytes
    delete_hash: bytes
    expires: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PutBlobs(Operation[list[Verdict]]):
    """Store blobs, a verdict each; the same again is a success, other bytes are refused."""

    blobs: Sequence[NewBlob]


@dataclass(frozen=True, slots=True)
class GetBlobs(Operation[list[bytes | None]]):
    """Read blobs, None for an absent one."""

    blob_ids: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class DeleteBlob(Operation[None]):
    """Delete a blob; an unknown one and another token change nothing."""

    blob_id: bytes
    delete_hash: bytes


@dataclass(frozen=True, slots=True)
class Disclose(Operation[dict[str, Any] | None]):
    """Tell everything held about a mailbox. None: unknown or another token."""

    mailbox_id: bytes
    receive_hash: bytes


@dataclass(frozen=True, slots=True)
class Totals:
    """How much a relay holds, and nothing about any one of it."""

    mailboxes: int
    envelopes: int
    envelope_bytes: int
    blobs: int
    blob_bytes: int


class MailboxCount(NamedTuple):
    """How many mailboxes there are, and how many more were made than deleted."""

    held: int
    made: int
    """Since the start, without those that their owners deleted: one that is made and deleted all
    the time, with the same work, must not make a relay look busy. To create one again that is
    there does not count."""


@dataclass(frozen=True, slots=True)
class CountAll(Operation[Totals]):
    """Count what is held; reads all of the directory of slots."""


@dataclass(frozen=True, slots=True)
class Sweep(Operation[int | None]):
    """Delete what expired, a bounded part of it. The place to go on from; None: done."""

    start: int = 0


@dataclass(frozen=True, slots=True)
class Probe(Operation[None]):
    """Make the disk take a commit; nothing is changed by it."""


News = Sequence[tuple[int, bytes]]
"""Envelopes that came to a mailbox, as (seq, bytes) in order; empty where more happened."""

Wake = Callable[[News], bool]
"""Returns whether it takes the news; whoever doesn't fetches what is new."""


class Engine(Protocol):
    """What stores for a relay."""

    def submit(self, operation: Operation[Result_co]) -> Awaitable[Result_co]:
        """Do an operation; it is durable when what this returns was awaited.

        Raises:
            EngineUnavailable: Nothing of it was done; try later.
            QuotaReached: The relay holds as much as it allows.
        """
        ...

    def watch(self, mailbox_id: bytes, wake: Wake) -> None:
        """Call `wake` when envelopes came to a mailbox, or when it was deleted or made.

        They need not be durable yet. What is lost then comes again, if its sender sends it again,
        under a number that was never given.
        """
        ...

    def unwatch(self, mailbox_id: bytes, wake: Wake) -> None:
        """Stop calling `wake`."""
        ...

    def mailboxes(self) -> MailboxCount:
        """Return how many mailboxes there are, at once and without reading anything."""
        ...

    def activity(self) -> Activity:
        """Return what was done since the start; not to be changed."""
        ...

    async def close(self) -> None:
        """Finish what was submitted, make it durable, leave no deleted byte behind."""
        ...
