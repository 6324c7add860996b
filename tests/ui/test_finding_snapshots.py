"""Pictures of the palette, the switcher, the help and the list of commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import APART, FOUR_SIZES, MakeApp, settle
from tests.ui.worlds import english, korean

KEYS = {
    "palette": ("ctrl+p",),
    "switcher": ("ctrl+k",),
    "help": ("enter", "f1"),
    "slash": ("enter", "slash"),
}
SCROLLED = ("help", "slash")


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("name", KEYS)
async def test_finding(
    snap_sizes: Callable[..., Awaitable[None]], make_app: MakeApp, name: str, lang: str
) -> None:
    async def before(pilot: Pilot[int]) -> None:
        for key in KEYS[name]:
            await pilot.press(key)
            await settle(pilot)

    for sizes in APART if name in SCROLLED else (FOUR_SIZES,):
        world = korean() if lang == "ko" else english()
        await snap_sizes(make_app(world, lang=lang), before, sizes, simplify=True)
