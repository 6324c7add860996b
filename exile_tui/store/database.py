"""SQLCipher behind aiosqlite: opening with a raw key, and statements with translated errors.

Importing this module loads sqlcipher3; nothing does so before a profile is opened.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

import aiosqlite
from sqlcipher3 import dbapi2

from exile_tui.errors import ProfileError
from exile_tui.store import problems, search
from exile_tui.store.layout import PAGE_BYTES

BUSY_MS = 1000
"""How long a statement waits for another program's lock."""

Row = tuple[Any, ...]
_Result = TypeVar("_Result")

# It logs every statement with its parameters at DEBUG: texts, keys, tokens.
logging.getLogger("aiosqlite").setLevel(logging.WARNING)


def connect(path: Path, key: bytes | None, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a database with sqlcipher3 itself; used alone only where nothing else is open.

    Args:
        path: The file; made when missing unless `read_only`.
        key: 32 bytes, used as they are; None opens without encryption, for tests of what remains
            in the file.
        read_only: Never write, not even the write-ahead log into the file when closing.

    Returns:
        A connection in autocommit. Whether the key is right shows on the first read.
    """
    mode = "ro" if read_only else "rwc"
    connection = dbapi2.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
    )
    if key is not None:
        # A wrong key otherwise writes to standard error and wrecks the screen.
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return cast(sqlite3.Connection, connection)


def configure(connection: sqlite3.Connection, *, writer: bool) -> None:
    """Set what holds for one connection; the first read, so a wrong key shows here."""
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    if not writer:
        connection.execute("PRAGMA query_only=ON")
    for name, (count, function) in _FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)


def _on_bytes(function: Callable[..., str | bool]) -> Callable[..., str | bool]:
    """Give a text as its UTF-8: as a string the library would cut it at a NUL."""
    return lambda text, *others: function(text.decode("utf-8"), *others)


_FUNCTIONS: dict[str, tuple[int, Callable[..., str | bool]]] = {
    "syllables": (1, _on_bytes(search.syllables)),
    "initials": (1, _on_bytes(search.initials)),
    "tokens": (4, _on_bytes(search.tokens)),
    "holds": (2, _on_bytes(search.holds)),
    "fits": (2, _on_bytes(search.fits)),
    "begins_words": (2, _on_bytes(search.begins_words)),
}
"""What the index and the search compute from a text, with how many arguments."""


def opens(path: Path, key: bytes) -> bool:
    """Tell whether a key opens a database that is whole, changing nothing.

    Raises:
        ProfileError: The key is right, but pages are missing; or it can't be read at all.
    """
    connection = None
    try:
        connection = connect(path, key, read_only=True)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        _require_whole(connection, path)
    except dbapi2.Error as error:
        problem = problems.from_database_error(error, str(path.parent))
        if isinstance(problem, problems.ForeignDatabase):
            return False
        raise problem from error
    finally:
        if connection is not None:
            connection.close()
    return True


def _require_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that was cut, unless the missing pages are in the write-ahead log."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    if path.stat().st_size >= pages * PAGE_BYTES:
        return
    # After a crash this is usual and takes 5 ms a megabyte; otherwise it never comes here.
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise ProfileError(problems.DAMAGED)


def rekey(path: Path, old: bytes, new: bytes) -> None:
    """Encrypt a database anew in one transaction; no other connection may be open.

    Raises:
        ProfileError: It failed; the file opens with `old`, or with `new` if only wiping failed.
    """
    connection = None
    try:
        connection = connect(path, old)
        configure(connection, writer=True)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute(f"PRAGMA rekey = \"x'{new.hex()}'\"")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except dbapi2.Error as error:
        raise problems.from_database_error(error, str(path.parent)) from error
    finally:
        if connection is not None:
            connection.close()


async def to_the_end(operation: Callable[[], Awaitable[_Result]]) -> _Result:
    """Await an operation again until it ran undisturbed, then raise a cancellation that came.

    The connection's thread runs what was queued even when nobody waits any more, and in order: so
    the repeated call returns after the first, and must do nothing when that one succeeded.
    """
    cancelled: asyncio.CancelledError | None = None
    while True:
        try:
            result = await operation()
        except asyncio.CancelledError as error:
            cancelled = error
        else:
            break
    if cancelled is not None:
        raise cancelled
    return result


class Database:
    """One connection, its errors translated."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    async def open(cls, path: Path, key: bytes | None, *, writer: bool) -> Database:
        """Open a connection in its own thread."""

        def connector() -> sqlite3.Connection:
            connection = connect(path, key)
            try:
                configure(connection, writer=writer)
            except BaseException:
                connection.close()
                raise
            return connection

        inner = aiosqlite.Connection(connector, iter_chunk_size=64)
        # Otherwise a program that fails before it closes the profile never ends. Losing the thread
        # is as safe as kill -9. No public way: aiosqlite is pinned exactly.
        inner._thread.daemon = True
        database = cls(inner, path)
        await database._translated(database._connection.__aenter__())
        return database

    @property
    def in_transaction(self) -> bool:
        """Tell whether a transaction is open; SQLite ends one by itself on some errors."""
        return self._connection.in_transaction

    async def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a statement and return its rows."""
        rows = await self._translated(self._connection.execute_fetchall(sql, parameters))
        return cast(list[Row], rows)

    async def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each row of parameters and return how many rows it changed."""
        cursor = await self._translated(self._connection.executemany(sql, list(rows)))
        return max(cursor.rowcount, 0)

    async def commit(self) -> None:
        """Commit what is open, if anything is, to its end."""
        await to_the_end(lambda: self._translated(self._connection.commit()))

    async def rollback(self) -> None:
        """Roll back what is open, if anything is, to its end."""
        await to_the_end(lambda: self._translated(self._connection.rollback()))

    async def interrupt(self) -> None:
        """Make a statement that still runs stop."""
        await self._connection.interrupt()

    async def close(self) -> None:
        """Close; again does nothing."""
        await self._translated(self._connection.close())

    async def _translated(self, awaitable: Awaitable[_Result]) -> _Result:
        try:
            return await awaitable
        except dbapi2.Error as error:
            raise problems.from_database_error(error, str(self._path.parent)) from error
