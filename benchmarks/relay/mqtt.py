"""MQTT 3.1.1 over TLS as far as load needs it: QoS 1, packets made from a few pieces."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from functools import cache
from ssl import SSLContext

from benchmarks.relay.connection import Broken, Connection, Lost, client_context

_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK = 1, 2, 3, 4, 8, 9
_QOS_1 = 1
_CLEAN_SESSION = 2


@cache
def _context() -> SSLContext:
    return client_context()


def _packet(kind: int, flags: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length, size = bytearray(), len(body)
    while True:
        size, low = size >> 7, size & 127
        length.append(low | 128 if size else low)
        if not size:
            return bytes([kind << 4 | flags]) + length + body


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


class MqttClient:
    """One client, which publishes or subscribes."""

    def __init__(
        self,
        name: bytes,
        arrived: Callable[[int], None],
        lost: Lost,
        answered: Callable[[int], None] | None = None,
    ) -> None:
        """Make a client that is not connected.

        Args:
            arrived: Told how many messages came; they are acknowledged by themselves.
            answered: Told how many of its own messages the server acknowledged.
        """
        self._name = name
        self._arrived = arrived
        self._answered = answered
        self._connection = Connection(self._received, self._fail)
        self._lost = lost
        self._out: list[bytes] = []
        self._rest = b""
        self._number = 0
        self._awaited: tuple[int, asyncio.Future[None]] | None = None

    async def open(self, address: tuple[str, int], *, clean: bool = True) -> None:
        """Connect; a session that is not clean goes on while its client is away."""
        await self._connection.open(address, _context())
        level, keep_alive = b"\x04", b"\0\0"
        flags = bytes([_CLEAN_SESSION if clean else 0])
        head = _string(b"MQTT") + level + flags + keep_alive
        await self._ask(_packet(_CONNECT, 0, head, _string(self._name)), _CONNACK)

    async def subscribe(self, topic: bytes) -> None:
        """Subscribe with QoS 1."""
        await self._ask(_packet(_SUBSCRIBE, 2, b"\0\1", _string(topic), bytes([_QOS_1])), _SUBACK)

    async def _ask(self, packet: bytes, answer: int) -> None:
        ready = asyncio.get_running_loop().create_future()
        self._awaited = answer, ready
        self._connection.write(packet)
        await ready

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Publish a message with QoS 1; it leaves with the next `flush`."""
        self._number = self._number % 65_535 + 1
        number = self._number.to_bytes(2, "big")
        self._out.append(_packet(_PUBLISH, _QOS_1 << 1, _string(topic), number, payload))

    def flush(self) -> None:
        """Let go of what was published."""
        if self._out:
            out, self._out = b"".join(self._out), []
            self._connection.write(out)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _fail(self, error: Exception) -> None:
        if self._awaited is None:
            self._lost(error)
        else:
            (_, ready), self._awaited = self._awaited, None
            ready.set_exception(error)

    def _received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        arrived = answered = 0
        while end - at >= 2:
            length, shift, body = 0, 0, at + 1
            while body < end:
                byte = data[body]
                body += 1
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            else:
                break
            if body + length > end:
                break
            kind = data[at] >> 4
            if kind == _PUBLISH:
                (topic,) = struct.unpack_from(">H", data, body)
                number = data[body + 2 + topic : body + 4 + topic]
                self._out.append(_packet(_PUBACK, 0, number))
                arrived += 1
            elif kind == _PUBACK:
                answered += 1
            else:
                self._take(kind, data[body : body + length])
            at = body + length
        self._rest = data[at:]
        if arrived:
            self._arrived(arrived)
        if answered and self._answered is not None:
            self._answered(answered)
        self.flush()

    def _take(self, kind: int, body: bytes) -> None:
        if self._awaited is None or self._awaited[0] != kind or body[-1] > _QOS_1:
            raise Broken(f"an MQTT packet of type {kind}: {body!r}")
        (_, ready), self._awaited = self._awaited, None
        ready.set_result(None)
