"""Making what was deleted unrecoverable, in the file and in its log.

`PRAGMA secure_delete` overwrites each deleted row where it lies. But when SQLite balances pages it
leaves copies of the rows that it moved in the free part of a page, and a copy of a row that is
deleted later stays: about one in 1,600 lines, or names, in a random test. So after lines, a contact
or an invite's keys were deleted the file is written anew once, without those copies.

VACUUM would put all of it into the write-ahead log, and into memory first. VACUUM INTO writes a
second file, encrypted with the same key, which then takes the place of the first by one rename
while nothing has the database open: killed at any moment, either file is there, and whole. It needs
room for the file once more, and what is stored meanwhile: see `ProfileStore.wipe`.
"""

from __future__ import annotations

import asyncio
import os
import shutil

from exile_tui.store import problems
from exile_tui.store.database import Database, opens
from exile_tui.store.files import (
    RESERVE_BYTES,
    overwrite,
    remove_overwritten,
    sync_directory,
    touch_private,
)
from exile_tui.store.layout import PAGE_BYTES, Layout

CLEAN, COPIES, TOKENS, MERGING = 0, 1, 2, 3
"""What `profile.scrub` says: nothing is left; copies of rows may be; tokens of many deleted lines
are in the index too; its segments are being merged, which makes an end of those."""

SMALL_BYTES = 64 * 1024 * 1024
"""A file up to this size is written anew in about a second, also where somebody waits for it."""
MERGED_PAGES = 500
"""Pages of the index that one transaction merges: 2 MB of log."""

_TRIES = 5
"""Each waits `database.BUSY_MS` for another program's reading to end."""


async def truncate(database: Database) -> None:
    """Put the write-ahead log into the file and truncate it.

    Args:
        database: The writer; no transaction may be open.

    Raises:
        DatabaseBusy: Another program keeps reading.
    """
    for _ in range(_TRIES):
        busy, *_ = (await database.all("PRAGMA wal_checkpoint(TRUNCATE)"))[0]
        if not busy:
            return
    raise problems.DatabaseBusy


async def state(database: Database) -> tuple[int, int]:
    """Return what `profile.scrub` says and how many bytes the file has."""
    scrub, pages = (await database.all("SELECT scrub, page_count FROM profile, pragma_page_count"))[
        0
    ]
    return scrub, pages * PAGE_BYTES


async def used_pages(database: Database) -> int:
    """Return how many pages of the file hold something."""
    rows = await database.all(
        "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count"
    )
    return int(rows[0][0])


async def copy(layout: Layout, key: bytes) -> None:
    """Write all that is in the database to `layout.rewritten`; cancelling interrupts it.

    Raises:
        DiskFull: There is not enough room. The caller removes what was written.
        ProfileError: The disk refuses.
    """
    database = await Database.open(layout.database, key, writer=True)
    try:
        # What was deleted makes the copy shorter, perhaps by nearly all of the file.
        size = await used_pages(database) * PAGE_BYTES
        with problems.file_errors():
            await asyncio.to_thread(_make_room_for, layout, size)
        await database.all("VACUUM INTO ?", (str(layout.rewritten),))
    except asyncio.CancelledError:
        await database.interrupt()
        raise
    finally:
        await database.close()
    with problems.file_errors():
        await asyncio.to_thread(_make_durable, layout, key)


def replace(layout: Layout) -> None:
    """Put the copy in the place of the database, which nobody may have open.

    Raises:
        DatabaseBusy: Another program has; nothing changed.
    """
    _, log, log_index = layout.database_files
    if log.exists() or log_index.exists():
        raise problems.DatabaseBusy
    with problems.file_errors():
        old = os.open(layout.database, os.O_RDWR)
        try:
            os.replace(layout.rewritten, layout.database)
            sync_directory(layout.database.parent)
            overwrite(old)
        finally:
            os.close(old)


def _make_room_for(layout: Layout, size: int) -> None:
    remove_overwritten(layout.rewritten)
    # Not to the last byte: whoever writes meanwhile, here or elsewhere, needs some too.
    if shutil.disk_usage(layout.database.parent).free < size + 2 * RESERVE_BYTES:
        raise problems.DiskFull
    touch_private(layout.rewritten)


def _make_durable(layout: Layout, key: bytes) -> None:
    descriptor = os.open(layout.rewritten, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not opens(layout.rewritten, key):
        raise problems.ForeignDatabase
