"""Unlocking: right, wrong, in use, in the other language."""

from __future__ import annotations

import unicodedata

import pytest
from textual.widgets import Input

from exile_tui.errors import ProfileError, ProfileInUse
from exile_tui.ui.widgets.working import Working
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import PASSPHRASE, FakeApplication
from tests.ui.paint import screen_text


async def test_the_right_passphrase_opens_the_chats(make_app: MakeApp) -> None:
    application = FakeApplication(opened=False)
    app = make_app(application=application)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*PASSPHRASE, "enter")
        await settle(pilot)
        assert app.screen.place == "chats"
        assert application.inside.started


async def test_a_wrong_one_is_a_sentence_and_can_be_typed_over(make_app: MakeApp) -> None:
    app = make_app(application=FakeApplication(opened=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "Type your passphrase first." in screen_text(app)
        await pilot.press(*"wrong", "enter")
        await settle(pilot)
        assert "The passphrase is wrong. Nothing was changed" in screen_text(app)
        assert "wrong" not in screen_text(app).replace("is wrong", "")
        assert not app.screen.query_one(Working).visible
        await pilot.press(*PASSPHRASE, "enter")
        await settle(pilot)
        assert app.screen.place == "chats"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ProfileInUse(profile="default", pid=4242), "in use by process 4242"),
        (ProfileError("The vault is damaged."), "The vault is damaged."),
    ],
)
async def test_other_errors_stay_here(
    make_app: MakeApp, error: ProfileError, sentence: str
) -> None:
    application = FakeApplication(opened=False)
    application.refuse = error
    app = make_app(application=application)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*"abc", "enter")
        await settle(pilot)
        assert sentence in " ".join(screen_text(app).split())
        assert app.screen.place == "unlock"
        assert app.screen.query_one("#passphrase", Input).value == "abc"


async def test_the_language_is_switched_and_the_passphrase_kept(make_app: MakeApp) -> None:
    app = make_app(application=FakeApplication(opened=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*"abc", "tab", "tab", "left")
        await settle(pilot)
        assert "여기 있는 모든 것이 암호화되어 있어요" in screen_text(app)
        assert app.screen.query_one("#passphrase", Input).value == "abc"
        await pilot.press("right")
        await settle(pilot)
        assert "Everything here is encrypted" in screen_text(app)


async def test_a_passphrase_is_composed_before_it_is_tried(make_app: MakeApp) -> None:
    tried: list[str] = []

    class Remembering(FakeApplication):
        async def unlock(self, passphrase: str) -> object:  # type: ignore[override]
            tried.append(passphrase)
            return await super().unlock(passphrase)

    app = make_app(application=Remembering(opened=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        field = app.screen.query_one("#passphrase", Input)
        field.value = unicodedata.normalize("NFD", "비밀 낱말")
        await pilot.press("enter")
        await settle(pilot)
        assert tried == ["비밀 낱말"]


async def test_locking_leads_back_here(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open_screen("contacts")
        await settle(pilot)
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert app.screen.place == "unlock"
        assert app.application.messenger is None


async def test_what_an_open_profile_needs_is_loaded_while_somebody_types(make_app: MakeApp) -> None:
    application = FakeApplication(opened=False)
    app = make_app(application=application)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert not application.prepared
        await pilot.press(*"abc")
        await settle(pilot)
        assert application.prepared == 1
