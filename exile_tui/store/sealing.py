"""New vaults for one profile: sealed under a passphrase, and put in place of the last one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.store.files import replace_atomically
from exile_tui.store.layout import Layout
from exile_tui.store.vaultfile import KEY_BYTES, VaultFile


@dataclass(frozen=True, slots=True)
class Sealing:
    """Knows where the vault is and what its key slots cost."""

    layout: Layout
    parameters: Argon2Parameters
    entropy: Entropy

    def new_key(self) -> bytes:
        """Return a new key for the database, 32 bytes."""
        return self.entropy.bytes(KEY_BYTES)

    async def seal(self, vault_id: bytes, passphrase: str, *keys: bytes) -> bytes:
        """Return a vault file's content; of several keys either may open the database."""
        vault = await asyncio.to_thread(
            VaultFile.seal, vault_id, keys, passphrase, self.parameters, self.entropy
        )
        return vault.encode()

    async def replace(self, content: bytes) -> None:
        """Put a vault in place of the one that is there; a kill leaves one of both.

        Raises:
            OSError: The disk refuses.
        """
        await asyncio.to_thread(
            replace_atomically, self.layout.vault, self.layout.vault_of_change, content
        )
