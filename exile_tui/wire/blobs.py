"""The two streams of blobs: a put's request and a get's answer."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from exile_tui.errors import WireError
from exile_tui.wire.authorization import Authorization
from exile_tui.wire.encoding import MAX_EXPIRY, StreamBuffer, require_length, require_range
from exile_tui.wire.endpoints import MAX_BLOB, MAX_BLOBS, MAX_PHRASE
from exile_tui.wire.mailbox import HASH_SIZE, ID_SIZE

_AUTHORIZATION = struct.Struct(">BH")
_TAIL = struct.Struct(">QI")
_NAMES = ID_SIZE + HASH_SIZE
_ANSWER = struct.Struct(">BI")
_FOUND, _ABSENT = 0, 1


@dataclass(frozen=True, slots=True)
class PutBlob:
    """One blob of a put: `id 16 | H(delete token) 32 | expiry 8 | length 4 | bytes`."""

    blob_id: bytes
    delete_hash: bytes
    expiry: int
    """Unix seconds."""

    blob: bytes = field(repr=False)
    """1 byte to 1 MiB."""

    def __post_init__(self) -> None:
        require_length(self.blob_id, ID_SIZE)
        require_length(self.delete_hash, HASH_SIZE)
        require_range(self.expiry, 0, MAX_EXPIRY)
        require_range(len(self.blob), 1, MAX_BLOB)

    def encode(self) -> bytes:
        """Encode it as it follows the authorization."""
        tail = _TAIL.pack(self.expiry, len(self.blob))
        return b"".join((self.blob_id, self.delete_hash, tail, self.blob))


@dataclass(frozen=True, slots=True)
class PutBlobs:
    """`authorization`, then 1 to 1024 blobs, as one body."""

    authorization: Authorization
    blobs: Sequence[PutBlob]

    def __post_init__(self) -> None:
        require_range(len(self.blobs), 1, MAX_BLOBS)

    def encode(self) -> bytes:
        """Encode the body."""
        return b"".join((self.authorization.encode(), *(blob.encode() for blob in self.blobs)))

    @classmethod
    def decode(cls, body: bytes) -> PutBlobs:
        """Read the whole body."""
        decoder = PutBlobsDecoder()
        blobs = decoder.feed(body)
        return cls(decoder.finish(), blobs)


class PutBlobsDecoder:
    """Read a put as it streams in, holding at most one unfinished blob beside the latest chunk."""

    __slots__ = ("_buffer", "_count", "_max_blob", "authorization")

    def __init__(self, max_blob: int = MAX_BLOB) -> None:
        """Read blobs of at most `max_blob` bytes."""
        self._buffer = StreamBuffer()
        self._max_blob = max_blob
        self._count = 0
        self.authorization: Authorization | None = None
        """None until its bytes are all there, which is before the first blob is returned."""

    def feed(self, chunk: bytes) -> list[PutBlob]:
        """Take what arrived and return the blobs that are whole now; WireError ends the stream."""
        self._buffer.feed(chunk)
        if self.authorization is None:
            self.authorization = self._authorization()
            if self.authorization is None:
                return []
        blobs: list[PutBlob] = []
        while (blob := self._next()) is not None:
            blobs.append(blob)
        return blobs

    def finish(self) -> Authorization:
        """Require that the stream ended on a blob's end, after at least one."""
        if self.authorization is None or not self._count or len(self._buffer):
            raise WireError
        return self.authorization

    def _authorization(self) -> Authorization | None:
        head = self._buffer.peek(_AUTHORIZATION)
        if head is None:
            return None
        if head[1] > MAX_PHRASE:
            raise WireError
        size = _AUTHORIZATION.size + head[1]
        return Authorization.decode(self._buffer.take(size)) if len(self._buffer) >= size else None

    def _next(self) -> PutBlob | None:
        tail = self._buffer.peek(_TAIL, skip=_NAMES)
        if tail is None:
            return None
        expiry, length = tail
        if not 1 <= length <= self._max_blob or self._count == MAX_BLOBS:
            raise WireError
        if len(self._buffer) < _NAMES + _TAIL.size + length:
            return None
        blob_id, delete_hash = self._buffer.take(ID_SIZE), self._buffer.take(HASH_SIZE)
        self._buffer.skip(_TAIL.size)
        self._count += 1
        return PutBlob(blob_id, delete_hash, expiry, self._buffer.take(length))


def encode_blob_answer(blob: bytes | None) -> bytes:
    """Encode one blob of a get's answer, None when there is none: `status 1 | length 4 | bytes`."""
    if blob is None:
        return _ANSWER.pack(_ABSENT, 0)
    return _ANSWER.pack(_FOUND, len(blob)) + blob


class BlobsDecoder:
    """Read a get's answer as it streams in: as many blobs as were asked for, in that order."""

    __slots__ = ("_buffer", "_left", "_max_blob")

    def __init__(self, count: int, max_blob: int = MAX_BLOB) -> None:
        """Read `count` blobs of at most `max_blob` bytes."""
        self._buffer = StreamBuffer()
        self._left = count
        self._max_blob = max_blob

    def feed(self, chunk: bytes) -> list[bytes | None]:
        """Take what arrived and return the blobs that are whole now, None for an absent one."""
        self._buffer.feed(chunk)
        blobs: list[bytes | None] = []
        while self._left and (head := self._buffer.peek(_ANSWER)) is not None:
            status, length = head
            if status == _FOUND:
                require_range(length, 1, self._max_blob)
            elif status != _ABSENT or length:
                raise WireError
            if len(self._buffer) < _ANSWER.size + length:
                break
            self._buffer.skip(_ANSWER.size)
            blobs.append(self._buffer.take(length) if status == _FOUND else None)
            self._left -= 1
        if not self._left and len(self._buffer):
            raise WireError
        return blobs

    def finish(self) -> None:
        """Require that every blob asked for was answered."""
        if self._left or len(self._buffer):
            raise WireError
