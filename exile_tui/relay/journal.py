"""The journal of a relay: what came in last, appended to files, one synchronisation for a batch.

An envelope that is fetched and acknowledged within seconds never reaches the database: it costs one
append here, and its file is deleted soon (`arrivals`). What stands in a file: `records`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from exile_tui.relay.bulk import BLOCK, LEAST, BulkWriter
from exile_tui.relay.records import (
    BATCH,
    HEAD,
    KEY,
    MAGIC,
    RECORD,
    TAG,
    Kind,
    Record,
    associated,
    key_of,
    records,
)

_crc32 = zlib.crc32

_AHEAD = 65_536
"""Bytes of zeros that are written behind a small batch, for the next ones to overwrite.

Where a synchronisation makes a file longer, the file system has to write about that too, and it
takes twice as long.
"""
_LARGE = 16_384
"""Bytes of a batch from which on the zeros would cost more than they save."""

_STEP = 1024 * 1024
"""Bytes that are looked at at once."""

_NONCE = 12
_CLOSED = -1
_pack = RECORD.pack

_synchronise = getattr(os, "fdatasync", os.fsync)  # not everywhere
_DSYNC = getattr(os, "RWF_DSYNC", 0)
"""Linux writes and synchronises in one call: a thread waits for Python's lock after each."""
_NO_DSYNC = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""What a system says that has no such call."""


class Segment:
    """One file of the journal. Nothing is in it before `write`, nothing is kept before `keep`."""

    def __init__(self, path: Path, file: int, end: int, key: bytes | None) -> None:
        self.path = path
        self._file = file
        self._kept = self._end = end
        self._key = key
        self._aead = AESGCM(key) if key and len(key) == KEY and any(key) else None
        self._kept_tag = self._tag = b""
        self._bulk: BulkWriter | None = None
        self.tidy = True
        """Whether nothing is in it but what was kept, and zeros."""
        self._ahead = 0
        """Up to where there are zeros, or were."""
        self._bodies: list[bytes] = []
        self._records: list[bytes] = []

    @classmethod
    def create(cls, path: Path, bulk: BulkWriter | None = None) -> Segment:
        """Make an empty file that is there after a crash, too.

        Args:
            path: Where.
            bulk: Writes large batches, if given.

        Raises:
            OSError: The disk is full or fails.
        """
        key = secrets.token_bytes(KEY)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self = cls(path, file, HEAD, key)
        self._bulk = bulk
        try:
            self._write_batch(MAGIC + key, 0)
            _synchronise_directory(path.parent)
        except OSError:
            self.remove()
            raise
        return self

    @classmethod
    def open(cls, path: Path) -> tuple[Segment, list[Record]]:
        """Open what a predecessor left, and read it; it is not to be appended to.

        Raises:
            ForeignJournal: It is none.
            OSError: It can't be read.
        """
        with path.open("r+b") as opened:
            # What a killed predecessor wrote may not be on the disk, and is relied on from now on.
            _synchronise(opened.fileno())
            key = key_of(opened.read(HEAD))
            opened.seek(0)
            read = list(records(opened))
            end = opened.seek(0, os.SEEK_END)
        self = cls(path, _open(path), end, key)
        self.tidy = False
        return self, read

    @property
    def forgetful(self) -> bool:
        """Whether `forget_records` would leave bodies about which the file says nothing."""
        return self._key is not None

    @property
    def forgot(self) -> bool:
        """Whether its records can't be read any more."""
        return self._key is not None and self._aead is None

    @property
    def size(self) -> int:
        """Bytes in the file, those included that are about to be written."""
        return self._end

    @property
    def empty(self) -> bool:
        """Whether it holds no record."""
        return self._end == HEAD

    @property
    def pending(self) -> int:
        """Bytes that are to be written."""
        return self._end - self._kept

    def append(self, kind: Kind, mailbox: int, seq: int, expires: int, body: bytes = b"") -> int:
        """Gather a record; return the offset at which its body will begin."""
        size = len(body)
        if not self._records:
            self._end += BATCH.size
        self._records.append(_pack(kind, mailbox, seq, expires, size, _crc32(body)))
        self._bodies.append(body)
        start = self._end
        self._end = start + size
        return start

    def write(self) -> None:
        """Write what was gathered, durably; whether it stays is for `keep` or `undo` to say.

        Raises:
            OSError: The disk is full or fails.
        """
        self._write_batch(self._sealed(), self._kept)

    def _sealed(self) -> bytes:
        if self._aead is None or not self._records:
            return b""
        nonce = secrets.token_bytes(_NONCE)
        length = self._end - self._kept - BATCH.size
        sealed = self._aead.encrypt(nonce, b"".join(self._records), associated(self._tag, length))
        self._tag = sealed[-TAG:]
        self._end += len(sealed)
        return b"".join((BATCH.pack(nonce, length, len(sealed)), *self._bodies, sealed))

    def _write_batch(self, batch: bytes, start: int) -> None:
        end = start + len(batch)
        if len(batch) >= LEAST and self._bulk is not None:
            before = self.read(start - start % BLOCK, start % BLOCK)
            written = self._bulk.write(self.path, before, batch, start)
            if written is not None:
                self._ahead = written
                return
        if end <= self._ahead or len(batch) >= _LARGE:
            _write_durably(self._file, batch, start)
            return
        _write(self._file, batch, start)
        with contextlib.suppress(OSError):  # no room for them is no matter
            _write(self._file, bytes(_AHEAD), end)
            self._ahead = end + _AHEAD
        _synchronise(self._file)

    def keep(self) -> None:
        """Take what was written for good."""
        self._records.clear()
        self._bodies.clear()
        self._kept, self._kept_tag = self._end, self._tag

    def undo(self) -> None:
        """Take back what was gathered since `keep`, written or not."""
        self._records.clear()
        self._bodies.clear()
        self._end, self._tag = self._kept, self._kept_tag
        self._ahead = 0
        # What may stay behind is a batch that was not answered; the next one is written over it.
        try:
            os.ftruncate(self._file, self._kept)
        except OSError:
            self.tidy = False

    def read(self, offset: int, size: int) -> bytes:
        """Read a body that was written.

        Raises:
            OSError: It can't be read.
        """
        if self._file == _CLOSED:
            with self._awake():
                return self.read(offset, size)
        os.lseek(self._file, offset, os.SEEK_SET)
        return os.read(self._file, size)

    def rest(self) -> None:
        """Hold no descriptor until something is to be done."""
        self.close()

    @contextlib.contextmanager
    def _awake(self) -> Iterator[None]:
        if self._file != _CLOSED:
            yield
            return
        self._file = _open(self.path)
        try:
            yield
        finally:
            self.close()

    def blank(self, bodies: Iterable[tuple[int, int]]) -> None:
        """Overwrite bodies, (offset, size) each, with zeros.

        Raises:
            OSError: The disk fails.
        """
        with self._awake():
            for offset, size in bodies:
                _write(self._file, bytes(size), offset)
            _synchronise(self._file)

    def forget_records(self) -> None:
        """Overwrite the key: nobody can read any more what the file says about its bodies.

        Raises:
            OSError: The disk fails.
        """
        os.ftruncate(self._file, self._kept)  # of zeros that were written ahead
        _write(self._file, bytes(KEY), len(MAGIC))
        _synchronise(self._file)
        self._aead = None

    def blank_all_but(self, bodies: Iterable[tuple[int, int]]) -> None:
        """Overwrite what is neither the beginning nor one of these bodies, (offset, size) each.

        Zeros are not written again.

        Args:
            bodies: In their order.

        Raises:
            OSError: The disk fails.
        """
        with self._awake():
            at = HEAD
            for offset, size in (*bodies, (os.stat(self.path).st_size, 0)):
                while at < offset:
                    length = min(offset - at, _STEP)
                    if self.read(at, length).count(0) != length:
                        _write(self._file, bytes(length), at)
                    at += length
                at = offset + size
            _synchronise(self._file)

    def empty_out(self) -> None:
        """Cut off all that is in it.

        Raises:
            OSError: The disk fails.
        """
        with self._awake():
            os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)

    def remove(self) -> None:
        """Close the file and delete it."""
        self.close()
        self.path.unlink(missing_ok=True)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))


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
