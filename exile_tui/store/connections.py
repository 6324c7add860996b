"""The connections of one profile's database: a writer, a reader, and what needs both closed."""

from __future__ import annotations

import asyncio

from exile_tui.errors import ProfileError
from exile_tui.store import problems, schema, wiping
from exile_tui.store.database import Database, opens, rekey
from exile_tui.store.layout import Layout


class Connections:
    """Opens and closes both together; whoever calls sees to it that nobody uses them then."""

    def __init__(self, layout: Layout, vault_id: bytes, key: bytes) -> None:
        self._layout = layout
        self._vault_id = vault_id
        self.key = key
        """What opens the database now, 32 bytes."""
        self._writer: Database | None = None
        self._reader: Database | None = None

    @property
    def writer(self) -> Database:
        """The one connection that writes.

        Raises:
            ProfileError: It could not be opened again after the file was exchanged.
        """
        return _connected(self._writer)

    @property
    def reader(self) -> Database:
        """The one connection that only reads.

        Raises:
            ProfileError: As for the writer.
        """
        return _connected(self._reader)

    @property
    def are_open(self) -> bool:
        """Whether there is something to be closed."""
        return self._writer is not None

    async def open(self, *, new: bool) -> None:
        """Open both; make the tables, or migrate them."""
        try:
            self._writer = await Database.open(self._layout.database, self.key, writer=True)
            await (schema.create if new else schema.migrate)(self._writer, self._vault_id)
            self._reader = await Database.open(self._layout.database, self.key, writer=False)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close what is open."""
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        try:
            if reader is not None:
                await reader.close()
        finally:
            if writer is not None:
                await writer.close()

    async def take_copy(self) -> None:
        """Put the rewritten file in place; a kill on the way leaves one of both."""
        await self.close()
        try:
            await asyncio.to_thread(wiping.replace, self._layout)
        finally:
            await self.open(new=False)
        await self.writer.all("UPDATE profile SET scrub = ?", (wiping.CLEAN,))

    async def encrypt_anew(self, key: bytes) -> None:
        """Encrypt the database under another key; what opens it then is known by `key`.

        Raises:
            ProfileError: The disk refuses; it is encrypted as before.
        """
        await self.close()
        try:
            await asyncio.to_thread(rekey, self._layout.database, self.key, key)
        except ProfileError:
            if not await asyncio.to_thread(opens, self._layout.database, key):
                await self.open(new=False)
                raise
        self.key = key
        await self.open(new=False)


def _connected(database: Database | None) -> Database:
    if database is None:
        raise ProfileError(problems.DISCONNECTED)
    return database
