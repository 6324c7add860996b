"""One profile on disk: making it, and opening it with its passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.store.layout import Layout

if TYPE_CHECKING:
    from exile_tui.crypto.passphrase import Argon2Parameters
    from exile_tui.store.opening import Opening
    from exile_tui.store.store import ProfileStore


class ProfileVault:
    """Implements `ports.Vault`; loads what it opens with when it is first asked to."""

    def __init__(self, directory: Path, *, argon2: Argon2Parameters | None = None) -> None:
        """Look at nothing yet.

        Args:
            directory: The profile's own directory; its last part is the profile's name.
            argon2: How new key slots are made; 64 MiB, 3 passes, 1 lane by default.
        """
        self._layout = Layout(directory)
        self._argon2 = argon2
        self._entropy = SystemEntropy()

    def exists(self) -> bool:
        """Tell whether there is a profile: cheap, reads no database (see `Layout`)."""
        return self._layout.holds_profile()

    async def create(self, passphrase: str) -> ProfileStore:
        """Make a new profile (see `Opening.create`)."""
        return await self._opening().create(passphrase)

    async def open(self, passphrase: str) -> ProfileStore:
        """Open the profile (see `Opening.open`)."""
        return await self._opening().open(passphrase)

    def _opening(self) -> Opening:
        from exile_tui.crypto.passphrase import Argon2Parameters
        from exile_tui.store.opening import Opening

        return Opening(self._layout, self._argon2 or Argon2Parameters(), self._entropy)
