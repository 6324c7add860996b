"""What a relay does when its descriptors run out: let nobody in until there are some again.

Granian asks for the next connection again and again when there is no descriptor for it, in the
thread that would also notice that others ended: from then on nobody would get in, and nothing end,
until the relay is started anew (measured with 2.8.7). So some are kept back by a lower limit; when
the others are used up, the system drops what comes from whoever is not connected yet, and the limit
is raised for those that it took already.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from typing import NamedTuple

from exile_tui.relay.door import Door

_BACKLOG = 1024
_SPARE = 32
_MANY = 65_536
"""Descriptors that are used where the system sets no limit."""
_LOOK_AGAIN = 0.1
"""Seconds between looks; a look takes some microseconds."""


class Descriptors(NamedTuple):
    """How many descriptors a relay makes use of."""

    most: int
    """As many as it may have."""
    usual: int
    """So many while nobody is kept out; the others are for who waits to be let in then."""

    @property
    def backlog(self) -> int:
        """Return the length of the queue of who waits to be let in."""
        return min(_BACKLOG, self.most // 4)


def descriptors() -> Descriptors:
    """Return what the system allows; where it sets no limit, as many as a relay makes use of."""
    try:
        import resource
    except ImportError:  # Windows, where there is no such limit
        return Descriptors(_MANY, _MANY)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = _MANY if hard == resource.RLIM_INFINITY else min(hard, _MANY)
    kept_back = Descriptors(most, most).backlog + _SPARE
    usual = max(most - kept_back, most // 2) if sys.platform == "linux" else most
    return Descriptors(most, usual)


async def keep_accepting(door: Door) -> None:
    """Look until cancelled, where the system is Linux.

    Args:
        door: The sockets that are listened on.
    """
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most, usual = descriptors()
    closed = False
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual, hard))
    try:
        while True:
            used_up = _none_left(door.listening[0])
            if not closed and used_up:
                closed = True
                door.shut(True)
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            elif closed and not used_up and _count_open() < usual * 3 // 4:
                closed = False
                resource.setrlimit(resource.RLIMIT_NOFILE, (usual, hard))
                door.shut(False)
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
