"""Commands in the composer: in either language or mode, and never sent by mistake."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.widgets import Input

from exile_tui.hangul import compose, keys
from exile_tui.locale import every_language
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.screens.help import HelpScreen
from exile_tui.ui.screens.search import SearchScreen
from exile_tui.ui.widgets.slash import (
    COMMANDS,
    CommandComposer,
    CommandList,
    as_message,
    as_typed,
    fitting,
    read,
)
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication
from tests.ui.paint import screen_text
from tests.ui.worlds import english, korean

SIZE = (100, 30)
NO_SUCH = "There is no such command."


# What is a command


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("/help", ("help", "")),
        ("  /help ", ("help", "")),
        ("/찾기 점심 약속", ("찾기", "점심 약속")),
        ("/", ("", "")),
        ("/usr/bin/python", ("usr/bin/python", "")),
        ("//help", None),
        ("/ help", None),
        ("help", None),
        ("", None),
        ("/home/me/a\n/home/me/b", None),
        ("/help\nme", None),
    ],
)
def test_reading(text: str, entry: tuple[str, str] | None) -> None:
    assert read(text) == entry


@given(st.text().map(str.strip))
def test_what_failed_comes_back_as_it_has_to_be_typed(message: str) -> None:
    assert read(as_typed(message)) is None
    assert as_message(as_typed(message)) == message


@given(st.text())
def test_what_is_sent_was_meant_as_a_message(text: str) -> None:
    if read(text) is None:
        message = as_message(text).strip()
        assert message in (text.strip(), text.strip()[1:])
        if text.strip().startswith("//") and "\n" not in text.strip():
            assert message == text.strip()[1:]


@pytest.mark.parametrize("command", COMMANDS, ids=[each.name for each in COMMANDS])
def test_every_command_is_first_by_each_name_in_each_mode(command: Any) -> None:
    assert len(every_language(command.name)) == 2
    assert len(set(command.names)) == 2
    for name in command.names:
        assert " " not in name
        assert fitting(name)[0] is command
        assert fitting(keys(name))[0] is command
        if name.isascii():
            assert fitting(compose(name))[0] is command


def test_names_are_not_the_beginning_of_each_other_in_any_mode() -> None:
    pressed = [keys(name) for command in COMMANDS for name in command.names]
    assert len(set(pressed)) == len(pressed)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("ㄷㅇ", "help"),
        ("도우", "help"),
        ("헤", "help"),
        ("r", "relay"),
        ("ㄱ", "verify"),
        ("네", None),
    ],
)
def test_beginnings(typed: str, first: str | None) -> None:
    found = fitting(typed)
    if first is None or typed == "헤":
        assert [each.name for each in found] == []
    else:
        assert found[0].name == first


# In the composer


async def type_text(pilot: Any, text: str) -> None:
    for character in text:
        pilot.app.post_message(events.Key(character, character))
    await settle(pilot)


async def open_first(pilot: Any) -> CommandComposer:
    await settle(pilot)
    await pilot.press("enter")
    await settle(pilot)
    composer = pilot.app.screen.query_one(CommandComposer)
    assert composer.has_focus
    return composer  # type: ignore[no-any-return]  # the pilot is Any


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("/invite", "invite"),
        ("/초대", "invite"),
        ("/ㅑㅜㅍㅑㅅㄷ", "invite"),
        ("/ㅜ퍗ㄷ", None),
        ("/verify", "verify"),
        ("/검증", "verify"),
        ("/relay", "relay"),
        ("/릴레이", "relay"),
        ("/설정", "settings"),
        ("/tjfwjd", "settings"),
        ("/연락처", "contacts"),
        ("/lock", "unlock"),
        ("/잠금", "unlock"),
    ],
)
async def test_a_command_is_done_and_not_sent(
    make_app: MakeApp, lang: str, typed: str, place: str | None
) -> None:
    messenger = korean()
    before = len(messenger._messages[1])
    app = make_app(messenger, lang=lang)
    async with app.run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        await type_text(pilot, typed)
        await pilot.press("enter")
        await settle(pilot)
        assert len(messenger._messages[1]) == before
        assert isinstance(app.screen, ExileScreen)
        if place is None:
            assert composer.text == typed
        else:
            assert app.screen.place == place


@pytest.mark.parametrize("typed", ["/help", "/도움말", "/ㅗ디ㅔ", "/ehdnaakf", "/ㄷㅇㅁ"])
async def test_help_in_any_mode(make_app: MakeApp, typed: str) -> None:
    async with make_app(english()).run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        await type_text(pilot, typed)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, HelpScreen)
        assert composer.text == ""


async def test_quit(make_app: MakeApp) -> None:
    application = FakeApplication(english())
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await open_first(pilot)
        await type_text(pilot, "/나가기")
        await pilot.press("enter")
        await settle(pilot)
    assert application.closed


@pytest.mark.parametrize("typed", ["/search three", "/찾기 three", "/ckwrl three", "/s three"])
async def test_search_takes_a_text(make_app: MakeApp, typed: str) -> None:
    async with make_app(english()).run_test(size=SIZE) as pilot:
        await open_first(pilot)
        await type_text(pilot, typed)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, SearchScreen)
        assert pilot.app.screen.query_one(Input).value == "three"
        assert "We start at three" in screen_text(pilot.app)


@pytest.mark.parametrize("typed", ["/foo", "/usr/bin/python", "/help me", "/quit now", "/lockk"])
async def test_what_is_no_command_is_kept_and_not_sent(make_app: MakeApp, typed: str) -> None:
    messenger = english()
    before = len(messenger._messages[1])
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        await type_text(pilot, typed)
        await pilot.press("enter")
        await settle(pilot)
        assert composer.text == typed
        assert len(messenger._messages[1]) == before
        assert "//" in screen_text(app)
        await pilot.press("home")
        await type_text(pilot, "/")
        await pilot.press("enter")
        await settle(pilot)
        assert messenger._messages[1][-1].text == typed
        assert composer.text == ""


async def test_keys_typed_faster_than_the_list_is_drawn(make_app: MakeApp) -> None:
    """All of it arrives in one read: the list shows an older beginning when Enter comes."""
    messenger = english()
    before = len(messenger._messages[1])
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        for key in ("/", "f", "o", "o", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(pilot)
        assert len(messenger._messages[1]) == before
        assert composer.text == "/foo"
        assert isinstance(app.screen, ExileScreen)
        assert app.screen.place == "chats"


async def test_pasted_lines_that_begin_with_a_slash_are_a_message(make_app: MakeApp) -> None:
    messenger = english()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_first(pilot)
        app.post_message(events.Paste("/quit\n/home/me/notes"))
        await settle(pilot)
        assert not app.screen.query_one(CommandList).display
        await pilot.press("enter")
        await settle(pilot)
        assert messenger._messages[1][-1].text == "/quit\n/home/me/notes"


async def test_the_list_follows_and_is_walked(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        commands = app.screen.query_one(CommandList)
        assert not commands.display
        await type_text(pilot, "/")
        assert commands.option_count == len(COMMANDS)
        await type_text(pilot, "ㅅ")
        assert commands.chosen is not None
        assert commands.chosen.name == "settings"
        await pilot.press("backspace", "down", "down", "up")
        await settle(pilot)
        assert commands.chosen.name == "search"
        await pilot.press("tab")
        await settle(pilot)
        assert composer.text == "/찾기 "
        assert composer.has_focus
        await pilot.press("escape")
        await settle(pilot)
        assert not commands.display
        assert composer.text == "/찾기 "
        await pilot.press(*["backspace"] * 4)
        await settle(pilot)
        assert composer.text == ""
        await pilot.press("tab")
        await settle(pilot)
        assert not composer.has_focus


@pytest.mark.parametrize(
    ("typed", "whole"),
    [("/he", "/help"), ("/도", "/도움말"), ("/ㅗ디", "/도움말"), ("/s", "/search ")],
)
async def test_tab_writes_out_the_name_that_was_begun(
    make_app: MakeApp, typed: str, whole: str
) -> None:
    async with make_app(korean(), lang="ko").run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        await type_text(pilot, typed)
        await pilot.press("tab")
        await settle(pilot)
        assert composer.text == whole


async def test_a_click_does_it(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        await type_text(pilot, "/")
        await pilot.click(CommandList, offset=(3, 1))
        await settle(pilot)
        assert composer.text == "/search "
        await pilot.press("backspace", *["backspace"] * 6)
        await settle(pilot)
        await pilot.click(CommandList, offset=(3, 6))
        await settle(pilot)
        assert isinstance(app.screen, ExileScreen)
        assert app.screen.place == "relay"


async def test_a_draft_of_a_command_belongs_to_its_conversation(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        composer = await open_first(pilot)
        await type_text(pilot, "/he")
        await pilot.press("ctrl+down")
        await settle(pilot)
        assert composer.text == ""
        assert not app.screen.query_one(CommandList).display
        await pilot.press("ctrl+up")
        await settle(pilot)
        assert composer.text == "/he"
