"""Bodies of requests as they come in: bounded in size, in time, and in what is kept of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from exile_tui.relay.clients import Clients, Connection
from exile_tui.relay.limits import Limits
from exile_tui.relay.patience import Patience

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol
    from granian.rsgi import Scope

_EMPTY_CHUNKS = 2
"""Empty pieces in a row that a body may have: of one that broke off, granian hands out no end.

One is handed out at its end, too. Each costs as much as a small request.
"""

_AT_ONCE = 8192
"""Bytes of a body that is read in one piece, in `patience`: of a longer one each piece has that."""
_DIGITS = len(str(_AT_ONCE))

_FITS, _SKIPPED = 262_144, 4_194_304
"""Bytes that one stream of HTTP/2 may send unread, and that are read to be thrown away at most."""

_ON_ITS_WAY = 655_360
"""Bytes that may come after a body was given up: what the server and the system have room for."""


class TooLarge(Exception):
    """The body is longer than its endpoint allows."""


class Crowded(Exception):
    """Too much is kept in memory already, for this address or for all."""


class Body:
    """The body of one request."""

    def __init__(
        self,
        protocol: RSGIHTTPProtocol,
        connection: Connection,
        clients: Clients,
        limits: Limits,
        patience: Patience,
        coming: asyncio.Future[bytes] | None = None,
    ) -> None:
        """Begin with nothing read.

        Args:
            protocol: The server's side of the request.
            connection: Where it comes from.
            clients: What counts it.
            limits: What is allowed.
            patience: How long somebody is waited for.
            coming: All of it, where the server was told to read a small one at once (`is_small`).
        """
        self._coming = coming
        self._protocol = protocol
        self._connection = connection
        self._clients = clients
        self._limits = limits
        self._patience = patience
        self._held = 0
        self._read = 0
        self._complete = False
        self._pieces: AsyncIterator[bytes] | None = None

    async def whole(self, scope: Scope, limit: int, item: int = 0) -> bytes:
        """Read all of it.

        Args:
            scope: The request's.
            limit: Bytes that it may have.
            item: Bytes of each thing that it asks for; 0 where it asks for one.

        Raises:
            TooLarge: It is longer than `limit`.
            Crowded: Too much is kept in memory already.
            TimeoutError: It comes too slowly.
        """
        stated = scope.headers.get("content-length")
        if stated is not None and stated.isascii() and stated.isdigit():
            size = int(stated)
            if size > limit:
                raise TooLarge
            if size == 0:
                self._complete = True
                return b""
            if size <= _AT_ONCE:
                self._keep(size)
                self._clients.count_body(self._connection, size, size // item if item else 0)
                coming = self._coming or asyncio.ensure_future(self._protocol())
                body: bytes = await self._patience.wait(coming)
                self._complete = True
                return body
            if size <= _FITS and self._clients.has_room(self._connection, size):
                return await self._in_one(size, size // item if item else 0)
        elif scope.method == "GET":
            self._complete = True
            return b""
        body = b"".join([chunk async for chunk in self.chunks(limit)])
        if item:
            self._clients.count_body(self._connection, 0, len(body) // item)
        return body

    async def _in_one(self, size: int, items: int) -> bytes:
        """Read a long one as a whole, in no more time than its pieces would have.

        Each piece costs as much as a small request. But of a whole nobody sees how much has come
        yet, so that all of it counts as kept: this is for while there is room.
        """
        self._keep(size)
        self._clients.count_body(self._connection, size, items)
        coming: asyncio.Future[bytes] = asyncio.ensure_future(self._protocol())
        allowed = 2 * self._limits.patience + size / self._limits.slowest
        late = asyncio.get_running_loop().call_later(allowed, coming.cancel)
        try:
            body = await coming
        except asyncio.CancelledError:
            if late.when() > asyncio.get_running_loop().time():
                raise  # it is the relay that ends
            raise TimeoutError from None
        finally:
            late.cancel()
        self._complete = True
        return body

    async def chunks(self, limit: int) -> AsyncIterator[bytes]:
        """Read it piece by piece.

        Raises:
            TooLarge: It is longer than `limit`.
            Crowded: Too much is kept in memory already.
            TimeoutError: It comes too slowly.
            ConnectionAbortedError: It broke off.
        """
        async for chunk in self._take(limit):
            self._keep(len(chunk))
            yield chunk

    async def _take(self, limit: int) -> AsyncIterator[bytes]:
        total, empty = self._read, 0
        now = asyncio.get_running_loop().time
        patience, begun = self._limits.patience, now()
        if self._pieces is None:
            self._pieces = aiter(self._protocol)
        while True:
            # A piece in time is not enough: who sends a byte now and then keeps all the others.
            # That is looked at with the next piece, `patience` too late at most.
            try:
                coming = asyncio.ensure_future(anext(self._pieces))
                chunk = bytes(await self._patience.wait(coming))
                if now() > begun + 2 * patience + total / self._limits.slowest:
                    raise TimeoutError
            except StopAsyncIteration:
                self._complete = True
                return
            empty = 0 if chunk else empty + 1
            if empty > _EMPTY_CHUNKS:
                raise ConnectionAbortedError
            total += len(chunk)
            if total > limit:
                raise TooLarge
            self._read = total
            self._clients.count_body(self._connection, len(chunk))
            yield chunk

    @staticmethod
    def is_small(scope: Scope) -> bool:
        """Tell whether `whole` would read it in one piece."""
        stated: str | None = scope.headers.get("content-length")
        return (
            stated is not None
            and len(stated) <= _DIGITS
            and stated.isascii()
            and stated.isdigit()
            and 0 < int(stated) <= _AT_ONCE
        )

    def release(self) -> None:
        """Let go of what was kept."""
        if self._coming is not None and not self._coming.done():
            self._coming.cancel()  # nobody reads it any more
        if self._held:
            self._clients.hold(self._connection, -self._held)
            self._held = 0

    async def skip(self, scope: Scope) -> None:
        """Read what is left of a large body before it is answered that it wasn't taken.

        A client that has no leave to send all of it would else wait for that, and read no answer.
        """
        if not self._complete and self.is_large(scope):
            with contextlib.suppress(TimeoutError, ConnectionError, TooLarge):
                async for _ in self._take(_SKIPPED):
                    pass

    @staticmethod
    def is_large(scope: Scope) -> bool:
        """Tell whether `skip` would read anything."""
        stated = scope.headers.get("content-length", "")
        return stated.isascii() and stated.isdigit() and _FITS < int(stated) <= _SKIPPED

    def excuse(self, scope: Scope) -> None:
        """Expect what is still on its way of a body that is read no further: it is no flood."""
        if self._complete:
            return
        stated = scope.headers.get("content-length", "")
        size = int(stated) if stated.isascii() and stated.isdigit() else _ON_ITS_WAY
        if stated or scope.method != "GET":
            self._clients.excuse(self._connection, min(size - self._read, _ON_ITS_WAY))

    def _keep(self, size: int) -> None:
        """Count what is kept; handlers that take pieces keep no more than a blob of them."""
        size = min(size, self._limits.kept_bytes - self._held)
        if size > 0:
            self._held += size
            if not self._clients.hold(self._connection, size):
                raise Crowded
