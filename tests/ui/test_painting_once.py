"""What is not painted, or done, a second time: it is what opening a conversation took."""

from __future__ import annotations

import sys

import pytest
from textual.screen import Screen

from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.starting import SWITCH_S
from exile_tui.ui.widgets.conversation import Conversation
from exile_tui.ui.widgets.details import Details
from exile_tui.ui.widgets.key_line import KeyLine
from tests.ui.conftest import MakeApp, settle
from tests.ui.paint import screen_text
from tests.ui.worlds import korean


async def test_the_line_of_keys_is_drawn_only_when_a_key_changed(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, drawn = make_app(korean(), lang="ko"), list[KeyLine]()
    async with app.run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        render = KeyLine.render
        monkeypatch.setattr(KeyLine, "render", lambda self: drawn.append(self) or render(self))
        app.screen.refresh_bindings()
        await settle(pilot)
        assert not drawn
        await pilot.press("enter")
        await settle(pilot)
        assert drawn


async def test_a_screen_is_laid_out_for_a_size_once_and_again_for_another(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, laid_out = make_app(korean(), lang="ko"), list[object]()
    refresh = Screen._refresh_layout

    def note(self: Screen[None], size: object = None, scroll: bool = False) -> None:
        laid_out.append(size)
        refresh(self, size, scroll)  # type: ignore[arg-type]

    async with app.run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(Screen, "_refresh_layout", note)
        app.open_screen("contacts")
        await settle(pilot)
        assert [size for size in laid_out if size is not None] == [(100, 26)]
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert (80, 24) in laid_out
        assert app.screen.size == (80, 24)


async def test_a_layout_and_a_whole_painting_are_one(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, painted = make_app(korean(), lang="ko"), list[Screen[None]]()
    async with app.run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        before, paint = screen_text(app), Screen._compositor_refresh

        def note(self: Screen[None]) -> None:
            painted.append(self)
            paint(self)

        monkeypatch.setattr(Screen, "_compositor_refresh", note)
        app.screen.refresh(layout=True)
        app.screen.refresh()
        await settle(pilot)
        assert painted == [app.screen]
        assert screen_text(app) == before


async def test_details_that_are_asked_for_later_are_those_of_who_is_open(
    make_app: MakeApp,
) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, ChatsScreen)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("ctrl+down")
        await settle(pilot)
        await pilot.press("f5")
        await settle(pilot)
        assert screen.contact is not None
        name = screen.query_one("#details-name")
        assert screen.contact.name in str(name.render())
        assert screen.query_one(Details).display


async def test_styles_are_found_before_anything_is_opened(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        conversation = app.screen.query_one(Conversation)
        styles = {f"conversation--{name or 'text'}" for name in conversation._styles}
        assert styles == conversation.COMPONENT_CLASSES


def test_threads_hand_over_quickly_in_a_process_that_shows_the_app(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list[float]()
    monkeypatch.setattr(sys, "setswitchinterval", given.append)
    monkeypatch.setattr("gc.disable", lambda: None)
    make_app(korean(), lang="ko").starting.begin()
    assert given == [SWITCH_S]
