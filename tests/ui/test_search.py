"""The search panel: filters, marks, what was not looked through, the other input mode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.widgets import Input

from exile_tui.core.model import ContactState
from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.screens.search import SearchScreen
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import NOW_MS, FakeMessenger, at
from tests.ui.paint import screen_text
from tests.ui.worlds import english, korean

WIDE = (100, 26)


def shown(pilot: Any) -> str:
    return " ".join(screen_text(pilot.app).split())


async def press(pilot: Any, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def test_filters_by_key_keep_to_what_they_say(make_app: MakeApp) -> None:
    messenger = english()
    messenger.hear(messenger._contacts[2], "see https://example.org/three", at(11, 20))
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "ctrl+f", *"three")
        assert "3 messages" in shown(pilot)
        await press(pilot, "f5")
        assert "F5 Haneul Kim" in shown(pilot)
        assert "2 messages" in shown(pilot)
        await press(pilot, "f6")
        assert "F6 Me" in shown(pilot)
        assert "Nothing was found with these filters." in shown(pilot)
        await press(pilot, "f6", "f5", "f8")
        assert "F6 Them" in shown(pilot)
        assert "F8 With link" in shown(pilot)
        assert "1 message" in shown(pilot)


async def test_a_hit_from_a_file_says_so(make_app: MakeApp) -> None:
    """Whoever made the file chose the name that stands before the words."""
    messenger = FakeMessenger()
    contact = messenger.add_contact("Haneul Kim", verified=True)
    messenger.hear(contact, "the real address")
    forged = messenger.add_contact("Haneul Kim", ContactState.ARCHIVED)
    messenger.hear(forged, "the other address")
    async with make_app(messenger, lang="en").run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+f", *"address")
        assert "PM Haneul Kim imported" in shown(pilot)
        assert "PM Haneul Kim Haneul Kim: the real" in shown(pilot)


async def test_links_are_listed_without_a_word(make_app: MakeApp) -> None:
    messenger = korean()
    messenger.hear(messenger._contacts[2], "https://example.org/", NOW_MS)
    async with make_app(messenger, lang="ko").run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+f", "f8")
        assert "메시지 1개" in shown(pilot)
        assert "https://example.org/" in shown(pilot)


async def test_times_and_a_day_that_is_typed(make_app: MakeApp) -> None:
    messenger = english()
    messenger.hear(messenger._contacts[2], "three years ago", at(1, 2))
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+f", *"three")
        assert "3 messages" in shown(pilot)
        for words in ("Today", "7 days", "30 days"):
            await press(pilot, "f7")
            assert f"F7 {words}" in shown(pilot)
            assert "2 messages" in shown(pilot)
        await press(pilot, "f7", "f7", *"2026-13")
        assert "This is no day." in shown(pilot)
        await press(pilot, "backspace", "backspace", *"11-21")
        assert "2 messages" in shown(pilot)
        await press(pilot, "enter")
        assert pilot.app.focused is pilot.app.screen.query_one("#query", Input)
        await press(pilot, "f7")
        assert "3 messages" in shown(pilot)


async def test_a_click_changes_a_filter(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+f", *"three")
        await pilot.click("FilterLine", offset=(16, 0))
        await settle(pilot)
        assert "F6 Me" in shown(pilot)


async def test_the_other_input_mode_is_one_key_away(make_app: MakeApp) -> None:
    for key in ("tab", "enter"):
        async with make_app(korean(), lang="ko").run_test(size=WIDE) as pilot:
            await settle(pilot)
            await press(pilot, "ctrl+f", *"ghldml")
            assert "Tab 회의로 찾기" in shown(pilot)
            await press(pilot, key)
            assert pilot.app.screen.query_one("#query", Input).value == "회의"
            assert "메시지 2개" in shown(pilot)


async def test_older_ones_are_looked_through_when_asked(make_app: MakeApp) -> None:
    messenger = FakeMessenger(looks_at_once=4)
    person = messenger.add_contact("Haneul Kim")
    for number in range(20):
        messenger.hear(person, "zebra" if number == 1 else "horse", at(11, 1 + number))
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+f", *"zebra")
        assert "Nothing back to Nov 17. What is older was not looked through" in shown(pilot)
        await press(pilot, "f4")
        assert "1 message" in shown(pilot)
        assert "F4" not in shown(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, ChatsScreen)


async def test_more_hits_than_a_page(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    person = messenger.add_contact("김하늘")
    for number in range(70):
        messenger.hear(person, f"{number} 학교", NOW_MS - number)
    async with make_app(messenger, lang="ko").run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+f", "학", "교")
        assert "최근 메시지 50개예요." in shown(pilot)
        await press(pilot, "up")
        await press(pilot, "f4")
        assert "메시지 70개" in shown(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, SearchScreen)
        walks: list[Any] = []
        screen.dismiss = walks.append  # type: ignore[method-assign, assignment]
        await press(pilot, "enter")
        (walk,) = walks
        assert walk.current.text == "49 학교"
        assert (await walk.next()).text == "50 학교"


SCREENS = {
    "empty": (),
    "hits": ("회",),
    "nothing": ("없", "음"),
    "wrong-mode": tuple("ghldml"),
    "filters": ("시", "f5", "f6", "f7", "f7"),
}


@pytest.mark.parametrize("name", SCREENS)
async def test_pictures(
    make_app: MakeApp, snap_sizes: Callable[..., Awaitable[None]], name: str
) -> None:
    async def prepare(pilot: Any) -> None:
        await press(pilot, "enter", "ctrl+f", *SCREENS[name])

    await snap_sizes(make_app(korean(), lang="ko"), before=prepare)


async def test_pictures_in_english(
    make_app: MakeApp, snap_sizes: Callable[..., Awaitable[None]]
) -> None:
    async def prepare(pilot: Any) -> None:
        await press(pilot, "enter", "ctrl+f", *"the", "f6", "f7")

    await snap_sizes(make_app(english()), before=prepare)
