"""The ratchet states, one for a contact, each with a row version."""

from __future__ import annotations

from exile_tui.store.statements import Statements


class SessionTable:
    """Implements `repositories.Sessions`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def insert(self, contact_id: int, state: bytes) -> None:
        """Store a new session at version 1."""
        await self._statements.run(
            "INSERT INTO session (contact_id, version, state) VALUES (?, 1, ?)", (contact_id, state)
        )

    async def load(self, contact_id: int) -> tuple[bytes, int]:
        """Return state and version; KeyError when there is none."""
        row = await self._statements.one(
            "SELECT state, version FROM session WHERE contact_id = ?", (contact_id,)
        )
        if row is None:
            raise KeyError(contact_id)
        return row[0], row[1]

    async def update(self, contact_id: int, state: bytes, version: int) -> None:
        """Replace the state that has this version; RuntimeError when another one is there."""
        changed = await self._statements.run(
            "UPDATE session SET state = ?, version = version + 1"
            " WHERE contact_id = ? AND version = ?",
            (state, contact_id, version),
        )
        if not changed:
            raise RuntimeError(f"the session of contact {contact_id} is not at version {version}")
