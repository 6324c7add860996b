"""Servers that misbehave on purpose, over real TLS on the loopback interface."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from exile_tui.transport.http import Timeouts
from exile_tui.wire.address import RelayAddress

HOST = "127.0.0.1"
GUARD = 60
"""Seconds after which a test that hangs fails; nothing is measured with it."""

QUICK = Timeouts(connect=10, transfer=10, answer=0.3, slowest=1 << 30, silence=0.3)
"""For servers that never answer: whatever else happens in this time, it is an error."""
SHORT = Timeouts(answer=3, slowest=1 << 30, silence=3)
"""For servers that answer at first and then no more."""


@dataclass(frozen=True)
class Identity:
    """A key and a self-signed certificate."""

    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    pem: bytes
    spki: bytes

    @property
    def pin(self) -> bytes:
        return hashlib.sha256(self.spki).digest()


@lru_cache
def identity(label: str = "relay", kind: str = "p256", name: str = "relay.example") -> Identity:
    """Make a key once for each label."""
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    p256 = kind == "p256"
    key = ec.generate_private_key(ec.SECP256R1()) if p256 else ed25519.Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    # Long over: dates play no part either.
    start = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=1))
        .sign(key, SHA256() if p256 else None)
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Identity(key, private + certificate.public_bytes(Encoding.PEM), spki)


def server_context(of: Identity, *, tls12: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with TemporaryDirectory() as directory:
        path = Path(directory) / "identity.pem"
        path.write_bytes(of.pem)
        context.load_cert_chain(path)
    return context


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Scripted:
    """What a scripted server saw."""

    address: RelayAddress
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closed a connection."""


def answer(body: bytes = b"", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"


def fixed(data: bytes) -> Handler:
    """Answer every request with the same bytes."""

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return handle


def endless(head: bytes, piece: bytes) -> Handler:
    """Answer with a head and then the same piece for ever."""

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()

    return handle


async def silent(request: Request, writer: asyncio.StreamWriter) -> None:
    """Never answer."""


@asynccontextmanager
async def scripted(
    handle: Handler,
    of: Identity | None = None,
    *,
    pin: bytes | None = None,
    tls: bool = True,
    tls12: bool = False,
    name: str = HOST,
) -> AsyncIterator[Scripted]:
    """Serve HTTP/1.1 with answers of one's own.

    Args:
        pin: What the address says in place of the server's own key.
        tls: Without it the server speaks in the clear.
        name: The host in the address; an IPv6 address is listened on too.
    """
    of = of or identity()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        seen.connections += 1
        try:
            while True:
                request = await read_request(reader)
                seen.requests.append(request)
                await handle(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            seen.lost.set()
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()
            tasks.discard(task)

    context = server_context(of, tls12=tls12) if tls else None
    server = await asyncio.start_server(serve, name if ":" in name else HOST, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    seen = Scripted(RelayAddress(name, port, of.pin if pin is None else pin))
    try:
        yield seen
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.strip().split("\r\n")
    method, path, _ = line.split(" ")
    headers = {
        key.lower(): value.strip() for key, _, value in (each.partition(":") for each in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)
