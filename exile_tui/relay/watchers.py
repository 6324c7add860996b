"""Who wants to know that something new lies in a mailbox, and when they may be told."""

from __future__ import annotations

from collections.abc import Mapping

from exile_tui.relay.engine import News, Wake

_DOUBT = 100
"""Batches with envelopes that must be stored after one failed, until they are told of early."""


class Watchers:
    """Calls those who watch mailboxes.

    They need not wait for the disk. But one that has just failed may fail again, and what its
    senders send again and again for that would be passed on each time.
    """

    def __init__(self) -> None:
        self._wakes: dict[bytes, set[Wake]] = {}
        self._doubt = 0

    @property
    def early(self) -> bool:
        """Whether they may be told of what is not on the disk yet."""
        return not self._doubt

    def doubt(self) -> None:
        """Note that a batch could not be stored."""
        self._doubt = _DOUBT

    def trust(self) -> None:
        """Note that a batch with envelopes was stored."""
        self._doubt = max(0, self._doubt - 1)

    def __len__(self) -> int:
        """Count the mailboxes that are watched."""
        return len(self._wakes)

    def add(self, mailbox_id: bytes, wake: Wake) -> None:
        """Call `wake` after a mailbox changed."""
        self._wakes.setdefault(mailbox_id, set()).add(wake)

    def remove(self, mailbox_id: bytes, wake: Wake) -> None:
        """Stop calling `wake`."""
        wakes = self._wakes.get(mailbox_id, set())
        wakes.discard(wake)
        if not wakes:
            self._wakes.pop(mailbox_id, None)

    def call(self, changed: Mapping[bytes, News]) -> int:
        """Tell those who watch these mailboxes; return how many envelopes they took."""
        taken = 0
        for mailbox_id, news in changed.items():
            for wake in tuple(self._wakes.get(mailbox_id, ())):
                taken += len(news) if wake(news) else 0
        return taken
