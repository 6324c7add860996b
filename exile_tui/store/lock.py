"""One process at a time holds a profile."""

from __future__ import annotations

import os
from pathlib import Path

from exile_tui.errors import ProfileInUse
from exile_tui.store.files import FILE_MODE

try:
    import fcntl
except ImportError:  # Windows, which has no flock; its own lock comes with its first release
    fcntl = None  # type: ignore[assignment]  # the module is absent, not another one


class ProfileLock:
    """A file locked by `flock` and holding its owner's process id; the lock ends with the process.

    The file stays when the lock goes: removing it would let two processes lock two files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, profile: str) -> None:
        """Lock without waiting.

        Raises:
            ProfileInUse: Another holder has it.
            OSError: The file can't be made.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise ProfileInUse(profile=profile, pid=int(pid) if pid.isdecimal() else 0) from None
        except BaseException:
            os.close(descriptor)
            raise
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        except OSError:  # a full disk must not keep anyone out
            pass
        self._descriptor = descriptor

    def release(self) -> None:
        """Unlock; again does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
