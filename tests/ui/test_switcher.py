"""The quick switcher: a conversation by a part of its name, from everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.widgets import OptionList

from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.screens.switcher import SwitcherScreen
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger, at
from tests.ui.paint import screen_lines, screen_text
from tests.ui.worlds import HOSTILE, english, korean

SIZE = (100, 30)


async def open_switcher(pilot: Any, query: str = "") -> SwitcherScreen:
    await settle(pilot)
    await pilot.press("ctrl+k")
    await settle(pilot)
    for character in query:
        pilot.app.post_message(events.Key(character, character))
    await settle(pilot)
    assert isinstance(pilot.app.screen, SwitcherScreen)
    return pilot.app.screen


def names(screen: SwitcherScreen) -> list[str]:
    return [each.contact.name for each in screen._shown]


async def test_without_a_query_the_newest_come_first(make_app: MakeApp) -> None:
    async with make_app(korean(), lang="ko").run_test(size=SIZE) as pilot:
        screen = await open_switcher(pilot)
        assert names(screen) == ["김하늘", "", "박서준", "최유나 🎉"]  # a request is none
        lines = screen_lines(pilot.app)
        assert any(line.endswith("2개 안 읽음") and "검증됨" in line for line in lines)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("김하늘", ["김하늘"]),
        ("하", ["김하늘"]),
        ("ㄱㅎㄴ", ["김하늘"]),
        ("ㅂㅅ", ["박서준"]),
        ("ㅄ", ["박서준"]),  # some input methods join ㅂ and ㅅ
        ("rlag", ["김하늘"]),
        ("chldb", ["최유나 🎉"]),
        ("ㅇㅈ", []),
    ],
)
async def test_a_name_is_found_by_parts_initials_and_in_the_wrong_mode(
    make_app: MakeApp, query: str, found: list[str]
) -> None:
    async with make_app(korean(), lang="ko").run_test(size=SIZE) as pilot:
        assert names(await open_switcher(pilot, query)) == found


async def test_a_latin_name_is_found_in_hangul_mode(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=SIZE) as pilot:
        assert names(await open_switcher(pilot, "ㅗ무")) == ["Haneul Kim"]  # han


async def test_the_best_comes_first_and_of_equals_the_newest(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    for name, hour in [("Anna", 9), ("Jo Ann", 12), ("Ann", 8), ("Annika", 11)]:
        messenger.hear(messenger.add_contact(name), "hi", at(11, 21, hour))
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        assert names(await open_switcher(pilot, "ann")) == ["Ann", "Annika", "Anna", "Jo Ann"]


@pytest.mark.parametrize("size", [(60, 20), (100, 30)])
async def test_enter_opens_it_from_anywhere(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app(english())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        app.open_screen("relay")
        await open_switcher(pilot, "seojun")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, ChatsScreen)
        assert app.screen.contact is not None
        assert app.screen.contact.name == "Seojun Park"


async def test_it_opens_while_something_is_being_typed(make_app: MakeApp) -> None:
    """The composer would delete to the end of the line with this key."""
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press(*"draft", "home")
        await open_switcher(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "draft" in screen_text(app)


async def test_the_mouse_chooses(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await open_switcher(pilot)
        await pilot.click(OptionList, offset=(3, 5))
        await settle(pilot)
        assert isinstance(app.screen, ChatsScreen)
        assert app.screen.contact is not None
        assert app.screen.contact.name == "Seojun Park"


async def test_an_empty_one_says_what_to_do(make_app: MakeApp) -> None:
    async with make_app(FakeMessenger(), lang="ko").run_test(size=SIZE) as pilot:
        await open_switcher(pilot)
        assert "Ctrl+N" in screen_text(pilot.app)
    async with make_app(korean(), lang="ko").run_test(size=SIZE) as pilot:
        screen = await open_switcher(pilot, "없는사람")
        assert "그런 이름이 없어요" in screen_text(pilot.app)
        await pilot.press("enter")
        assert pilot.app.screen is screen


async def test_it_opens_over_no_question(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.ask("Delete it?", "Delete", lambda: None)
        await settle(pilot)
        await pilot.press("ctrl+k")
        await settle(pilot)
        assert "Delete it?" in screen_text(app)
        assert not isinstance(app.screen, SwitcherScreen)


async def test_names_are_made_safe(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.add_contact(HOSTILE)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        await open_switcher(pilot)
        assert not set("\x1b\x07\u202e\x9b") & set(screen_text(pilot.app))
