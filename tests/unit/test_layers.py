"""The layers again, as a fresh interpreter sees them: what importing one must not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

PURE = ["asyncio", "httpx", "aiosqlite", "sqlcipher3", "textual", "granian"]
LIMITS = {
    "exile_tui": ["textual", "cryptography", "msgspec"],
    "exile_tui.crypto.session": [*PURE, "exile_tui.wire", "exile_tui.core"],
    "exile_tui.wire.relay": [*PURE, "exile_tui.core", "exile_tui.relay"],
    "exile_tui.wire.bundle": [*PURE, "exile_tui.core"],
    "exile_tui.core.application": ["cryptography", "msgspec", "httpx", "sqlcipher3", "textual"],
    "exile_tui.core.messenger": [
        "httpx", "aiosqlite", "sqlcipher3", "granian", "textual", "exile_tui.store",
        "exile_tui.transport", "exile_tui.relay", "exile_tui.ui",
    ],
    "exile_tui.store": ["sqlcipher3", "aiosqlite", "textual", "httpx"],
    "exile_tui.transport": ["httpx", "textual", "sqlcipher3"],
    "exile_tui.relay.main": ["textual", "httpx", "sqlcipher3", "exile_tui.core", "exile_tui.store"],
    "exile_tui.assembly": ["textual", "httpx", "sqlcipher3", "granian"],
    "exile_tui.cli.main": ["textual", "httpx", "sqlcipher3", "cryptography", "granian"],
}  # fmt: skip


@pytest.mark.parametrize("module", LIMITS)
def test_importing_a_layer_loads_only_what_it_may(module: str) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    assert module in loaded
    found = [
        name
        for name in loaded
        for banned in LIMITS[module]
        if name == banned or name.startswith(banned + ".")
    ]
    assert found == []
