"""The demo's window on doubles: what it makes, what it says it is, and the glance at the other."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from exile_tui.config import Settings
from exile_tui.core.application import RelayChoiceKind
from exile_tui.core.events import MessageStored
from exile_tui.errors import ExileError
from exile_tui.locale import tr
from exile_tui.ui.demo import NOT_YET, DemoApp, GlancePanel, OtherScreen, PreparingScreen
from exile_tui.ui.screens.chats import ChatsScreen
from tests.ui.conftest import settle
from tests.ui.doubles import PASSPHRASE, FakeApplication, FakeMessenger, safety_digits
from tests.ui.paint import screen_text

LINK = "exile:" + "A" * 90
SIZES = pytest.mark.parametrize(
    "size", [(120, 40), (80, 24), (60, 20)], ids=["120x40", "80x24", "60x20"]
)
BOTH = pytest.mark.parametrize("lang", ["ko", "en"])


class Greeting(FakeMessenger):
    """A profile whose one contact greets as soon as it is online."""

    async def start(self) -> None:
        if not self.started:
            (contact,) = await self.contacts()
            self.emit(MessageStored(self.hear(contact, "Welcome to exile!")))
        await super().start()


class FakeSession:
    """A demo without processes."""

    def __init__(self) -> None:
        self.passphrase = "가을 나무 바다 하늘 구름"
        self.link: Future[str] = Future()
        self.screen: OtherScreen | None = OtherScreen(
            safety_digits(1), Path("/tmp/exile-tui-demo-12345678/contact-code.png")
        )

    def other_screen(self) -> OtherScreen | None:
        return self.screen

    def warm_up(self) -> None:
        pass


def demo(lang: str = "en") -> tuple[DemoApp, FakeSession, FakeApplication]:
    messenger = Greeting()
    messenger.add_contact("길동무" if lang == "ko" else "Companion")
    application, session = FakeApplication(messenger, exists=False, opened=False), FakeSession()
    app: Any = DemoApp(
        application,  # type: ignore[arg-type]  # the double has the same face
        Settings(lang=lang),
        messenger.clock,
        session,
    )
    return app, session, application


async def entered(pilot: Pilot[int], session: FakeSession) -> None:
    """Let it be ready and wait for the conversation."""
    session.link.set_result(LINK)
    await settle(pilot)
    assert isinstance(pilot.app.screen, ChatsScreen)


async def test_it_joins_with_a_profile_of_its_own_and_opens_the_conversation() -> None:
    app, session, application = demo()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, PreparingScreen)
        assert "All of it is deleted when you leave" in " ".join(screen_text(app).split())
        await entered(pilot, session)
        made = application.first_run
        assert (made.relay.kind, made.relay.text) == (RelayChoiceKind.INVITE, LINK)
        assert made.passphrase == session.passphrase
        text = screen_text(app)
        assert "demo: nothing is kept" in text
        assert "Welcome to exile!" in text
        assert isinstance(app.screen, ChatsScreen)
        assert app.screen.contact is not None
    assert app.unexpected == []


async def test_what_keeps_it_from_starting_is_said() -> None:
    app, session, _ = demo()
    async with app.run_test(size=(80, 24)) as pilot:
        session.link.set_exception(ExileError())
        await settle(pilot)
        assert "Something went wrong" in screen_text(app)
        assert isinstance(app.screen, PreparingScreen)


async def test_the_locked_screen_says_how_to_get_in_again() -> None:
    app, session, _ = demo()
    async with app.run_test(size=(80, 24)) as pilot:
        await entered(pilot, session)
        assert session.passphrase not in screen_text(app)
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert app.screen.place == "unlock"  # type: ignore[attr-defined]  # ours
        assert session.passphrase in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
@BOTH
async def test_a_passphrase_that_was_changed_is_not_shown(lang: str, size: tuple[int, int]) -> None:
    app, session, application = demo(lang)
    async with app.run_test(size=size) as pilot:
        await entered(pilot, session)
        app.open_screen("passphrase")
        await settle(pilot)
        for field, typed in (
            ("#old", PASSPHRASE),
            ("#first", "nine words"),
            ("#second", "nine words"),
        ):
            app.screen.query_one(field, Input).value = typed
        app.screen.query_one("#change", Button).press()
        await settle(pilot)
        assert application.inside.passphrase_changes == [("nine words", False)]
        await pilot.press("ctrl+l")
        await settle(pilot)
        text = screen_text(app)
        assert session.passphrase not in text
        assert "nine words" not in text
        assert tr("It opens with the passphrase you chose") in text


async def test_a_glance_shows_the_others_number_beside_ones_own() -> None:
    app, session, _ = demo()
    async with app.run_test(size=(100, 26)) as pilot:
        await entered(pilot, session)
        await pilot.press("f3")
        await settle(pilot)
        await pilot.press("ctrl+g")
        await settle(pilot)
        assert isinstance(app.screen, GlancePanel)
        assert session.screen is not None
        first = session.screen.digits[:5]
        assert screen_text(app).count(first) == 2
        await pilot.press("enter")
        assert app.clipboard == str(session.screen.code)
        await pilot.press("ctrl+g", "escape")
        await settle(pilot)
        assert not isinstance(app.screen, GlancePanel)


async def test_a_screen_with_nothing_on_it_yet_is_said_so() -> None:
    app, session, _ = demo()
    session.screen = None
    async with app.run_test(size=(80, 24)) as pilot:
        await entered(pilot, session)
        await pilot.press("ctrl+g")
        await settle(pilot)
        assert [each.message for each in app._notifications] == [tr(NOT_YET)]
        assert isinstance(app.screen, ChatsScreen)


async def test_its_settings_are_kept_nowhere() -> None:
    app, session, _ = demo()
    async with app.run_test(size=(80, 24)) as pilot:
        await entered(pilot, session)
        assert app.preferences.file == ""
        await app.choose_language("ko")
        await settle(pilot)
        assert "데모: 끝나면 다 지워져요" in screen_text(app)


@BOTH
@SIZES
def test_preparing(snap: Any, lang: str, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        await pilot.pause()

    app, session, _ = demo(lang)
    session.link.set_exception(ExileError())
    snap(app, size, before)


@BOTH
@SIZES
def test_glance(snap: Any, lang: str, size: tuple[int, int]) -> None:
    app, session, _ = demo(lang)
    session.link.set_result(LINK)

    async def before(pilot: Pilot[int]) -> None:
        await pilot.press("f3")
        await settle(pilot)
        await pilot.press("ctrl+g")

    snap(app, size, before)
