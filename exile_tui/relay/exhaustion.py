"""What a relay does when its descriptors run out: let nobody in until there are some again.

Granian asks for the next connection again and again when there is no descriptor for it, in the
thread that would also notice that others ended: from then on nobody would get in, and nothing end,
until the relay is started anew (measured with 2.8.7). So some are kept back by a lower limit; when
the others are used up, the system drops what comes from whoever is not connected yet, and the limit
is raised for those that it took already.
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
_DROP_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0)
"""Classic BPF: nothing of any packet is taken. Not of the first ones only: a connection that is
half open, of which there may be many, would be let in with its third."""


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
            used_up = _none_left(listening[0])
            if not closed and used_up:
                closed = True
                for each in listening:
                    _refuse_all(each)
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            elif closed and not used_up and _count_open() < usual * 3 // 4:
                closed = False
                resource.setrlimit(resource.RLIMIT_NOFILE, (usual, hard))
                for each in listening:
                    with contextlib.suppress(OSError):
                        each.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
            await asyncio.sleep(_LOOK_AGAIN)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _none_left(any_open: socket.socket) -> bool:
    try:
        os.close(os.dup(any_open.fileno()))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False


def _count_open() -> int:
    """Count the descriptors: those above the usual limit must be free again too."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:  # no /proc here
        return 0


def _refuse_all(listening: socket.socket) -> None:
    """Let nobody in any more; who is connected, or waits already, is not concerned."""
    held = ctypes.create_string_buffer(_DROP_ALL, len(_DROP_ALL))
    program = struct.pack("@HP", 1, ctypes.addressof(held))
    with contextlib.suppress(OSError):  # forbidden in this container
        listening.setsockopt(socket.SOL_SOCKET, _ATTACH, program)
