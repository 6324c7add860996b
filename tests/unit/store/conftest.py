from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exile_tui.store import ProfileVault
from exile_tui.store.store import ProfileStore
from tests.unit.store.samples import CHEAP

PASSPHRASE = "망명을 환영합니다"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "profiles" / "나"


@pytest.fixture
def vault(directory: Path) -> ProfileVault:
    return ProfileVault(directory, argon2=CHEAP)


@pytest.fixture
async def store(vault: ProfileVault) -> AsyncIterator[ProfileStore]:
    opened = await vault.create(PASSPHRASE)
    yield opened
    await opened.close()
