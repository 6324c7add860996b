"""The load generators' parsers: the same whatever pieces the bytes come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hpack
import pytest
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from benchmarks.relay.connection import Broken
from benchmarks.relay.http import Http1, Http2
from benchmarks.relay.mqtt import MqttClient
from benchmarks.relay.pairs import RelayReceiver
from benchmarks.relay.xmpp import XmppClient
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import CaughtUp, EnvelopeFrame, encode_frame

PIECES = [1, 2, 7, 4096, 1 << 20]
KEYS = MailboxKeys(bytes(32), bytes(range(32)))


def feed(take: Callable[[bytes], None], data: bytes, size: int) -> None:
    for at in range(0, len(data), size):
        take(data[at : at + size])


def silent(client: Any) -> list[bytes]:
    """Have a client write into a list in place of a socket."""
    written: list[bytes] = []
    client._connection.write = written.append
    return written


def failed(error: Exception) -> None:
    raise error


def http2_answer(stream: int, status: str, body: bytes) -> bytes:
    head = HeadersFrame(stream, hpack.Encoder().encode([(":status", status), ("x", "y")]))
    head.flags.add("END_HEADERS")
    data = DataFrame(stream, body)
    data.flags.add("END_STREAM")
    return bytes(head.serialize() + data.serialize())


@pytest.mark.parametrize("size", PIECES)
async def test_http_2(size: int) -> None:
    answers: list[tuple[int, bytes, Any]] = []
    client = Http2(failed)
    silent(client)
    for tag in "abc":
        client.post(b"/path", b"body", lambda *answer: answers.append(answer), tag)
    data = SettingsFrame(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1 << 20}).serialize()
    data += http2_answer(3, "403", b"refused") + http2_answer(1, "200", bytes(5000))
    data += http2_answer(5, "204", b"")
    feed(client._received, data, size)
    assert answers == [(403, b"refused", "b"), (200, bytes(5000), "a"), (204, b"", "c")]


async def test_http_2_sends_no_more_than_the_server_lets() -> None:
    client = Http2(failed)
    written = silent(client)
    for _ in range(5):
        client.post(b"/path", bytes(16_000), lambda *_: None)
    client.flush()
    assert sum(map(len, written)) < 65_535 + 1000  # four of them
    more = b"\0\0\4\x08\0\0\0\0\0" + (16_000).to_bytes(4, "big")
    client._received(more)
    assert sum(map(len, written)) > 5 * 16_000


@pytest.mark.parametrize("size", PIECES)
async def test_http_1(size: int) -> None:
    answers: list[tuple[int, bytes, Any]] = []
    client = Http1(failed)
    silent(client)
    for head, body in (("200 OK\r\nContent-Length: 3", b"abc"), ("204 No Content", b"")):
        client.post(b"/path", b"body", lambda *answer: answers.append(answer), body)
        feed(client._received, f"HTTP/1.1 {head}\r\n\r\n".encode() + body, size)
    assert answers == [(200, b"abc", b"abc"), (204, b"", b"")]


@pytest.mark.parametrize("size", PIECES)
async def test_xmpp(size: int) -> None:
    counts = {"arrived": 0, "answered": 0}

    def count(what: str) -> Callable[[int], None]:
        def add(number: int) -> None:
            counts[what] += number

        return add

    client = XmppClient("name", count("arrived"), failed, count("answered"))
    silent(client)
    message = b"<message to='a' type='chat'><body>aGVsbG8=</body></message>"
    answer = b"<a h='3' xmlns='urn:xmpp:sm:3'/>"
    feed(client._received, (message + answer) * 3 + answer, size)
    assert counts == {"arrived": 3, "answered": 4}
    with pytest.raises(Broken, match="refuses"):
        client._received(b"<message type='error'></message>")


@pytest.mark.parametrize("size", PIECES)
async def test_mqtt(size: int) -> None:
    counts = {"arrived": 0, "answered": 0}

    def arrived(number: int) -> None:
        counts["arrived"] += number

    def answered(number: int) -> None:
        counts["answered"] += number

    sender = MqttClient(b"s", arrived, failed, answered)
    receiver = MqttClient(b"r", arrived, failed, answered)
    published, acknowledged = silent(sender), silent(receiver)
    for length in (0, 100, 4096, 20_000):
        sender.publish(b"topic", bytes(length))
    sender.flush()
    feed(receiver._received, b"".join(published), size)
    assert counts == {"arrived": 4, "answered": 0}
    feed(sender._received, b"".join(acknowledged), size)
    assert counts == {"arrived": 4, "answered": 4}
    assert b"".join(acknowledged)[-4:] == b"\x40\2\0\4"


@pytest.mark.parametrize("size", PIECES)
async def test_the_relays_frames_are_acknowledged_one_request_at_a_time(size: int) -> None:
    arrived: list[int] = []
    done: list[int] = []
    receiver = RelayReceiver(KEYS, arrived.append, done.append, failed)
    under_way: list[tuple[bytes, Any]] = []
    acknowledged = b""

    def post(path: bytes, body: bytes, answered: Any, tag: Any) -> None:
        under_way.append((body, tag))

    receiver._requests.post = post  # type: ignore[method-assign]  # in the place of a connection
    receiver._requests.flush = lambda: None  # type: ignore[method-assign]
    frames = [CaughtUp(0), *(EnvelopeFrame(0, seq, bytes(4096)) for seq in (5, 6, 7))]
    feed(receiver._take, b"".join(map(encode_frame, frames)), size)
    assert receiver.caught_up
    assert sum(arrived) == 3
    while under_way:
        ((body, tag),) = under_way
        under_way.clear()
        assert body[:48] == KEYS.id + KEYS.receive_token
        acknowledged += body[48:]
        receiver._acknowledged(204, b"", tag)
    assert acknowledged == b"".join(seq.to_bytes(8, "big") for seq in (5, 6, 7))
    assert sum(done) == 3
