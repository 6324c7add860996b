"""Files of the journal that stay, as much still waits in them.

The database says where each body lies, and the file says nothing any more: its records are
forgotten. What is acknowledged is overwritten where it lies. When little is left, that is moved to
the database, and the file deleted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice

from exile_tui.relay.index import OpenSegment
from exile_tui.relay.replay import Noted

LEAST = 16 * 1024 * 1024
"""Bytes of bodies from which on a file may stay. Below that the database is rewritten often, so
that it gives up in which order they came; a file can't."""

_OPEN = 32
"""Files that are held open; the others are opened for each reading."""
_AT_ONCE = 1024
"""Bodies that are overwritten at once."""

_SHARE = 0.25
"""Part of a file that must still wait there."""
_TIGHT = 0.75
"""The same where the disk has no room for more: the rest of it can't be used by others."""


def may_stay(segment: OpenSegment) -> bool:
    """Tell whether the bodies that wait in a file should stay in it."""
    waits = segment.waiting + segment.kept
    return segment.file.forgetful and waits >= LEAST and waits >= segment.file.size * _SHARE


class StayingFiles:
    """Those files, by their numbers."""

    def __init__(self) -> None:
        self._files: dict[int, OpenSegment] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[OpenSegment]:
        return iter(tuple(self._files.values()))

    def get(self, number: int) -> OpenSegment | None:
        """Return a file, None if it is not here."""
        return self._files.get(number)

    def add(self, segment: OpenSegment) -> None:
        """Take a file whose records are forgotten."""
        self._files[segment.number] = segment
        segment.unseen = not segment.file.tidy
        if len(self._files) > _OPEN:
            segment.file.rest()

    def clear(self) -> None:
        """Drop all; they were closed."""
        self._files.clear()

    @property
    def bytes(self) -> int:
        """Bytes of the bodies that wait in them."""
        return sum(each.kept for each in self)

    def put_last(self, segment: OpenSegment) -> None:
        """Let all others come before a file that fails."""
        self._files[segment.number] = self._files.pop(segment.number)

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(each.file.size for each in self)

    @property
    def unseen(self) -> int:
        """Bytes of those that are to be looked through."""
        return sum(each.file.size for each in self if each.unseen)

    def straggling(self, *, tight: bool = False) -> OpenSegment | None:
        """Return a file in which too little waits for it to stay, None if there is none.

        Args:
            tight: Whether the disk needs the room of what was deleted there.
        """
        few = self.bytes < LEAST // 2
        share = _TIGHT if tight else _SHARE
        for segment in self:
            if few or not segment.kept or segment.kept < segment.file.size * share:
                return segment
        return None

    def remove(self, segment: OpenSegment) -> None:
        """Delete a file of which nothing waits any more.

        Raises:
            OSError: The disk fails.
        """
        segment.file.empty_out()
        del self._files[segment.number]
        with contextlib.suppress(OSError):  # at the next start
            segment.file.remove()


def scrub(segment: OpenSegment, noted: Noted) -> None:
    """Overwrite whatever no place points to in a file that was not seen from its beginning.

    Raises:
        OSError: The disk fails.
    """
    segment.file.blank_all_but(noted(segment.number).items())
    segment.deleted.clear()
    segment.unseen = False


def blank_some(segment: OpenSegment) -> None:
    """Overwrite some of what was deleted in a file, so that no batch waits for long.

    Raises:
        OSError: The disk fails.
    """
    some = list(islice(segment.deleted.items(), _AT_ONCE))
    segment.file.blank(some)
    for offset, _ in some:
        del segment.deleted[offset]


def blank_each(segments: Iterable[OpenSegment], noted: Noted) -> None:
    """Overwrite what was deleted in files.

    Raises:
        OSError: The disk fails; all others are done.
    """
    failed: OSError | None = None
    for segment in segments:
        try:
            if segment.unseen:
                scrub(segment, noted)
            elif segment.deleted:
                segment.file.blank(segment.deleted.items())
                segment.deleted.clear()
        except OSError as error:
            failed = error
    if failed is not None:
        raise failed
