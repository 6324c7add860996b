"""What stands in a file of a relay's journal, and how it is read.

A file begins with a magic and a key. Behind these come batches: a head (a nonce, bytes of the
bodies, bytes of the records), the bodies, the records. The records of a batch are encrypted with
AES-256-GCM under the file's key (NIST SP 800-38D), and each batch's tag authenticates the one
before it, so that reading ends at what a crash tore, and at what a failed batch left behind the
place where the next one was written. The key keeps nothing secret while it is there: when it is
overwritten, no record of the file can be read any more, and the bodies stay.

A body has a CRC-32 of its own: it can be blanked in place.
"""

from __future__ import annotations

import enum
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from exile_tui.wire.relay import ENVELOPE_SIZES

MAGIC = b"exile-relay journal 2\n"
KEY = 32
"""Bytes of a file's key; zeros once its records are forgotten."""
HEAD = len(MAGIC) + KEY
BATCH = struct.Struct(">12sII")
"""Nonce, bytes of the bodies, bytes of the encrypted records."""
RECORD = struct.Struct(">BQQIII")
"""Kind, mailbox, seq, day of expiry, bytes of the body, CRC-32 of the body."""
TAG = 16
_LARGEST = max(ENVELOPE_SIZES)

_MAGIC_1 = b"exile-relay journal 1\n"
_SALT_1 = 16
_RECORD_1 = struct.Struct(">IBQQIII")
"""CRC-32 of the rest that goes on from the one before, then as above; the body follows."""


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


_KINDS = {int(kind): kind for kind in Kind}


class Record(NamedTuple):
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


def associated(tag: bytes, bodies: int) -> bytes:
    """Return what a batch's tag authenticates beside its records.

    Args:
        tag: The batch before it; nothing for the first one.
        bodies: Bytes of its bodies.
    """
    return tag + bodies.to_bytes(4, "big")


def key_of(head: bytes) -> bytes | None:
    """Return the key that stands in a file's beginning; None for a file of version 1.

    Raises:
        ForeignJournal: It is no journal's, or of a newer version.
    """
    magic = head[: len(MAGIC)]
    if _MAGIC_1.startswith(magic) and magic != MAGIC[: len(magic)]:
        return None
    if not MAGIC.startswith(magic):
        raise ForeignJournal
    return head[len(MAGIC) : HEAD]


def may_say_something(path: Path) -> bool:
    """Tell whether a file may have records that can be read.

    Raises:
        OSError: It can't be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    return not head.startswith(MAGIC) or any(head[len(MAGIC) :])


def records(file: BinaryIO) -> Iterator[Record]:
    """Read a file's records from its beginning, up to the first batch that was not written whole.

    Raises:
        ForeignJournal: It is no journal's, or of a newer version.
        OSError: It can't be read.
    """
    key = key_of(file.read(HEAD))
    if key is None:
        file.seek(0)
        return _records_1(file.read())
    return _records(file, key)


def _records(file: BinaryIO, key: bytes) -> Iterator[Record]:
    if len(key) < KEY or not any(key):
        return
    aead, tag, at = AESGCM(key), b"", HEAD
    end = file.seek(0, os.SEEK_END)
    file.seek(HEAD)
    while len(head := file.read(BATCH.size)) == BATCH.size:
        nonce, length, sealed_length = BATCH.unpack(head)
        start = at + BATCH.size
        at = start + length + sealed_length
        if at > end or sealed_length < TAG or (sealed_length - TAG) % RECORD.size:
            return
        file.seek(start + length)
        sealed = file.read(sealed_length)
        try:
            plain = aead.decrypt(nonce, sealed, associated(tag, length))
        except InvalidTag:
            return
        tag = sealed[-TAG:]
        file.seek(start)
        yield from _of_batch(file.read(length), plain, start)
        file.seek(at)


def _of_batch(bodies: bytes, plain: bytes, start: int) -> Iterator[Record]:
    at = 0
    for kind, mailbox, seq, expires, size, checksum in RECORD.iter_unpack(plain):
        if (said := _KINDS.get(kind)) is None:
            raise ForeignJournal
        body: bytes | None = bodies[at : at + size]
        if zlib.crc32(bodies[at : at + size]) != checksum:
            body = None
        yield Record(said, mailbox, seq, expires, start + at, size, body)
        at += size


def _records_1(data: bytes) -> Iterator[Record]:
    at = len(_MAGIC_1) + _SALT_1
    total = zlib.crc32(data[len(_MAGIC_1) : at])
    while at + _RECORD_1.size <= len(data):
        checksum, kind, mailbox, seq, expires, size, body_sum = _RECORD_1.unpack_from(data, at)
        start = at + _RECORD_1.size
        total = zlib.crc32(data[at + 4 : start], total)
        if total != checksum or size > _LARGEST or start + size > len(data):
            return
        body: bytes | None = data[start : start + size]
        if zlib.crc32(data[start : start + size]) != body_sum:
            body = None
        if (said := _KINDS.get(kind)) is None:
            raise ForeignJournal
        yield Record(said, mailbox, seq, expires, start, size, body)
        at = start + size
