"""The app: help, commands, locking, keys under an input method, and errors' one face."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import ClassVar

import pytest
from textual import _time, events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from exile_tui.core.events import ContactChanged, Event
from exile_tui.errors import N_, RelayUnreachable
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.screens.help import HelpScreen
from exile_tui.ui.screens.palette import PaletteScreen
from exile_tui.ui.widgets.key_line import MOST_KEYS, shown_keys
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import PASSPHRASE, FakeApplication, FakeMessenger
from tests.ui.paint import screen_lines, screen_text
from tests.ui.worlds import english, korean

SIZE = (100, 30)


async def test_it_begins_where_the_profile_is(make_app: MakeApp) -> None:
    for exists, opened, place in [
        (False, False, "first_run"),
        (True, False, "unlock"),
        (True, True, "chats"),
    ]:
        app = make_app(application=FakeApplication(exists=exists, opened=opened))
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            assert app.screen.place == place


async def test_help_lists_the_keys_of_the_focused_place(make_app: MakeApp) -> None:
    async with make_app(korean(), lang="ko").run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("f1")
        await settle(pilot)
        assert isinstance(pilot.app.screen, HelpScreen)
        text = screen_text(pilot.app)
        for words in ("Ctrl+J", "줄바꿈", "안전 번호", "연락처와 연락처 요청", "어디서나"):
            assert words in text
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, ChatsScreen)


@pytest.mark.parametrize("query", ["Lock", "잠금", "ㅈㄱ", "lock"])
async def test_a_command_is_found_in_both_languages_and_by_initials(
    make_app: MakeApp, query: str
) -> None:
    messenger = korean()
    application = FakeApplication(messenger)
    app = make_app(application=application, lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p")
        await settle(pilot)
        assert isinstance(app.screen, PaletteScreen)
        for character in query:
            app.post_message(events.Key(character, character))
        await settle(pilot)
        assert any("잠금  " in line and "Ctrl+L" in line for line in screen_lines(app))
        await pilot.press("enter")
        await settle(pilot)
        assert application.messenger is None
        assert app.screen.place == "unlock"


async def test_locking_and_unlocking_leads_back_to_the_chats(make_app: MakeApp) -> None:
    application = FakeApplication(english())
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.open_screen("relay")
        await settle(pilot)
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert app.screen.place == "unlock"
        assert len(app.screen_stack) == 1
        assert "Haneul" not in screen_text(app)
        app.enter(await application.unlock(PASSPHRASE))
        await settle(pilot)
        assert app.screen.place == "chats"
        assert application.inside.started


async def test_places_do_not_pile_up(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=SIZE) as pilot:
        await settle(pilot)
        for key, place in [("f2", "contacts"), ("f4", "relay"), ("f2", "contacts")]:
            await pilot.press(key)
            await settle(pilot)
            assert pilot.app.screen.place == place
            assert len(pilot.app.screen_stack) == 2
        pilot.app.show_chats(2)
        await settle(pilot)
        assert pilot.app.screen.contact.id == 2


class Letters(ExileScreen):
    """A screen with a single-letter key."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "note", N_("Quit"), id="letters.q")]
    noted = 0
    heard: list[Event]

    def action_note(self) -> None:
        self.noted += 1

    def happened(self, event: Event) -> None:
        self.heard.append(event)


@pytest.mark.parametrize("character", ["q", "ㅂ", "\u1107"])
async def test_a_letter_works_in_hangul_mode(make_app: MakeApp, character: str) -> None:
    app = make_app(FakeMessenger())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        screen = Letters()
        app.push_screen(screen)
        await settle(pilot)
        app.post_message(events.Key(character, character))
        await settle(pilot)
        assert screen.noted == 1


async def test_events_reach_screens_that_are_covered(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        screen = Letters()
        screen.heard = []
        app.push_screen(screen)
        await settle(pilot)
        await pilot.press("f1")
        messenger.emit(ContactChanged(7))
        await settle(pilot)
        assert screen.heard == [ContactChanged(7)]


async def test_errors_have_one_face(make_app: MakeApp) -> None:
    app = make_app(english(), lang="ko")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        app.show_error(RelayUnreachable(address="relay.example:443"))
        await settle(pilot)
        assert "릴레이 서버에 닿지 않아요" in screen_text(app)
        assert "relay.example:443" in screen_text(app)


async def test_a_bug_is_an_error_and_not_the_end(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)

        async def broken() -> None:
            raise ZeroDivisionError

        app.services.command(app, "broken", broken)
        await settle(pilot)
        assert "Something went wrong" in screen_text(app)
        assert [type(error) for error in app.unexpected] == [ZeroDivisionError]
        app.unexpected.clear()


async def test_the_key_line_is_short_and_clickable(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        line = screen_lines(app)[-1]
        assert line.count("   ") < MOST_KEYS
        assert line.rstrip().endswith("F1 Help")
        await pilot.click(offset=(line.index("F2") + 1, 29))
        await settle(pilot)
        assert app.screen.place == "contacts"


async def test_every_key_of_ours_has_an_id_and_words(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for place in ("contacts", "invite", "join", "relay"):
            app.open_screen(place)
            await settle(pilot)
            keys = shown_keys(app.screen)
            assert keys
            for each in keys:
                assert any("가" <= character <= "힣" for character in each.description), each
            app.pop_screen()
            await settle(pilot)


async def test_what_is_typed_after_tab_lands_in_the_next_field(make_app: MakeApp) -> None:
    """All of it arrives in one read, as when the computer is busy."""
    app = make_app(FakeMessenger())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        screen = ExileScreen()
        app.push_screen(screen)
        await settle(pilot)
        await screen.query_one("#body").mount(Input(id="first"), Input(id="second"))
        screen.query_one("#first").focus()
        await settle(pilot)
        for key in ("a", "tab", "b"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(pilot)
        assert [screen.query_one(name, Input).value for name in ("#first", "#second")] == [
            "a",
            "b",
        ]


async def test_asking_before_what_can_not_be_undone(make_app: MakeApp) -> None:
    app = make_app(english())
    done: list[str] = []
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.ask("Delete it?", "Delete", lambda: done.append("yes"))
        await settle(pilot)
        assert "Delete it?" in screen_text(app)
        await pilot.press("enter")
        await settle(pilot)
        assert done == []
        app.ask("Delete it?", "Delete", lambda: done.append("yes"))
        await settle(pilot)
        await pilot.press("right", "enter")
        await settle(pilot)
        assert done == ["yes"]


async def test_a_theme_that_is_not_there_is_a_notice(make_app: MakeApp) -> None:
    app = make_app(english(), theme="nonesuch")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert app.theme == "exile-dark"
        assert "There is no theme nonesuch" in screen_text(app)


async def test_the_screen_takes_the_new_size_when_the_machine_is_busy(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = count(1)

    def get_time() -> float:
        task = asyncio.current_task()
        waits_once = task is not None and task.get_name().startswith("set_timer#")
        return time.monotonic() + (next(late) if waits_once else 0)

    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        monkeypatch.setattr(_time, "get_time", get_time)
        for size in ((80, 24), (60, 20)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert app.screen._compositor.size == size
        assert next(late) > 1, "no timer was late"


async def test_the_profile_is_closed_with_the_window(make_app: MakeApp) -> None:
    application = FakeApplication(english())
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+q")
    assert application.closed
