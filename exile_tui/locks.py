"""Locks on files, between processes; the system lets go of them when a process is killed."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # the module is absent, not another one


class FileLock:
    """A lock on a file, made when it is missing and never removed.

    Removing it would let two processes lock two files of one name. Shared holders exclude an
    exclusive one and the reverse. On Windows, which has no shared locks, shared ones exclude too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self, *, shared: bool = False, wait: bool = False) -> bool:
        """Lock; return whether it was got. What is held already stays as it is.

        Args:
            shared: Let others share it.
            wait: Block until it is free.

        Raises:
            OSError: The file can't be made.
        """
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor, shared=shared, wait=wait)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go; again does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _lock(descriptor: int, *, shared: bool, wait: bool) -> None:
    if fcntl is not None:
        operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, operation if wait else operation | fcntl.LOCK_NB)
        return
    import msvcrt  # only there

    mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK
    msvcrt.locking(descriptor, mode, 1)
