"""A real relay over real TLS, in this process or its own, and a client that knows no rules."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exile_tui.relay.binding import listen
from exile_tui.relay.service import Beside, RelayDirectory, RelayService, RelaySettings
from exile_tui.transport.pin import pinned_context
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import CaughtUp, EnvelopeFrame, Frame, FrameDecoder

MODULE = "exile_tui.relay"
PATIENCE = 30.0
"""Seconds after which a test that waits for something fails."""


@contextlib.asynccontextmanager
async def serving(
    settings: RelaySettings, *beside: Beside
) -> AsyncIterator[tuple[RelayAddress, RelayService]]:
    """Serve a relay on a free port of loopback in this process."""
    directory = RelayDirectory(settings.directory)
    bound = listen("127.0.0.1", 0)
    address = RelayAddress("127.0.0.1", bound.getsockname()[1], directory.key.pin)
    service = RelayService(settings, directory, bound)
    running = asyncio.create_task(service.run(*beside))
    try:
        yield address, service
    finally:
        service.stop()
        async with asyncio.timeout(PATIENCE):
            await running
        directory.release()


@dataclass
class RelayProcess:
    """A relay in its own process."""

    process: asyncio.subprocess.Process
    address: RelayAddress
    output: bytes = field(default=b"")

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait, keep what it wrote."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate()
        self.output = out + err
        return self.process.returncode or 0


async def start(
    directory: Path, *arguments: str, under: Sequence[str] = (), module: str = MODULE
) -> RelayProcess:
    """Start a relay and wait until it says its address.

    Args:
        directory: Its data directory.
        arguments: Further options.
        under: A command that executes the relay's in the end.
        module: What serves it.
    """
    arguments = ("--data-dir", str(directory), *arguments)
    process = await launch(*arguments, under=under, module=module)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        line = await process.stdout.readline()
    return RelayProcess(process, RelayAddress.parse(line.decode()))


async def launch(
    *arguments: str, under: Sequence[str] = (), module: str = MODULE
) -> asyncio.subprocess.Process:
    """Start a relay."""
    return await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )


class Client:
    """HTTP/1.1 over one connection, byte by byte."""

    def __init__(self, address: RelayAddress, own_host: str | None = None) -> None:
        """Make a client; it connects as it is entered, from an own address if one is given."""
        self._address = address
        self._own = None if own_host is None else (own_host, 0)
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Client:
        self.reader, self.writer = await asyncio.open_connection(
            self._address.host,
            self._address.port,
            ssl=pinned_context(self._address.pin),
            limit=1 << 22,
            local_addr=self._own,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        """Write a request."""
        lines = [f"{method} {path} HTTP/1.1", "host: relay", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read an answer's head."""
        async with asyncio.timeout(PATIENCE):
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = text.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in rest)
        return int(first.split()[1]), headers

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Make a request and read the whole answer."""
        await self.send(method, path, body)
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        """Read a whole answer."""
        status, headers = await self.head()
        if "transfer-encoding" in headers:
            return status, b"".join([chunk async for chunk in self.chunks()])
        async with asyncio.timeout(PATIENCE):
            return status, await self.reader.readexactly(int(headers.get("content-length", 0)))

    async def chunks(self) -> AsyncIterator[bytes]:
        """Read a streamed answer's pieces until it ends."""
        while True:
            async with asyncio.timeout(PATIENCE):
                size = int(await self.reader.readuntil(b"\n"), 16)
                chunk = await self.reader.readexactly(size + 2)
            if not size:
                return
            yield chunk[:-2]

    async def frames(self) -> AsyncIterator[Frame]:
        """Read a receive's frames until it ends."""
        decoder = FrameDecoder()
        async for chunk in self.chunks():
            for frame in decoder.feed(chunk):
                yield frame

    async def until_caught_up(self, count: int = 1) -> list[EnvelopeFrame]:
        """Read a receive's head and its envelopes until `count` mailboxes are caught up."""
        assert (await self.head())[0] == 200
        envelopes: list[EnvelopeFrame] = []
        async for frame in self.frames():
            if isinstance(frame, EnvelopeFrame):
                envelopes.append(frame)
            elif isinstance(frame, CaughtUp):
                count -= 1
                if not count:
                    break
        return envelopes


async def ask(
    address: RelayAddress, method: str, path: str, body: bytes = b""
) -> tuple[int, bytes]:
    """Make one request on a connection of its own."""
    async with Client(address) as client:
        return await client.ask(method, path, body)
