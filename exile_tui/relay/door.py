"""Whom the system lets in to the sockets that are listened on.

A classic BPF program at a listening socket takes or drops packets of new connections (man 7 socket,
SO_ATTACH_FILTER). It needs no right, ends with the socket, and is written in no file. There is one
program at a time, so whoever wants somebody kept out says it here.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys
from collections.abc import Sequence

from exile_tui.relay.refusing import DROP_ALL, MOST, Instruction, program

_ATTACH, _DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER; Python doesn't name them."""


class Door:
    """Open to all, to all but some addresses, or shut."""

    def __init__(self, listening: Sequence[socket.socket]) -> None:
        """Take the sockets; one at least. They are closed with it."""
        self.listening = listening
        self._refused: list[bytes] = []
        self._shut = False
        self.guarded = False
        """Whether there is a program; connections inherit it, and with it whom it names."""

    def refuse(self, addresses: Sequence[bytes]) -> None:
        """Drop the first packet of every connection from these addresses, and from no others.

        Args:
            addresses: IPv4 addresses of 4 bytes, IPv6 networks of 8.
        """
        if (refused := list(addresses)) != self._refused:
            self._refused = refused
            self._apply()

    def shut(self, shut: bool) -> None:
        """Let nobody in any more, or again; who is connected or waits already is not concerned."""
        if shut != self._shut:
            self._shut = shut
            self._apply()

    def close(self) -> None:
        """Close the sockets."""
        for each in self.listening:
            each.close()

    def _apply(self) -> None:
        if sys.platform != "linux":
            return
        self.guarded = self._shut or bool(self._refused)
        for each in self.listening:
            if not self.guarded:
                let_through(each)
                continue
            addresses = self._refused[-MOST:]
            if _attached(each, self._shut, addresses):
                continue
            # The system counts the old one and the new one together, and has little room for both.
            let_through(each)
            while not _attached(each, self._shut, addresses) and addresses:
                addresses = addresses[(len(addresses) + 1) // 2 :]


def let_through(connection: socket.SocketType) -> None:
    """Take the program away from a socket, if it has one."""
    with contextlib.suppress(OSError):  # it has none
        connection.setsockopt(socket.SOL_SOCKET, _DETACH, 0)


def _attached(listening: socket.socket, shut: bool, refused: Sequence[bytes]) -> bool:
    made: Sequence[Instruction] = DROP_ALL if shut else program(refused)
    code = b"".join(struct.pack("=HBBI", *one) for one in made)
    held = ctypes.create_string_buffer(code, len(code))
    packed = struct.pack("@HP", len(made), ctypes.addressof(held))
    try:
        listening.setsockopt(socket.SOL_SOCKET, _ATTACH, packed)
    except OSError:  # no memory for it, or forbidden in this container
        return False
    return True
