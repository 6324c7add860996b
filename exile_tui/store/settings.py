"""Small values of the profile."""

from __future__ import annotations

from exile_tui.store.statements import Statements


class SettingTable:
    """Implements `repositories.Settings`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def get(self, key: str) -> str | None:
        """Return a value."""
        row = await self._statements.one("SELECT value FROM setting WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    async def beginning_with(self, prefix: str) -> dict[str, str]:
        """Return the values whose keys begin so."""
        rows = await self._statements.all(
            "SELECT key, value FROM setting WHERE substr(key, 1, ?) = ?", (len(prefix), prefix)
        )
        return {str(row[0]): str(row[1]) for row in rows}

    async def set(self, key: str, value: str) -> None:
        """Store a value."""
        await self._statements.run(
            "INSERT INTO setting (key, value) VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            (key, value),
        )

    async def delete(self, key: str) -> None:
        """Forget a value."""
        await self._statements.run("DELETE FROM setting WHERE key = ?", (key,))
