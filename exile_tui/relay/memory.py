"""How much memory there is for a relay."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_UNKNOWN = 6 << 30


def memory() -> int:
    """Return the bytes of this computer's memory, or what a container or unit may use of them."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # where the system doesn't tell
        return _UNKNOWN
    return min(there, _allowed())


def _allowed() -> int:
    """Return how much memory a container or unit may use; very much where there is no limit."""
    try:
        group = Path("/proc/self/cgroup").read_text("ascii").rpartition("0::/")[2].strip()
        return int(Path("/sys/fs/cgroup", group, "memory.max").read_text("ascii"))
    except (OSError, ValueError):  # also the word for no limit
        return sys.maxsize
