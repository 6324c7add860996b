"""An engine whose heavy operations don't hold up the light ones.

Everything that was submitted waits in one line. A blob of 64 KiB takes a hundred times an append's
time to read, and one acknowledgement may name a thousand envelopes: of these only a few are in the
line at once, in parts, and the others wait beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from exile_tui.relay import engine
from exile_tui.relay.activity import Activity
from exile_tui.relay.engine import Engine, Operation, Wake

_AT_ONCE = 2
"""Heavy operations in the line at once, 2 ms each at most."""

PART = 64
"""Envelopes that one part acknowledges."""

_LIGHT = 32
"""Envelopes or mailboxes in an operation that is light still."""

_ALWAYS_LIGHT = frozenset({engine.Append, engine.Fetch})
"""What is asked most; both are bounded by what one request and one frame may have."""

_Result = TypeVar("_Result")


class Lanes:
    """An engine around another one."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self._heavy = asyncio.Semaphore(_AT_ONCE)

    def submit(self, operation: Operation[_Result]) -> Awaitable[_Result]:
        """Do an operation (see `engine.Engine`); of a long acknowledgement each part by itself."""
        if type(operation) in _ALWAYS_LIGHT or not _is_heavy(operation):
            return self._inner.submit(operation)
        if isinstance(operation, engine.Acknowledge):
            return self._acknowledge(operation)  # type: ignore[return-value]  # bool is its result
        return self._in_turn(operation)

    async def _in_turn(self, operation: Operation[_Result]) -> _Result:
        async with self._heavy:
            return await self._inner.submit(operation)

    async def _acknowledge(self, operation: engine.Acknowledge) -> bool:
        seqs = operation.seqs
        for start in range(0, len(seqs), PART):
            part = engine.Acknowledge(
                operation.mailbox_id, operation.receive_hash, seqs[start : start + PART]
            )
            async with self._heavy:
                if not await self._inner.submit(part):
                    return False
        return True

    def watch(self, mailbox_id: bytes, wake: Wake) -> None:
        """Call `wake` after envelopes came to a mailbox (see `engine.Engine`)."""
        self._inner.watch(mailbox_id, wake)

    def unwatch(self, mailbox_id: bytes, wake: Wake) -> None:
        """Stop calling `wake`."""
        self._inner.unwatch(mailbox_id, wake)

    def mailboxes(self) -> engine.MailboxCount:
        """Return how many mailboxes there are, at once and without reading anything."""
        return self._inner.mailboxes()

    def activity(self) -> Activity:
        """Return what was done since the start; not to be changed."""
        return self._inner.activity()

    async def close(self) -> None:
        """Close the engine inside."""
        await self._inner.close()


def _is_heavy(operation: Operation[Any]) -> bool:
    match operation:
        case engine.GetBlobs() | engine.CountBytes() | engine.Disclose():
            return True
        case engine.Acknowledge(seqs=items) | engine.OpenMailboxes(mailboxes=items):
            return len(items) > _LIGHT
    return False
