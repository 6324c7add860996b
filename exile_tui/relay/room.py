"""Whether a relay's disk has room for more."""

from __future__ import annotations

import shutil
from pathlib import Path

from exile_tui.relay.slots import Slots


class Room:
    """Looks at the disk. What is kept free on it lets what waits be deleted at any time."""

    def __init__(self, directory: Path, reserve: int, slots: Slots) -> None:
        """Make what looks.

        Args:
            directory: Where the files are.
            reserve: Bytes to be kept free.
            slots: Where bytes may be free in the database.
        """
        self._directory = directory
        self._reserve = reserve
        self._slots = slots

    def for_more(self) -> bool:
        """Tell whether more may be stored; where the disk says nothing, it is tried."""
        try:
            free = shutil.disk_usage(self._directory).free
        except OSError:
            return True
        return free >= self._reserve or min(free, self._slots.free_bytes()) >= self._reserve // 2
