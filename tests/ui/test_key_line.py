"""The last line names Enter also where a field or a list takes it and hands it on."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input

from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication
from tests.ui.paint import screen_lines, screen_text
from tests.ui.worlds import korean


def fresh() -> FakeApplication:
    return FakeApplication(exists=False, opened=False)


def keys(app: object) -> str:
    return screen_lines(app)[-1]


async def test_every_step_of_the_first_run_names_enter(make_app: MakeApp) -> None:
    app = make_app(application=fresh(), lang="ko")
    async with app.run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        assert "Enter 다음" in keys(app)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.focused, Input)
        assert "Enter 다음" in keys(app)
        app.screen.query_one("#previous", Button).focus()
        await settle(pilot)
        assert "Enter" not in keys(app)


@pytest.mark.parametrize("size", [(100, 26), (80, 24), (120, 40)])
async def test_the_last_step_shows_its_button_with_the_link_above(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(application=fresh(), lang="ko")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        for field in ("#first", "#second"):
            app.screen.query_one(field, Input).value = "말 수레 배터리 집게"
        await pilot.press("enter", "enter", "up", "enter")
        await settle(pilot)
        lines = screen_text(app)
        assert "exile:..." in lines
        assert "시작하기" in lines


async def test_a_request_is_not_opened_with_enter(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        app.open_screen("contacts")
        await settle(pilot)
        assert "F5 수락" in keys(app)
        assert "Enter" not in keys(app)
        await pilot.press("down")
        await settle(pilot)
        assert "Enter 열기" in keys(app)
