"""Who wants to know that something new lies in a mailbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Wake = Callable[[], None]


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

    def call(self, mailbox_ids: Iterable[bytes]) -> None:
        """Tell those who watch these mailboxes."""
        for mailbox_id in mailbox_ids:
            for wake in tuple(self._wakes.get(mailbox_id, ())):
                wake()
