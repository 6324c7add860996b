"""Read a relay's database beside the relay, in memory: nothing is locked, written or copied.

A running relay holds its file for itself, and what it stored last lies in the write-ahead log. So
the file's bytes are read as they are, the log's committed pages are put over them
(https://www.sqlite.org/fileformat2.html#walformat), and SQLite opens the result in memory.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from exile_tui.errors import N_, ExileError
from exile_tui.relay.records import ForeignJournal, Record, may_say_something, records
from exile_tui.relay.replay import journal_file, journal_files
from exile_tui.relay.schema import READABLE, DamagedDatabase

_Result = TypeVar("_Result")

LARGEST = 1 << 30
"""Bytes that are read into memory at most."""
_TRIES = 100
_WAL_HEADER = 32
_FRAME_HEADER = 24
_JOURNAL_MODES = slice(18, 20)
"""Bytes of the file's header that say "write-ahead log"; a database in memory can't have one."""

_BUSY = N_("The relay's file {path} changes too fast to be read. End the relay and try again.")
_TOO_LARGE = N_(
    "The relay's file {path} is too large to be read into memory: {megabytes} MB at most."
)


class NotReadable(ExileError):
    """The file can't be read just now."""

    sentence = _BUSY


@dataclass
class Found:
    """What the files of a relay hold."""

    path: Path
    database: sqlite3.Connection
    """In memory."""
    journal: list[Record]
    """What the journal's files say by themselves."""
    looked: bool = False
    """Whether a body was read in a file that stays."""

    def body(self, row: sqlite3.Row) -> bytes:
        """Read the body of a slot that lies in a file of the journal.

        Raises:
            FileNotFoundError: It does no more.
        """
        self.looked = True
        with journal_file(self.path, row["file"]).open("rb") as file:
            file.seek(row["start"])
            return file.read(row["size"])


def look_into(path: Path, look: Callable[[Found], _Result]) -> _Result:
    """Open what the files of a relay hold now, the journal's included, and look at it.

    What moves from the journal to the database meanwhile is in one of them at least.

    Args:
        path: The database; its log and the journal lie beside it.
        look: Tried again when a file was deleted meanwhile.

    Raises:
        DamagedDatabase: It is no relay's.
        NotReadable: Too large, or never still.
        FileNotFoundError: There is none.
    """
    before: _Result | None = None
    for _ in range(_TRIES):
        try:
            files = sorted(journal_files(path))
            result, looked = _look_once(path, files, look)
        except FileNotFoundError:
            if not path.exists():
                raise
            continue  # a file of the journal was settled just now
        # A body that was moved or deleted after its place was read is zeros by now.
        if sorted(journal_files(path)) == files and (not looked or result == before):
            return result
        before = result
    raise NotReadable(path=path)


def _look_once(
    path: Path, files: list[tuple[int, Path]], look: Callable[[Found], _Result]
) -> tuple[_Result, bool]:
    size = sum(file.stat().st_size for _, file in files if may_say_something(file))
    if size > LARGEST:
        raise NotReadable(_TOO_LARGE, path=path, megabytes=LARGEST >> 20)
    journal = [each for _, file in files for each in _records(file)]
    connection = open_snapshot(path)
    try:
        found = Found(path, connection, journal)
        return look(found), found.looked
    finally:
        connection.close()


def _records(file: Path) -> list[Record]:
    try:
        with file.open("rb") as opened:
            return list(records(opened))
    except ForeignJournal as error:
        raise DamagedDatabase(path=str(file)) from error


def open_snapshot(path: Path) -> sqlite3.Connection:
    """Open what the files of a relay hold now, for reading.

    Args:
        path: The database; its log lies beside it.

    Raises:
        DamagedDatabase: It is no relay's.
        NotReadable: Too large, or never still.
        FileNotFoundError: There is none.
    """
    for _ in range(_TRIES):
        before = _log(path)
        size = path.stat().st_size
        if size + len(before) > LARGEST:
            raise NotReadable(_TOO_LARGE, path=path, megabytes=LARGEST >> 20)
        held = path.read_bytes()
        # What moves from the log to the file meanwhile is the same in both; a log that began anew
        # is another one.
        if _log(path) == before:
            break
    else:
        raise NotReadable(path=path)
    try:
        return _open(_with_log(bytearray(held), before))
    except (sqlite3.Error, IndexError, ValueError) as error:
        raise DamagedDatabase(path=str(path)) from error


def _log(path: Path) -> bytes:
    try:
        return path.with_name(f"{path.name}-wal").read_bytes()
    except FileNotFoundError:
        return b""


def _open(database: bytearray) -> sqlite3.Connection:
    database[_JOURNAL_MODES] = b"\x01\x01"
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(bytes(database))
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in READABLE:
        connection.close()
        raise ValueError
    return connection


def _with_log(database: bytearray, log: bytes) -> bytearray:
    """Put the pages of every committed transaction of a log over the file."""
    if len(log) < _WAL_HEADER:
        return database
    order = ">" if log[3] & 1 else "<"
    page = int.from_bytes(log[8:12], "big")
    salts = log[16:24]
    sums = _checksum(log[:24], (0, 0), order)
    if log[24:32] != _join(sums) or not page:
        return database
    pending: list[tuple[int, int]] = []
    for at in range(_WAL_HEADER, len(log) - page - _FRAME_HEADER + 1, page + _FRAME_HEADER):
        body = at + _FRAME_HEADER
        if log[at + 8 : at + 16] != salts:
            break  # of an earlier life of the log
        sums = _checksum(log[at : at + 8], sums, order)
        sums = _checksum(log[body : body + page], sums, order)
        if log[at + 16 : at + 24] != _join(sums):
            break
        pending.append((int.from_bytes(log[at : at + 4], "big"), body))
        if pages := int.from_bytes(log[at + 4 : at + 8], "big"):  # the transaction's last frame
            length = pages * page
            database = database[:length] + bytes(max(0, length - len(database)))
            for number, start in pending:
                if number <= pages:
                    database[(number - 1) * page : number * page] = log[start : start + page]
            pending.clear()
    return database


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _join(sums: tuple[int, int]) -> bytes:
    return struct.pack(">2I", *sums)
