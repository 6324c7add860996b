"""How the settings look, in both languages and at every size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.widgets import Input

from exile_tui.config import Source
from exile_tui.ui.screens.settings import GROUPS
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import PASSPHRASE
from tests.ui.worlds import english, korean

SMALL = ((80, 24), (60, 20))
NAMES = [setting.name for _, settings in GROUPS for setting in settings]
both = pytest.mark.parametrize("lang", ["ko", "en"])
Snap = Callable[..., Awaitable[None]]


def at(name: str, *keys: str) -> Callable[[Any], Any]:
    """Open the settings, go to a line, then press keys."""

    async def before(pilot: Any) -> None:
        await pilot.press("f9")
        await settle(pilot)
        await pilot.press(*["down"] * NAMES.index(name))
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return before


def world(lang: str) -> Any:
    return korean() if lang == "ko" else english()


@both
async def test_settings(make_app: MakeApp, snap_sizes: Snap, lang: str) -> None:
    await snap_sizes(make_app(world(lang), lang=lang), at("notifications"), simplify=True)


@both
async def test_themes(make_app: MakeApp, snap_sizes: Snap, lang: str) -> None:
    await snap_sizes(
        make_app(world(lang), lang=lang), at("theme", "enter", "end", "up"), simplify=True
    )


@both
async def test_passphrase(make_app: MakeApp, snap_sizes: Snap, lang: str) -> None:
    async def before(pilot: Any) -> None:
        await at("passphrase", "enter")(pilot)
        for name, text in (("#old", PASSPHRASE), ("#first", "neun leise Worte am Fluss")):
            pilot.app.screen.query_one(name, Input).value = text
        pilot.app.screen.query_one("#second", Input).focus()

    await snap_sizes(make_app(world(lang), lang=lang), before, simplify=True)


@both
async def test_a_wrong_passphrase(make_app: MakeApp, snap_sizes: Snap, lang: str) -> None:
    async def before(pilot: Any) -> None:
        await at("passphrase", "enter")(pilot)
        for name in ("#old", "#first", "#second"):
            pilot.app.screen.query_one(name, Input).value = "wrong"
        pilot.app.screen.query_one("#database-key").focus()
        await settle(pilot)
        await pilot.press("enter")

    for size in SMALL:
        await snap_sizes(make_app(world(lang), lang=lang), before, (size,), simplify=True)


@both
async def test_a_new_passphrase_and_database_key(
    make_app: MakeApp, snap_sizes: Snap, lang: str
) -> None:
    async def before(pilot: Any) -> None:
        await at("passphrase", "enter")(pilot)
        for name, text in (("#old", PASSPHRASE), ("#first", "new"), ("#second", "new")):
            pilot.app.screen.query_one(name, Input).value = text
        pilot.app.screen.query_one("#database-key").focus()
        await settle(pilot)
        await pilot.press("down", "enter")

    await snap_sizes(make_app(world(lang), lang=lang), before, SMALL, simplify=True)


@both
async def test_another_name(make_app: MakeApp, snap_sizes: Snap, lang: str) -> None:
    await snap_sizes(make_app(world(lang), lang=lang), at("name", "enter"), SMALL, simplify=True)


@both
async def test_what_a_variable_sets(make_app: MakeApp, snap_sizes: Snap, lang: str) -> None:
    source = Source({"lang": lang}, {"EXILE_THEME": "hanji"}, None)
    app = make_app(world(lang), lang=lang, theme="hanji", source=source)
    await snap_sizes(app, at("theme"), ((80, 24),), simplify=True)
