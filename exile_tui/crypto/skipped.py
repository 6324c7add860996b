"""Skipped message keys, kept for messages that come late (docs/protocol.md, section 5)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from exile_tui.errors import CryptoError

MAX_KEPT_OF_GAP: Final = 1_000
MAX_KEYS: Final = 2_000
MAX_OLD_CHAINS: Final = 64
LIFETIME_DAYS: Final = 14

_ENTRY: Final = struct.Struct(">II32s")
_MAX_DAY: Final = 2**32 - 1


def _storable_day(day: int) -> int:
    """Return the day in the range that is stored: a clock that is far off must stop no message."""
    return min(max(day, 0), _MAX_DAY)


@dataclass(frozen=True, slots=True, eq=False)
class SkippedKeys:
    """The skipped message keys of one receiving chain, in ascending n, which is their age too.

    A value: every change gives a new one, and what did not change is shared. Its bytes are made
    once, when first asked for.
    """

    _by_n: Mapping[int, tuple[int, bytes]] = field(repr=False)
    """n to the day on which it was stored (whole days since the epoch) and the message key."""
    _encoded: bytes | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._by_n)

    def take(self, n: int) -> tuple[bytes, SkippedKeys]:
        """Return the message key of n and the keys without it.

        Raises:
            CryptoError: It is not here.
        """
        if n not in self._by_n:
            raise CryptoError
        remaining = dict(self._by_n)
        _, key = remaining.pop(n)
        return key, SkippedKeys(remaining) if remaining else NO_SKIPPED_KEYS

    def with_gap(self, first_n: int, keys: list[bytes], day: int) -> SkippedKeys:
        """Return these keys and those of a gap, which starts at `first_n`."""
        if not keys:
            return self
        stored = _storable_day(day)
        added = dict(self._by_n)
        added.update((first_n + i, (stored, key)) for i, key in enumerate(keys))
        return SkippedKeys(added)

    def without_oldest(self, count: int) -> SkippedKeys:
        """Return these keys without the `count` that came first."""
        return SkippedKeys(dict(islice(self._by_n.items(), count, None)))

    def expired(self, day: int) -> SkippedKeys:
        """Return those that are at most 14 days old; itself when all are."""
        oldest = _storable_day(day) - LIFETIME_DAYS
        if all(stored >= oldest for stored, _ in self._by_n.values()):
            return self
        return SkippedKeys({n: e for n, e in self._by_n.items() if e[0] >= oldest})

    def to_bytes(self) -> bytes:
        """Return `count 2`, then `n 4 | day 4 | message key 32` each."""
        encoded = self._encoded
        if encoded is None:
            pack = _ENTRY.pack
            entries = [pack(n, day, key) for n, (day, key) in self._by_n.items()]
            encoded = len(entries).to_bytes(2, "big") + b"".join(entries)
            object.__setattr__(self, "_encoded", encoded)
        return encoded

    @classmethod
    def from_entries(cls, entries: bytes) -> SkippedKeys:
        """Read the entries that follow the count.

        Raises:
            CryptoError: They are cut off, or n does not ascend.
        """
        if len(entries) % _ENTRY.size:
            raise CryptoError
        by_n: dict[int, tuple[int, bytes]] = {}
        previous = -1
        for n, day, key in _ENTRY.iter_unpack(entries):
            if n <= previous:
                raise CryptoError
            previous = n
            by_n[n] = (day, key)
        if not by_n:
            return NO_SKIPPED_KEYS
        keys = cls(by_n)
        object.__setattr__(keys, "_encoded", len(by_n).to_bytes(2, "big") + entries)
        return keys


ENTRY_SIZE: Final = _ENTRY.size
NO_SKIPPED_KEYS: Final = SkippedKeys({})
