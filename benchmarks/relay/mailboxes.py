"""Mailboxes that both sides of a measurement know, and the bodies of requests to them.

Tokens follow from a mailbox's number, so that a million of them needs no memory here. Mailboxes are
created by the relay's own engine before the relay runs: creating them is not what is measured.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

from exile_tui.clock import SystemClock
from exile_tui.relay import engine
from exile_tui.relay.limits import Limits
from exile_tui.relay.service import DATABASE_FILE
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.mailbox import MailboxKeys

SIZE = 4096
"""Bytes of an envelope."""
CAPACITY = Limits().envelopes
"""Envelopes that a mailbox holds."""

_AT_ONCE = 4096


def keys_of(number: int) -> MailboxKeys:
    """Return the tokens of a mailbox by its number."""
    receive, send = (
        hashlib.sha256(b"%s %d" % (kind, number)).digest() for kind in (b"receive", b"send")
    )
    return MailboxKeys(receive, send)


async def create(directory: Path, count: int, start: int = 0) -> None:
    """Create mailboxes in the directory, which is there, of a relay that does not run."""
    store = await SqliteEngine.open(directory / DATABASE_FILE, Limits(), SystemClock())
    try:
        for at in range(start, start + count, _AT_ONCE):
            some = [keys_of(number) for number in range(at, min(at + _AT_ONCE, start + count))]
            created = await asyncio.gather(
                *(
                    store.submit(
                        engine.CreateMailbox(keys.id, keys.receive_hash, keys.send_hash, None)
                    )
                    for keys in some
                )
            )
            if not all(created):
                raise RuntimeError("a mailbox was not created")
    finally:
        await store.close()


class Full(Exception):
    """More was asked for than the mailboxes hold."""


class Appends:
    """Bodies of appends, in turn to each of some mailboxes, every envelope with other bytes.

    The first 8 bytes of an envelope count up and the rest is the same: the relay hashes and
    compares whole envelopes, so that this costs it what random bytes would.
    """

    def __init__(
        self, mailboxes: Sequence[MailboxKeys], batch: int = 1, capacity: int = CAPACITY
    ) -> None:
        self._heads = [keys.id + keys.send_token for keys in mailboxes]
        self._batch = batch
        self._tail = random.Random(5).randbytes(SIZE - 8)
        self._made = 0
        self._envelopes = 0
        self._room = len(mailboxes) * (capacity // batch)

    def next(self) -> bytes:
        """Return the next body.

        Raises:
            Full: Every mailbox has as many as it holds.
        """
        if self._made == self._room:
            raise Full("the mailboxes are full: measure for fewer seconds")
        head = self._heads[self._made % len(self._heads)]
        self._made += 1
        return head + b"".join([b"\0" + self.envelope() for _ in range(self._batch)])

    def envelope(self) -> bytes:
        """Return an envelope that was not returned before."""
        self._envelopes += 1
        return self._envelopes.to_bytes(8, "big") + self._tail
