"""Invites given out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exile_tui.core.model import Invite, InviteState
from exile_tui.store.database import Row
from exile_tui.store.statements import Statements
from exile_tui.wire.address import RelayAddress

_SELECT = (
    "SELECT id, state, created_ms, expires_ms, link, bundle_hash, secret, blob, blob_id,"
    " delete_token, relay, published, blob_deleted FROM invite"
)


class InviteTable:
    """Implements `repositories.Invites`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def insert(self, invite: Invite) -> Invite:
        """Store (its `id` is ignored) and return it with its id."""
        rows = await self._statements.all(
            "INSERT INTO invite (state, created_ms, expires_ms, link, bundle_hash, secret, blob,"
            " blob_id, delete_token, relay, published, blob_deleted)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            _values(invite),
        )
        return replace(invite, id=rows[0][0])

    async def update(self, invite: Invite) -> None:
        """Store all fields of an invite that exists."""
        if not invite.secret:
            # SQLite leaves copies of keys as it does of lines: see wiping.py.
            await self._statements.run(
                "UPDATE profile SET scrub = 1 WHERE scrub = 0"
                " AND EXISTS (SELECT 1 FROM invite WHERE id = ? AND secret <> x'')",
                (invite.id,),
            )
        changed = await self._statements.run(
            "UPDATE invite SET state = ?, created_ms = ?, expires_ms = ?, link = ?,"
            " bundle_hash = ?, secret = ?, blob = ?, blob_id = ?, delete_token = ?, relay = ?,"
            " published = ?, blob_deleted = ? WHERE id = ?",
            (*_values(invite), invite.id),
        )
        if not changed:
            raise KeyError(invite.id)

    async def get(self, invite_id: int) -> Invite | None:
        """Return an invite."""
        row = await self._statements.one(f"{_SELECT} WHERE id = ?", (invite_id,))
        return _invite(row) if row else None

    async def by_bundle(self, bundle_hash: bytes) -> Invite | None:
        """Return the invite with this bundle hash."""
        row = await self._statements.one(f"{_SELECT} WHERE bundle_hash = ?", (bundle_hash,))
        return _invite(row) if row else None

    async def all(self) -> list[Invite]:
        """Return every invite, newest first."""
        rows = await self._statements.all(f"{_SELECT} ORDER BY id DESC")
        return [_invite(row) for row in rows]


def _values(invite: Invite) -> tuple[Any, ...]:
    return (
        invite.state.value,
        invite.created_ms,
        invite.expires_ms,
        invite.link,
        invite.bundle_hash,
        invite.secret,
        invite.blob,
        invite.blob_id,
        invite.delete_token,
        invite.relay.url,
        invite.published,
        invite.blob_deleted,
    )


def _invite(row: Row) -> Invite:
    return Invite(
        id=row[0],
        state=InviteState(row[1]),
        created_ms=row[2],
        expires_ms=row[3],
        link=row[4],
        bundle_hash=row[5],
        secret=row[6],
        blob=row[7],
        blob_id=row[8],
        delete_token=row[9],
        relay=RelayAddress.parse(row[10]),
        published=bool(row[11]),
        blob_deleted=bool(row[12]),
    )
