"""Who wants to know that something new lies in a mailbox."""

from __future__ import annotations

from collections.abc import Mapping

from exile_tui.relay.engine import News, Wake


class Watchers:
    """Calls those who watch mailboxes."""

    def __init__(self) -> None:
        self._wakes: dict[bytes, set[Wake]] = {}

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
