"""Pictures of the palette, the switcher, the help and the list of commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import MakeApp, settle
from tests.ui.worlds import english, korean

SIZES = [(120, 40), (100, 26), (80, 24), (60, 20)]
KEYS = {
    "palette": ("ctrl+p",),
    "switcher": ("ctrl+k",),
    "help": ("enter", "f1"),
    "slash": ("enter", "slash"),
}


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("name", KEYS)
def test_finding(
    snap: Callable[..., None], make_app: MakeApp, name: str, lang: str, size: tuple[int, int]
) -> None:
    async def before(pilot: Pilot[int]) -> None:
        for key in KEYS[name]:
            await pilot.press(key)
            await settle(pilot)

    world = korean() if lang == "ko" else english()
    snap(make_app(world, lang=lang), size=size, before=before)
