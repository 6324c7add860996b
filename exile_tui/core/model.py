"""What the use cases talk about: frozen values, the same for store, services and screens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from operator import itemgetter

from exile_tui.wire.address import RelayAddress
from exile_tui.wire.facts import Facts, SignedFacts
from exile_tui.wire.mailbox import MailboxDescriptor

__all__ = [
    "Announcement",
    "AnnouncementKind",
    "Connection",
    "Contact",
    "ContactState",
    "Conversation",
    "Delivery",
    "Direction",
    "Excerpt",
    "Extent",
    "Facts",
    "Invite",
    "InviteState",
    "Link",
    "MailboxDescriptor",
    "MailboxState",
    "Message",
    "MessageKind",
    "OutboxEntry",
    "Overview",
    "OwnMailbox",
    "Reason",
    "RelayAddress",
    "SignedFacts",
    "Trust",
    "Verification",
    "VerifiedHow",
]


class ContactState(Enum):
    """Where a contact stands (docs/protocol.md, section 4)."""

    JOINING = "joining"
    """We opened their invite; they have not answered yet."""
    REQUESTED = "requested"
    """They opened our invite; we have not accepted yet. Nothing is sent to them."""
    ACTIVE = "active"
    ARCHIVED = "archived"
    """Nobody: lines that were imported from a file. No session; nothing can be sent or verified."""


class Trust(Enum):
    """What is known about a contact's keys."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    CHANGED = "changed"
    """The safety number is not the one that was once compared."""


class VerifiedHow(Enum):
    """How a safety number was compared."""

    QR = "qr"
    DIGITS = "digits"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Verification:
    """The safety number that was compared, when, and how."""

    digits: str
    at_ms: int
    how: VerifiedHow


@dataclass(frozen=True, slots=True)
class Contact:
    """One peer: one session, one safety number, one conversation."""

    id: int
    state: ContactState
    name: str
    """As the peer gave it, NFC; hostile until sanitised where it is shown."""
    name_serial: int
    created_ms: int
    safety_digits: str
    """Sixty digits, computed when the session was created."""
    bundle_hash: bytes
    """32 bytes: the invite that made this contact; one contact per invite."""
    expiry_ms: int
    """When that invite expires."""
    peer_mailbox: MailboxDescriptor | None = field(default=None, repr=False)
    """Where to send to; the newest that the peer gave."""
    peer_mailbox_serial: int = 0
    verification: Verification | None = None
    answered: bool = False
    """The peer has opened something of ours and answered."""
    copy_suspected: bool = False
    """A message contradicted its chain since the safety number was last compared."""

    @property
    def trust(self) -> Trust:
        """Compare what was verified with what is."""
        if self.verification is None:
            return Trust.UNVERIFIED
        if self.verification.digits != self.safety_digits:
            return Trust.CHANGED
        return Trust.VERIFIED


class InviteState(Enum):
    """Where an invite of ours stands."""

    OPEN = "open"
    SPENT = "spent"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Invite:
    """An invite that we gave out. Its link is a bearer secret, its keys more so."""

    id: int
    state: InviteState
    created_ms: int
    expires_ms: int
    link: str = field(repr=False)
    bundle_hash: bytes = field(repr=False)
    """32 bytes."""
    secret: bytes = field(repr=False)
    """The serialised keys; empty once spent, revoked or past `expires_ms` + 14 days."""
    blob: bytes = field(repr=False)
    """The sealed bundle, 4096 bytes, while the invite is open: a relay may lose it. Then empty."""
    blob_id: bytes = field(repr=False)
    delete_token: bytes = field(repr=False)
    relay: RelayAddress
    published: bool = False
    """The blob lies at the relay: the link can be opened."""
    blob_deleted: bool = False


class MailboxState(Enum):
    """Where a mailbox of ours stands at its relay."""

    WANTED = "wanted"
    """To be created there."""
    UNTOLD = "untold"
    """To be created there, and only then told to its contact: we moved to this relay."""
    ALIVE = "alive"
    RETIRING = "retiring"
    """To be deleted once its relay says "caught up" there."""
    DOOMED = "doomed"
    """To be deleted at once."""


@dataclass(frozen=True, slots=True)
class OwnMailbox:
    """A mailbox that we receive from."""

    id: bytes
    """16 bytes, bound to both tokens."""
    relay: RelayAddress
    receive_token: bytes = field(repr=False)
    send_token: bytes = field(repr=False)
    state: MailboxState
    contact_id: int | None
    invite_id: int | None
    """The invite whose bundle names it; None for a mailbox given in a message."""
    ticket: bytes = field(repr=False, default=b"")
    """What lets us create it at a relay that asks for an access phrase; may be empty."""
    renewal: bytes = field(repr=False, default=b"")
    """What lets us create it again, should the relay lose it; empty at an open relay."""
    left_ms: int | None = None
    """When we moved away from it: read until its contact uses a newer one, 14 days at most."""


class Direction(Enum):
    """Who wrote it."""

    IN = "in"
    OUT = "out"


class MessageKind(Enum):
    """What a line of a conversation is."""

    TEXT = "text"
    NEWER = "newer"
    """A content of an unknown type: needs a newer version."""
    MISSING = "missing"
    """Up to `text` (a decimal count) messages never arrived."""
    POSSIBLE_COPY = "possible-copy"
    """A message contradicted its chain: somebody's program may run from an older copy."""


class Delivery(Enum):
    """How far a message of ours has come."""

    QUEUED = "queued"
    """Not sealed yet: the session can't take it now (see `Reason`)."""
    WAITING = "waiting"
    """Sealed and kept; not at the relay yet."""
    SENT = "sent"
    """The relay has made it durable."""
    DELIVERED = "delivered"
    """The peer's program has stored it."""
    FAILED = "failed"
    """Not delivered within 14 days; its bytes are gone."""


class Reason(Enum):
    """Why a message waits."""

    NONE = ""
    OFFLINE = "offline"
    """The peer's relay is out of reach."""
    NOT_ACCEPTED = "not-accepted"
    """Eight requests are out; the peer has not accepted yet."""
    PEER_SILENT = "peer-silent"
    """19,999 messages of one chain are out; the peer must write first."""
    FULL = "full"
    """The peer's mailbox is full."""
    REFUSED = "refused"
    """The peer's relay knows no such mailbox (yet)."""
    LATER = "later"
    """The peer's relay asked to try later."""
    WRONG_KEY = "wrong-key"
    """Something else answered in place of the peer's relay."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a conversation, in order of receipt."""

    id: int
    contact_id: int
    seq: int
    """Dense and growing within the conversation, from 1."""
    direction: Direction
    kind: MessageKind
    content_id: bytes
    """16 bytes; empty for kinds that have none."""
    text: str = field(repr=False)
    sent_ms: int
    """What the sender says; 0 if unknown. Only shown."""
    stored_ms: int
    """When it was written here."""
    delivery: Delivery | None = None
    """None for what the peer wrote."""
    reason: Reason = Reason.NONE
    read: bool = True


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a conversation's lines are, without reading them."""

    last_seq: int = 0
    """The newest that was ever given; 0 for none."""
    gaps: tuple[tuple[int, int], ...] = ()
    """First and last seq of each run of deleted lines, in order, never adjacent."""
    first_unread: int = 0
    """The oldest line of the peer that was not on a screen; 0 for none."""
    unread: int = 0

    def count(self, first_seq: int, last_seq: int) -> int:
        """Return how many lines there are from one seq to another, both inclusive."""
        first_seq, last_seq = max(first_seq, 1), min(last_seq, self.last_seq)
        if first_seq > last_seq:
            return 0
        found = last_seq - first_seq + 1
        at = bisect_left(self.gaps, first_seq, key=itemgetter(1))
        while at < len(self.gaps) and self.gaps[at][0] <= last_seq:
            first, last = self.gaps[at]
            found -= min(last, last_seq) - max(first, first_seq) + 1
            at += 1
        return found

    def before(self, seq: int) -> int:
        """Return the seq of the nearest line before this one, 0 for none."""
        seq = min(seq - 1, self.last_seq)
        gap = self._gap(seq)
        return max(0, seq if gap is None else gap[0] - 1)

    def after(self, seq: int) -> int:
        """Return the seq of the nearest line after this one, 0 for none."""
        seq = max(seq, 0) + 1
        gap = self._gap(seq)
        seq = seq if gap is None else gap[1] + 1
        return seq if seq <= self.last_seq else 0

    def _gap(self, seq: int) -> tuple[int, int] | None:
        at = bisect_left(self.gaps, seq, key=itemgetter(1))
        return self.gaps[at] if at < len(self.gaps) and self.gaps[at][0] <= seq else None


@dataclass(frozen=True, slots=True)
class Overview:
    """What the list of conversations shows."""

    conversations: Sequence[Conversation]
    """Latest first, without those whose request waits for us."""
    requests: int
    """How many wait."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a conversation, and what belongs to them at the same moment."""

    contact: Contact
    draft: str = field(repr=False)
    """What was typed and not sent."""
    extent: Extent
    lines: Sequence[Message]
    """All from one seq to another, in order."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A sealed envelope and what is known of its way. It has no address."""

    id: int
    contact_id: int
    envelope: bytes = field(repr=False)
    content_ids: frozenset[bytes] = field(repr=False)
    """What the peer has still to acknowledge."""
    created_ms: int
    appended_ms: int | None
    """When a relay last said "stored"."""
    once: bool
    """Acknowledgements only: forgotten at "stored"."""
    request: bool
    """In the form of a request: appended again daily until the peer answers."""
    due: bool
    """To be appended as soon as possible."""


class AnnouncementKind(Enum):
    """What is repeated in every message until it is acknowledged."""

    PROFILE = "profile"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True)
class Announcement:
    """An own name or mailbox that a contact has not acknowledged yet."""

    contact_id: int
    kind: AnnouncementKind
    content: bytes = field(repr=False)
    """The encoded content, as it goes into a body."""
    content_id: bytes
    """16 bytes."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A contact with the newest of its conversation, for the list."""

    contact: Contact
    last: Message | None
    unread: int
    draft: str = field(default="", repr=False)
    """What was typed and not sent yet."""


class Link(Enum):
    """How the connection to our own relays stands."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class Connection:
    """The state for the status line."""

    link: Link
    relay: RelayAddress | None = None
    retry_at_ms: int | None = None
    """Wall time of the next try, when offline."""
    problem: Exception | None = None
    """The last error, an ExileError, when offline."""
    waiting: int = 0
    """Messages of ours that no relay holds yet."""
