"""The ports over plain lists: what the encrypted store is compared with."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from exile_tui.core.model import (
    Announcement,
    AnnouncementKind,
    Contact,
    ContactState,
    Invite,
    OutboxEntry,
    OwnMailbox,
)
from tests.unit.store.memory_messages import MemoryMessages
from tests.unit.store.memory_state import Part, State


class MemoryContacts(Part):
    async def insert(self, contact: Contact) -> Contact:
        stored = replace(contact, id=self.state.next_id("contact"))
        self.state.contacts[stored.id] = stored
        return stored

    async def update(self, contact: Contact) -> None:
        if contact.id not in self.state.contacts:
            raise KeyError(contact.id)
        self.state.contacts[contact.id] = contact

    async def get(self, contact_id: int) -> Contact | None:
        return self.state.contacts.get(contact_id)

    async def by_bundle(self, bundle_hash: bytes) -> Contact | None:
        found = (c for c in self.state.contacts.values() if c.bundle_hash == bundle_hash)
        return next(found, None)

    async def all(self) -> list[Contact]:
        return [each for each in self._by_id() if each.state is not ContactState.ARCHIVED]

    async def archived(self) -> list[Contact]:
        return [each for each in self._by_id() if each.state is ContactState.ARCHIVED]

    def _by_id(self) -> list[Contact]:
        return [self.state.contacts[key] for key in sorted(self.state.contacts)]

    async def delete(self, contact_id: int) -> None:
        state = self.state
        state.contacts.pop(contact_id, None)
        state.sessions.pop(contact_id, None)
        state.messages = [m for m in state.messages if m.contact_id != contact_id]
        state.outbox = [e for e in state.outbox if e.contact_id != contact_id]
        state.acks = [pair for pair in state.acks if pair[0] != contact_id]
        for key in [key for key in state.announcements if key[0] == contact_id]:
            del state.announcements[key]
        state.mailboxes = [
            replace(m, contact_id=None) if m.contact_id == contact_id else m
            for m in state.mailboxes
        ]
        for digest, (owner, _, day) in state.seen.items():
            if owner == contact_id:
                state.seen[digest] = (0, [], day)


class MemorySessions(Part):
    async def insert(self, contact_id: int, state: bytes) -> None:
        self.state.sessions[contact_id] = (state, 1)

    async def load(self, contact_id: int) -> tuple[bytes, int]:
        return self.state.sessions[contact_id]

    async def update(self, contact_id: int, state: bytes, version: int) -> None:
        if self.state.sessions.get(contact_id, (b"", 0))[1] != version:
            raise RuntimeError("another version")
        self.state.sessions[contact_id] = (state, version + 1)


class MemoryOutbox(Part):
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
        entry = OutboxEntry(
            id=self.state.next_id("outbox"),
            contact_id=contact_id,
            envelope=envelope,
            content_ids=frozenset(content_ids),
            created_ms=created_ms,
            appended_ms=None,
            once=once,
            request=request,
            due=True,
        )
        self.state.outbox.append(entry)
        return entry

    async def due(self, contact_id: int, limit: int) -> list[OutboxEntry]:
        return [e for e in await self.of(contact_id) if e.due][: max(limit, 0)]

    async def due_contacts(self) -> list[int]:
        return sorted({e.contact_id for e in self.state.outbox if e.due})

    async def of(self, contact_id: int) -> list[OutboxEntry]:
        return [e for e in self.state.outbox if e.contact_id == contact_id]

    async def stored(self, entry_ids: Iterable[int], now_ms: int) -> None:
        ids = set(entry_ids)
        self.state.outbox = [
            replace(e, due=False, appended_ms=now_ms) if e.id in ids else e
            for e in self.state.outbox
            if not (e.id in ids and e.once)
        ]

    async def acknowledged(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        ids, kept = set(content_ids), []
        for entry in self.state.outbox:
            hit = entry.contact_id == contact_id and entry.content_ids & ids
            if hit:
                entry = replace(entry, content_ids=entry.content_ids - ids)
            if not hit or entry.content_ids:
                kept.append(entry)
        self.state.outbox = kept

    async def delete(self, entry_ids: Iterable[int]) -> None:
        ids = set(entry_ids)
        self.state.outbox = [e for e in self.state.outbox if e.id not in ids]

    async def set_due(self, *, contact_id: int | None, appended_before_ms: int | None) -> int:
        changed = 0
        for index, entry in enumerate(self.state.outbox):
            early = appended_before_ms is None or (
                entry.appended_ms is not None and entry.appended_ms < appended_before_ms
            )
            if not entry.due and contact_id in (None, entry.contact_id) and early:
                self.state.outbox[index] = replace(entry, due=True)
                changed += 1
        return changed

    async def created_before(self, before_ms: int) -> list[OutboxEntry]:
        return [e for e in self.state.outbox if e.created_ms < before_ms]

    async def mend_times(self, latest_ms: int, now_ms: int) -> None:
        for index, entry in enumerate(self.state.outbox):
            created, appended = entry.created_ms, entry.appended_ms
            self.state.outbox[index] = replace(
                entry,
                created_ms=now_ms if created > latest_ms else created,
                appended_ms=now_ms if appended is not None and appended > latest_ms else appended,
            )


class MemoryAcks(Part):
    async def add(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        for content_id in content_ids:
            if (contact_id, content_id) not in self.state.acks:
                self.state.acks.append((contact_id, content_id))

    async def due(self, contact_id: int, limit: int) -> list[bytes]:
        ids = [content_id for owner, content_id in self.state.acks if owner == contact_id]
        return ids[: max(limit, 0)]

    async def contacts(self) -> list[int]:
        return sorted({owner for owner, _ in self.state.acks})

    async def remove(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        gone = {(contact_id, content_id) for content_id in content_ids}
        self.state.acks = [pair for pair in self.state.acks if pair not in gone]


class MemoryAnnouncements(Part):
    async def put(self, announcement: Announcement) -> None:
        self.state.announcements[announcement.contact_id, announcement.kind] = announcement

    async def of(self, contact_id: int) -> list[Announcement]:
        kinds = (AnnouncementKind.PROFILE, AnnouncementKind.MAILBOX)
        found = (self.state.announcements.get((contact_id, kind)) for kind in kinds)
        return [announcement for announcement in found if announcement is not None]

    async def acknowledged(self, contact_id: int, content_ids: Iterable[bytes]) -> None:
        ids = set(content_ids)
        for key, announcement in list(self.state.announcements.items()):
            if key[0] == contact_id and announcement.content_id in ids:
                del self.state.announcements[key]

    async def get(self, contact_id: int, kind: AnnouncementKind) -> Announcement | None:
        return self.state.announcements.get((contact_id, kind))


class MemoryInvites(Part):
    async def insert(self, invite: Invite) -> Invite:
        stored = replace(invite, id=self.state.next_id("invite"))
        self.state.invites[stored.id] = stored
        return stored

    async def update(self, invite: Invite) -> None:
        if invite.id not in self.state.invites:
            raise KeyError(invite.id)
        self.state.invites[invite.id] = invite

    async def get(self, invite_id: int) -> Invite | None:
        return self.state.invites.get(invite_id)

    async def by_bundle(self, bundle_hash: bytes) -> Invite | None:
        found = (i for i in self.state.invites.values() if i.bundle_hash == bundle_hash)
        return next(found, None)

    async def all(self) -> list[Invite]:
        return [self.state.invites[key] for key in sorted(self.state.invites, reverse=True)]


class MemoryMailboxes(Part):
    async def insert(self, mailbox: OwnMailbox) -> None:
        self.state.mailboxes.append(mailbox)

    async def update(self, mailbox: OwnMailbox) -> None:
        if await self.get(mailbox.id) is None:
            raise KeyError(mailbox.id)
        self.state.mailboxes = [mailbox if m.id == mailbox.id else m for m in self.state.mailboxes]

    async def get(self, mailbox_id: bytes) -> OwnMailbox | None:
        return next((m for m in self.state.mailboxes if m.id == mailbox_id), None)

    async def all(self) -> list[OwnMailbox]:
        return list(self.state.mailboxes)

    async def of_contact(self, contact_id: int) -> list[OwnMailbox]:
        return [m for m in self.state.mailboxes if m.contact_id == contact_id]

    async def delete(self, mailbox_id: bytes) -> None:
        self.state.mailboxes = [m for m in self.state.mailboxes if m.id != mailbox_id]


class MemorySeen(Part):
    async def lookup(self, digest: bytes) -> tuple[int, list[bytes]] | None:
        found = self.state.seen.get(digest)
        return None if found is None else (found[0], list(found[1]))

    async def add(
        self, digest: bytes, contact_id: int, content_ids: Iterable[bytes], day: int
    ) -> None:
        self.state.seen[digest] = (contact_id, list(content_ids), day)

    async def expire(self, before_day: int) -> None:
        self.state.seen = {d: v for d, v in self.state.seen.items() if v[2] >= before_day}


class MemorySettings(Part):
    async def get(self, key: str) -> str | None:
        return self.state.settings.get(key)

    async def beginning_with(self, prefix: str) -> dict[str, str]:
        settings = self.state.settings
        return {key: settings[key] for key in settings if key.startswith(prefix)}

    async def set(self, key: str, value: str) -> None:
        self.state.settings[key] = value

    async def delete(self, key: str) -> None:
        self.state.settings.pop(key, None)


class MemoryTransaction:
    """Implements `ports.Transaction`; `state` is replaced by its copy on rollback."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.contacts = MemoryContacts(self)
        self.sessions = MemorySessions(self)
        self.messages = MemoryMessages(self)
        self.outbox = MemoryOutbox(self)
        self.acks = MemoryAcks(self)
        self.announcements = MemoryAnnouncements(self)
        self.invites = MemoryInvites(self)
        self.mailboxes = MemoryMailboxes(self)
        self.seen = MemorySeen(self)
        self.settings = MemorySettings(self)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        before = copy.deepcopy(self.state)
        try:
            yield
        except BaseException:
            self.state = before
            raise
