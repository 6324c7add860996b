"""Senders and receivers: one pair of each kind of server, with the same way to be used.

A message has 4 KiB for everybody; in XMPP, which carries text, they are the 5,464 letters of its
base64. Messages of one pair arrive in the order in which they were sent, which is how a pair knows
when each was sent.
"""

from __future__ import annotations

import base64
import random
import struct
from collections.abc import Callable
from typing import Any, Protocol

from benchmarks.relay.connection import Broken, Lost
from benchmarks.relay.http import Http2
from benchmarks.relay.mailboxes import SIZE, Appends, keys_of
from benchmarks.relay.mqtt import MqttClient
from benchmarks.relay.peers import user
from benchmarks.relay.xmpp import XmppClient
from exile_tui.wire.mailbox import MailboxKeys

Count = Callable[[int], None]
"""Told of so many messages."""

_FRAME_HEAD = struct.Struct(">BIHQ")
"""Type, length, index and seq of an envelope's frame (docs/protocol.md, section 8)."""
_ENVELOPE, _HEARTBEAT, _CAUGHT_UP = 1, 2, 4


class Pair(Protocol):
    """One sender and one receiver."""

    async def open(self, address: tuple[str, int]) -> None:
        """Connect both; the receiver hears what is sent from then on."""

    def send(self) -> None:
        """Send a message, at the latest with the next `flush`."""

    def flush(self) -> None:
        """Let go of what was sent."""

    def close(self) -> None:
        """End both connections."""


MakePair = Callable[[int, Count, Count, Lost], Pair]
"""Number, who is told of arrivals, who is told of messages that are done with, who of failures."""


class RelayReceiver:
    """Holds a receive stream of one mailbox, and acknowledges on another connection, as ours does.

    What came while an acknowledgement was under way is acknowledged with the next one.
    """

    def __init__(self, keys: MailboxKeys, arrived: Count, done: Count, lost: Lost) -> None:
        self._token = keys.id + keys.receive_token
        self._arrived = arrived
        self._done = done
        self._stream = Http2(lost)
        self._requests = Http2(lost)
        self._rest = b""
        self._seqs: list[bytes] = []
        self._asking = False
        self.caught_up = False
        self.on_caught_up: Callable[[], None] = lambda: None

    async def open(self, address: tuple[str, int]) -> None:
        """Connect and ask for the stream."""
        await self._stream.open(address)
        await self._requests.open(address)
        self._stream.stream(b"/v1/receive", self._token, self._take, self._ended)
        self._stream.flush()

    def close(self) -> None:
        """End both connections."""
        self._stream.close()
        self._requests.close()

    def _take(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, end, count = 0, len(data), 0
        while end - at >= 5:
            length = int.from_bytes(data[at + 1 : at + 5], "big")
            if at + 5 + length > end:
                break
            kind = data[at]
            if kind == _ENVELOPE and length == 10 + SIZE:
                self._seqs.append(data[at + 7 : at + 15])
                count += 1
            elif kind == _CAUGHT_UP:
                self.caught_up = True
                self.on_caught_up()
            elif kind != _HEARTBEAT:
                raise Broken(f"a frame of type {kind}")
            at += 5 + length
        self._rest = data[at:]
        if count:
            self._arrived(count)
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self._seqs and not self._asking:
            self._asking = True
            seqs, self._seqs = self._seqs[:1024], self._seqs[1024:]
            body = self._token + b"".join(seqs)
            self._requests.post(b"/v1/acknowledge", body, self._acknowledged, len(seqs))
            self._requests.flush()

    def _acknowledged(self, status: int, body: bytes, count: Any) -> None:
        if status != 204:
            raise Broken(f"an acknowledgement was answered with {status}")
        self._asking = False
        self._done(count)
        self._acknowledge()

    def _ended(self, status: int, body: bytes, tag: Any) -> None:
        raise Broken(f"a receive stream ended with status {status}")


class RelayPair:
    """A sender who posts, a receiver with a stream; done is a message that was acknowledged."""

    def __init__(self, number: int, arrived: Count, done: Count, lost: Lost) -> None:
        keys = keys_of(number)
        # Never full: no more are in flight than a mailbox holds.
        self._bodies = Appends([keys], capacity=2**62)
        self._sender = Http2(lost)
        self._receiver = RelayReceiver(keys, arrived, done, lost)

    async def open(self, address: tuple[str, int]) -> None:
        """Connect both."""
        await self._sender.open(address)
        await self._receiver.open(address)

    def send(self) -> None:
        """Post an envelope."""
        self._sender.post(b"/v1/append", self._bodies.next(), self._stored)

    def flush(self) -> None:
        """Let go of what was posted."""
        self._sender.flush()

    def close(self) -> None:
        """End all connections."""
        self._sender.close()
        self._receiver.close()

    def _stored(self, status: int, body: bytes, tag: Any) -> None:
        if (status, body) != (200, b"\0"):
            raise Broken(f"an append was answered with {status}: {body!r}")


class XmppPair:
    """Two accounts of an XMPP server; done is a message that arrived."""

    def __init__(self, number: int, arrived: Count, done: Count, lost: Lost) -> None:
        self._arrived = arrived
        self._done = done
        self._sender = XmppClient(user(2 * number), self._unexpected, lost)
        self._receiver = XmppClient(user(2 * number + 1), self._came, lost)
        self._to = user(2 * number + 1)
        self._text = base64.b64encode(random.Random(number).randbytes(SIZE))

    async def open(self, address: tuple[str, int]) -> None:
        """Log both in."""
        await self._sender.open(address)
        await self._receiver.open(address)

    def send(self) -> None:
        """Send a message."""
        self._sender.send(self._to, self._text)

    def flush(self) -> None:
        """Let go of what was sent."""
        self._sender.flush()

    def close(self) -> None:
        """End both connections."""
        self._sender.close()
        self._receiver.close()

    def _came(self, count: int) -> None:
        self._arrived(count)
        self._done(count)

    def _unexpected(self, count: int) -> None:
        raise Broken("a message came back")


class MqttPair:
    """A publisher and a subscriber, QoS 1; done is a message that arrived and was acknowledged."""

    def __init__(self, number: int, arrived: Count, done: Count, lost: Lost) -> None:
        self._arrived = arrived
        self._done = done
        self._topic = b"t%d" % number
        self._sender = MqttClient(b"s%d" % number, self._unexpected, lost)
        self._receiver = MqttClient(b"r%d" % number, self._came, lost)
        self._payload = random.Random(number).randbytes(SIZE)

    async def open(self, address: tuple[str, int]) -> None:
        """Connect both, and subscribe."""
        await self._sender.open(address)
        await self._receiver.open(address)
        await self._receiver.subscribe(self._topic)

    def send(self) -> None:
        """Publish a message."""
        self._sender.publish(self._topic, self._payload)

    def flush(self) -> None:
        """Let go of what was published."""
        self._sender.flush()

    def close(self) -> None:
        """End both connections."""
        self._sender.close()
        self._receiver.close()

    def _came(self, count: int) -> None:
        self._arrived(count)
        self._done(count)

    def _unexpected(self, count: int) -> None:
        raise Broken("a message came to its publisher")
