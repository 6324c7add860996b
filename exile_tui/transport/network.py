"""Connections that are all closed with their client.

httpcore leaves a socket open when a TLS or SOCKS5 handshake is cancelled or fails half-way. Here
every connection is known from its first byte on, so that closing the client closes them all.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

_KEEPALIVE = 60.0
"""Seconds after which an idle connection is not used again."""


def prepare() -> None:
    """Load what httpcore loads as it first connects; for a thread that runs no event loop.

    Else it takes 45 ms of the event loop's time, in front of the first chat that is opened.
    """
    asyncio.run(httpcore.AnyIOBackend().sleep(0))


class _Connection(httpcore.AsyncNetworkStream):
    """A connection on its way to TLS, entered in a set for as long as it is open."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, open_ones: set[_Connection]) -> None:
        self._inner = inner
        self._open_ones = open_ones
        open_ones.add(self)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        self._open_ones.discard(self)
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        # The connection below stays entered until this one, which takes it over, is.
        secured = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        self._open_ones.discard(self)
        return _Connection(secured, self._open_ones)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore.AsyncNetworkBackend):
    """Opens connections and knows those that are open."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._open_ones: set[_Connection] = set()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        inner = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Connection(inner, self._open_ones)

    async def aclose(self) -> None:
        for connection in list(self._open_ones):
            await connection.aclose()


class RelayTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over a pool of our own making."""

    def __init__(self, tls: ssl.SSLContext, proxy: str | None, connections: int) -> None:
        """Take the TLS context, a SOCKS5 proxy or none, and how many connections it may hold."""
        self._network = _Network()
        self._pool = (
            self._direct(tls, connections)
            if proxy is None
            else (self._proxied(tls, connections, proxy))
        )

    async def aclose(self) -> None:
        """Close every connection, those that were never finished included."""
        await super().aclose()
        await self._network.aclose()

    def _direct(self, tls: ssl.SSLContext, connections: int) -> httpcore.AsyncConnectionPool:
        return httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            keepalive_expiry=_KEEPALIVE,
            http2=True,
            network_backend=self._network,
        )

    def _proxied(
        self, tls: ssl.SSLContext, connections: int, proxy: str
    ) -> httpcore.AsyncConnectionPool:
        parts = urlsplit(proxy)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return httpcore.AsyncSOCKSProxy(
            proxy_url=f"socks5://{parts.netloc.rpartition('@')[2]}",
            proxy_auth=(user.encode(), password.encode()) if user else None,
            ssl_context=tls,
            max_connections=connections,
            keepalive_expiry=_KEEPALIVE,
            http2=True,
            network_backend=self._network,
        )
