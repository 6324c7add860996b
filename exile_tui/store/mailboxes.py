"""Mailboxes that this profile receives from."""

from __future__ import annotations

from typing import Any

from exile_tui.core.model import MailboxState, OwnMailbox
from exile_tui.store.database import Row
from exile_tui.store.statements import Statements
from exile_tui.wire.address import RelayAddress

_SELECT = (
    "SELECT id, relay, receive_token, send_token, state, contact_id, invite_id, ticket, renewal,"
    " left_ms FROM mailbox"
)


class MailboxTable:
    """Implements `repositories.Mailboxes`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def insert(self, mailbox: OwnMailbox) -> None:
        """Store a mailbox."""
        await self._statements.run(
            "INSERT INTO mailbox (relay, receive_token, send_token, state, contact_id, invite_id,"
            " ticket, renewal, left_ms, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*_values(mailbox), mailbox.id),
        )

    async def update(self, mailbox: OwnMailbox) -> None:
        """Store all fields of a mailbox that exists."""
        changed = await self._statements.run(
            "UPDATE mailbox SET relay = ?, receive_token = ?, send_token = ?, state = ?,"
            " contact_id = ?, invite_id = ?, ticket = ?, renewal = ?, left_ms = ? WHERE id = ?",
            (*_values(mailbox), mailbox.id),
        )
        if not changed:
            raise KeyError(mailbox.id)

    async def get(self, mailbox_id: bytes) -> OwnMailbox | None:
        """Return a mailbox."""
        row = await self._statements.one(f"{_SELECT} WHERE id = ?", (mailbox_id,))
        return _mailbox(row) if row else None

    async def all(self) -> list[OwnMailbox]:
        """Return every mailbox, in order of creation."""
        rows = await self._statements.all(f"{_SELECT} ORDER BY position")
        return [_mailbox(row) for row in rows]

    async def of_contact(self, contact_id: int) -> list[OwnMailbox]:
        """Return the mailboxes that a contact may send to, in order of creation."""
        rows = await self._statements.all(
            f"{_SELECT} WHERE contact_id = ? ORDER BY position", (contact_id,)
        )
        return [_mailbox(row) for row in rows]

    async def delete(self, mailbox_id: bytes) -> None:
        """Forget a mailbox."""
        await self._statements.run("DELETE FROM mailbox WHERE id = ?", (mailbox_id,))


def _values(mailbox: OwnMailbox) -> tuple[Any, ...]:
    return (
        mailbox.relay.url,
        mailbox.receive_token,
        mailbox.send_token,
        mailbox.state.value,
        mailbox.contact_id,
        mailbox.invite_id,
        mailbox.ticket,
        mailbox.renewal,
        mailbox.left_ms,
    )


def _mailbox(row: Row) -> OwnMailbox:
    return OwnMailbox(
        id=row[0],
        relay=RelayAddress.parse(row[1]),
        receive_token=row[2],
        send_token=row[3],
        state=MailboxState(row[4]),
        contact_id=row[5],
        invite_id=row[6],
        ticket=row[7],
        renewal=row[8],
        left_ms=row[9],
    )
