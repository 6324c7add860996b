"""Read big-endian fields from bytes that can't be trusted, and strict base64url."""

from __future__ import annotations

import base64
import re
import struct

from exile_tui.errors import WireError

MAX_U64_STORED = 2**63 - 1
"""Largest 8-byte integer that databases with signed integers hold; larger ones are refused."""

MAX_EXPIRY = 253_402_300_799
"""The last second of the year 9999: later expiries are refused, so that every one is a date."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


class Reader:
    """Take fields off the front of bytes; WireError when there are too few or some are left."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        """Take exactly this many bytes."""
        end = self._at + length
        if end > len(self._data):
            raise WireError
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def integer(self, length: int) -> int:
        """Take an unsigned big-endian integer of this many bytes."""
        return int.from_bytes(self.take(length), "big")

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(self.remaining)

    def end(self) -> None:
        """Require that nothing is left."""
        if self.remaining:
            raise WireError


class StreamBuffer:
    """Hold the bytes of a stream that are not a whole item yet.

    A chunk that starts on an item's boundary is read where it lies; only an unfinished rest is
    copied. Who takes items checks a length before waiting for that many bytes, which bounds it.
    """

    __slots__ = ("_at", "_data")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._at = 0

    def __len__(self) -> int:
        return len(self._data) - self._at

    def feed(self, chunk: bytes) -> None:
        """Append what arrived."""
        if not len(self):
            self._data = chunk
        elif isinstance(self._data, bytearray):
            del self._data[: self._at]
            self._data += chunk
        else:
            rest = bytearray(memoryview(self._data)[self._at :])
            rest += chunk
            self._data = rest
        self._at = 0

    def peek(self, layout: struct.Struct, skip: int = 0) -> tuple[int, ...] | None:
        """Read integers after `skip` bytes without taking them; None when some are missing."""
        if len(self) < skip + layout.size:
            return None
        return layout.unpack_from(self._data, self._at + skip)

    def take(self, length: int) -> bytes:
        """Take bytes that are known to be there, in one copy."""
        start = self._at
        self._at = start + length
        return bytes(memoryview(self._data)[start : self._at])

    def skip(self, length: int) -> None:
        """Drop bytes that are known to be there."""
        self._at += length


def require_length(value: bytes, length: int) -> None:
    """Refuse a field that is not exactly this long."""
    if len(value) != length:
        raise WireError


def require_range(value: int, low: int, high: int) -> None:
    """Refuse an integer outside low..high."""
    if not low <= value <= high:
        raise WireError


def encode_base64url(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Decode base64url without padding.

    Raises:
        WireError: Another character, an impossible length, or non-zero spare bits.
    """
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise WireError
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise WireError
    return data
