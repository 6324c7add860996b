"""The first run: Enter leads through, errors stay on their step and lose nothing."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Input

from exile_tui.core.application import RelayChoiceKind
from exile_tui.errors import ProfileError, Refused, RelayRefused, RelayUnreachable
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.welcome import Welcome
from exile_tui.ui.widgets.choices import Choices
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import RELAY, FakeApplication, FakeMessenger
from tests.ui.paint import screen_text

LINK = "exile:" + "A" * 106
SIZE = (80, 24)
WORDS = "horse battery"


def fresh() -> FakeApplication:
    return FakeApplication(exists=False, opened=False)


def step(app: ExileApp) -> str | None:
    return app.screen.query_one("#steps", ContentSwitcher).current


async def to_relay(app: ExileApp, pilot: Pilot[int]) -> None:
    await settle(pilot)
    await pilot.press("enter")
    app.screen.query_one("#first", Input).value = WORDS
    app.screen.query_one("#second", Input).value = WORDS
    await pilot.press("enter", "enter")
    await settle(pilot)
    assert step(app) == "relay"


async def test_enter_leads_through_with_the_defaults(make_app: MakeApp) -> None:
    application = fresh()
    app = make_app(application=application, lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter", *WORDS, "enter", *WORDS, "enter", "enter", "enter")
        await settle(pilot)
        assert application.first_run.passphrase == WORDS
        assert application.first_run.name == "망명자"
        assert application.first_run.relay.kind is RelayChoiceKind.EMBEDDED
        assert "망명을 환영합니다" in screen_text(app)
        assert application.inside.started
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.place == "chats"


@pytest.mark.parametrize(("key", "place"), [("ctrl+n", "invite"), ("ctrl+o", "join")])
async def test_welcome_leads_on(make_app: MakeApp, key: str, place: str) -> None:
    app = make_app(application=fresh())
    async with app.run_test(size=SIZE) as pilot:
        await to_relay(app, pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, Welcome)
        await pilot.press(key)
        await settle(pilot)
        assert app.screen.place == place
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen.place == "chats"


async def test_passphrases_must_match_and_the_first_is_kept(make_app: MakeApp) -> None:
    app = make_app(application=fresh())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter", "enter")
        await settle(pilot)
        assert "Type a passphrase first." in screen_text(app)
        await pilot.press(*WORDS, "enter", *"other", "enter")
        await settle(pilot)
        assert "The two don't match." in screen_text(app)
        assert step(app) == "passphrase"
        assert app.screen.query_one("#first", Input).value == WORDS
        assert app.screen.focused is app.screen.query_one("#second")
        assert WORDS not in screen_text(app)


async def test_the_estimate_follows_the_typing(make_app: MakeApp) -> None:
    app = make_app(application=fresh())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter", "a")
        await settle(pilot)
        assert "very weak" in screen_text(app)
        await pilot.press(*"bcdefghijklmn")
        await settle(pilot)
        assert "fair" in screen_text(app) or "strong" in screen_text(app)
        app.screen.query_one("#first", Input).value = ""
        await settle(pilot)
        assert "strong" not in screen_text(app)


async def test_the_language_changes_at_once(make_app: MakeApp) -> None:
    app = make_app(application=fresh(), lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "어떤 언어로 쓸까요?" in screen_text(app)
        await pilot.press("right")
        await settle(pilot)
        assert "In which language?" in screen_text(app)
        await pilot.press("enter")
        app.screen.query_one("#first", Input).value = WORDS
        app.screen.query_one("#second", Input).value = WORDS
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.query_one("#own-name", Input).value == "Exile"


async def test_going_back_loses_nothing(make_app: MakeApp) -> None:
    app = make_app(application=fresh())
    async with app.run_test(size=SIZE) as pilot:
        await to_relay(app, pilot)
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert step(app) == "passphrase"
        assert app.screen.query_one("#first", Input).value == WORDS
        await pilot.click("#next")
        await settle(pilot)
        app.screen.query_one("#own-name", Input).value = "  "
        await pilot.press("enter")
        await settle(pilot)
        assert "Type a name" in screen_text(app)
        assert step(app) == "name"


async def choose(app: ExileApp, pilot: Pilot[int], downs: int, text: str) -> None:
    await to_relay(app, pilot)
    await pilot.press(*["down"] * downs, "enter")
    app.screen.query_one("#relay-text", Input).value = text
    await pilot.press("enter")
    await settle(pilot)


async def test_a_relay_address_with_an_access_phrase(make_app: MakeApp) -> None:
    application = fresh()
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await to_relay(app, pilot)
        await pilot.press("down", "enter")
        app.screen.query_one("#access", Input).value = "열려라 참깨"
        app.screen.query_one("#relay-text", Input).value = f" {RELAY.url} "
        await pilot.press("enter")
        await settle(pilot)
        assert application.first_run.relay.kind is RelayChoiceKind.ADDRESS
        assert application.first_run.relay.text == RELAY.url
        assert application.first_run.access_phrase == "열려라 참깨"


async def test_an_invite_brings_its_relay(make_app: MakeApp) -> None:
    application = fresh()
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await choose(app, pilot, 2, LINK)
        assert application.first_run.relay.kind is RelayChoiceKind.INVITE
        assert application.first_run.relay.text == LINK


@pytest.mark.parametrize(
    ("downs", "text", "sentence"),
    [
        (1, "", "Paste it here first."),
        (1, "nonsense", "This is not a relay's address."),
        (1, LINK, "This is an invite link, not a relay's address."),
        (2, RELAY.url, "This is not an invite link"),
    ],
)
async def test_wrong_texts_are_said_and_kept(
    make_app: MakeApp, downs: int, text: str, sentence: str
) -> None:
    application = fresh()
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await choose(app, pilot, downs, text)
        assert sentence in " ".join(screen_text(app).split())
        assert step(app) == "relay"
        assert app.screen.query_one("#relay-text", Input).value == text
        assert application.first_run is None


@pytest.mark.parametrize(("text", "chosen"), [(RELAY.url, 1), (LINK, 2)])
async def test_pasting_while_choosing_is_a_choice(
    make_app: MakeApp, text: str, chosen: int
) -> None:
    app = make_app(application=fresh())
    async with app.run_test(size=SIZE) as pilot:
        await to_relay(app, pilot)
        app.screen.query_one("#relays").post_message(events.Paste(text))
        await settle(pilot)
        assert app.screen.query_one("#relays", Choices).chosen == chosen
        assert app.screen.query_one("#relay-text", Input).value == text


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ProfileError("The disk is full."), "The disk is full."),
        (RelayUnreachable(address="127.0.0.1:1"), "127.0.0.1:1 is out of reach"),
    ],
)
async def test_failures_stay_on_the_step(make_app: MakeApp, error: Any, sentence: str) -> None:
    application = fresh()
    application.refuse = error
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await to_relay(app, pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert sentence in " ".join(screen_text(app).split())
        assert step(app) == "relay"
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, Welcome)


async def test_a_relay_that_refuses_gets_a_phrase(make_app: MakeApp) -> None:
    application = fresh()
    application.refuse = RelayRefused(address="127.0.0.1:1")
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await choose(app, pilot, 1, RELAY.url)
        assert app.screen.focused is app.screen.query_one("#access")
        await pilot.press(*"sesame", "enter")
        await settle(pilot)
        assert application.first_run.access_phrase == "sesame"


async def test_a_spent_invite_leaves_the_profile_standing(make_app: MakeApp) -> None:
    class Spent(FakeApplication):
        async def create(self, first_run: Any) -> FakeMessenger:
            await super().create(first_run)
            raise Refused

    app = make_app(application=Spent(exists=False, opened=False))
    async with app.run_test(size=SIZE) as pilot:
        await choose(app, pilot, 2, LINK)
        assert isinstance(app.screen, Welcome)
        (notice,) = app._notifications
        assert "This invite is expired" in notice.message


async def test_everything_by_mouse(make_app: MakeApp) -> None:
    application = fresh()
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.click("#next")
        await settle(pilot)
        await pilot.click("#first")
        app.screen.query_one("#first", Input).value = WORDS
        app.screen.query_one("#second", Input).value = WORDS
        await pilot.click("#next")
        await settle(pilot)
        await pilot.click("#next")
        await settle(pilot)
        await pilot.click("#relays", offset=(6, 2))
        await settle(pilot)
        assert app.screen.query_one("#relays", Choices).chosen == 1
        await pilot.click("#relays", offset=(6, 1))
        await settle(pilot)
        await pilot.click("#next")
        await settle(pilot)
        assert isinstance(app.screen, Welcome)
        await pilot.click("#join")
        await settle(pilot)
        assert app.screen.place == "join"
