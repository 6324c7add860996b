"""Making what was deleted unrecoverable, in the file and in its log.

`PRAGMA secure_delete` overwrites each deleted row where it lies. But when SQLite balances pages it
leaves copies of the rows that it moved in the free part of a page, and a copy of a row that is
deleted later stays: about one in 1,600 lines, or names, in a random test. So after lines, a contact
or an invite's keys were deleted the file is rewritten once, by VACUUM.
"""

from __future__ import annotations

from exile_tui.store import problems
from exile_tui.store.database import Database

_TRIES = 5
"""Each waits `database.BUSY_MS` for another program's reading to end."""


async def wipe(database: Database, *, scrub: bool) -> None:
    """Rewrite the file if lines were deleted, then truncate the write-ahead log.

    Args:
        database: The writer; no transaction may be open.
        scrub: False puts the rewriting off, as it needs room for the whole file in the log.

    Raises:
        DatabaseBusy: Another program keeps reading.
        DiskFull: Nothing changed; the rewriting stays due.
    """
    if scrub and await database.all("SELECT 1 FROM profile WHERE scrub = 1"):
        await database.all("VACUUM")
        await database.all("UPDATE profile SET scrub = 0")
    for _ in range(_TRIES):
        busy, *_ = (await database.all("PRAGMA wal_checkpoint(TRUNCATE)"))[0]
        if not busy:
            return
    raise problems.DatabaseBusy
