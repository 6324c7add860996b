"""Through SOCKS5: the real microsocks, and proxies that misbehave."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from exile_tui.errors import RelayKeyMismatch, RelayUnreachable, UsageError
from exile_tui.transport import HttpRelays
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.http import Timeouts
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import GOODBYE_BYTES, Goodbye, Verdict
from tests.unit.transport.servers import (
    GUARD,
    HOST,
    LAST_CHUNK,
    QUICK,
    STREAM,
    Request,
    answer,
    chunk,
    fixed,
    identity,
    scripted,
)

ID, TOKEN = b"i" * 16, b"t" * 32
MICROSOCKS = shutil.which("microsocks")
needs_microsocks = pytest.mark.skipif(
    MICROSOCKS is None, reason="the program microsocks is not installed"
)


async def relay_like(request: Request, writer: asyncio.StreamWriter) -> None:
    """Answer appends and receives."""
    stream = request.path == "/v1/receive"
    writer.write(STREAM + chunk(GOODBYE_BYTES) + LAST_CHUNK if stream else answer(b"\x00"))
    await writer.drain()


@asynccontextmanager
async def microsocks(*arguments: str) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """Run microsocks on a free port and wait until it answers."""
    assert MICROSOCKS is not None
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        MICROSOCKS, "-i", HOST, "-p", str(port), *arguments, stderr=asyncio.subprocess.PIPE
    )
    try:
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except ConnectionRefusedError:
                assert process.returncode is None
                continue
            writer.close()
            await writer.wait_closed()
            break
        yield port, process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def log_until(process: asyncio.subprocess.Process, text: bytes) -> None:
    """Read what the proxy writes until a text is in it."""
    assert process.stderr is not None
    log = b""
    while text not in log:
        line = await process.stderr.readline()
        assert line, log
        log += line


@needs_microsocks
async def test_requests_and_streams_go_through_microsocks() -> None:
    async with (
        asyncio.timeout(GUARD),
        microsocks() as (port, process),
        scripted(relay_like, name="localhost") as server,
    ):
        relay = HttpRelay(server.address, proxy=f"socks5://{HOST}:{port}")
        assert await relay.append(ID, TOKEN, [bytes(4096)]) == [Verdict.STORED]
        assert [batch async for batch in relay.receive([(ID, TOKEN)])] == [[Goodbye()]]
        await relay.close()
        assert server.connections == 2
        # The name reached the proxy as a name.
        await log_until(process, f"connected to localhost:{server.address.port}".encode())


@needs_microsocks
async def test_microsocks_with_password() -> None:
    async with (
        asyncio.timeout(GUARD),
        microsocks("-u", "me", "-P", "p@ss") as (port, _),
        scripted(relay_like) as server,
    ):
        relay = HttpRelays(f"socks5://me:p%40ss@{HOST}:{port}")(server.address)
        assert await relay.append(ID, TOKEN, [bytes(4096)]) == [Verdict.STORED]
        await relay.close()
        for wrong in (f"socks5://me:other@{HOST}:{port}", f"socks5://{HOST}:{port}"):
            relay = HttpRelay(server.address, proxy=wrong)
            with pytest.raises(RelayUnreachable):
                await relay.append(ID, TOKEN, [bytes(4096)])
            await relay.close()
        assert server.connections == 1


@needs_microsocks
async def test_pin_holds_through_microsocks() -> None:
    async with asyncio.timeout(GUARD), microsocks() as (port, _):
        async with scripted(relay_like, identity("other"), pin=identity().pin) as server:
            relay = HttpRelay(server.address, proxy=f"socks5://{HOST}:{port}")
            with pytest.raises(RelayKeyMismatch):
                await relay.append(ID, TOKEN, [bytes(4096)])
            with pytest.raises(RelayKeyMismatch):
                await anext(relay.receive([(ID, TOKEN)]))
            await relay.close()
        assert server.connections == 0


@needs_microsocks
async def test_relay_that_is_away_behind_microsocks() -> None:
    async with asyncio.timeout(GUARD), microsocks() as (port, _):
        async with scripted(relay_like) as server:
            pass
        relay = HttpRelay(server.address, proxy=f"socks5://{HOST}:{port}")
        with pytest.raises(RelayUnreachable):
            await relay.append(ID, TOKEN, [bytes(4096)])
        await relay.close()


Proxy = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def proxy_of(handle: Proxy) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Run a proxy of one's own; the event is set when a client closed its connection."""
    lost = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handle(reader, writer)
            await reader.read()
            lost.set()
        except ConnectionError:
            lost.set()
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield f"socks5://{HOST}:{server.sockets[0].getsockname()[1]}", lost
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def test_host_names_are_left_to_the_proxy() -> None:
    """The name exists nowhere, and is the one that the proxy is asked for."""
    asked = asyncio.get_running_loop().create_future()

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"\x05\x00")
        head = await reader.readexactly(5)
        asked.set_result(head + await reader.readexactly(head[4] + 2))
        writer.write(b"\x05\x04\x00\x01" + bytes(6))

    async with asyncio.timeout(GUARD), proxy_of(record) as (proxy, lost):
        relay = HttpRelay(RelayAddress("no-such-host.invalid", 443, bytes(32)), proxy=proxy)
        with pytest.raises(RelayUnreachable):
            await relay.get_blob(ID)
        assert await asked == b"\x05\x01\x00\x03\x14no-such-host.invalid\x01\xbb"
        await relay.close()
        await lost.wait()


@pytest.mark.parametrize(
    "data", [b"", b"\x05\xff", b"\x04\x00", b"\x05", b"HTTP/1.1 400 Bad\r\n\r\n", bytes(100_000)]
)
async def test_bad_proxies_are_out_of_reach_and_left(data: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    async with asyncio.timeout(GUARD), proxy_of(handle) as (proxy, lost):
        relay = HttpRelay(
            RelayAddress("relay.example", 443, bytes(32)),
            proxy=proxy,
            timeouts=Timeouts(answer=1),
        )
        for call in (relay.get_blob(ID), anext(relay.receive([(ID, TOKEN)]))):
            lost.clear()
            with pytest.raises(RelayUnreachable):
                await call
            await lost.wait()
        await relay.close()


async def test_proxy_that_is_away_is_never_passed_by() -> None:
    async with asyncio.timeout(GUARD), scripted(fixed(answer(b"\x00"))) as server:
        relay = HttpRelay(server.address, proxy=f"socks5://{HOST}:1", timeouts=QUICK)
        with pytest.raises(RelayUnreachable):
            await relay.append(ID, TOKEN, [bytes(4096)])
        await relay.close()
        assert server.connections == 0


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "127.0.0.1:9050",
        "http://127.0.0.1:9050",
        "socks4://127.0.0.1:9050",
        "socks5://127.0.0.1",
        "socks5://:9050",
        "socks5://127.0.0.1:0",
        "socks5://127.0.0.1:65536",
        "socks5://127.0.0.1:port",
        "socks5://127.0.0.1:9050/path",
        "socks5://127.0.0.1:9050?x",
        "socks5://[::1:9050",
        "socks5://호스트:9050",
    ],
)
def test_what_is_no_proxy_is_refused(proxy: str) -> None:
    with pytest.raises(UsageError):
        HttpRelays(proxy)
    with pytest.raises(UsageError):
        HttpRelay(RelayAddress("relay.example", 443, bytes(32)), proxy=proxy)
