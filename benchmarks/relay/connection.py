"""A TLS connection for load: bytes out, bytes in, and nothing between.

The socket is OpenSSL's own (no copies through memory buffers), watched by the loop. Handshakes run
in the loop too, so that many can be under way at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence

_READ = 65_536
"""More than one TLS record, which is what OpenSSL hands out at once."""

Received = Callable[[bytes], None]
Lost = Callable[[Exception], None]


class Broken(Exception):
    """The load can't go on: the connection ended, or an answer is not the expected one."""


def client_context(protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """Make a context for TLS 1.3 that takes any certificate: both ends are this machine's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class Connection:
    """One connection; `received` and `lost` are called in the loop."""

    def __init__(self, received: Received, lost: Lost) -> None:
        self._received = received
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._socket: ssl.SSLSocket
        self._unsent: list[bytes] = []
        self._blocked = b""
        self._open = False

    async def open(self, address: tuple[str, int], context: ssl.SSLContext) -> None:
        """Connect and shake hands.

        Raises:
            OSError: Nobody answers, or not in TLS.
        """
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.sock_connect(plain, address)
            self._socket = context.wrap_socket(plain, do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        await self._shake_hands()
        self._open = True
        self._loop.add_reader(self._socket, self._read)

    async def _shake_hands(self) -> None:
        while True:
            try:
                self._socket.do_handshake()
                return
            except ssl.SSLWantReadError:
                wait, stop = self._loop.add_reader, self._loop.remove_reader
            except ssl.SSLWantWriteError:
                wait, stop = self._loop.add_writer, self._loop.remove_writer
            ready = self._loop.create_future()
            wait(self._socket, _resolve, ready)
            try:
                await ready
            finally:
                stop(self._socket)

    def write(self, data: bytes) -> None:
        """Send bytes, later where the socket takes none now."""
        if self._blocked:
            self._unsent.append(data)
            return
        try:
            self._socket.send(data)  # all of it, or it raises
        except (ssl.SSLWantWriteError, BlockingIOError):
            self._blocked = data  # OpenSSL must be given the same bytes again
            self._loop.add_writer(self._socket, self._write_on)
        except OSError as error:
            self._fail(error)

    def _write_on(self) -> None:
        try:
            self._socket.send(self._blocked)
        except (ssl.SSLWantWriteError, BlockingIOError):
            return
        except OSError as error:
            self._fail(error)
            return
        self._loop.remove_writer(self._socket)
        self._blocked = b""
        if self._unsent:
            unsent, self._unsent = self._unsent, []
            self.write(b"".join(unsent))

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (ssl.SSLWantReadError, BlockingIOError):
            return
        except OSError as error:
            self._fail(error)
            return
        if not data:
            self._fail(Broken("the server closed a connection"))
            return
        try:
            self._received(data)
        except Broken as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._open:
            self.close()
            self._lost(error)

    def close(self) -> None:
        """Say goodbye, wait for no answer."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            with contextlib.suppress(OSError):
                self._socket.unwrap()
            self._socket.close()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
