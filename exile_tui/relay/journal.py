"""The journal of a relay: what came in last, appended to files, one synchronisation for a batch.

An envelope that is fetched and acknowledged within seconds never reaches the database: it costs one
append here, and its file is deleted soon (`arrivals`). Each record's head carries a CRC-32 that
goes on from the head before, so that reading ends at what a crash tore, and at what a failed batch
left behind the place where the next one was written. A body has a CRC-32 of its own: it can be
blanked in place, where the disk has no room to delete a file whole.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import os
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from exile_tui.wire.relay import ENVELOPE_SIZES

_MAGIC = b"exile-relay journal 1\n"
_SALT = 16
_HEAD = len(_MAGIC) + _SALT
_RECORD = struct.Struct(">IBQQIII")
"""CRC-32 of the rest, kind, mailbox, seq, day of expiry, bytes of the body, CRC-32 of the body."""
_REST = struct.Struct(">BQQIII")
_HEAD_OF_RECORD = _RECORD.size
_LARGEST = max(ENVELOPE_SIZES)
_crc32 = zlib.crc32

_AHEAD = 65_536
"""Bytes of zeros that are written behind a small batch, for the next ones to overwrite.

Where a synchronisation makes a file longer, the file system has to write about that too, and it
takes twice as long.
"""
_LARGE = 16_384
"""Bytes of a batch from which on the zeros would cost more than they save."""

_synchronise = getattr(os, "fdatasync", os.fsync)  # not everywhere
_DSYNC = getattr(os, "RWF_DSYNC", 0)
"""Linux writes and synchronises in one call: a thread waits for Python's lock after each."""
_NO_DSYNC = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""What a system says that has no such call."""


class ForeignJournal(Exception):
    """A file in a journal's place is none, or of a newer version."""


class Kind(enum.IntEnum):
    """What a record says of an envelope."""

    STORED = 1
    """Here it is."""
    DELETED = 2
    """It was acknowledged."""
    RENEWED = 3
    """It was sent again, and expires later."""


_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read."""

    kind: Kind
    mailbox: int
    seq: int
    expires: int
    offset: int
    """Where in the file the body begins."""
    size: int
    """Bytes of the body."""
    body: bytes | None
    """None: it was blanked, wholly or in part, or not written whole."""


class Segment:
    """One file of the journal. Nothing is in it before `write`, nothing is kept before `keep`."""

    def __init__(self, path: Path, file: int, end: int, checksum: int) -> None:
        self.path = path
        self._file = file
        self._kept = self._end = end
        self._kept_sum = self._sum = checksum
        self._ahead = 0
        """Up to where there are zeros, or were."""
        self._pending: list[bytes] = []

    @classmethod
    def create(cls, path: Path) -> Segment:
        """Make an empty file that is there after a crash, too.

        Raises:
            OSError: The disk is full or fails.
        """
        salt = secrets.token_bytes(_SALT)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self = cls(path, file, 0, zlib.crc32(salt))
        self._pending, self._end = [_MAGIC, salt], _HEAD
        try:
            self.write()
            _synchronise_directory(path.parent)
        except OSError:
            self.remove()
            raise
        self.keep()
        return self

    @classmethod
    def open(cls, path: Path) -> tuple[Segment, list[Record]]:
        """Open what a predecessor left, and read it; it is not to be appended to.

        Raises:
            ForeignJournal: It is none.
            OSError: It can't be read.
        """
        data = path.read_bytes()
        file = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            return cls(path, file, len(data), 0), list(records(data))
        except ForeignJournal:
            os.close(file)
            raise

    @property
    def size(self) -> int:
        """Bytes in the file, those included that are about to be written."""
        return self._end

    @property
    def empty(self) -> bool:
        """Whether it holds no record."""
        return self._end == _HEAD

    @property
    def pending(self) -> int:
        """Bytes that are to be written."""
        return self._end - self._kept

    def append(self, kind: Kind, mailbox: int, seq: int, expires: int, body: bytes = b"") -> int:
        """Gather a record; return the offset at which its body will begin."""
        size = len(body)
        packed = _REST.pack(kind, mailbox, seq, expires, size, _crc32(body))
        self._sum = checksum = _crc32(packed, self._sum)
        self._pending += (checksum.to_bytes(4, "big"), packed, body)
        start = self._end + _HEAD_OF_RECORD
        self._end = start + size
        return start

    def write(self) -> None:
        """Write what was gathered, durably; whether it stays is for `keep` or `undo` to say.

        Raises:
            OSError: The disk is full or fails.
        """
        batch = b"".join(self._pending)
        if self._end <= self._ahead or len(batch) >= _LARGE:
            _write_durably(self._file, batch, self._kept)
            return
        _write(self._file, batch, self._kept)
        with contextlib.suppress(OSError):  # no room for them is no matter
            _write(self._file, bytes(_AHEAD), self._end)
            self._ahead = self._end + _AHEAD
        _synchronise(self._file)

    def keep(self) -> None:
        """Take what was written for good."""
        self._pending.clear()
        self._kept, self._kept_sum = self._end, self._sum

    def undo(self) -> None:
        """Take back what was gathered since `keep`, written or not."""
        self._pending.clear()
        self._end, self._sum = self._kept, self._kept_sum
        self._ahead = 0
        # What may stay behind is a batch that was not answered; the next one is written over it.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._kept)

    def read(self, offset: int, size: int) -> bytes:
        """Read a body that was written."""
        os.lseek(self._file, offset, os.SEEK_SET)
        return os.read(self._file, size)

    def blank(self, bodies: Iterable[tuple[int, int]]) -> None:
        """Overwrite bodies, (offset, size) each, with zeros.

        Raises:
            OSError: The disk fails.
        """
        for offset, size in bodies:
            _write(self._file, bytes(size), offset)
        _synchronise(self._file)

    def empty_out(self) -> None:
        """Cut off all that is in it.

        Raises:
            OSError: The disk fails.
        """
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def remove(self) -> None:
        """Close the file and delete it."""
        self.close()
        self.path.unlink(missing_ok=True)


def records(data: bytes) -> Iterator[Record]:
    """Read a file's records, up to the first whose head was not written.

    Raises:
        ForeignJournal: It is no journal's, or of a newer version.
    """
    if not _MAGIC.startswith(data[: len(_MAGIC)]):
        raise ForeignJournal
    at, total = _HEAD, zlib.crc32(data[len(_MAGIC) : _HEAD])
    while at + _RECORD.size <= len(data):
        checksum, kind, mailbox, seq, expires, size, body_sum = _RECORD.unpack_from(data, at)
        start = at + _RECORD.size
        total = zlib.crc32(data[at + 4 : start], total)
        if total != checksum or size > _LARGEST or start + size > len(data):
            return
        body: bytes | None = data[start : start + size]
        if zlib.crc32(data[start : start + size]) != body_sum:
            body = None
        if kind not in _KINDS:
            raise ForeignJournal
        yield Record(Kind(kind), mailbox, seq, expires, start, size, body)
        at = start + size


def _write(file: int, data: bytes, offset: int) -> None:
    os.lseek(file, offset, os.SEEK_SET)
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def _write_durably(file: int, data: bytes, offset: int) -> None:
    written = 0
    try:
        while _DSYNC and written < len(data):
            left = memoryview(data)[written:]
            written += os.pwritev(file, [left], offset + written, _DSYNC)
    except OSError as error:
        if error.errno not in _NO_DSYNC:
            raise
    if written < len(data):
        _write(file, data, offset)
        _synchronise(file)


def _synchronise_directory(path: Path) -> None:
    if os.name == "nt":  # where a directory can't be opened
        return
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
