"""The one file that knows granian: our own socket, RSGI in, the handlers' answers out.

Granian calls its embedded server experimental, so that its version is pinned exactly and everything
that depends on it is here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

from granian._granian import (
    CallbackScheduler,
    RSGIHTTPProtocol,
    RSGIProtocolClosed,
    RSGIProtocolError,
    RSGIWorker,
    SocketHolder,
    WorkerSignal,
)
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.rsgi import Scope
from granian.server.embed import AsyncWorker, Server

from exile_tui.relay.bodies import Body, Crowded, TooLarge
from exile_tui.relay.clients import Clients, Connection
from exile_tui.relay.defects import report_defect
from exile_tui.relay.direct import Runs
from exile_tui.relay.exhaustion import descriptors
from exile_tui.relay.handlers import Answer, Handlers, Streamed, failure, try_later
from exile_tui.relay.key import RelayKey
from exile_tui.relay.patience import Patience
from exile_tui.relay.placing import Placement
from exile_tui.relay.sockets import set_options
from exile_tui.wire.relay import CONTENT_TYPE, Path

_ALL_STREAMS = 65_536
"""Granian's backpressure counts idle streams, and holds back whom it has accepted already."""

_STREAMS = 32
"""Requests at once on one connection; our client makes no more over two."""
_PIECE = 16_384
"""Bytes of an answer that the server has under way on one stream of HTTP/2."""
_WINDOW = 524_288
"""Bytes that one connection may have on their way to a handler."""
_HEADERS = 16_384
"""Bytes of a request's head; our client's has some 300."""
_CREATE, _RECEIVE, _BLOB_GET = (
    ("POST", path.value) for path in (Path.CREATE, Path.RECEIVE, Path.BLOB_GET)
)

_CROWDED_S = 10.0
"""Seconds after which somebody tries again for whom memory had no room."""

_IN_VAIN_S = 1.0
"""Seconds by which an error comes later while addresses take turns."""
_FIRST_ERROR = 400
_ITEM_SIZES = {Path.ACKNOWLEDGE.value: 8, Path.RECEIVE.value: 48, Path.BLOB_GET.value: 16}
"""Bytes of each thing that a request asks for, where it may ask for many."""

_AT_HEAD = sys.platform != "win32"
"""Whether a body may be asked for outside of the loop's thread."""

_NO_STORE = ("cache-control", "no-store")
_BINARY = [("content-type", CONTENT_TYPE), _NO_STORE]


class _Entrance(CallbackScheduler):
    """Takes requests from granian's thread into the event loop, where each runs without a task.

    What granian has for that makes two coroutines and a task of each, and a small body takes
    another turn through both threads after the head: here it is on its way when the head is read.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, application: _Application) -> None:
        super().__init__()
        soon, context = loop.call_soon_threadsafe, self._ctx
        runs, is_whole = Runs(), application.is_whole
        thread, placement = threading.local(), application.placement

        def begin(watcher: Any, body: asyncio.Future[bytes] | None) -> None:
            runs.run(application.serve(watcher, body))

        def schedule(watcher: Any) -> None:
            # What is raised here would come out somewhere else in granian's thread.
            with contextlib.suppress(Exception):
                if not hasattr(thread, "placed"):
                    thread.placed = True
                    placement.enter()
                scope = watcher.scope
                small = _AT_HEAD and is_whole(scope) and Body.is_small(scope)
                soon(begin, watcher, watcher.proto() if small else None, context=context)

        self._schedule_fn = schedule

    def __new__(cls, loop: asyncio.AbstractEventLoop, application: _Application) -> _Entrance:
        make: Any = super().__new__  # of all this, granian's own entrance needs more
        entrance: _Entrance = make(cls, loop, None, None, None, None)
        return entrance


class _OwnServer(Server):
    """Granian on a socket that is bound already, and with an entrance of our own.

    On its own it can't tell which port it drew, and a taken one is no error.
    """

    def __init__(self, bound: socket.socket, target: _Application, **settings: Any) -> None:
        super().__init__(target, **settings)
        self._bound = bound

    def _init_shared_socket(self) -> None:
        make_holder = cast(Any, SocketHolder)  # its constructor is missing in granian's stubs
        self._shd = make_holder(self._bound.detach(), False, descriptors().backlog)
        self._ssp = None

    def _spawn_worker(self, idx: Any, target: Any, callback_loader: Any, _: Any = None) -> Any:
        stop, make_worker = WorkerSignal(), cast(Any, AsyncWorker)
        return make_worker(self, idx, self._work, (stop, callback_loader), stop)

    async def _work(self, stop: WorkerSignal, application: _Application) -> None:
        loop = asyncio.get_running_loop()
        stopped = loop.create_future()
        stop.add_cb(lambda: loop.call_soon_threadsafe(stopped.set_result, None))
        worker = cast(Any, RSGIWorker)(  # the stubs are of another version's
            1,
            (self._ssp, self._shd),
            None,
            self.runtime_threads,
            self.runtime_blocking_threads,
            self.blocking_threads,
            self.blocking_threads_idle_timeout,
            self.backpressure,
            self.http,
            self.http1_settings,
            self.http2_settings,
            self.websockets,
            self.static_path,
            *self.ssl_ctx,
            (None, None),
        )
        with application.placement.elsewhere():
            worker.serve_async(_Entrance(loop, application), loop, stop)
        await stopped


class RelayServer:
    """Serves the handlers over TLS 1.3, HTTP/1.1 and 2, on one socket."""

    def __init__(
        self,
        handlers: Handlers,
        key: RelayKey,
        bound: socket.socket,
        clients: Clients,
        placement: Placement,
    ) -> None:
        """Make a server that does not serve yet.

        Args:
            handlers: What answers.
            key: The key of its TLS.
            bound: The socket that it listens on.
            clients: The table of who is connected.
            placement: Where its threads run.
        """
        set_options(bound)
        # Nothing is logged, errors included: some of granian's name the peer's address.
        self._server: Any = _OwnServer(
            bound,
            _Application(handlers, clients, placement),
            interface=Interfaces.RSGI,
            http=HTTPModes.auto,
            websockets=False,
            backpressure=_ALL_STREAMS,
            log_enabled=False,
            log_access=False,
            ssl_cert=key.certificate_file,
            ssl_key=key.key_file,
            ssl_protocol_min=SSLProtocols.tls13,
            http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=65_536),
            http2_settings=HTTP2Settings(
                max_headers_size=_HEADERS,
                max_concurrent_streams=_STREAMS,
                initial_connection_window_size=_WINDOW,
                initial_stream_window_size=_WINDOW // 2,
                max_send_buffer_size=_PIECE,
                keep_alive_interval=60_000,
            ),
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
    """The RSGI side: read a bounded body, call the handler, send its answer.

    It runs without a task, see `direct`.
    """

    def __init__(self, handlers: Handlers, clients: Clients, placement: Placement) -> None:
        self.placement = placement
        self._handlers = handlers
        self._clients = clients
        self._patience = Patience(handlers.limits.patience)

    def is_whole(self, scope: Scope) -> bool:
        """Tell whether the handler of a request takes its body as a whole; for any thread."""
        return (scope.method, scope.path) in self._handlers.routes

    async def serve(self, watcher: Any, coming: asyncio.Future[bytes] | None) -> None:
        """Answer one request.

        Args:
            watcher: Granian's, which is to be told that it ended.
            coming: Its body, where it is small.
        """
        scope, protocol = watcher.scope, watcher.proto
        self._handlers.begin()
        client = scope.client
        connection = self._clients.enter(client)
        limits = self._handlers.limits
        body = Body(protocol, connection, self._clients, limits, self._patience, coming)
        try:
            await self._serve(scope, protocol, connection, body)
        except (RSGIProtocolClosed, RSGIProtocolError, ConnectionError):
            pass  # the client is gone
        except Exception as error:
            answer = self._failure(error)
            with contextlib.suppress(RSGIProtocolClosed, RSGIProtocolError, RuntimeError):
                if isinstance(error, Crowded):
                    await body.skip(scope)
                _send(protocol, answer)
        finally:
            body.release()
            body.excuse(scope)
            self._clients.leave(client, connection)
            self._handlers.end()
            watcher.done()

    def _failure(self, error: Exception) -> Answer:
        match error:
            case TimeoutError():
                return self._handlers.refuse(failure(400, "too slow"))
            case TooLarge():
                return self._handlers.refuse(failure(413, "too large"))
            case Crowded():
                return self._handlers.refuse(try_later(_CROWDED_S))
        report_defect(error)
        return failure(500, "internal error")

    async def _serve(
        self, scope: Scope, protocol: RSGIHTTPProtocol, connection: Connection, body: Body
    ) -> None:
        if scope.proto != "http":
            return
        where = (scope.method, scope.path)
        wait = self._clients.must_wait(
            connection,
            creates=where == _CREATE,
            streams=where == _RECEIVE,
            reads=where == _BLOB_GET,
        )
        if wait:
            refused = self._handlers.refuse(try_later(wait))
            if not body.is_large(scope):
                _send(protocol, refused)
                return
        origin, turns = connection.origin, self._clients.turns
        if origin is not None:
            await turns.take(origin.place)
        try:
            answer: Answer | Streamed
            if wait:
                answer = refused
                await body.skip(scope)
            else:
                answer = await self._answer(where, scope, body)
            if origin is not None and turns.busy and _is_error(answer):
                await asyncio.sleep(_IN_VAIN_S)
        finally:
            if origin is not None:
                turns.give(origin.place)
        if isinstance(answer, Answer):
            _send(protocol, answer)
            return
        body.release()
        lasting = where == _RECEIVE
        if lasting:
            self._clients.open_stream(connection, 1)
        try:
            await self._stream(protocol, answer, connection, lasting=lasting)
        finally:
            if lasting:
                self._clients.open_stream(connection, -1)

    async def _answer(self, where: tuple[str, str], scope: Scope, body: Body) -> Answer | Streamed:
        route = self._handlers.routes.get(where)
        if route is not None:
            handler, limit = route
            data = await body.whole(scope, limit, _ITEM_SIZES.get(where[1], 0))
            return await self._handlers.answer(handler, data)
        if (streaming := self._handlers.streaming_routes.get(where)) is not None:
            take, limit = streaming
            return await self._handlers.answer(take, body.chunks(limit))
        return failure(404, "unknown path")

    async def _stream(
        self, protocol: RSGIHTTPProtocol, answer: Streamed, connection: Connection, *, lasting: bool
    ) -> None:
        """Run a streamed answer until it ends and was read, or its client is gone."""
        transport = protocol.response_stream(
            200, [("content-type", "application/octet-stream"), _NO_STORE]
        )
        held = 0

        async def send(data: bytes) -> None:
            nonlocal held
            if lasting:  # it counts for itself what is not acknowledged
                self._clients.count_push(connection, len(data))
                await transport.send_bytes(data)
                return
            held += len(data)
            if not self._clients.count_answer(connection, len(data)):
                raise Crowded  # which breaks the answer off, to be asked for again
            # Of what nobody reads, the server takes one piece more than it has room for.
            for start in range(0, len(data), _PIECE):
                await transport.send_bytes(data[start : start + _PIECE])

        # Tasks of our own: what granian returns only resembles a future.
        running = asyncio.create_task(_call(answer.run, send))
        gone = asyncio.create_task(_call(protocol.client_disconnect))
        try:
            await asyncio.wait((running, gone), return_when=asyncio.FIRST_COMPLETED)
            if running.done() and not running.exception():
                del transport, send  # which ends the answer
                await self._read(gone, connection, held)
        finally:
            self._clients.hold(connection, -held)
            gone.cancel()
            running.cancel()
            result, _ = await asyncio.gather(running, gone, return_exceptions=True)
        try:
            if isinstance(result, Exception):
                raise result
        finally:
            # Else a cycle keeps the transport, and with it the answer, open.
            del result, running, gone

    async def _read(self, gone: asyncio.Task[None], connection: Connection, size: int) -> None:
        """Wait until the server has passed all of an answer on; end who doesn't read it."""
        if self._handlers.stopping:
            return
        limits = self._handlers.limits
        patience = limits.patience + size / limits.slowest
        _, waiting = await asyncio.wait((gone,), timeout=patience)
        connection.doomed = connection.doomed or bool(waiting)


def _is_error(answer: Answer | Streamed) -> bool:
    return isinstance(answer, Answer) and answer.status >= _FIRST_ERROR


async def _call(function: Callable[..., Awaitable[None]], *arguments: object) -> None:
    await function(*arguments)


def _send(protocol: RSGIHTTPProtocol, answer: Answer) -> None:
    if not answer.body:
        protocol.response_empty(answer.status, [_NO_STORE])
        return
    if answer.content_type == CONTENT_TYPE:
        protocol.response_bytes(answer.status, _BINARY, answer.body)
        return
    headers = [("content-type", answer.content_type), _NO_STORE]
    if answer.retry_after:
        headers.append(("retry-after", str(answer.retry_after)))
    protocol.response_bytes(answer.status, headers, answer.body)
