"""Look for messages a page at a time, so that no query takes long, however rare what it finds.

First the ids that the index gives, the newest first, then those of their messages that fulfil the
condition; in growing portions, until there are enough hits or so many were looked at that more
would be noticed. Then the place to go on at is given back.
"""

from __future__ import annotations

import json

from exile_tui.core.searching import SearchFilter, SearchPlace
from exile_tui.store.database import Row
from exile_tui.store.queries import Step, narrowed, steps
from exile_tui.store.statements import Statements

AT_ONCE = 20_000
"""Messages that are looked at for one page, if SQLite does it: about 40 ms; in all its steps."""
AT_ONCE_SLOWLY = 4_000
"""The same if each is handed to Python: about 40 ms."""
PORTION = 4_000
"""Messages that are looked at in one statement, at most; between two a search can be stopped."""
_NEWEST = 2**63 - 1


class Finder:
    """Find a page of messages."""

    def __init__(self, statements: Statements, columns: str) -> None:
        """Make a finder.

        Args:
            statements: Of one snapshot.
            columns: What to return of each message, its id first.
        """
        self._statements = statements
        self._select = " ".join(
            (
                "SELECT",
                columns,
                "FROM json_each(?) AS candidate",
                "CROSS JOIN message ON message.id = candidate.value WHERE kind = 'text'",
            )
        )

    async def page(
        self, query: str, only: SearchFilter, limit: int, after: SearchPlace | None, *, typing: bool
    ) -> tuple[list[Row], SearchPlace | None]:
        """Return rows, and where to go on; see `repositories.Messages.search`."""
        found: dict[int, Row] = {}
        ways = steps(query, typing=typing)
        if not ways and not query.strip() and only.has_link:
            ways = [Step()]
        place, left = after or SearchPlace(0, _NEWEST), 1.0
        for number in range(place.step, len(ways) if limit > 0 else 0):
            before = place.before if number == place.step else _NEWEST
            step = narrowed(ways[number], only)
            reached, left = await self._look(step, before, limit, found, left)
            if reached is not None:
                return list(found.values()), await self._place(number, reached)
        return list(found.values()), None

    async def _look(
        self, step: Step, before: int, limit: int, found: dict[int, Row], left: float
    ) -> tuple[int | None, float]:
        """Add what one step finds.

        Args:
            left: The part of a page's work that is left, 1 at first.

        Returns:
            From which id on it was looked, None for everywhere; and what is left then.
        """
        most = AT_ONCE_SLOWLY if step.slow else AT_ONCE
        portion = 2 * limit
        while (count := int(left * most)) > 0:
            portion = min(portion, count, PORTION)
            ids = await self._candidates(step, before, portion)
            for row in await self._fulfilling(step, ids, limit):
                found.setdefault(row[0], row)
                if len(found) >= limit:
                    return int(row[0]), left
            left -= len(ids) / most
            if len(ids) < portion:
                return None, left
            before = ids[-1]
            portion *= 2
        return before, left

    async def _candidates(self, step: Step, before: int, count: int) -> list[int]:
        if step.match:
            rows = await self._statements.all(
                "SELECT rowid FROM message_fts WHERE message_fts MATCH ? AND rowid < ?"
                " ORDER BY rowid DESC LIMIT ?",
                (step.match, before, count),
            )
        else:
            rows = await self._statements.all(
                "SELECT id FROM message WHERE id < ? ORDER BY id DESC LIMIT ?", (before, count)
            )
        return [row[0] for row in rows]

    async def _fulfilling(self, step: Step, ids: list[int], limit: int) -> list[Row]:
        sql = [self._select]
        if step.condition:
            sql += ["AND", step.condition]
        parameters = [json.dumps(ids), *step.parameters, limit]
        # In the order of the candidates: CROSS JOIN keeps the loops as they are written.
        return await self._statements.all(" ".join([*sql, "LIMIT ?"]), parameters)

    async def _place(self, step: int, before: int) -> SearchPlace:
        row = await self._statements.one(
            "SELECT stored_ms FROM message WHERE id >= ? ORDER BY id LIMIT 1", (before,)
        )
        return SearchPlace(step, before, row[0] if row else 0)
