"""What needs keys: making a profile's files, and opening them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.errors import ProfileError, WrongPassphrase
from exile_tui.paths import make_private_directory
from exile_tui.store import problems
from exile_tui.store.database import opens
from exile_tui.store.files import (
    remove_overwritten,
    sync_directory,
    touch_private,
    write_new,
)
from exile_tui.store.layout import PAGE_BYTES, Layout
from exile_tui.store.lock import ProfileLock
from exile_tui.store.sealing import Sealing
from exile_tui.store.store import ProfileStore
from exile_tui.store.vaultfile import (
    MAX_FILE_BYTES,
    VAULT_ID_BYTES,
    VaultFile,
    is_text,
    require_passphrase,
)


class Opening:
    """Makes and opens the files of one profile, for `ProfileVault`.

    Importing this module loads cryptography and sqlcipher3; nothing does so before the first frame.
    """

    def __init__(self, layout: Layout, parameters: Argon2Parameters, entropy: Entropy) -> None:
        self._layout = layout
        self._entropy = entropy
        self._sealing = Sealing(layout, parameters, entropy)

    async def create(self, passphrase: str) -> ProfileStore:
        """Make a new profile: the database first, then the vault is renamed into place.

        Raises:
            UsageError: The passphrase is empty or no Unicode text.
            ProfileError: There is one already, or the disk does not let us.
            ProfileInUse: Another process holds it.
        """
        require_passphrase(passphrase)
        self._refuse_to_replace()
        with problems.file_errors():
            make_private_directory(self._layout.directory)
            lock = self._acquire()
            try:
                self._refuse_to_replace()
                return await self._create(passphrase, lock)
            except BaseException:
                lock.release()
                raise

    async def open(self, passphrase: str) -> ProfileStore:
        """Open the profile.

        Raises:
            WrongPassphrase: It opens no key slot.
            ProfileError: Missing, empty, truncated, foreign, not belonging together, newer schema.
            ProfileInUse: Another process holds it.
        """
        if not self._layout.holds_profile():
            raise ProfileError(problems.NO_PROFILE, path=self._layout.directory)
        if not is_text(passphrase):
            raise WrongPassphrase
        with problems.file_errors():
            lock = self._acquire()
            try:
                return await self._open(passphrase, lock)
            except BaseException:
                lock.release()
                raise

    async def _create(self, passphrase: str, lock: ProfileLock) -> ProfileStore:
        layout = self._layout
        # In this order: while the first run's vault is there, the rest is known to be worthless.
        for path in (*layout.database_files, layout.reserve, layout.vault_of_first_run):
            path.unlink(missing_ok=True)
        vault_id, key = self._entropy.bytes(VAULT_ID_BYTES), self._sealing.new_key()
        write_new(layout.vault_of_first_run, await self._sealing.seal(vault_id, passphrase, key))
        sync_directory(layout.directory)
        touch_private(layout.database)
        store = self._store(lock, vault_id, key)
        await store.start(new=True)
        try:
            await store.truncate_wal()
            await asyncio.to_thread(layout.vault_of_first_run.replace, layout.vault)
            await asyncio.to_thread(sync_directory, layout.directory)
        except BaseException:
            await store.close()
            raise
        return store

    async def _open(self, passphrase: str, lock: ProfileLock) -> ProfileStore:
        layout = self._layout
        vault = self._read_vault()
        self._require_database()
        keys = await asyncio.to_thread(vault.unlock, passphrase)
        key = await asyncio.to_thread(self._working_key, keys)
        store = self._store(lock, vault.vault_id, key)
        await store.start(new=False)
        with suppress(OSError):
            # What a change, or a rewriting, that was killed left: it never counted.
            layout.vault_of_change.unlink(missing_ok=True)
            for left in (layout.rewritten_log, layout.rewritten):
                await asyncio.to_thread(remove_overwritten, left)
        if len(keys) > 1:
            # Encrypting anew was interrupted; the passphrase in use then stays.
            settled = await self._sealing.seal(vault.vault_id, passphrase, key)
            with suppress(OSError):
                await self._sealing.replace(settled)
        return store

    def _acquire(self) -> ProfileLock:
        lock = ProfileLock(self._layout.lock)
        lock.acquire(self._layout.directory.name)
        return lock

    def _store(self, lock: ProfileLock, vault_id: bytes, key: bytes) -> ProfileStore:
        return ProfileStore(self._layout, lock, vault_id, key, self._sealing)

    def _refuse_to_replace(self) -> None:
        layout = self._layout
        if layout.vault.exists():
            raise ProfileError(problems.PROFILE_EXISTS, path=layout.directory)
        if self._layout.holds_profile():
            raise ProfileError(problems.NO_VAULT, path=layout.vault)

    def _read_vault(self) -> VaultFile:
        path = self._layout.vault
        try:
            with path.open("rb") as file:
                # One byte more than allowed tells a longer file.
                content = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            raise ProfileError(problems.NO_VAULT, path=path) from None
        return VaultFile.decode(content, str(path))

    def _require_database(self) -> None:
        """Refuse a database that SQLite would take for a new one and fill."""
        path = self._layout.database
        size = path.stat().st_size if path.exists() else 0
        if size == 0:
            raise ProfileError(problems.NO_DATABASE, path=path)
        if size < PAGE_BYTES:
            raise ProfileError(problems.DAMAGED)

    def _working_key(self, keys: tuple[bytes, ...]) -> bytes:
        for key in keys:
            if opens(self._layout.database, key):
                return key
        raise problems.ForeignDatabase
