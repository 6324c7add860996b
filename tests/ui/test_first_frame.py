"""Start-up: what the first frame may not load, seen from a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, sys
from pathlib import Path

async def main():
    from exile_tui.assembly import make_application, make_embedded
    from exile_tui.clock import SystemClock
    from exile_tui.config import Settings
    from exile_tui.ui.app import ExileApp
    settings = Settings(lang="ko", data_dir=Path("{data}"))
    application = make_application(settings, make_embedded(settings))
    app = ExileApp(application, settings, SystemClock())
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.screen.place == "{place}", app.screen
        print(*sys.modules)

asyncio.run(main())
"""
HEAVY = {
    "httpx",
    "PIL",
    "segno",
    "zxingcpp",
    "sqlcipher3",
    "aiosqlite",
    "cryptography",
    "granian",
    "cv2",
    "zxcvbn",
    "regex",
    "msgspec",
}
OURS = {"exile_tui.store.opening", "exile_tui.transport", "exile_tui.relay", "exile_tui.wire"}


def modules_loaded_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(("exists", "place"), [(True, "unlock"), (False, "first_run")])
def test_the_first_frame_loads_only_what_it_shows(exists: bool, place: str, tmp_path: Path) -> None:
    vault = tmp_path / "profiles" / "default" / "vault"
    if exists:
        vault.parent.mkdir(parents=True)
        vault.touch()
    loaded = modules_loaded_by(PROGRAM.format(data=tmp_path, place=place))
    assert "textual.app" in loaded
    assert loaded & (HEAVY | OURS) == set()


def test_the_entry_loads_no_textual() -> None:
    loaded = modules_loaded_by("import sys, exile_tui.ui; print(*sys.modules)")
    assert not {name for name in loaded if name.partition(".")[0] in ("textual", "rich")}
