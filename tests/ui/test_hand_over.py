"""The text that goes with an invite: what it says, in which language, and where it can go."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from exile_tui import locale
from exile_tui.ui.app import ExileApp
from exile_tui.ui.handover import INSTALL, START, hand_over_text, reaches_others
from exile_tui.ui.screens.hand_over import HandOver
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import SEOUL, FakeMessenger, at
from tests.ui.paint import screen_text

ROOT = Path(__file__).resolve().parents[2]
LINK = "exile:" + "A" * 90


@pytest.fixture(autouse=True)
def _language_again() -> None:
    locale.set_language("en")


@pytest.mark.parametrize("screen", ["ko", "en"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_is_in_its_own_language_whatever_the_screen_has(screen: str, language: str) -> None:
    locale.set_language(screen)
    text = hand_over_text(LINK, at(11, 22, 15, 5), language, zone=SEOUL)
    assert locale.language() == screen
    assert bool(re.search("[가-힣]", text)) == (language == "ko")
    end = {"ko": "2026년 11월 22일 일요일 오후 3:05(UTC+09:00)까지",
           "en": "until Sunday, November 22, 2026, 3:05 PM (UTC+09:00)"}[language]  # fmt: skip
    assert end in text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_link_and_commands_stand_alone_on_their_lines(language: str) -> None:
    text = hand_over_text(LINK, at(11, 22), language, hours_24=True, zone=SEOUL)
    lines = text.splitlines()
    assert [lines.count(line) for line in (LINK, INSTALL, START)] == [1, 1, 1]
    assert "12:00" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "F3" in text
    assert len(text.encode()) < 2400  # what messengers show without folding


def test_the_commands_are_the_ones_of_the_readme() -> None:
    assert f"{INSTALL} && {START}\n" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("host", "others"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("192.168.0.2", True),
     ("relay.example.org", True)],
)  # fmt: skip
def test_a_loopback_relay_reaches_nobody_else(host: str, others: bool) -> None:
    assert reaches_others(host) is others


def test_an_unknown_language_is_refused_and_changes_nothing() -> None:
    with pytest.raises(ValueError, match="fr"):
        hand_over_text(LINK, at(11, 22), "fr")
    assert locale.language() == "en"


async def opened(app: ExileApp, pilot: Pilot[int]) -> HandOver:
    app.open_screen("invite")
    await settle(pilot)
    await pilot.press("ctrl+t")
    await settle(pilot)
    assert isinstance(app.screen, HandOver)
    return app.screen


async def test_it_is_copied_whole_in_the_language_that_is_shown(make_app: MakeApp) -> None:
    app = make_app(FakeMessenger(), lang="ko")
    async with app.run_test(size=(80, 24)) as pilot:
        panel = await opened(app, pilot)
        assert "exile-tui에서 이야기해요" in screen_text(app)
        await pilot.press("enter")
        (invite,) = await app.open_messenger.invites()
        assert app.clipboard == panel.text
        assert invite.link in app.clipboard
        await pilot.press("f7")
        await settle(pilot)
        assert "Let's talk on exile-tui" in screen_text(app)
        assert "초대와 함께 보낼 글" in screen_text(app)  # the panel's own words stay
        await pilot.press("f8")
        assert app.clipboard.startswith("Let's talk")


async def test_whose_relay_nobody_reaches_is_told(make_app: MakeApp) -> None:
    app = make_app(FakeMessenger())
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        assert "nobody elsewhere can open this link" in screen_text(app)


async def test_it_is_saved_for_its_owner_alone(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(FakeMessenger())
    file = tmp_path / "text"
    async with app.run_test(size=(80, 24)) as pilot:
        panel = await opened(app, pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        app.screen.query_one("#file", Input).value = str(file)
        await pilot.press("enter")
        await settle(pilot)
        saved = file.with_suffix(".txt")
        assert saved.read_text() == panel.text
        assert saved.stat().st_mode & 0o777 == 0o600
        await pilot.press("ctrl+s")
        async with asyncio.timeout(10):
            while app.screen is panel:  # keys wait behind Enter until its panel is gone
                await settle(pilot)
        app.screen.query_one("#file", Input).value = str(saved)
        await pilot.press("enter")
        await settle(pilot)
        assert "can't be written" in str(app.screen.query_one("#problem", Static).render())


async def test_another_language_of_the_screen_keeps_the_text(make_app: MakeApp) -> None:
    app = make_app(FakeMessenger(), lang="en")
    async with app.run_test(size=(80, 24)) as pilot:
        panel = await opened(app, pilot)
        await app.choose_language("ko")
        await settle(pilot)
        assert panel.text.startswith("Let's talk")
        assert "초대와 함께 보낼 글" in screen_text(app)


async def test_a_button_on_the_invite_opens_it(make_app: MakeApp) -> None:
    app = make_app(FakeMessenger())
    async with app.run_test(size=(120, 40)) as pilot:
        app.open_screen("invite")
        await settle(pilot)
        app.screen.query_one("#text", Button).press()
        await settle(pilot)
        assert isinstance(app.screen, HandOver)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=["120x40", "80x24", "60x20"])
def test_hand_over(snap: object, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        await opened(pilot.app, pilot)  # type: ignore[arg-type]  # it is ours

    snap(make_app(FakeMessenger(), lang=lang), size, before)  # type: ignore[operator]  # a fixture
