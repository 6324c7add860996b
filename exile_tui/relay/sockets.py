"""This process's own sockets: how they listen, who is at their other end, and ending one.

Granian accepts connections itself and tells of none before its first request; so they are found
among the descriptors.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import stat
import struct
import sys
from collections.abc import Collection, Iterator
from typing import NamedTuple

from exile_tui.relay.door import let_through
from exile_tui.relay.exhaustion import descriptors

_SEND_BUFFER, _RECEIVE_BUFFER = 131_072, 65_536
"""Bytes that the system keeps for one connection, where it would keep megabytes.

Thousands of connections that read nothing would else use up the memory that all of TCP has; and
what one sends at once is all handled before anybody else's.
"""

_UNREAD_MS = 60_000
"""For so long what was sent may stay without any acknowledgement."""

_DEFER_S = 5
"""A connection is handed over with its first byte, or after so long."""

_HOLE, _USUAL_HOLE = 1024, 64
"""Closed descriptors in a row after which none is expected any more, and most times none is looked
for: a new one has the lowest number that is free, so that long holes come of many that closed."""

_SELDOM = 8
"""Looks of which one is that thorough. Each closed number costs 1.3 us, also of an idle relay."""

_SPARE_DESCRIPTORS = 128
"""Kept for the database, its log and what else opens files."""

_INFO = 136
"""Bytes of Linux's `struct tcp_info` up to the end of `tcpi_bytes_received`, its last eight."""

HAVE_DESCRIPTORS = sys.platform != "win32"
"""Whether sockets are found by counting through small numbers."""


def set_options(listening: socket.socket) -> None:
    """Set what accepted connections inherit, and how they are accepted."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    for name, value in (("TCP_DEFER_ACCEPT", _DEFER_S), ("TCP_USER_TIMEOUT", _UNREAD_MS)):
        if (option := getattr(socket, name, None)) is not None:  # Linux
            listening.setsockopt(socket.IPPROTO_TCP, option, value)


def raise_descriptor_limit() -> int:
    """Allow this process as many descriptors as it may have; return how many connections fit."""
    most, usual = descriptors()
    with contextlib.suppress(ImportError):  # Windows, where there is no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < most:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            except (OSError, ValueError):  # macOS names a hard limit that it doesn't allow
                usual = soft
    return max(usual - _SPARE_DESCRIPTORS, usual // 2)


class Found(NamedTuple):
    """An open connection of ours."""

    descriptor: int
    client: str
    """The other end, written as granian writes it: `1.2.3.4:5` or `[::1]:5`."""
    received: int
    """Bytes that came in; 0 where the system doesn't tell."""


class Sockets:
    """Looks through the descriptors of this process. It needs no new one, were all used up."""

    def __init__(self, ports: Collection[int]) -> None:
        """Take the ports that are listened on; connections to others are nobody's business."""
        self._ports = ports
        self._nothing = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Whatever lies under its number later, an address of any family fits into this one's.
        self._slot = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._highest = 0
        self._looks = 0
        self.lets_through = False
        """Whether connections may have inherited a program, which is taken away then."""

    def close(self) -> None:
        """Give its own descriptors back."""
        self._slot.close()
        self._nothing.close()

    def __iter__(self) -> Iterator[Found | None]:
        """Go through all descriptors: a connection, or None for a number that is none."""
        highest, descriptor = 0, 3
        hole = _USUAL_HOLE if self._looks % _SELDOM else _HOLE
        self._looks += 1
        while descriptor <= max(highest, self._highest) + hole:
            found = None
            try:
                is_socket = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
            except OSError:  # closed
                pass
            else:
                highest = descriptor
                if is_socket:
                    found = self._look(descriptor)
            yield found
            descriptor += 1
        self._highest = highest

    def end(self, found: Found) -> bool:
        """Shut a connection down, unless its number belongs to another one meanwhile.

        It is duplicated first, so that its number can't come to mean another one half-way.
        """
        try:
            # Only sockets: closing any descriptor of a file drops this process's locks on it.
            if not stat.S_ISSOCK(os.fstat(found.descriptor).st_mode):
                return False
            os.dup2(found.descriptor, self._slot.fileno(), inheritable=False)
            if self._client(self._slot) != found.client:
                return False
            if not _reset(self._slot):
                self._slot.shutdown(socket.SHUT_RDWR)
        except OSError:  # gone by itself
            return False
        finally:
            os.dup2(self._nothing.fileno(), self._slot.fileno(), inheritable=False)
        return True

    def _look(self, descriptor: int) -> Found | None:
        try:
            borrowed = socket.SocketType(socket.AF_UNIX, socket.SOCK_STREAM, 0, descriptor)
        except OSError:
            return None
        try:
            client = self._client(borrowed)
            if client is None:
                return None
            if self.lets_through:
                let_through(borrowed)
            return Found(descriptor, client, _received(borrowed))
        except OSError:  # not connected, or gone
            return None
        finally:
            borrowed.detach()  # it stays open: it is granian's

    def _client(self, connection: socket.SocketType) -> str | None:
        own = connection.getsockname()
        if not isinstance(own, tuple) or own[1] not in self._ports:
            return None
        host, port, *more = connection.getpeername()
        if not more:
            return f"{host}:{port}"
        zone = f"%{more[1]}" if more[1] else ""
        return f"[{host.partition('%')[0]}{zone}]:{port}"


def _reset(connection: socket.socket) -> bool:
    """Reset a connection on which something lies unread at either end; return whether it was done.

    Else the relay would go on to read what a flood left behind, and the system would keep for
    minutes what nobody reads.
    """
    if sys.platform != "linux":
        return False
    import fcntl
    import termios

    unread = (termios.TIOCOUTQ, termios.FIONREAD)
    if not any(any(fcntl.ioctl(connection, which, bytes(4))) for which in unread):
        return False
    # To connect to an address of no family dissolves a connection (man 2 connect).
    nowhere = bytes(16)
    return not ctypes.CDLL(None).connect(connection.fileno(), nowhere, len(nowhere))


def _received(connection: socket.SocketType) -> int:
    if sys.platform != "linux":
        return 0
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO)
    return int(struct.unpack_from("=Q", info, _INFO - 8)[0]) if len(info) == _INFO else 0
