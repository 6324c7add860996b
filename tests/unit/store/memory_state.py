"""What the plain lists hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from exile_tui.core.model import (
    Announcement,
    AnnouncementKind,
    Contact,
    Invite,
    Message,
    OutboxEntry,
    OwnMailbox,
)


@dataclass
class State:
    """Everything that is stored, and the counters that never go back on their own."""

    contacts: dict[int, Contact] = field(default_factory=dict)
    sessions: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    outbox: list[OutboxEntry] = field(default_factory=list)
    acks: list[tuple[int, bytes]] = field(default_factory=list)
    announcements: dict[tuple[int, AnnouncementKind], Announcement] = field(default_factory=dict)
    invites: dict[int, Invite] = field(default_factory=dict)
    mailboxes: list[OwnMailbox] = field(default_factory=list)
    seen: dict[bytes, tuple[int, list[bytes], int]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)

    def next_id(self, table: str) -> int:
        self.ids[table] = self.ids.get(table, 0) + 1
        return self.ids[table]


class HasState(Protocol):
    state: State


class Part:
    """A repository over the state that its transaction has now."""

    def __init__(self, transaction: HasState) -> None:
        self._transaction = transaction

    @property
    def state(self) -> State:
        return self._transaction.state
