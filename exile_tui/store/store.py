"""One profile's open database: one writer, one reader, and what is done to the whole file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from exile_tui.errors import ProfileError, WrongPassphrase
from exile_tui.store import problems, removing, wiping
from exile_tui.store.connections import Connections
from exile_tui.store.database import Database
from exile_tui.store.files import Reserve, remove_overwritten
from exile_tui.store.layout import Layout
from exile_tui.store.lock import ProfileLock
from exile_tui.store.sealing import Sealing
from exile_tui.store.statements import Statements
from exile_tui.store.transaction import ProfileTransaction
from exile_tui.store.turns import Turns
from exile_tui.store.vaultfile import VaultFile, is_text, require_passphrase

_DELETING_PAGES = 512
"""By so many the file may grow on a full disk while lines are deleted: the next lines' room."""


class ProfileStore:
    """Implements `ports.Store`.

    A task holds one transaction or one snapshot at a time. Whoever wipes takes that lock first,
    then a turn.
    """

    def __init__(
        self,
        layout: Layout,
        lock: ProfileLock,
        vault_id: bytes,
        key: bytes,
        sealing: Sealing,
    ) -> None:
        self._layout = layout
        self._lock = lock
        self._vault_id = vault_id
        self._connections = Connections(layout, vault_id, key)
        self._sealing = sealing
        self._reserve = Reserve(layout.reserve)
        self._turns = Turns()
        self._wiping = asyncio.Lock()
        self._copying = False
        """A copy of the file is being written, which is a reading that holds the log back."""
        self._open_for_writers = asyncio.Event()
        self._open_for_writers.set()
        self._commits = 0
        self._deleted_octets = 0
        """Of text whose tokens are in the index still."""

    async def start(self, *, new: bool) -> None:
        """Open both connections, make or migrate the tables, take the reserve."""
        await self._connections.open(new=new)
        try:
            await asyncio.to_thread(self._reserve.take)
            scrub, size = await self._scrub()
            if scrub >= wiping.TOKENS:  # nobody knows of how much text
                self._deleted_octets = size
        except BaseException:
            await self._connections.close()
            raise

    def transaction(self) -> AbstractAsyncContextManager[ProfileTransaction]:
        """Begin immediate; commit durably at the end, roll back when the body does not get there.

        A cancellation that comes while the commit is under way is raised after it; what was
        written may be there then.
        """
        return self._transaction()

    def snapshot(self) -> AbstractAsyncContextManager[ProfileTransaction]:
        """Read one consistent state; writing is an error. Short, as it holds back the wiping."""
        return self._snapshot()

    async def truncate_wal(self) -> None:
        """Take what was deleted out of the write-ahead log; waits for the snapshot that is open.

        While the file is being written anew the log is left for the end of that.

        Raises:
            ProfileError: Another program keeps reading, or the disk refuses.
        """
        async with self._turns.both():
            if not self._copying:
                await self._truncate()

    async def compact_index(self) -> None:
        """Merge the index once half of it is of deleted lines; see `removing.is_half_deleted`.

        Raises:
            ProfileError: Another program keeps reading, or the disk refuses.
        """
        async with self._wiping:
            async with self._turns.write():
                writer = self._connections.writer
                due = await removing.is_half_deleted(writer, self._deleted_octets)
            if due and not self._reserve.gone:
                await self._merge_index()

    async def wipe(self, *, large: bool) -> None:
        """Remove the last traces of what was deleted: see wiping.py.

        Others read all the while. They write too while the first copy is made; if somebody did,
        that copy is worthless, and a second is made while writers wait (8 s for a million lines).

        Args:
            large: Write a file of more than 64 MiB anew too.

        Raises:
            ProfileError: Another program keeps reading, or the disk refuses. What was deleted is
                so all the same; wiping stays due.
        """
        try:
            async with self._wiping:
                await self._wipe(large)
        except ProfileError:
            with suppress(ProfileError):
                await self.truncate_wal()
            raise
        await self.truncate_wal()

    async def change_passphrase(self, old: str, new: str, *, new_database_key: bool) -> None:
        """Re-wrap the database key, or encrypt the whole database under a new one.

        Whoever has a copy of the old vault and the old passphrase can still open later copies of
        the database, unless it gets a new key.

        Raises:
            WrongPassphrase: `old` opens no slot; nothing changed.
            UsageError: `new` is empty or no Unicode text.
            ProfileError: The disk refuses; the old passphrase opens the profile as before.
        """
        require_passphrase(new)
        if not is_text(old):
            raise WrongPassphrase
        async with self._wiping:
            await _undisturbed(self._change(old, new, new_database_key))

    async def close(self) -> None:
        """Truncate the log, close, let the profile go; again does nothing."""
        async with self._wiping:
            if self._turns.over:
                return
            try:
                with suppress(ProfileError):
                    await self._wipe(large=False)
                async with self._turns.both():
                    self._turns.over = True
                    if self._connections.are_open:
                        with suppress(ProfileError):
                            await self._truncate()
                    await self._connections.close()
            finally:
                if self._turns.over:
                    self._lock.release()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[ProfileTransaction]:
        while not self._open_for_writers.is_set():
            await self._open_for_writers.wait()
        async with self._turns.write():
            writer = self._connections.writer
            statements = Statements(writer)
            try:
                pages = await self._begin(writer)
                yield ProfileTransaction(statements)
                if not statements.is_open:
                    # SQLite rolled back by itself, and the body hid the error.
                    raise ProfileError(problems.ROLLED_BACK)
                if pages is not None and statements.deletes_lines:
                    pages += _DELETING_PAGES
                if pages is not None and await _pages(writer) > pages:
                    raise problems.DiskFull
                # Counted before: where it is cancelled, it is done all the same.
                self._commits += 1
                await writer.commit()
                self._deleted_octets += statements.deleted_octets
            except BaseException as error:
                await writer.rollback()
                if isinstance(error, problems.DiskFull):
                    self._reserve.give()
                raise
            finally:
                statements.end()
            if pages is not None:
                with suppress(ProfileError):
                    await writer.all("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _begin(self, writer: Database) -> int | None:
        """Begin; return how many pages must suffice, None if the disk has room."""
        if self._reserve.gone:
            # Deleting writes as much to the log as it wipes: give it all the room there is.
            with suppress(ProfileError):
                await writer.all("PRAGMA wal_checkpoint(TRUNCATE)")
            await asyncio.to_thread(self._reserve.take)
        await writer.all("BEGIN IMMEDIATE")
        return await _pages(writer) if self._reserve.gone else None

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[ProfileTransaction]:
        async with self._turns.read():
            reader = self._connections.reader
            statements = Statements(reader)
            try:
                await reader.all("BEGIN")
                # The first read fixes the state that all of them see.
                await reader.all("SELECT 1 FROM profile")
                yield ProfileTransaction(statements)
            except asyncio.CancelledError:
                await reader.interrupt()
                raise
            finally:
                statements.end()
                await reader.rollback()

    async def _truncate(self) -> None:
        writer = self._connections.writer
        try:
            await wiping.truncate(writer)
        except problems.DiskFull:
            if self._reserve.gone:
                raise
            self._reserve.give()
            await wiping.truncate(writer)

    async def _wipe(self, large: bool) -> None:
        """Do what is due; where there is no room for it, it stays due."""
        if self._reserve.gone:
            return
        async with self._transaction() as transaction:
            await removing.rewrite_settings(transaction.statements)
        scrub, size = await self._scrub()
        if scrub == wiping.CLEAN or (size > wiping.SMALL_BYTES and not large):
            return
        while scrub >= wiping.TOKENS:
            await self._merge_index()
            scrub, _ = await self._scrub()
        with suppress(problems.DiskFull):
            await self._write_anew()

    async def _scrub(self) -> tuple[int, int]:
        async with self._turns.write():
            return await wiping.state(self._connections.writer)

    async def _merge_index(self) -> None:
        """Merge in short transactions, between which others get their turn."""
        merged = self._deleted_octets
        async with self._transaction() as transaction:
            await removing.begin_merging(transaction.statements)
        done = False
        while not done:
            await self.truncate_wal()
            async with self._transaction() as transaction:
                done = await removing.go_on_merging(transaction.statements)
        self._deleted_octets -= merged

    async def _write_anew(self) -> None:
        self._copying = True
        try:
            for writers_wait in (False, True):
                if writers_wait:
                    self._open_for_writers.clear()
                    async with self._turns.write():
                        pass  # those that came before are done
                commits = self._commits
                await wiping.copy(self._layout, self._connections.key)
                async with self._turns.both():
                    if self._commits == commits:
                        await _undisturbed(self._take_copy())
                        return
        finally:
            self._copying = False
            self._open_for_writers.set()
            with suppress(OSError):
                await _undisturbed(asyncio.to_thread(remove_overwritten, self._layout.rewritten))

    async def _take_copy(self) -> None:
        await self._truncate()
        await self._connections.take_copy()
        await asyncio.to_thread(self._reserve.take)

    async def _change(self, old: str, new: str, new_database_key: bool) -> None:
        """Change it with the store to ourselves; every file state on the way can be opened."""
        with problems.file_errors():
            content = await asyncio.to_thread(self._layout.vault.read_bytes)
            vault = VaultFile.decode(content, str(self._layout.vault))
            await asyncio.to_thread(vault.unlock, old)
            if not new_database_key:
                final = await self._sealing.seal(self._vault_id, new, self._connections.key)
                async with self._turns.both():
                    await self._sealing.replace(final)
                return
            key = self._sealing.new_key()
            both = await self._sealing.seal(self._vault_id, old, self._connections.key, key)
            final = await self._sealing.seal(self._vault_id, new, key)
            async with self._turns.both():
                await self._sealing.replace(both)
                try:
                    await self._truncate()
                    await self._connections.encrypt_anew(key)
                finally:
                    if self._connections.key != key:
                        with suppress(OSError):
                            await self._sealing.replace(content)
                await self._sealing.replace(final)


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Do all of something, then raise a cancellation that came: the connections must be whole."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        with suppress(Exception):
            await doing
        raise


async def _pages(database: Database) -> int:
    return int((await database.all("PRAGMA page_count"))[0][0])
