"""The SQLite file of a relay: its tables, and how it is opened so that deleted bytes are gone.

`secure_delete` zeroes a deleted row where it lies, but SQLite leaves copies of living rows in the
slack of pages when it balances a tree, and such a copy is not found again when the row is deleted
later (1 of 1,900 deleted envelopes was readable in a trial). Bodies therefore never move: one stays
in the journal's file, where much waits there, or lies in a slot of `bodies`; slots are only added
at the right end, which copies nothing, and deleting overwrites a slot with zeros of the same
length, in place. Ids and hashes, whose rows do move, are wiped by rewriting the file, which also
gives up the order in which things came.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from exile_tui.errors import N_, ExileError

VERSION = 4
READABLE = (2, 3, VERSION)
"""Version 2 had no journal beside it, and 3 no bodies there, and they are the same otherwise."""
PAGE = 16_384

_PLACES = """
ALTER TABLE slots ADD COLUMN file INTEGER;
ALTER TABLE slots ADD COLUMN start INTEGER;
CREATE INDEX slots_by_file ON slots (file) WHERE file IS NOT NULL;
"""
_TABLES = """
CREATE TABLE mailboxes (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    receive_hash BLOB NOT NULL,
    send_hash BLOB NOT NULL,
    expires INTEGER NOT NULL,
    next_seq INTEGER NOT NULL
);
CREATE TABLE slots (
    slot INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    mailbox INTEGER,
    seq INTEGER,
    expires INTEGER
);
CREATE UNIQUE INDEX slots_order ON slots (mailbox, seq) WHERE seq IS NOT NULL;
CREATE TABLE bodies (slot INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE blobs (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    delete_hash BLOB NOT NULL,
    expires INTEGER NOT NULL,
    length INTEGER NOT NULL,
    slot INTEGER NOT NULL
);
CREATE TABLE tickets (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    expires INTEGER NOT NULL,
    spent BLOB
);
"""
# Every number is random: one that counts up would say what was made beside what.
# slots.file, slots.start: where in the journal the body stays; NULL for one in `bodies`.
# slots.mailbox: NULL is a free slot, 0 a blob's, else the number of a mailbox.
# tickets.spent: binds a spent ticket to its mailbox; only who has the ticket can recompute it.

_NOT_OURS = N_(
    "The relay's file {path} is damaged or not a relay's. Nothing was changed; "
    "move it away to start with an empty one, the relay's address stays."
)


MISSING = N_(
    "The relay's file {path} is missing, and with it envelopes that wait. Nothing was changed; put "
    "it back, or move the database away to start with an empty one, the relay's address stays."
)


class DamagedDatabase(ExileError):
    """The file is no relay's database, damaged, or a newer version's."""

    sentence = _NOT_OURS


def random_number() -> int:
    """Draw the number of a row: positive, and nothing can be told from it."""
    return secrets.randbelow(2**62) + 1


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, and make it when there is none.

    Raises:
        DamagedDatabase: It can't be used; nothing was changed.
    """
    # Before SQLite makes it: the log gets the permissions that the file has then.
    try:
        _synchronise(path, os.O_CREAT)
        path.chmod(0o600)
        with contextlib.suppress(FileNotFoundError):
            _synchronise(path.with_name(f"{path.name}-wal"))
    except OSError as error:
        raise DamagedDatabase(path=str(path)) from error
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except sqlite3.Error as error:
        connection.close()
        raise DamagedDatabase(path=str(path)) from error
    except DamagedDatabase:
        connection.close()
        raise DamagedDatabase(path=str(path)) from None
    return connection


def _synchronise(path: Path, flags: int = 0) -> None:
    """Make durable what a killed predecessor wrote: what is read now is relied on from now on."""
    file = os.open(path, os.O_RDWR | flags, 0o600)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _prepare(connection: sqlite3.Connection) -> None:
    for pragma in (
        f"page_size = {PAGE}",
        "temp_store = MEMORY",  # nothing ever reaches a temporary file
        "secure_delete = ON",
        "locking_mode = EXCLUSIVE",
        "synchronous = FULL",
        "wal_autocheckpoint = 2000",
        "cache_size = -65536",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version not in (READABLE if tables else (0,)):
        raise DamagedDatabase
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if version != VERSION:
        new = _PLACES if tables else _TABLES + _PLACES
        connection.executescript(f"BEGIN; {new} PRAGMA user_version = {VERSION}; COMMIT;")
