"""What a relay does when its descriptors run out: let nobody in until there are some again.

Granian asks for the next connection again and again when there is no descriptor for it, in the
thread that would also notice that others ended: from then on nobody would get in, and nothing end,
until the relay is started anew (measured with 2.8.7). So some are kept back by a lower limit; when
the others are used up, the system drops the first packet of new connections, and the limit is
raised for those that it took already.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Sequence

_BACKLOG = 1024
_SPARE = 32
_MANY = 65_536
"""Descriptors that are used where the system sets no limit."""
_LOOK_AGAIN = 0.1
"""Seconds between looks; a look takes some microseconds."""

_ATTACH, _DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER, which Python doesn't name."""
_DROP_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
"""Classic BPF: the byte of TCP's flags; with SYN none of the packet is taken, else all of it."""


async def keep_accepting(listening: Sequence[socket.socket]) -> None:
    """Look until cancelled, where the system is Linux.

    Args:
        listening: The sockets that are listened on; one at least.
    """
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MANY if hard == resource.RLIM_INFINITY else min(hard, _MANY)
    backlog = min(_BACKLOG, most // 4)
    usual = max(most - backlog - _SPARE, most // 2)
    for each in listening:
        each.listen(backlog)
    closed = False
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual, hard))
    try:
        while True:
            free = _lowest_free(listening[0])
            if not closed and free is None:
                closed = True
                for each in listening:
                    _refuse_all(each)
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            elif closed and free is not None and free < usual * 3 // 4:
                closed = False
                resource.setrlimit(resource.RLIMIT_NOFILE, (usual, hard))
                for each in listening:
                    with contextlib.suppress(OSError):
                        each.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
            await asyncio.sleep(_LOOK_AGAIN)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _lowest_free(any_open: socket.socket) -> int | None:
    """Return the number that the next descriptor gets; None when there is none."""
    try:
        number = os.dup(any_open.fileno())
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return None
        raise
    os.close(number)
    return number


def _refuse_all(listening: socket.socket) -> None:
    """Let nobody in any more; who is connected, or waits already, is not concerned."""
    code = b"".join(struct.pack("=HBBI", *each) for each in _DROP_SYN)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(_DROP_SYN), ctypes.addressof(held))
    with contextlib.suppress(OSError):  # forbidden in this container
        listening.setsockopt(socket.SOL_SOCKET, _ATTACH, program)
