"""Large writings past the system's cache, as little of a burst is read again soon.

Through the cache, each page costs a copy and a place in memory: a third of the processor's time
where two megabytes are written at once.
"""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path

BLOCK = 4096
"""Bytes of what such a writing must be a multiple of, and begin at."""
LEAST = 1024 * 1024
"""Bytes from which on it is worth it: of less, much is fetched soon, and should be in memory."""
_ROOM = 4 * 1024 * 1024
"""Bytes that are written at once."""
_DIRECT = getattr(os, "O_DIRECT", 0)
_CAN_NOT = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
"""What a file system says that has no such writing."""


class BulkWriter:
    """Writes much at once, durably, where the system can do that; used by one thread at a time."""

    def __init__(self) -> None:
        self._room: mmap.mmap | None = None
        self._can = bool(_DIRECT)

    def write(self, path: Path, before: bytes, data: bytes, start: int) -> int | None:
        """Write bytes, and zeros up to the end of their last block.

        Args:
            path: A file that is there.
            before: What stands before them in their first block; it is written again.
            data: The bytes.
            start: Where they begin.

        Returns:
            Where the zeros end; None where the system can't, and nothing was written.

        Raises:
            OSError: The disk is full or fails.
        """
        if not self._can:
            return None
        if self._room is None:
            self._room = mmap.mmap(-1, _ROOM)
        try:
            file = os.open(path, os.O_WRONLY | os.O_DSYNC | _DIRECT)
            try:
                return self._write(file, before, memoryview(data), start - len(before))
            finally:
                os.close(file)
        except OSError as error:
            if error.errno not in _CAN_NOT:
                raise
            self._can = False
            return None

    def _write(self, file: int, before: bytes, rest: memoryview, at: int) -> int:
        assert self._room is not None
        with memoryview(self._room) as room:
            room[: len(before)] = before
            used = len(before)
            while rest:
                part, rest = rest[: _ROOM - used], rest[_ROOM - used :]
                room[used : used + len(part)] = part
                used += len(part)
                end = -(-used // BLOCK) * BLOCK
                room[used:end] = bytes(end - used)
                with room[:end] as left:
                    if os.pwrite(file, left, at) != end:
                        raise OSError(errno.EIO, "Written in part")
                at, used = at + end, 0
        return at
