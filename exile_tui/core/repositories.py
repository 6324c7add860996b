"""The tables of a profile as the use cases see them, one Protocol for each.

All of them belong to one `core.ports.Transaction`. Two that more than one use case touches hold to
these rules:

- `Outbox` rows are in sending order by id; an entry leaves with its last content id.
- `Seen` remembers the SHA-256 of every envelope that opened for 14 days, with its ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from exile_tui.core.model import (
    Announcement,
    AnnouncementKind,
    Contact,
    Conversation,
    Delivery,
    Direction,
    Extent,
    Invite,
    Message,
    MessageKind,
    OutboxEntry,
    OwnMailbox,
    Reason,
)
from exile_tui.core.searching import SearchFilter, SearchPage, SearchPlace


class Contacts(Protocol):
    """The contacts of this profile."""

    async def insert(self, contact: Contact) -> Contact:
        """Store a contact (its `id` is ignored) and return it with its id."""
        ...

    async def update(self, contact: Contact) -> None:
        """Store all fields of a contact that exists."""
        ...

    async def get(self, contact_id: int) -> Contact | None:
        """Return a contact."""
        ...

    async def by_bundle(self, bundle_hash: bytes) -> Contact | None:
        """Return the contact that an invite made."""
        ...

    async def all(self) -> list[Contact]:
        """Return every contact that has a session, by id."""
        ...

    async def archived(self) -> list[Contact]:
        """Return what stands for imported conversations, by id: nothing else touches these."""
        ...

    async def delete(self, contact_id: int) -> None:
        """Delete a contact with its session, messages, index, outbox, announcements and acks.

        Its own mailboxes stay, with `contact_id` None: the relay still has them.
        """
        ...


class Sessions(Protocol):
    """The ratchet states, one for a contact, each with a row version."""

    async def insert(self, contact_id: int, state: bytes) -> None:
        """Store a new session at version 1."""
        ...

    async def load(self, contact_id: int) -> tuple[bytes, int]:
        """Return state and version; KeyError when there is none."""
        ...

    async def update(self, contact_id: int, state: bytes, version: int) -> None:
        """Replace the state that has this version; RuntimeError when another one is there."""
        ...


class Messages(Protocol):
    """The conversations."""

    async def append(
        self,
        contact_id: int,
        *,
        direction: Direction,
        kind: MessageKind,
        content_id: bytes,
        text: str,
        sent_ms: int,
        stored_ms: int,
        delivery: Delivery | None,
        reason: Reason,
        read: bool,
    ) -> Message:
        """Append a line at the end of a conversation and of the search index."""
        ...

    async def append_many(self, contact_id: int, lines: Sequence[Message]) -> int:
        """Append lines as `append` does; return the seq of the first.

        Their `id`, `contact_id` and `seq` are ignored.
        """
        ...

    async def knows(self, contact_id: int, direction: Direction, content_id: bytes) -> bool:
        """Tell whether a content id of this contact and direction is there already."""
        ...

    async def recent(self, contact_id: int, limit: int) -> list[Message]:
        """Return the newest lines, oldest of them first."""
        ...

    async def queued(self, contact_id: int) -> list[Message]:
        """Return what is not sealed yet, in order."""
        ...

    async def set_delivery(
        self, contact_id: int, content_ids: Iterable[bytes], delivery: Delivery, reason: Reason
    ) -> int:
        """Set how far own messages came; return how many changed.

        Nothing follows DELIVERED, and only DELIVERED follows FAILED: the bytes are gone then.
        """
        ...

    async def mark_read(self, contact_id: int, first_seq: int, last_seq: int) -> int:
        """Mark what the peer wrote from one seq to another as read; return how many changed."""
        ...

    async def extent(self, contact_id: int) -> Extent:
        """Return where the lines of a conversation are; nothing is counted or skipped over."""
        ...

    async def window(self, contact_id: int, first_seq: int, last_seq: int) -> list[Message]:
        """Return the lines from one seq to another, both inclusive, in order."""
        ...

    async def stored_before(self, contact_id: int, seq: int, before_ms: int) -> int:
        """Return the newest seq before this one whose line came before a moment; 0 for none."""
        ...

    async def stored_after(self, contact_id: int, seq: int, since_ms: int) -> int:
        """Return the oldest seq after this one whose line came at a moment or later; 0 for none."""
        ...

    async def delete(self, contact_id: int, first_seq: int, last_seq: int) -> int:
        """Delete the lines from one seq to another; return how many there were."""
        ...

    async def delete_part(
        self, contact_id: int, first_seq: int, last_seq: int, *, lines: int, size: int
    ) -> tuple[int, int]:
        """Delete the newest lines of a range.

        Args:
            contact_id: Whose conversation.
            first_seq: The first that may go.
            last_seq: The last that may go.
            lines: At most so many.
            size: Bytes of text; the line that goes beyond is the last.

        Returns:
            How many were deleted, and up to where lines of the range may be left.
        """
        ...

    async def search(
        self,
        query: str,
        only: SearchFilter,
        limit: int,
        *,
        typing: bool = False,
        after: SearchPlace | None = None,
    ) -> SearchPage:
        """Return a page of the messages that contain a query, exact hits before the others.

        Newer ones come first, that is those with a greater id: stored later, whatever the clock
        said then. Case and composition make no difference; an empty query finds nothing.

        Args:
            query: A text, or initial consonants alone.
            only: Which messages are looked at.
            limit: At most so many hits.
            typing: The last syllable may still be in the making.
            after: Where the page before ended.
        """
        ...

    async def conversations(self) -> list[Conversation]:
        """Return every contact with its last message and unread count, latest first."""
        ...

    async def count_waiting(self) -> int:
        """Return how many own messages are QUEUED or WAITING."""
        ...


class Outbox(Protocol):
    """The sealed envelopes that peers have not acknowledged."""

    async def insert(
        self,
        contact_id: int,
        envelope: bytes,
        content_ids: Iterable[bytes],
        *,
        created_ms: int,
        once: bool,
        request: bool,
    ) -> OutboxEntry:
        """Store an envelope as due."""
        ...

    async def due(self, contact_id: int, limit: int) -> list[OutboxEntry]:
        """Return the first due entries of a contact, in order."""
        ...

    async def due_contacts(self) -> list[int]:
        """Return the ids of the contacts that have due entries."""
        ...

    async def of(self, contact_id: int) -> list[OutboxEntry]:
        """Return all entries of a contact, in order."""
        ...

    async def stored(self, entry_ids: Iterable[int], now_ms: int) -> None:
        """Note "stored" for these: no longer due; those with `once` go."""
        ...

    async def acknowledged(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Take these ids from the contact's entries; entries without any id left go.

        An id that is not in this contact's outbox does nothing. Entries that never had an id and
        are not `once` (empty requests) stay.
        """
        ...

    async def delete(self, entry_ids: Iterable[int]) -> None:
        """Delete entries."""
        ...

    async def set_due(self, *, contact_id: int | None, appended_before_ms: int | None) -> int:
        """Make entries due again, of one contact or all, or only those last stored before."""
        ...

    async def created_before(self, before_ms: int) -> list[OutboxEntry]:
        """Return entries made before a time: what was not delivered in 14 days."""
        ...

    async def mend_times(self, latest_ms: int, now_ms: int) -> None:
        """Take times after `latest_ms` for now: a wrong clock wrote them."""
        ...


class Acks(Protocol):
    """Content ids of a peer that we have stored and not yet told so."""

    async def add(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Note ids as due (a set: twice is once)."""
        ...

    async def due(self, contact_id: int, limit: int) -> list[bytes]:
        """Return ids due, oldest first."""
        ...

    async def contacts(self) -> list[int]:
        """Return the ids of the contacts to whom ids are due."""
        ...

    async def remove(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Take ids that were put into an envelope."""
        ...


class Announcements(Protocol):
    """Own names and mailboxes that are repeated until acknowledged; one of a kind per contact."""

    async def put(self, announcement: Announcement) -> None:
        """Store, replacing one of the same contact and kind."""
        ...

    async def of(self, contact_id: int) -> list[Announcement]:
        """Return those of a contact: profile, then mailbox."""
        ...

    async def acknowledged(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        """Delete those with one of these content ids."""
        ...

    async def get(self, contact_id: int, kind: AnnouncementKind) -> Announcement | None:
        """Return one."""
        ...


class Invites(Protocol):
    """Invites given out."""

    async def insert(self, invite: Invite) -> Invite:
        """Store (its `id` is ignored) and return it with its id."""
        ...

    async def update(self, invite: Invite) -> None:
        """Store all fields of an invite that exists."""
        ...

    async def get(self, invite_id: int) -> Invite | None:
        """Return an invite."""
        ...

    async def by_bundle(self, bundle_hash: bytes) -> Invite | None:
        """Return the invite with this bundle hash."""
        ...

    async def all(self) -> list[Invite]:
        """Return every invite, newest first."""
        ...


class Mailboxes(Protocol):
    """Mailboxes that we receive from."""

    async def insert(self, mailbox: OwnMailbox) -> None:
        """Store a mailbox."""
        ...

    async def update(self, mailbox: OwnMailbox) -> None:
        """Store all fields of a mailbox that exists."""
        ...

    async def get(self, mailbox_id: bytes) -> OwnMailbox | None:
        """Return a mailbox."""
        ...

    async def all(self) -> list[OwnMailbox]:
        """Return every mailbox, in order of creation."""
        ...

    async def of_contact(self, contact_id: int) -> list[OwnMailbox]:
        """Return the mailboxes that a contact may send to, in order of creation."""
        ...

    async def delete(self, mailbox_id: bytes) -> None:
        """Forget a mailbox."""
        ...


class Seen(Protocol):
    """SHA-256 of the envelopes of the last 14 days."""

    async def lookup(self, digest: bytes) -> tuple[int, list[bytes]] | None:
        """Return contact id (0: gone) and content ids of an envelope seen before."""
        ...

    async def add(
        self, digest: bytes, contact_id: int, content_ids: Iterable[bytes], day: int
    ) -> None:
        """Remember an envelope that opened."""
        ...

    async def expire(self, before_day: int) -> None:
        """Forget what was seen before a day."""
        ...


class Settings(Protocol):
    """Small values of the profile, encrypted like everything else."""

    async def get(self, key: str) -> str | None:
        """Return a value."""
        ...

    async def beginning_with(self, prefix: str) -> dict[str, str]:
        """Return the values whose keys begin so."""
        ...

    async def set(self, key: str, value: str) -> None:
        """Store a value."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a value."""
        ...
