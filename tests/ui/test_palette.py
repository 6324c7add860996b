"""The command palette and the help: everything that can be done, by any of its names."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.widgets import Input, OptionList

from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.screens.help import HelpScreen
from exile_tui.ui.screens.palette import PaletteScreen
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication
from tests.ui.paint import screen_lines, screen_text
from tests.ui.worlds import english, korean

SIZE = (100, 30)


async def type_text(pilot: Any, text: str) -> None:
    for character in text:
        pilot.app.post_message(events.Key(character, character))
    await settle(pilot)


async def open_palette(pilot: Any, query: str = "") -> PaletteScreen:
    await settle(pilot)
    await pilot.press("ctrl+p")
    await settle(pilot)
    await type_text(pilot, query)
    screen = pilot.app.screen
    assert isinstance(screen, PaletteScreen)
    return screen


def place(app: ExileApp) -> str:
    assert isinstance(app.screen, ExileScreen)
    return app.screen.place


def listed(screen: PaletteScreen) -> list[str]:
    return [each.id for each in screen._shown]


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("릴레이", "app.relay"),
        ("ㄹㄹㅇ", "app.relay"),
        ("relay", "app.relay"),
        ("RELAY", "app.relay"),
        ("flffp", "app.relay"),  # 릴레 in English mode
        ("ㄱ딤ㅛ", "app.relay"),  # relay in Hangul mode
        ("ㅗ디ㅔ", "app.help"),
        ("ㄷㅇㅁ", "app.help"),
        ("도움", "app.help"),
        ("설정", "app.settings"),
        ("set", "app.settings"),
        ("잠", "app.lock"),
        ("바로", "app.switcher"),
        ("초대 열", "app.join"),
        ("open an", "app.join"),
    ],
)
async def test_a_command_is_found_by_any_name_in_any_mode(
    make_app: MakeApp, lang: str, query: str, first: str
) -> None:
    async with make_app(korean(), lang=lang).run_test(size=SIZE) as pilot:
        assert listed(await open_palette(pilot, query))[0] == first


async def test_names_come_before_explanations(make_app: MakeApp) -> None:
    async with make_app(korean(), lang="ko").run_test(size=SIZE) as pilot:
        found = listed(await open_palette(pilot, "ㄷㅎ"))
        assert found[:2] == ["chats.previous", "chats.next"]  # 이전 대화, 다음 대화
        assert "chats.search" in found  # 모든 대화에서 찾기
        assert found.index("chats.search") > 1


async def test_the_key_stands_at_the_right_and_nothing_is_said_plainly(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=SIZE) as pilot:
        screen = await open_palette(pilot)
        assert any(line.endswith("F9") and "Settings" in line for line in screen_lines(pilot.app))
        await type_text(pilot, "xyzzy")
        assert listed(screen) == []
        assert "There is no such command here." in screen_text(pilot.app)
        await pilot.press("enter")
        assert pilot.app.screen is screen


async def test_arrows_enter_and_the_mouse_choose(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_palette(pilot)
        names = listed(screen)
        options = screen.query_one(OptionList)
        await pilot.press("up")
        assert options.highlighted == len(names) - 1
        await pilot.press("down", "down", "pagedown")
        assert options.highlighted == 6
        await pilot.press("pageup", "pageup")
        assert options.highlighted == 0
        await pilot.press("escape")
        screen = await open_palette(pilot, "relay")
        await pilot.click(OptionList, offset=(2, 0))
        await settle(pilot)
        assert place(app) == "relay"


async def test_a_command_acts_where_the_focus_was(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await open_palette(pilot, "verify")
        await pilot.press("escape")
        await open_palette(pilot, "safety")
        await pilot.press("enter")
        await settle(pilot)
        assert place(app) == "verify"


async def test_while_locked_there_is_no_way_in(make_app: MakeApp) -> None:
    app = make_app(application=FakeApplication(english(), opened=False))
    async with app.run_test(size=SIZE) as pilot:
        found = listed(await open_palette(pilot))
        assert not {"app.contacts", "app.switcher", "app.lock", "app.settings"} & set(found)
        assert {"app.help", "app.quit"} <= set(found)
        await pilot.press("escape", "ctrl+k")
        await settle(pilot)
        assert place(app) == "unlock"


async def test_the_field_keeps_the_focus(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=(60, 20)) as pilot:
        screen = await open_palette(pilot)
        await pilot.press("down", "tab")
        assert isinstance(screen.focused, Input)


# Help


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_help_tells_keys_then_names_and_scrolls(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    async with make_app(english()).run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("f1")
        await settle(pilot)
        text = screen_text(pilot.app)
        assert "Here" in text
        assert "Search in all conversations" in text
        assert 'Other keys: "app.help" = "f1" under [keys]' in text
        await pilot.press("space")
        await settle(pilot)
        assert "chats.search" in screen_text(pilot.app)
        await pilot.press(*["down"] * 40)
        await settle(pilot)
        text = screen_text(pilot.app)
        assert "Everywhere" in text or size == (60, 20)
        assert "app.quit" in text
        await pilot.press("f1")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, HelpScreen)


async def test_help_shows_the_keys_that_were_chosen(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.set_keymap({"app.relay": "ctrl+r"})
        await pilot.press("f1")
        await settle(pilot)
        assert any("Ctrl+R" in line and "Relay" in line for line in screen_lines(app))
        await pilot.press("escape", "ctrl+p")
        await type_text(pilot, "relay")
        assert any(line.endswith("Ctrl+R") for line in screen_lines(app))


async def test_help_of_a_panel_is_the_panels(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=(120, 40)) as pilot:
        await open_palette(pilot)
        await pilot.press("f1")
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)
        assert [each.id for each in app.screen._keys] == [
            *("panel.close", "app.help", "picker.choose"),
            *("picker.next", "picker.previous", "picker.pagedown", "picker.pageup"),
        ]
        await pilot.press("escape")
        assert isinstance(app.screen, PaletteScreen)
