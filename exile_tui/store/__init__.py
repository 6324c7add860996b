"""The encrypted database: vault, schema, migrations, repositories, search.

Importing it loads neither sqlcipher3 nor aiosqlite; opening a profile does.
"""

from __future__ import annotations

from exile_tui.store.vault import ProfileVault

__all__ = ["ProfileVault"]
