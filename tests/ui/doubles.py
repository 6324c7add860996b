"""An in-memory profile with the face of core's Application and Messenger, the same every time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from exile_tui.core.deleting import Deletion, What
from exile_tui.core.events import (
    ConnectionChanged,
    ContactChanged,
    DeletionChanged,
    DeliveryChanged,
    Event,
    EventBus,
    InvitesChanged,
    MessageStored,
    MovingChanged,
    Work,
    WorkChanged,
)
from exile_tui.core.exporting import EXISTS, Exported
from exile_tui.core.importing import Imported
from exile_tui.core.model import (
    Connection,
    Contact,
    ContactState,
    Conversation,
    Delivery,
    Direction,
    Excerpt,
    Extent,
    Invite,
    InviteState,
    Link,
    Message,
    MessageKind,
    Overview,
    Reason,
    Verification,
    VerifiedHow,
)
from exile_tui.core.moving import Moving
from exile_tui.core.searching import EVERYWHERE, SearchFilter, SearchPage, SearchPlace
from exile_tui.core.working import PUT_OFF
from exile_tui.errors import (
    ExileError,
    NoSuchContact,
    Refused,
    RelayBusy,
    RelayUnreachable,
    UsageError,
    WrongPassphrase,
)
from exile_tui.text import nfc
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.facts import Facts

SEOUL = ZoneInfo("Asia/Seoul")
NOW_MS = int(datetime(2026, 11, 21, 15, 30, tzinfo=SEOUL).timestamp() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
RELAY = RelayAddress("127.0.0.1", 18443, bytes(range(32)))
PASSPHRASE = "correct horse battery staple"
LONGEST_TEXT = 60_000


def at(month: int, day: int, hour: int = 12, minute: int = 0, year: int = 2026) -> int:
    """Return a moment in Seoul in milliseconds."""
    return int(datetime(year, month, day, hour, minute, tzinfo=SEOUL).timestamp() * 1000)


def _is_there(file: Path) -> bool:
    return file.exists()


def _write(file: Path, text: str) -> None:
    file.write_text(text)


def safety_digits(contact_id: int) -> str:
    """Return sixty digits that belong to a contact."""
    number = int.from_bytes(hashlib.sha512(b"safety %d" % contact_id).digest(), "big")
    return f"{number % 10**60:060}"


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return self.now / 1000


@dataclass(frozen=True)
class FakeSafetyNumber:
    """What core's safety number view has."""

    digits: str
    scannable: bytes

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self.digits[start : start + 5] for start in range(0, 60, 5))


@dataclass(frozen=True)
class FakeStrength:
    bits: float
    level: int


STATEMENT = Facts(
    software="exile-tui",
    build="1",
    retention_days=3,
    limits={"envelopes_per_mailbox": 128},
    access="open",
    jurisdiction="Republic of Korea",
    date="2026-11-18",
    requests_received=0,
)


def token(seed: str) -> str:
    """Return 43 characters as a relay writes a hash."""
    digest = hashlib.sha256(seed.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class FakeFacts:
    """A relay's signed statement."""

    facts: Facts


@dataclass
class FakeDeletions:
    """Deletes at once, or stands at `at` until it is let go on."""

    messenger: FakeMessenger
    running: tuple[Deletion, ...] = ()
    at: tuple[int, int] | None = None
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def messages(self, contact_id: int, first_seq: int, last_seq: int) -> None:
        await self._pass(Deletion(What.MESSAGES, contact_id, first_seq, last_seq))
        await self.messenger.delete_messages(contact_id, first_seq, last_seq)

    async def conversation(self, contact_id: int) -> None:
        await self._pass(Deletion(What.CONVERSATION, contact_id, 1, 10**9))
        await self.messenger.delete_messages(contact_id, 1, 10**9)
        self.messenger.drafts.pop(contact_id, None)

    async def contact(self, contact_id: int) -> None:
        await self._pass(Deletion(What.CONTACT, contact_id, 1, 10**9))
        await self.messenger.remove_contact(contact_id)

    async def _pass(self, deletion: Deletion) -> None:
        if self.at is not None:
            self.tell(replace(deletion, done=self.at[0], total=self.at[1]))
            await self.go_on.wait()
        self.tell()

    def tell(self, *running: Deletion) -> None:
        self.running = running
        self.messenger.events.emit(DeletionChanged(running[0].contact_id if running else 0))


@dataclass
class FakeMessenger:
    """One open profile in memory. Tests fill it with `add_contact`, `say` and `hear`."""

    name: str = "이서연"
    clock: FakeClock = field(default_factory=FakeClock)
    embedded: bool = True
    relay_address: RelayAddress = RELAY
    connection: Connection = field(default_factory=lambda: Connection(Link.ONLINE, RELAY))
    clock_jump_ms: int | None = None
    access_phrase: str = ""
    events: EventBus = field(default_factory=EventBus)
    started: bool = False
    reconnects: int = 0
    refuse: ExileError | None = None
    """Raised by the next call that would change something."""
    statement: Facts | None = STATEMENT
    """What the relay states; None while it is out of reach."""
    passphrase_changes: list[tuple[str, bool]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    """What changing the passphrase waits for, as it does for a long history."""
    working: asyncio.Event = field(default_factory=asyncio.Event)
    """An export or import has told how far it is."""
    looks_at_once: int = 1_000_000
    """Messages that a page of a search looks through."""
    drafts: dict[int, str] = field(default_factory=dict)
    read_lines: int = 0
    """From how many seqs lines were asked for."""
    own_hosts: list[str] = field(default_factory=lambda: ["192.168.0.12", "10.8.0.3"])
    """This computer's addresses."""
    move: Moving | None = None
    """A move that is not over yet."""
    work: Work | None = None
    work_problem: RelayBusy | None = None

    def __post_init__(self) -> None:
        self._contacts: dict[int, Contact] = {}
        self._messages: dict[int, list[Message]] = {}
        self._invites: list[Invite] = []
        self._next_message = 1
        self.deletions = FakeDeletions(self)

    # Filling it

    def add_contact(
        self,
        name: str,
        state: ContactState = ContactState.ACTIVE,
        *,
        verified: bool = False,
        changed: bool = False,
        created_ms: int = NOW_MS - 30 * DAY,
    ) -> Contact:
        contact_id = len(self._contacts) + 1
        digits = safety_digits(contact_id)
        compared = safety_digits(1000 + contact_id) if changed else digits
        verification = None
        if verified or changed:
            verification = Verification(compared, NOW_MS - 7 * DAY, VerifiedHow.QR)
        contact = Contact(
            id=contact_id,
            state=state,
            name=name,
            name_serial=1,
            created_ms=created_ms,
            safety_digits=digits,
            bundle_hash=hashlib.sha256(b"bundle %d" % contact_id).digest(),
            expiry_ms=created_ms + DAY,
            verification=verification,
            answered=state is ContactState.ACTIVE,
        )
        self._contacts[contact_id] = contact
        self._messages[contact_id] = []
        return contact

    def say(
        self,
        contact: Contact,
        text: str,
        at_ms: int = NOW_MS,
        delivery: Delivery = Delivery.DELIVERED,
        reason: Reason = Reason.NONE,
    ) -> Message:
        """Add what we wrote."""
        return self._add(
            contact.id, Direction.OUT, MessageKind.TEXT, text, at_ms, delivery, reason, read=True
        )

    def hear(
        self,
        contact: Contact,
        text: str,
        at_ms: int = NOW_MS,
        *,
        read: bool = True,
        kind: MessageKind = MessageKind.TEXT,
    ) -> Message:
        """Add what they wrote."""
        return self._add(contact.id, Direction.IN, kind, text, at_ms, None, Reason.NONE, read=read)

    def arrive(self, contact: Contact, text: str, at_ms: int | None = None) -> Message:
        """Let a message of theirs arrive now, with its event."""
        moment = self.clock.now_ms() if at_ms is None else at_ms
        message = self.hear(contact, text, moment, read=False)
        self.events.emit(MessageStored(message))
        return message

    def emit(self, event: Event) -> None:
        self.events.emit(event)

    def set_connection(self, connection: Connection) -> None:
        self.connection = connection
        self.events.emit(ConnectionChanged(connection))

    def set_delivery(
        self, message: Message, delivery: Delivery, reason: Reason = Reason.NONE
    ) -> None:
        messages = self._messages[message.contact_id]
        messages[message.seq - 1] = replace(
            messages[message.seq - 1], delivery=delivery, reason=reason
        )
        self.events.emit(DeliveryChanged(message.contact_id))

    def add_invite(self, state: InviteState = InviteState.OPEN, created_ms: int = NOW_MS) -> Invite:
        number = len(self._invites) + 1
        invite = Invite(
            id=number,
            state=state,
            created_ms=created_ms,
            expires_ms=created_ms + DAY,
            link="exile:" + (token(f"link {number}") * 3)[:106],
            bundle_hash=bytes([number]) * 32,
            secret=b"",
            blob=b"",
            published=True,
            blob_id=bytes([number]) * 16,
            delete_token=b"",
            relay=RELAY,
        )
        self._invites.append(invite)
        return invite

    def _add(
        self,
        contact_id: int,
        direction: Direction,
        kind: MessageKind,
        text: str,
        at_ms: int,
        delivery: Delivery | None,
        reason: Reason,
        *,
        read: bool,
    ) -> Message:
        messages = self._messages[contact_id]
        message = Message(
            id=self._next_message,
            contact_id=contact_id,
            seq=len(messages) + 1,
            direction=direction,
            kind=kind,
            content_id=self._next_message.to_bytes(16, "big"),
            text=text,
            sent_ms=at_ms,
            stored_ms=at_ms,
            delivery=delivery,
            reason=reason,
            read=read,
        )
        self._next_message += 1
        messages.append(message)
        return message

    def _change(self) -> None:
        refuse, self.refuse = self.refuse, None
        if refuse is not None:
            raise refuse

    # The face of core.messenger.Messenger

    async def start(self) -> None:
        self.started = True

    def reconnect_now(self) -> None:
        self.reconnects += 1
        self.work_problem = None
        self.events.emit(WorkChanged(self.work))

    def do_work(self, work: Work | None) -> None:
        """Come further with work for a relay, or to its end."""
        self.work = work
        self.events.emit(WorkChanged(work))

    def put_off_work(self) -> None:
        self.work_problem = RelayBusy(PUT_OFF, address=self.relay_address.authority)
        self.do_work(None)

    async def export_history(
        self,
        file: Path,
        progress: Callable[[int, int], None],
        *,
        contact_id: int | None = None,
        replace: bool = False,
    ) -> Exported:
        if _is_there(file) and not replace:
            raise UsageError(EXISTS, file=file)
        self._change()
        progress(45, 100)
        self.working.set()
        if self.hold is not None:
            await self.hold.wait()
        _write(file, f"conversation {contact_id}\n")
        return Exported(1 if contact_id else len(self._contacts), 100)

    async def import_history(self, file: Path, progress: Callable[[int, int], None]) -> Imported:
        self._change()
        progress(45, 100)
        self.working.set()
        if self.hold is not None:
            await self.hold.wait()
        return Imported(98, 2, [])

    async def rename(self, name: str) -> None:
        self._change()
        self.name = name

    async def create_invite(self, lifetime_hours: int = 24) -> Invite:
        self._change()
        invite = self.add_invite(created_ms=self.clock.now_ms())
        self.events.emit(InvitesChanged())
        return invite

    async def invites(self) -> list[Invite]:
        return self._invites[::-1]

    async def revoke_invite(self, invite_id: int) -> None:
        self._change()
        self._invites[invite_id - 1] = replace(
            self._invites[invite_id - 1], state=InviteState.REVOKED
        )
        self.events.emit(InvitesChanged())

    def link_bytes(self, link: str) -> bytes:
        return hashlib.sha512(link.encode()).digest() + b"\x01" * 15

    async def join(self, link: str | bytes) -> Contact:
        self._change()
        if isinstance(link, str) and not link.startswith("exile:"):
            raise Refused()
        contact = self.add_contact("", ContactState.JOINING, created_ms=self.clock.now_ms())
        self.events.emit(ContactChanged(contact.id))
        return contact

    async def contacts(self) -> list[Contact]:
        return list(self._contacts.values())

    async def contact(self, contact_id: int) -> Contact:
        if contact_id not in self._contacts:
            raise NoSuchContact(name=contact_id)
        return self._contacts[contact_id]

    async def find_contact(self, name: str) -> Contact:
        for contact in self._contacts.values():
            if name in (contact.name, str(contact.id), f"#{contact.id}"):
                return contact
        raise NoSuchContact(name=name)

    async def accept(self, contact_id: int) -> None:
        self._change()
        self.replace_contact(replace(self._contacts[contact_id], state=ContactState.ACTIVE))

    async def decline(self, contact_id: int) -> None:
        await self.remove_contact(contact_id)

    async def remove_contact(self, contact_id: int) -> None:
        self._change()
        del self._contacts[contact_id]
        del self._messages[contact_id]
        self.events.emit(ContactChanged(contact_id))

    async def delete_messages(self, contact_id: int, first_seq: int, last_seq: int) -> None:
        self._change()
        self._messages[contact_id] = [
            message
            for message in self._messages[contact_id]
            if not first_seq <= message.seq <= last_seq
        ]
        self.events.emit(ContactChanged(contact_id))

    def replace_contact(self, contact: Contact) -> None:
        """Put a changed contact in place, with its event."""
        self._contacts[contact.id] = contact
        self.events.emit(ContactChanged(contact.id))

    async def overview(self) -> Overview:
        found = [
            Conversation(
                contact,
                self._messages[contact.id][-1] if self._messages[contact.id] else None,
                sum(not message.read for message in self._messages[contact.id]),
                self.drafts.get(contact.id, ""),
            )
            for contact in self._contacts.values()
            if contact.state is not ContactState.REQUESTED
        ]
        found.sort(
            key=lambda each: -(each.last.stored_ms if each.last else each.contact.created_ms)
        )
        return Overview(found, len(self._contacts) - len(found))

    async def keep_draft(self, contact_id: int, text: str) -> None:
        await self.contact(contact_id)
        self.drafts[contact_id] = text

    async def messages(self, contact_id: int, limit: int = 200) -> list[Message]:
        return (await self.contact(contact_id)) and self._messages[contact_id][-limit:]

    async def send(self, contact_id: int, text: str) -> Message:
        self._change()
        if not text.strip():
            raise UsageError()
        if len(text.encode()) > LONGEST_TEXT:
            raise UsageError("This message is too long.")
        message = self._add(
            contact_id,
            Direction.OUT,
            MessageKind.TEXT,
            text,
            self.clock.now_ms(),
            Delivery.WAITING,
            Reason.NONE,
            read=True,
        )
        self.drafts.pop(contact_id, None)
        self.events.emit(MessageStored(message))
        return message

    async def extent(self, contact_id: int) -> Extent:
        messages = await self.messages(contact_id, 1_000_000)
        unread = [each.seq for each in messages if not each.read]
        last = max((each.seq for each in messages), default=0)
        there = {each.seq for each in messages}
        gaps: list[tuple[int, int]] = []
        for seq in range(1, last + 1):
            if seq not in there:
                first = gaps.pop()[0] if gaps and gaps[-1][1] == seq - 1 else seq
                gaps.append((first, seq))
        return Extent(last, tuple(gaps), min(unread, default=0), len(unread))

    async def excerpt(
        self, contact_id: int, choose: Callable[[Extent], tuple[int, int] | None]
    ) -> Excerpt:
        contact = await self.contact(contact_id)
        extent = await self.extent(contact_id)
        first, last = choose(extent) or (1, 0)
        self.read_lines += max(0, last - first + 1)
        lines = [each for each in self._messages[contact_id] if first <= each.seq <= last]
        return Excerpt(contact, self.drafts.get(contact_id, ""), extent, lines)

    async def day_begins(
        self, contact_id: int, seq: int, day_of: Callable[[int], tuple[int, int]], by: int
    ) -> int:
        messages = self._messages[contact_id]
        (here,) = (each for each in messages if each.seq == seq)
        begins, ends = day_of(here.stored_ms)
        if by > 0:
            return min((each.seq for each in messages if each.stored_ms >= ends), default=0)
        first = min(each.seq for each in messages if each.stored_ms >= begins)
        if first < seq:
            return first
        before = [each.stored_ms for each in messages if each.stored_ms < begins]
        since = day_of(max(before))[0] if before else 0
        return min(each.seq for each in messages if each.stored_ms >= since) if before else 0

    async def mark_read(self, contact_id: int, first_seq: int, last_seq: int) -> None:
        messages = self._messages[contact_id]
        self._messages[contact_id] = [
            replace(message, read=True) if first_seq <= message.seq <= last_seq else message
            for message in messages
        ]
        if self._messages[contact_id] != messages:
            self.events.emit(ContactChanged(contact_id))

    async def search(
        self,
        query: str,
        only: SearchFilter = EVERYWHERE,
        limit: int = 50,
        *,
        typing: bool = False,
        after: SearchPlace | None = None,
    ) -> SearchPage:
        """Search plainly; as the store does, look through so many at once and no more."""
        await self._wait()
        wanted = nfc(query).casefold()
        there = sorted(
            (
                message
                for messages in self._messages.values()
                for message in messages
                if message.kind is MessageKind.TEXT
                and only.contact_id in (None, message.contact_id)
                and only.direction in (None, message.direction)
                and (only.since_ms or 0) <= message.stored_ms
                and (only.until_ms is None or message.stored_ms < only.until_ms)
                and (not only.has_link or "://" in message.text)
            ),
            key=lambda message: (-message.stored_ms, -message.id),
        )
        at = after.before if after else 0
        end = min(len(there), at + self.looks_at_once)
        found: list[Message] = []
        while at < end and len(found) < limit:
            text = nfc(there[at].text).casefold()
            if wanted in text if wanted.strip() else only.has_link:
                found.append(there[at])
            at += 1
        rest = SearchPlace(0, at, there[at - 1].stored_ms) if at < len(there) else None
        return SearchPage(tuple(found), rest)

    async def safety_number(self, contact_id: int) -> FakeSafetyNumber:
        digits = (await self.contact(contact_id)).safety_digits
        return FakeSafetyNumber(digits, b"\x01" + hashlib.sha256(digits.encode()).digest() * 2)

    def words(self, digits: str, language: str) -> tuple[str, ...]:
        groups = [int(digits[start : start + 5]) for start in range(0, 60, 5)]
        korean = ("가격", "나그네", "다람쥐", "라면", "마을", "바람", "사과", "아침", "자전거")
        english = ("abandon", "badge", "cabin", "dance", "eagle", "fabric", "gain", "hand", "ice")
        words = korean if language == "ko" else english
        return tuple(words[group % len(words)] for group in groups)

    async def compare_scanned(self, contact_id: int, payload: bytes) -> bool:
        return payload == (await self.safety_number(contact_id)).scannable

    async def mark_verified(self, contact_id: int, how: VerifiedHow) -> None:
        self._change()
        contact = self._contacts[contact_id]
        done = Verification(contact.safety_digits, self.clock.now_ms(), how)
        self.replace_contact(replace(contact, verification=done))

    async def unmark_verified(self, contact_id: int) -> None:
        self._change()
        self.replace_contact(replace(self._contacts[contact_id], verification=None))

    async def disclosure(self, relay: RelayAddress | None = None) -> list[dict[str, Any]]:
        return [
            {
                "mailbox_id": token(f"mailbox {index}")[:22],
                "receive_token_sha256": token(f"receive {index}"),
                "send_token_sha256": token(f"send {index}"),
                "expires_day": "2027-02-19",
                "next_seq": 4 + index,
                "envelopes": [
                    {
                        "seq": 3 + place,
                        "bytes": 4096,
                        "expires_day": "2026-11-24",
                        "sha256_first_16_bytes": token(f"envelope {place}")[:22],
                    }
                    for place in range(index)
                ],
            }
            for index in range(2)
        ]

    async def facts(self) -> FakeFacts:
        if self.statement is None:
            raise RelayUnreachable(address="127.0.0.1:18443")
        return FakeFacts(self.statement)

    @property
    def only_here(self) -> bool:
        return self.relay_address.host.startswith("127.")

    def hosts(self) -> list[str]:
        return self.own_hosts

    async def move_to(self, address: str, access_phrase: str = "") -> None:
        new = RelayAddress.parse(address)
        await self._wait()
        self._move(new, embedded=False)
        self.access_phrase = access_phrase

    async def move_to_embedded(self, host: str = "127.0.0.1") -> None:
        await self._wait()
        self._move(replace(RELAY, host=host), embedded=True)

    async def _wait(self) -> None:
        if self.hold is not None:
            await self.hold.wait()

    def _move(self, new: RelayAddress, *, embedded: bool) -> None:
        self._change()
        now, waiting = self.clock.now_ms(), tuple(self._contacts.values())
        self.move = Moving(self.relay_address, new, now, now + 14 * DAY, waiting, 0, 0)
        self.relay_address, self.embedded = new, embedded
        self.connection = Connection(Link.ONLINE, new)
        self.events.emit(MovingChanged())

    async def moving(self) -> Moving | None:
        return self.move

    async def set_access_phrase(self, phrase: str) -> None:
        self._change()
        self.access_phrase = phrase

    async def confirm_clock(self) -> None:
        self.clock_jump_ms = None

    async def change_passphrase(
        self, old: str, new: str, *, new_database_key: bool = False
    ) -> None:
        self._change()
        if old != PASSPHRASE:
            raise WrongPassphrase()
        if self.hold is not None:
            await self.hold.wait()
        self.passphrase_changes.append((new, new_database_key))


class FakeApplication:
    """A profile on no disk; open it, or let the screens do so."""

    def __init__(
        self, messenger: FakeMessenger | None = None, *, exists: bool = True, opened: bool = True
    ) -> None:
        self.profile = "default"
        self.inside = messenger or FakeMessenger()
        self.messenger = self.inside if opened else None
        self._exists = exists
        self.closed = False
        self.first_run: Any = None
        self.refuse: ExileError | None = None
        """Raised by the next `create` or `unlock`."""
        self.prepared = 0

    def exists(self) -> bool:
        return self._exists

    def prepare(self) -> None:
        self.prepared += 1

    async def create(self, first_run: Any) -> FakeMessenger:
        self._refuse()
        self.first_run = first_run
        self.inside.name = first_run.name
        self._exists = True
        self.messenger = self.inside
        return self.inside

    async def unlock(self, passphrase: str) -> FakeMessenger:
        self._refuse()
        if passphrase != PASSPHRASE:
            raise WrongPassphrase()
        self.messenger = self.inside
        return self.inside

    def _refuse(self) -> None:
        refuse, self.refuse = self.refuse, None
        if refuse is not None:
            raise refuse

    async def lock(self) -> None:
        self.messenger = None

    async def close(self) -> None:
        self.messenger = None
        self.closed = True

    @staticmethod
    def check_relay_text(text: str) -> str:
        text = text.strip()
        if text.startswith("exile:"):
            return text
        return RelayAddress.parse(text).url

    @staticmethod
    def passphrase_strength(passphrase: str) -> FakeStrength:
        bits = len(set(passphrase)) * 4.0
        return FakeStrength(bits, min(4, int(bits // 16)))
