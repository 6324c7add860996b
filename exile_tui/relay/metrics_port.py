"""The operator's own port: plain HTTP, totals to read, and nothing of the relay's protocol."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping

from exile_tui.errors import N_, UsageError, WireError
from exile_tui.relay.binding import CantListen, PortTaken, listen
from exile_tui.wire.address import require_host

Page = Callable[[], Awaitable[tuple[int, str, bytes]]]
"""Makes a page: its status, content type and body."""

_LOOPBACK = "127.0.0.1"
_PATIENCE_S = 5.0
"""Seconds that a client may take to ask, and to read the answer."""
_AT_ONCE = 16
"""Connections at once; more are closed."""
_HEAD_LIMIT = 8192
_PLAIN = "text/plain; charset=utf-8"
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
            503: "Service Unavailable"}  # fmt: skip

_BAD_PLACE = N_("{text} is no place for --metrics: HOST:PORT, or a port of this computer alone.")
_TAKEN = N_("Port {port} of {host}, given with --metrics, is taken by another program.")
_CANT_LISTEN = N_("Can't listen on {host}, port {port}, given with --metrics: {reason}.")


def bind_metrics(text: str) -> socket.socket:
    """Listen where `--metrics` says: `HOST:PORT`, `[IPv6]:PORT`, or a port of the loopback.

    Raises:
        UsageError: That is no such place, or it can't be listened on.
    """
    host, port = _place(text)
    try:
        return listen(host, port)
    except PortTaken:
        raise UsageError(_TAKEN, host=host, port=port) from None
    except CantListen as error:
        raise UsageError(_CANT_LISTEN, **error.parameters) from None


def _place(text: str) -> tuple[str, int]:
    host, colon, digits = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    good = digits.isascii() and digits.isdigit() and len(digits) <= 5
    if not good or not 1 <= int(digits) <= 65_535 or bracketed != (":" in host):
        raise UsageError(_BAD_PLACE, text=text)
    if not colon:
        return _LOOPBACK, int(digits)
    try:
        require_host(host)
    except WireError:
        raise UsageError(_BAD_PLACE, text=text) from None
    return host, int(digits)


class MetricsPort:
    """Serves pages to whoever may reach the port; a request each connection."""

    def __init__(self, bound: socket.socket, pages: Mapping[str, Page]) -> None:
        """Make a server that does not serve yet.

        Args:
            bound: The socket, listening.
            pages: The pages by their paths.
        """
        self._bound = bound
        self._pages = pages
        self._serving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._accept, sock=self._bound, limit=_HEAD_LIMIT)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._serving) >= _AT_ONCE:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
            answer = await self._answer(head.partition(b"\r\n")[0])
            async with asyncio.timeout(_PATIENCE_S):
                writer.write(answer)
                await writer.drain()
                writer.write_eof()
                while await reader.read(_HEAD_LIMIT):  # else what is unread resets the connection
                    pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client is gone, or is none; a TimeoutError is an OSError
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> bytes:
        match line.split(b" "):
            case [b"GET", target, version] if version.startswith(b"HTTP/1."):
                page = self._pages.get(target.partition(b"?")[0].decode("latin-1"))
                found = (404, _PLAIN, b"not found\n") if page is None else await page()
            case [_, _, version] if version.startswith(b"HTTP/1."):
                found = (405, _PLAIN, b"GET only\n")
            case _:
                found = (400, _PLAIN, b"no HTTP/1 request\n")
        status, kind, body = found
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(body)}\r\nallow: GET\r\n"
            "cache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        return head.encode() + body
