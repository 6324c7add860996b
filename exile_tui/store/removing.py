"""Deleting many lines at once, and what has to be done afterwards to be rid of them.

With FTS5's `secure-delete` each token of a deleted line is taken out of the index at once, which
takes 1 to 2 ms a line. Without it a deletion is as fast as an insertion, but the tokens stay until
the segments that hold them have been merged; so much is deleted without it. Either way the whole
index is merged once at the end, a few pages at a time: `secure-delete` leaves the beginning of a
token where it told two pages apart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exile_tui.store.database import Database
from exile_tui.store.layout import PAGE_BYTES
from exile_tui.store.statements import Statements
from exile_tui.store.wiping import COPIES, MERGED_PAGES, MERGING, TOKENS, used_pages

FEW = 100
"""So many lines at most are taken out of the index one by one: a tenth of a second."""
SHORT_BYTES = 64 * 1024
"""And so much text: of long ones full of different words it would take half a minute."""
_INDEX_PART = 8
"""As much deleted text as this part of a file is about half of what its index holds."""
_WORTH_MERGING = 8 * 1024 * 1024
"""Of so much deleted text at least; merging that at once makes the log some 20 MB long."""
LAST_SEQ = 2**63 - 1
"""No line comes after it."""


@asynccontextmanager
async def unindexing(
    statements: Statements, contact_id: int, first_seq: int, last_seq: int
) -> AsyncIterator[None]:
    """Delete a range's lines inside; note that their tokens are still to be removed."""
    found = await statements.all(
        "SELECT count(*), ifnull(sum(octet_length(text)), 0) FROM message"
        " WHERE contact_id = ? AND seq BETWEEN ? AND ?",
        (contact_id, first_seq, last_seq),
    )
    lines, octets = found[0]
    if not lines:
        yield
        return
    statements.deletes_lines = True
    statements.deleted_octets += octets
    many = lines > FEW or octets > SHORT_BYTES
    if many:
        await _set_secure_delete(statements, 0)
    yield
    if many:
        # Where the body raised, this comes back with the rest of the transaction.
        await _set_secure_delete(statements, 1)
    await statements.run("UPDATE profile SET scrub = ?", (TOKENS,))


async def _set_secure_delete(statements: Statements, value: int) -> None:
    await statements.all(
        "INSERT INTO message_fts (message_fts, rank) VALUES ('secure-delete', ?)", (value,)
    )


async def is_half_deleted(database: Database, deleted_octets: int) -> bool:
    """Tell whether about half of the index is of deleted lines.

    A step of merging ends when it has written so many pages. Where nearly all is deleted it writes
    none: all of the index would pass through the log at once, 96 MB of it for a million lines.
    """
    if deleted_octets < _WORTH_MERGING:
        return False
    return deleted_octets * _INDEX_PART > await used_pages(database) * PAGE_BYTES


async def begin_merging(statements: Statements) -> None:
    """Make all segments of the index one, in steps: this is the first."""
    await statements.run("UPDATE profile SET scrub = ?", (MERGING,))
    await _add_segments(statements)
    await _merge(statements, -MERGED_PAGES)


async def go_on_merging(statements: Statements) -> bool:
    """Do one more step; tell whether that was the last."""
    if await _merge(statements, MERGED_PAGES):
        return False
    # Not if lines were deleted meanwhile: then it begins again.
    await statements.run("UPDATE profile SET scrub = ? WHERE scrub = ?", (COPIES, MERGING))
    return True


async def _merge(statements: Statements, pages: int) -> bool:
    """Merge so many pages; tell whether there was anything to merge (fts5.html, "merge")."""
    before = await statements.all("SELECT total_changes()")
    await statements.all(
        "INSERT INTO message_fts (message_fts, rank) VALUES ('merge', ?)", (pages,)
    )
    after = await statements.all("SELECT total_changes()")
    return bool(after[0][0] - before[0][0] >= 2)


async def _add_segments(statements: Statements) -> None:
    """Put into the index what comes to nothing: one segment alone would be left as it is."""
    await _set_secure_delete(statements, 0)
    for command in (None, "delete"):
        await statements.all(
            "INSERT INTO message_fts (message_fts, rowid, syllables) VALUES (?, 0, 'x')",
            (command,),
        )
    await _set_secure_delete(statements, 1)


async def rewrite_settings(statements: Statements) -> None:
    """Write all small values anew, drafts among them, on pages that were overwritten.

    They change with every pause in typing: the whole file can't be written anew each time.
    """
    rows = await statements.all("SELECT key, value FROM setting")
    # Without a condition: that overwrites the pages and not only the rows.
    await statements.all("DELETE FROM setting")
    await statements.many("INSERT INTO setting (key, value) VALUES (?, ?)", rows)
