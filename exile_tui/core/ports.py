"""What the use cases need from outside, as Protocols that store, transport and relay fulfil.

A `Store` gives transactions; a `Transaction` gives repositories. Everything inside one transaction
is committed together or not at all (docs/protocol.md, section 6).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from exile_tui.core.repositories import (
    Acks,
    Announcements,
    Contacts,
    Invites,
    Mailboxes,
    Messages,
    Outbox,
    Seen,
    Sessions,
    Settings,
)
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Frame, Puzzle, SignedFacts, Solution, Verdict


class Transaction(Protocol):
    """Repositories over one transaction."""

    @property
    def contacts(self) -> Contacts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def acks(self) -> Acks: ...
    @property
    def announcements(self) -> Announcements: ...
    @property
    def invites(self) -> Invites: ...
    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def seen(self) -> Seen: ...
    @property
    def settings(self) -> Settings: ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a savepoint, rolled back alone when its body raises; the exception goes on."""
        ...


class Store(Protocol):
    """One profile's open database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin immediate; commit durably at the end, roll back if the body does not get there."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]:
        """Read one consistent state; writing is an error. Keep it short: it delays wiping."""
        ...

    async def truncate_wal(self) -> None:
        """Take what was deleted out of the write-ahead log too; quick."""
        ...

    async def compact_index(self) -> None:
        """Make the search index smaller if much of it is of deleted lines, while more are deleted.

        Takes seconds in a long history; others read and write meanwhile.
        """
        ...

    async def wipe(self, *, large: bool) -> None:
        """Remove the last traces of what was deleted, by writing the file anew if need be.

        Args:
            large: Even if the file is so large that it takes longer than about a second; else
                that is left for a later call, in this run or the next.
        """
        ...

    async def change_passphrase(self, old: str, new: str, *, new_database_key: bool) -> None:
        """Re-wrap the database key, or encrypt the whole database under a new one.

        Raises:
            WrongPassphrase: `old` opens no slot; nothing changed.
        """
        ...

    async def close(self) -> None:
        """Truncate the log, close, let the profile go."""
        ...


class Vault(Protocol):
    """One profile on disk, closed."""

    def exists(self) -> bool:
        """Tell whether there is a profile: cheap, reads no database."""
        ...

    async def create(self, passphrase: str) -> Store:
        """Make a new profile.

        Raises:
            ProfileError: There is one already, or the disk does not let us.
            ProfileInUse: Another process holds it.
        """
        ...

    async def open(self, passphrase: str) -> Store:
        """Open the profile.

        Raises:
            WrongPassphrase: It opens no key slot.
            ProfileError: Missing, empty, truncated, foreign, not belonging together, newer schema.
            ProfileInUse: Another process holds it.
        """
        ...


class Relay(Protocol):
    """One relay, as its client sees it. Every method raises RelayError of exile_tui.errors."""

    async def create_mailbox(
        self,
        mailbox_id: bytes,
        receive_hash: bytes,
        send_hash: bytes,
        authorization: bytes,
        solution: Solution | None = None,
    ) -> bytes | Puzzle:
        """Create a mailbox; again is a success. `authorization` is wire.relay's encoded block.

        Returns:
            The token that creates this very mailbox again, empty where none is needed; or what
            the relay wants to be solved first, for then nothing was created.
        """
        ...

    async def delete_mailbox(self, mailbox_id: bytes, receive_token: bytes) -> None:
        """Delete a mailbox and all in it; unknown is a success."""
        ...

    async def append(
        self, mailbox_id: bytes, send_token: bytes, envelopes: Sequence[bytes]
    ) -> list[Verdict]:
        """Append 1 to 32 envelopes to one mailbox; one verdict each, in order."""
        ...

    def receive(self, mailboxes: Sequence[tuple[bytes, bytes]]) -> AsyncIterator[Sequence[Frame]]:
        """Stream frames for (id, receive token) pairs, as many at once as have arrived."""
        ...

    async def acknowledge(
        self, mailbox_id: bytes, receive_token: bytes, seqs: Sequence[int]
    ) -> None:
        """Acknowledge envelopes of a mailbox, any number."""
        ...

    async def request_ticket(self, ticket_hash: bytes, expiry: int, authorization: bytes) -> None:
        """Allow one mailbox for whoever shows the ticket before `expiry` (unix seconds)."""
        ...

    async def put_blob(
        self,
        blob_id: bytes,
        delete_hash: bytes,
        expiry: int,
        blob: bytes,
        authorization: bytes,
    ) -> Verdict:
        """Store a blob until `expiry` (unix seconds); the same again is a success."""
        ...

    async def get_blob(self, blob_id: bytes) -> bytes | None:
        """Return a blob, None when the relay has none by this id."""
        ...

    async def delete_blob(self, blob_id: bytes, delete_token: bytes) -> None:
        """Delete a blob; unknown is a success."""
        ...

    async def facts(self) -> SignedFacts:
        """Return the relay's statement, its signature checked against the pin."""
        ...

    async def disclosure(self, mailbox_id: bytes, receive_token: bytes) -> dict[str, Any]:
        """Return what the relay holds about a mailbox, literally."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class RelayFactory(Protocol):
    """Makes the client of a relay; makes no connection yet."""

    def __call__(self, address: RelayAddress) -> Relay: ...


class EmbeddedRelay(Protocol):
    """The relay of this computer's user, shared by all profiles."""

    async def ensure(self) -> RelayAddress:
        """Start it unless it runs, hold it running, and return its address."""
        ...

    def address(self) -> RelayAddress | None:
        """Return its address without starting it; None when it never ran."""
        ...

    async def release(self) -> None:
        """Let go: it ends 60 s after the last holder did."""
        ...

    async def listen_on(self, host: str) -> None:
        """Choose under which host others reach it; the port stays, and so does the loopback."""
        ...

    def hosts(self) -> list[str]:
        """Return this computer's own addresses that others may reach, without any traffic."""
        ...
