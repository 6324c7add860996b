"""How the settings look, in both languages and at every size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Input

from exile_tui.config import Source
from exile_tui.ui.screens.settings import GROUPS
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import PASSPHRASE
from tests.ui.worlds import english, korean

SIZES = [(120, 40), (100, 26), (80, 24), (60, 20)]
NAMES = [setting.name for _, settings in GROUPS for setting in settings]
both = pytest.mark.parametrize("lang", ["ko", "en"])
every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
usual_sizes = pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
Snap = Callable[..., None]


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
@every_size
def test_settings(make_app: MakeApp, snap: Snap, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(world(lang), lang=lang), size, at("notifications"))


@both
@every_size
def test_themes(make_app: MakeApp, snap: Snap, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(world(lang), lang=lang), size, at("theme", "enter", "end", "up"))


@both
@every_size
def test_passphrase(make_app: MakeApp, snap: Snap, lang: str, size: tuple[int, int]) -> None:
    async def before(pilot: Any) -> None:
        await at("passphrase", "enter")(pilot)
        for name, text in (("#old", PASSPHRASE), ("#first", "neun leise Worte am Fluss")):
            pilot.app.screen.query_one(name, Input).value = text
        pilot.app.screen.query_one("#second", Input).focus()

    snap(make_app(world(lang), lang=lang), size, before)


@both
@usual_sizes
def test_a_wrong_passphrase(
    make_app: MakeApp, snap: Snap, lang: str, size: tuple[int, int]
) -> None:
    async def before(pilot: Any) -> None:
        await at("passphrase", "enter")(pilot)
        for name in ("#old", "#first", "#second"):
            pilot.app.screen.query_one(name, Input).value = "wrong"
        pilot.app.screen.query_one("#database-key").focus()
        await settle(pilot)
        await pilot.press("enter")

    snap(make_app(world(lang), lang=lang), size, before)


@both
@usual_sizes
def test_a_new_passphrase_and_database_key(
    make_app: MakeApp, snap: Snap, lang: str, size: tuple[int, int]
) -> None:
    async def before(pilot: Any) -> None:
        await at("passphrase", "enter")(pilot)
        for name, text in (("#old", PASSPHRASE), ("#first", "new"), ("#second", "new")):
            pilot.app.screen.query_one(name, Input).value = text
        pilot.app.screen.query_one("#database-key").focus()
        await settle(pilot)
        await pilot.press("down", "enter")

    snap(make_app(world(lang), lang=lang), size, before)


@both
@usual_sizes
def test_another_name(make_app: MakeApp, snap: Snap, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(world(lang), lang=lang), size, at("name", "enter"))


@both
def test_what_a_variable_sets(make_app: MakeApp, snap: Snap, lang: str) -> None:
    source = Source({"lang": lang}, {"EXILE_THEME": "hanji"}, None)
    app = make_app(world(lang), lang=lang, theme="hanji", source=source)
    snap(app, (80, 24), at("theme"))
