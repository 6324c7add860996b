"""Changing the passphrase: what goes wrong changes nothing, what went right is said plainly."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.widgets import Input

from exile_tui.errors import ProfileError
from exile_tui.ui.screens.contacts import ContactsScreen
from exile_tui.ui.screens.passphrase import PassphraseScreen
from exile_tui.ui.screens.settings import SettingsScreen
from exile_tui.ui.widgets.working import Working
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import PASSPHRASE
from tests.ui.paint import screen_text
from tests.ui.test_settings import go, open_settings
from tests.ui.worlds import english, korean

SIZE = (80, 24)


async def open_passphrase(pilot: Any) -> PassphraseScreen:
    await open_settings(pilot)
    await go(pilot, "passphrase")
    await pilot.press("enter")
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, PassphraseScreen)
    return screen


async def fill(pilot: Any, old: str, first: str, second: str) -> None:
    for name, text in (("#old", old), ("#first", first), ("#second", second)):
        pilot.app.screen.query_one(name, Input).value = text
    await settle(pilot)


@pytest.mark.parametrize(("turns", "new_key"), [(0, False), (1, True)])
async def test_the_passphrase_changes_and_it_says_what_that_means(
    make_app: MakeApp, turns: int, new_key: bool
) -> None:
    messenger = english()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_passphrase(pilot)
        await pilot.press(*"correct", "space", *"horse", "space", *"battery", "space", *"staple")
        await pilot.press("enter", *"neun", "space", *"worte")
        await settle(pilot)
        assert "guessing it takes" in screen_text(app)
        await pilot.press("enter", *"neun", "space", *"worte", "enter")
        await settle(pilot)
        await pilot.press(*["down"] * turns, "enter")
        await settle(pilot)
        assert messenger.passphrase_changes == [("neun worte", new_key)]
        assert "The passphrase is changed" in screen_text(app)
        assert ("encrypted" in screen.query_one("#what").render().plain) == new_key  # type: ignore[union-attr]  # ours
        assert all(field.value == "" for field in screen.query(Input))
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, SettingsScreen)


@pytest.mark.parametrize(
    ("typed", "sentence", "field"),
    [
        (("wrong", "new", "new"), "is another one", "old"),
        (("", "new", "new"), "Type the passphrase that you have now", "old"),
        ((PASSPHRASE, "", ""), "Type a passphrase first", "first"),
        ((PASSPHRASE, "new", "other"), "don't match", "second"),
    ],
)
async def test_what_is_wrong_changes_nothing_and_says_where(
    make_app: MakeApp, typed: tuple[str, str, str], sentence: str, field: str
) -> None:
    messenger = english()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_passphrase(pilot)
        await fill(pilot, *typed)
        await pilot.click("#change")
        await settle(pilot)
        assert sentence in screen_text(app)
        assert app.focused is not None
        assert app.focused.id == field
        assert messenger.passphrase_changes == []
        assert [each.value for each in screen.query(Input)] == list(typed)


async def test_a_full_disk_keeps_the_old_passphrase_and_says_so(make_app: MakeApp) -> None:
    messenger = english()
    messenger.refuse = ProfileError("The disk is full. Nothing was changed.")
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_passphrase(pilot)
        await fill(pilot, PASSPHRASE, "new", "new")
        await pilot.click("#change")
        await settle(pilot)
        assert "The disk is full" in screen_text(app)
        await pilot.press("enter")
        await settle(pilot)
        assert messenger.passphrase_changes == [("new", False)]


async def test_a_long_change_shows_that_it_works_and_stays(make_app: MakeApp) -> None:
    messenger = korean()
    messenger.hold = asyncio.Event()
    app = make_app(messenger, lang="ko", auto_lock_minutes=1)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_passphrase(pilot)
        await fill(pilot, PASSPHRASE, "새 암호문구", "새 암호문구")
        screen.query_one("#database-key").focus()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert screen.query_one(Working).visible
        assert "모두 다시 암호화하고 있어요" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is screen
        messenger.clock.now += 10 * 60_000
        assert app.autolock.check() is False
        messenger.hold.set()
        await settle(pilot)
        assert messenger.passphrase_changes == [("새 암호문구", True)]
        assert "암호문구를 바꿨어요" in screen_text(app)
        assert app.autolock.check() is False


async def test_who_left_while_it_worked_is_told(make_app: MakeApp) -> None:
    messenger = english()
    messenger.hold = asyncio.Event()
    app = make_app(messenger)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_passphrase(pilot)
        await fill(pilot, PASSPHRASE, "new", "new")
        await pilot.click("#change")
        await pilot.press("f2")
        await pilot.pause()
        messenger.hold.set()
        await settle(pilot)
        assert isinstance(app.screen, ContactsScreen)
        assert "The passphrase is changed" in screen_text(app)


async def test_another_language_loses_no_passphrase(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_passphrase(pilot)
        await fill(pilot, "one", "two", "three")
        await app.choose_language("ko")
        await settle(pilot)
        assert [each.value for each in screen.query(Input)] == ["one", "two", "three"]
        assert "데이터베이스 키도 새로 만들기" in screen_text(app)
