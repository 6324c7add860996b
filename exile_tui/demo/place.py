"""The directory that a demo lives in: in memory where the system has room for that, then gone."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from exile_tui.errors import N_, ExileError
from exile_tui.locks import FileLock

PREFIX = "exile-tui-demo-"
ROOM = 96 * 1024 * 1024
"""Bytes that must be free: two profiles with 8 MiB of reserve each, the relay, and air."""
HOLD_FILE = "alive"
"""Every process of a demo holds a shared lock on it; a directory without holders is a leftover."""
_TRIES = 200
"""How often removing is tried: another process may just be writing its last file."""

_NO_PLACE = N_(
    "The demo needs {megabytes} MB for a while, and {path} can't be used for it. "
    "Set TMPDIR to a directory with more room and start again."
)


class NoPlace(ExileError):
    """No directory for temporary files has room, or lets us write."""

    sentence = _NO_PLACE


def parents(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return where a demo may live, the best place first.

    A TMPDIR that somebody set is obeyed. Else, on Linux, memory comes before a disk: what never
    was on a disk can't be found on one. The user's own run-time directory goes with the login too;
    it may be small, so that its room is looked at.
    """
    if environment.get("TMPDIR"):
        return [Path(environment["TMPDIR"])]
    found = []
    if sys.platform == "linux":
        if runtime := environment.get("XDG_RUNTIME_DIR"):
            found.append(Path(runtime))
        found.append(Path("/dev/shm"))  # noqa: S108 - a private directory is made in it
    return [*found, Path(tempfile.gettempdir())]


def make(choices: list[Path] | None = None) -> tuple[Path, FileLock]:
    """Make a directory that only its owner may enter, where there is room, and hold it.

    Raises:
        NoPlace: There is none.
    """
    tried = parents() if choices is None else choices
    for parent in tried:
        with suppress(OSError):
            if shutil.disk_usage(parent).free >= ROOM:
                directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()
                return directory, hold(directory)
    raise NoPlace(path=tried[-1], megabytes=ROOM // 2**20)


def hold(directory: Path) -> FileLock:
    """Say that this process lives in the directory, until it ends.

    Raises:
        OSError: The directory is gone.
    """
    lock = FileLock(directory / HOLD_FILE)
    lock.acquire(shared=True, wait=True)
    if not (directory / HOLD_FILE).exists():  # swept away between making and locking it
        lock.release()
        raise FileNotFoundError(directory)
    return lock


def remove(directory: Path) -> None:
    """Remove the directory with all in it, while others may still write their last."""
    for _ in range(_TRIES):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return


def sweep(choices: list[Path] | None = None) -> None:
    """Remove what a demo left of which every process was killed at once."""
    for directory in _leftovers(parents() if choices is None else choices):
        # One without the file is being made just now.
        if (directory / HOLD_FILE).exists():
            with suppress(OSError), FileLock(directory / HOLD_FILE) as lock:
                if lock.acquire():
                    remove(directory)


def _leftovers(places: list[Path]) -> Iterator[Path]:
    for parent in places:
        with suppress(OSError):
            for directory in parent.glob(f"{PREFIX}*"):
                status = directory.lstat()
                if stat.S_ISDIR(status.st_mode) and status.st_uid == _owner():
                    yield directory


def _owner() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
