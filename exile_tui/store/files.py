"""Files of a profile: private, written whole or not at all, and a reserve for a full disk."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

FILE_MODE = 0o600
RESERVE_BYTES = 8 * 1024 * 1024
_ZEROS = bytes(1024 * 1024)


def sync_directory(directory: Path) -> None:
    """Make renames and removals in a directory durable, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, replacing one of that name, and fsync it."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def remove_overwritten(path: Path) -> None:
    """Remove a file, if there is one, after its bytes were overwritten where they lie."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            path.unlink()
            overwrite(descriptor)
        finally:
            os.close(descriptor)


def overwrite(descriptor: int) -> None:
    """Overwrite an open file that has no name any more, with zeros, and fsync it.

    On a disk that writes elsewhere than it was told (flash, copy on write) this is no promise.
    A file that still has a name is somebody's backup by a hard link, and left alone.
    """
    found = os.fstat(descriptor)
    if found.st_nlink:
        return
    with suppress(OSError):  # its blocks are given back all the same
        for start in range(0, found.st_size, len(_ZEROS)):
            os.pwrite(descriptor, _ZEROS[: found.st_size - start], start)
        os.fsync(descriptor)


def replace_atomically(path: Path, temporary: Path, content: bytes) -> None:
    """Replace a file's content so that a crash leaves the old or the new, never a mixture.

    Args:
        path: The file.
        temporary: A name in the same directory that means nothing to anyone.
        content: All of it.
    """
    try:
        write_new(temporary, content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def touch_private(path: Path) -> None:
    """Create an empty file that only its owner may read."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


class Reserve:
    """8 MiB that are given back when the disk is full, so that deleting still works.

    Deleting needs room too: SQLite writes the changed pages to the write-ahead log first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.gone = False
        """Nothing that makes the database longer is to be committed.

        What is deleted makes room inside the file; up to the reserve's 8 MiB at a time.
        """

    def take(self) -> None:
        """Take the room unless it is taken; blocks.

        It is taken only when as much stays free: right after it was given back it must not be
        taken again before anything was deleted.
        """
        self.gone = not self._ensure()

    def give(self) -> None:
        """Give the room back."""
        self._release()
        self.gone = True

    def _ensure(self) -> bool:
        with suppress(OSError):
            if self._path.stat().st_size == RESERVE_BYTES:
                return True
        try:
            if shutil.disk_usage(self._path.parent).free < 2 * RESERVE_BYTES:
                return False
            write_new(self._path, b"")
            with self._path.open("r+b") as file:
                _allocate(file.fileno())
                os.fsync(file.fileno())
        except OSError:
            self._release()
            return False
        return True

    def _release(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _allocate(descriptor: int) -> None:
    """Take real blocks, not a hole."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        return
    block = bytes(1024 * 1024)
    for _ in range(RESERVE_BYTES // len(block)):
        os.write(descriptor, block)
