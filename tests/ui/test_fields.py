"""Fields of one line: letters stay behind Enter, and the terminal's cursor where it is drawn."""

from __future__ import annotations

import pytest
from textual import events
from textual.geometry import Offset
from textual.widgets import ContentSwitcher

from exile_tui.ui import typeahead
from exile_tui.ui.widgets.one_line import Field
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication

WORDS = "열쇠 다섯"


def fresh() -> FakeApplication:
    return FakeApplication(exists=False, opened=False)


@pytest.mark.parametrize("look", [typeahead.LOOK_S, 0.001])
async def test_letters_that_come_with_enter_stay_behind_it(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, look: float
) -> None:
    """Also on a machine that is so busy that time passes meanwhile."""
    monkeypatch.setattr(typeahead, "LOOK_S", look)
    monkeypatch.setattr(typeahead, "MOST_LOOKS", 1_000_000)
    app = make_app(application=fresh(), lang="ko")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ["enter", *WORDS, "enter", *WORDS, "enter"]:
            character = "\r" if key == "enter" else key
            app.post_message(events.Key(key, character))
        for _ in range(20):
            await settle(pilot)
        assert app.screen.query_one("#first", Field).value == WORDS
        assert app.screen.query_one("#second", Field).value == WORDS
        assert app.screen.query_one("#steps", ContentSwitcher).current == "name"


@pytest.mark.parametrize(("password", "cells"), [(True, 5), (False, 9)])
async def test_the_cursor_is_where_it_is_drawn(
    make_app: MakeApp, password: bool, cells: int
) -> None:
    app = make_app(application=fresh(), lang="ko")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        field = app.screen.query_one("#first", Field)
        field.password = password
        await pilot.press(*WORDS)
        await settle(pilot)
        start = field.content_region.offset
        assert app.cursor_position == start + Offset(cells, 0)
        await pilot.press("left", "left")
        await settle(pilot)
        assert app.cursor_position == start + Offset(cells - (2 if password else 4), 0)


async def test_a_pasted_link_shows_its_end_and_the_cursor_behind_it(make_app: MakeApp) -> None:
    link = "exile:" + "".join(chr(ord("a") + number % 26) for number in range(110))
    app = make_app(lang="ko")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+o")
        await settle(pilot)
        field = app.screen.query_one("#code-text", Field)
        assert app.focused is field
        app.post_message(events.Paste(link))
        await settle(pilot)
        await settle(pilot)
        rows = [strip.text for strip in app.screen._compositor.render_strips()]
        row = rows[field.content_region.y]
        shown = row.strip()
        assert link.endswith(shown)
        assert len(shown) > 60
        assert app.cursor_position == Offset(row.index(shown) + len(shown), field.content_region.y)
