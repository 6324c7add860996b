"""Statements of one transaction: usable while it is open, never after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from exile_tui.store.database import Database, Row


class Statements:
    """What repositories run their SQL through."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closed = False
        self.deletes_lines = False
        """Whether lines went: then the index may grow, to shrink when it is merged."""
        self.deleted_octets = 0
        """How much text they had."""

    async def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a statement and return its rows, those of RETURNING included."""
        self._require_open()
        return await self._database.all(sql, parameters)

    async def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """Run a statement and return its first row."""
        rows = await self.all(sql, parameters)
        return rows[0] if rows else None

    async def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that returns no rows; return how many rows it changed."""
        self._require_open()
        return await self._database.many(sql, [parameters])

    async def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each row of parameters; return how many rows changed."""
        self._require_open()
        return await self._database.many(sql, rows)

    @property
    def is_open(self) -> bool:
        """Tell whether the transaction still runs."""
        return not self._closed and self._database.in_transaction

    def end(self) -> None:
        """Refuse whatever comes from now on."""
        self._closed = True

    def _require_open(self) -> None:
        # Outside a transaction each statement would commit alone.
        if not self.is_open:
            raise RuntimeError("this transaction is over")
