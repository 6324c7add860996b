"""The one file that knows granian: our own socket, RSGI in, the handlers' answers out.

Granian calls its embedded server experimental, so that its version is pinned exactly and everything
that depends on it is here.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from granian._granian import (
    RSGIHTTPProtocol,
    RSGIProtocolClosed,
    RSGIProtocolError,
    SocketHolder,
)
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.rsgi import Scope
from granian.server.embed import Server

from exile_tui.errors import N_, ExileError
from exile_tui.relay.handlers import Answer, Handlers, Streamed, failure
from exile_tui.relay.key import RelayKey

_BACKLOG = 1024
_ALL_STREAMS = 65_536
"""Granian's backpressure counts idle streams too."""

_EMPTY_CHUNKS = 8
"""Empty pieces in a row that a body may have: of one that broke off, granian hands out no end."""

_NO_STORE = ("cache-control", "no-store")

_TAKEN = N_(
    "Port {port} of {host} is taken by another program. Contacts hold this address, so it is not "
    "changed: end that program and start again."
)
_CANT_LISTEN = N_("Can't listen on {host}, port {port}: {reason}.")


class CantListen(ExileError):
    """The address is no address of this machine, or not allowed."""

    sentence = _CANT_LISTEN


class PortTaken(CantListen):
    """Another program listens on this port."""

    sentence = _TAKEN


def listen(host: str, port: int) -> socket.socket:
    """Bind a listening socket; port 0 draws a free one.

    Raises:
        PortTaken: Another program listens there.
        CantListen: The address can't be listened on.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError, OverflowError) as error:
        raise CantListen(host=host, port=port, reason=_reason(error)) from error
    try:
        if sys.platform != "win32":  # there it would let two processes share a port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it; without it every push waits 44 ms for an acknowledgement.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except (OSError, OverflowError) as error:
        bound.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise PortTaken(host=host, port=port) from error
        raise CantListen(host=host, port=port, reason=_reason(error)) from error
    return bound


class _OwnSocketServer(Server):
    """Granian on a socket that is bound already: port 0 works, a taken port is an error."""

    def __init__(self, bound: socket.socket, target: Any, **settings: Any) -> None:
        super().__init__(target, **settings)
        self._bound = bound

    def _init_shared_socket(self) -> None:
        make_holder: Any = SocketHolder  # its constructor is missing in granian's stubs
        holder: Any = make_holder(self._bound.detach(), False, _BACKLOG)
        self._shd = holder
        self._ssp = None


class RelayServer:
    """Serves the handlers over TLS 1.3, HTTP/1.1 and 2, on one socket."""

    def __init__(self, handlers: Handlers, key: RelayKey, bound: socket.socket) -> None:
        # Nothing is logged, errors included: some of granian's name the peer's address.
        self._server: Any = _OwnSocketServer(
            bound,
            _Application(handlers),
            interface=Interfaces.RSGI,
            http=HTTPModes.auto,
            websockets=False,
            backpressure=_ALL_STREAMS,
            log_enabled=False,
            log_access=False,
            ssl_cert=key.certificate_file,
            ssl_key=key.key_file,
            ssl_protocol_min=SSLProtocols.tls13,
            http1_settings=HTTP1Settings(header_read_timeout=10_000),
            http2_settings=HTTP2Settings(max_headers_size=65_536, keep_alive_interval=60_000),
        )
        self._handlers = handlers

    async def serve(self) -> None:
        """Serve until `stop`.

        Raises:
            RuntimeError: The server ended on its own.
        """
        await self._server.serve()
        if not self._server.interrupt_signal:
            raise RuntimeError("the server ended unexpectedly")

    def stop(self) -> None:
        """End; open connections are closed."""
        self._server.stop()


class _Application:
    """The RSGI side: read a bounded body, call the handler, send its answer."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._patience = handlers.patience

    async def __rsgi__(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        self._handlers.begin()
        try:
            await self._serve(scope, protocol)
        except (RSGIProtocolClosed, RSGIProtocolError, ConnectionError):
            pass  # the client is gone
        except TimeoutError:
            with contextlib.suppress(RSGIProtocolClosed, RSGIProtocolError, RuntimeError):
                _send(protocol, failure(400, "too slow"))
        except Exception as error:
            _report(error)
            with contextlib.suppress(RSGIProtocolClosed, RSGIProtocolError, RuntimeError):
                _send(protocol, failure(500, "internal error"))
        finally:
            self._handlers.end()

    async def _serve(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        if scope.proto != "http":
            return
        where = (scope.method, scope.path)
        if (route := self._handlers.routes.get(where)) is not None:
            handler, limit = route
            body = await self._body(scope, protocol, limit)
            if body is None:
                _send(protocol, failure(413, "too large"))
                return
            answer = await self._handlers.answer(lambda: handler(body))
        elif (streaming := self._handlers.streaming_routes.get(where)) is not None:
            take, limit = streaming
            chunks = self._chunks(protocol, limit)
            try:
                answer = await self._handlers.answer(lambda: take(chunks))
            except _TooLarge:
                answer = failure(413, "too large")
        else:
            answer = failure(404, "unknown path")
        if isinstance(answer, Answer):
            _send(protocol, answer)
        else:
            await self._stream(protocol, answer)

    async def _body(self, scope: Scope, protocol: RSGIHTTPProtocol, limit: int) -> bytes | None:
        """Read the whole body; None when it is longer than `limit`."""
        stated = scope.headers.get("content-length")
        if stated is not None and stated.isascii() and stated.isdigit():
            if int(stated) > limit:
                return None
            if int(stated) == 0:
                return b""
            async with asyncio.timeout(self._patience):
                return await protocol()
        if scope.method == "GET":
            return b""
        try:
            return b"".join([chunk async for chunk in self._chunks(protocol, limit)])
        except _TooLarge:
            return None

    async def _chunks(self, protocol: RSGIHTTPProtocol, limit: int) -> AsyncIterator[bytes]:
        total, empty = 0, 0
        chunks = aiter(protocol)
        while True:
            try:
                async with asyncio.timeout(self._patience):
                    chunk = bytes(await anext(chunks))
            except StopAsyncIteration:
                return
            empty = 0 if chunk else empty + 1
            if empty > _EMPTY_CHUNKS:
                raise ConnectionAbortedError
            total += len(chunk)
            if total > limit:
                raise _TooLarge
            yield chunk

    async def _stream(self, protocol: RSGIHTTPProtocol, answer: Streamed) -> None:
        """Run a streamed answer until it ends or its client is gone."""
        transport = protocol.response_stream(
            200, [("content-type", "application/octet-stream"), _NO_STORE]
        )
        # Tasks of our own: what granian returns only resembles a future.
        running = asyncio.create_task(_call(answer.run, transport.send_bytes))
        gone = asyncio.create_task(_call(protocol.client_disconnect))
        try:
            await asyncio.wait((running, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            running.cancel()
            result, _ = await asyncio.gather(running, gone, return_exceptions=True)
        try:
            if isinstance(result, Exception):
                raise result
        finally:
            del result  # else a cycle keeps the transport, and with it the answer, open


class _TooLarge(Exception):
    """The body is longer than its endpoint allows."""


async def _call(function: Callable[..., Awaitable[None]], *arguments: object) -> None:
    await function(*arguments)


def _send(protocol: RSGIHTTPProtocol, answer: Answer) -> None:
    headers = [("content-type", answer.content_type), _NO_STORE]
    if answer.body:
        protocol.response_bytes(answer.status, headers, answer.body)
    else:
        protocol.response_empty(answer.status, [_NO_STORE])


def _report(error: Exception) -> None:
    """Write where a defect of this program is, and nothing of what it was handling."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    print(f"exile-tui relay: {place}: {type(error).__name__}", file=sys.stderr)  # noqa: T201 - the only output of a running relay


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
