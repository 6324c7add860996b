"""Whose turn it is at the two connections of a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any


class Turns:
    """One writes and one reads at a time.

    A task has one turn at a time; asking for a second inside is refused, because it would wait for
    itself.
    """

    def __init__(self) -> None:
        self._writer = asyncio.Lock()
        self._reader = asyncio.Lock()
        self._holders: set[asyncio.Task[Any] | None] = set()
        self.over = False
        """The store is closed: nobody gets a turn any more."""

    def write(self) -> AbstractAsyncContextManager[None]:
        """Wait for the turn to write.

        Raises:
            RuntimeError: This task has a turn already, or the store is closed.
        """
        return self._take(self._writer)

    def read(self) -> AbstractAsyncContextManager[None]:
        """Wait for the turn to read; see `write`."""
        return self._take(self._reader)

    @asynccontextmanager
    async def both(self) -> AsyncIterator[None]:
        """Wait until nobody else reads or writes; see `write`."""
        async with self._take(self._reader), self._writer:
            yield

    @asynccontextmanager
    async def _take(self, lock: asyncio.Lock) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if task in self._holders:
            raise RuntimeError("this task has a transaction or snapshot open already")
        async with lock:
            if self.over:
                raise RuntimeError("the store is closed")
            self._holders.add(task)
            try:
                yield
            finally:
                self._holders.discard(task)
