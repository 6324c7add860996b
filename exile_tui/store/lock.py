"""One process at a time holds a profile."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from exile_tui.errors import ProfileInUse
from exile_tui.locks import FileLock


class ProfileLock:
    """A locked file that holds its owner's process id; the lock ends with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path)

    def acquire(self, profile: str) -> None:
        """Lock without waiting.

        Raises:
            ProfileInUse: Another holder has it.
            OSError: The file can't be made.
        """
        if not self._lock.acquire():
            pid = self._path.read_bytes().strip()
            raise ProfileInUse(profile=profile, pid=int(pid) if pid.isdigit() else 0)
        # A full disk must not keep anyone out; then the id is missing.
        with suppress(OSError):
            self._path.write_text(f"{os.getpid()}\n", encoding="ascii")

    def release(self) -> None:
        """Unlock; again does nothing."""
        self._lock.release()
