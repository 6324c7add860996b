"""HTTP/1.1 and HTTP/2 as far as load needs them: heads made once, answers parsed no further.

Of an answer its status, its body and its end are looked at. HTTP/2 (RFC 9113) with literal header
fields that no table remembers (RFC 7541, 6.2.2), so that a request's head is the same bytes each
time but for the stream's number.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from hpack import Decoder

from benchmarks.relay.connection import Broken, Connection, Lost, client_context

Done = Callable[[int, bytes, Any], None]
"""Called with an answer's status and body, and with what was given with the request."""

_AUTHORITY = b"127.0.0.1"
_CONTENT_TYPE = b"application/octet-stream"
_HEADS = 65_536
"""Longest head of an answer; ours have some 100 bytes."""

_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK, _PADDED, _PRIORITY = 1, 4, 1, 8, 32
_HEADER_TABLE_SIZE, _MAX_CONCURRENT_STREAMS, _INITIAL_WINDOW_SIZE = 1, 3, 4
_UNLIMITED = 2**31
_LARGEST_WINDOW = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_FRAME = 16_384
"""Largest payload of a frame that every server takes."""
_FRAME_HEAD = struct.Struct(">HBBBI")
"""Length (16 bits, 8 bits), type, flags, stream."""


class Client(Protocol):
    """Either version, on one connection."""

    async def open(self, address: tuple[str, int]) -> None:
        """Connect; requests may be posted then."""

    def post(self, path: bytes, body: bytes, done: Done, tag: Any = None) -> None:
        """Make a request; it leaves with the next `flush`."""

    def flush(self) -> None:
        """Send what was posted; done by itself for what is posted by a `done`."""

    def close(self) -> None:
        """End the connection."""


@cache
def _context(protocol: str) -> ssl.SSLContext:
    return client_context([protocol])


@cache
def _plain_head(path: bytes, length: int) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (
        path, _AUTHORITY, _CONTENT_TYPE, length,
    )  # fmt: skip


class Http1:
    """HTTP/1.1 with keep-alive, one request at a time."""

    def __init__(self, lost: Lost) -> None:
        self._connection = Connection(self._received, lost)
        self._out: list[bytes] = []
        self._rest = b""
        self._waiting: tuple[Done, Any] | None = None

    async def open(self, address: tuple[str, int]) -> None:
        """Connect; requests may be posted then."""
        await self._connection.open(address, _context("http/1.1"))

    def post(self, path: bytes, body: bytes, done: Done, tag: Any = None) -> None:
        """Make a request; it leaves with the next `flush`."""
        if self._waiting is not None:
            raise RuntimeError("one request at a time")
        self._waiting = done, tag
        self._out += (_plain_head(path, len(body)), body)

    def flush(self) -> None:
        """Send what was posted."""
        if self._out:
            out, self._out = b"".join(self._out), []
            self._connection.write(out)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        self._rest = data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > _HEADS:
                raise Broken("an endless head")
            return
        head = data[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if at < 0 and b"\r\ntransfer-encoding:" in head:
            raise Broken("an answer in chunks")
        if len(data) < end + 4 + length:
            return
        self._rest = data[end + 4 + length :]
        if self._waiting is None or self._rest:
            raise Broken("an answer that nobody asked for")
        (done, tag), self._waiting = self._waiting, None
        done(int(head[9:12]), data[end + 4 :], tag)
        self.flush()


@cache
def _block(path: bytes, length: int) -> bytes:
    """Encode the header fields of a request; the names are entries of the static table."""
    post, https = b"\x83", b"\x87"
    fields = ((1, _AUTHORITY), (4, path), (28, b"%d" % length), (31, _CONTENT_TYPE))
    return post + https + b"".join(_literal(name, value) for name, value in fields)


def _literal(name: int, value: bytes) -> bytes:
    number = bytes([name]) if name < 15 else bytes([15, name - 15])
    return number + bytes([len(value)]) + value


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    size = len(payload)
    return _FRAME_HEAD.pack(size >> 8, size & 255, kind, flags, stream) + payload


@dataclass(slots=True)
class _Stream:
    done: Done
    tag: Any
    status: int = 0
    body: bytes = b""
    arrived: Callable[[bytes], None] | None = None
    """Takes the pieces of a body that doesn't end."""
    unread: int = 0


class Http2:
    """HTTP/2, many requests at a time."""

    def __init__(self, lost: Lost) -> None:
        self._connection = Connection(self._received, self._fail)
        self._lost = lost
        self._out: list[bytes] = []
        self._rest = b""
        self._streams: dict[int, _Stream] = {}
        self._next = 1
        self._window = _DEFAULT_WINDOW
        self._stream_window = _DEFAULT_WINDOW
        self._held: deque[tuple[int, list[bytes]]] = deque()
        self._open = 0
        self._most = _UNLIMITED
        self._unread = 0
        self._statuses: dict[bytes, int] = {}
        self._ready = asyncio.get_running_loop().create_future()

    async def open(self, address: tuple[str, int]) -> None:
        """Connect; requests may be posted then."""
        await self._connection.open(address, _context("h2"))
        settings = struct.pack(
            ">HIHI", _HEADER_TABLE_SIZE, 0, _INITIAL_WINDOW_SIZE, _LARGEST_WINDOW
        )
        more = (_LARGEST_WINDOW - _DEFAULT_WINDOW).to_bytes(4, "big")
        self._connection.write(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + _frame(_SETTINGS, 0, 0, settings)
            + _frame(_WINDOW, 0, 0, more)
        )
        await self._ready

    def post(self, path: bytes, body: bytes, done: Done, tag: Any = None) -> None:
        """Make a request; it leaves with the next `flush`."""
        self._request(path, body, _Stream(done, tag))

    def stream(
        self, path: bytes, body: bytes, arrived: Callable[[bytes], None], ended: Done
    ) -> None:
        """Make a request whose answer's pieces are taken as they come; `ended` is told its end."""
        self._request(path, body, _Stream(ended, None, arrived=arrived))

    def _request(self, path: bytes, body: bytes, stream: _Stream) -> None:
        size = len(body)
        if size > self._stream_window:
            raise Broken(f"{size} bytes are more than a stream may have at once")
        number = self._next
        self._next += 2
        self._streams[number] = stream
        parts = [_frame(_HEADERS, _END_HEADERS, number, _block(path, size))]
        if size <= _FRAME:
            parts += (_FRAME_HEAD.pack(size >> 8, size & 255, _DATA, _END_STREAM, number), body)
        else:
            for at in range(0, size, _FRAME):
                flags = _END_STREAM if at + _FRAME >= size else 0
                parts.append(_frame(_DATA, flags, number, body[at : at + _FRAME]))
        self._held.append((size, parts))
        self._release()

    def flush(self) -> None:
        """Send what was posted."""
        if self._out:
            out, self._out = b"".join(self._out), []
            self._connection.write(out)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _fail(self, error: Exception) -> None:
        if self._ready.done():
            self._lost(error)
        else:
            self._ready.set_exception(error)

    def _received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 9:
            high, low, kind, flags, number = _FRAME_HEAD.unpack_from(data, at)
            stop = at + 9 + (high << 8 | low)
            if stop > end:
                break
            payload = data[at + 9 : stop]
            at = stop
            if kind == _DATA:
                self._data(number, payload, flags)
            elif kind == _HEADERS:
                self._headers(number, payload, flags)
            else:
                self._control(kind, flags, number, payload)
        self._rest = data[at:]
        self.flush()

    def _headers(self, number: int, block: bytes, flags: int) -> None:
        stream = self._streams[number]
        if flags & (_PADDED | _PRIORITY) or not flags & _END_HEADERS:
            raise Broken("a head in a form that no server here uses")
        if not stream.status:
            stream.status = 200 if block[0] == 0x88 else self._status(block)
        if flags & _END_STREAM:
            self._end(number, stream)

    def _status(self, block: bytes) -> int:
        if block not in self._statuses:  # the same for a second, as long as its date is
            fields = dict(Decoder().decode(block, raw=True))
            self._statuses[block] = int(fields[b":status"])
        return self._statuses[block]

    def _data(self, number: int, payload: bytes, flags: int) -> None:
        if flags & _PADDED:
            raise Broken("padded data, which no server here sends")
        stream = self._streams[number]
        self._unread = self._restock(0, self._unread + len(payload))
        if stream.arrived is None:
            stream.body = stream.body + payload if stream.body else payload
        else:
            stream.unread = self._restock(number, stream.unread + len(payload))
            stream.arrived(payload)
        if flags & _END_STREAM:
            self._end(number, stream)

    def _restock(self, number: int, unread: int) -> int:
        """Let the server send on, before the window of 2 GiB is used up."""
        if unread < _LARGEST_WINDOW // 2:
            return unread
        self._out.append(_frame(_WINDOW, 0, number, unread.to_bytes(4, "big")))
        return 0

    def _end(self, number: int, stream: _Stream) -> None:
        del self._streams[number]
        self._open -= 1
        self._release()
        stream.done(stream.status, stream.body, stream.tag)

    def _control(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == _WINDOW:
            if number == 0:
                self._window += int.from_bytes(payload, "big")
                self._release()
        elif kind == _SETTINGS and not flags & _ACK:
            self._settings(payload)
        elif kind == _PING and not flags & _ACK:
            self._out.append(_frame(_PING, _ACK, 0, payload))
        elif kind == _RESET and number in self._streams:
            raise Broken(f"a stream was reset: {int.from_bytes(payload, 'big')}")
        elif kind == _GOAWAY:
            code = int.from_bytes(payload[4:8], "big")
            raise Broken(f"the server ends the connection, with code {code}")

    def _release(self) -> None:
        while self._held and self._held[0][0] <= self._window and self._open < self._most:
            size, parts = self._held.popleft()
            self._open += 1
            self._window -= size
            self._out += parts

    def _settings(self, payload: bytes) -> None:
        for at in range(0, len(payload), 6):
            name, value = struct.unpack_from(">HI", payload, at)
            if name == _INITIAL_WINDOW_SIZE:
                self._stream_window = value
            elif name == _MAX_CONCURRENT_STREAMS:
                self._most = value
        self._out.append(_frame(_SETTINGS, _ACK, 0))
        if not self._ready.done():
            self._ready.set_result(None)
