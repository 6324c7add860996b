"""Promise 6: nothing that a peer sends can write to the terminal outside its own text cells."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events

from exile_tui.config import Settings
from exile_tui.core.model import Connection, Link
from exile_tui.errors import ExileError, RelayUnreachable
from exile_tui.ui.statement import (
    CHARACTERS_SHOWN,
    LINES_SHOWN,
    holdings_text,
    literal_text,
)
from exile_tui.ui.widgets.composer import Composer
from tests.ui.conftest import settle
from tests.ui.doubles import RELAY, FakeApplication, FakeMessenger, at
from tests.ui.recording import RecordedApp, illegal
from tests.ui.worlds import HOSTILE, hostile


def make(messenger: FakeMessenger, **application: Any) -> RecordedApp:
    double = FakeApplication(messenger, **application)
    return RecordedApp(double, Settings(lang="en"), messenger.clock)  # type: ignore[arg-type]


def assert_clean(app: RecordedApp) -> None:
    assert app.unexpected == []
    assert len(app.output) > 1000, "nothing was drawn"
    assert illegal(app.output) == []


def test_the_check_itself_sees_what_it_should() -> None:
    for each in ("\x1b]0;t\x07", "\x1b]52;c;eA==\x07", "\x9b31m", "\u202e", "\x1b[2;2r", "\x7f"):
        assert illegal(f"\x1b[1mok\x1b[0m{each}")
    assert illegal("\x1b[1;1H안녕\n\x1b[38;2;1;2;3m👍🏽\x1b[0m") == []


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_chats(size: tuple[int, int]) -> None:
    messenger = hostile()
    app = make(messenger)
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        await settle(pilot)
        for contact_id in (1, 3, 4):
            app.screen.open_conversation(contact_id)
            await settle(pilot)
        messenger.arrive(await messenger.contact(4), HOSTILE)
        messenger.set_connection(Connection(Link.OFFLINE, RELAY, at(11, 21, 15, 31), ExileError()))
        await settle(pilot)
        assert_clean(app)


async def test_search_help_and_palette() -> None:
    messenger = hostile()
    app = make(messenger)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+f", "b")
        await settle(pilot)
        assert "pwned" in app.output
        await pilot.press("escape", "f1")
        await settle(pilot)
        await pilot.press("escape", "ctrl+p")
        await settle(pilot)
        assert_clean(app)


async def test_notices_errors_and_questions() -> None:
    app = make(hostile())
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(pilot)
        app.notify(HOSTILE, title=HOSTILE)
        app.show_error(RelayUnreachable(address=HOSTILE))
        app.show_error(ExileError(HOSTILE.replace("{", "").replace("}", "")))
        app.ask(HOSTILE, "Delete", lambda: None, HOSTILE)
        await settle(pilot)
        assert "pwned" in app.output
        assert_clean(app)


async def test_pasted_text() -> None:
    app = make(hostile())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.screen.open_conversation(1)
        await settle(pilot)
        app.post_message(events.Paste(HOSTILE))
        await settle(pilot)
        assert "pwned" in app.query_one(Composer).text
        assert_clean(app)


@pytest.mark.parametrize(
    ("place", "arguments"),
    [
        ("contacts", {}),
        ("invite", {}),
        ("join", {}),
        ("relay", {}),
        ("verify", {"contact_id": 1}),
        ("verify", {"contact_id": 4}),
    ],
)
async def test_the_other_places(place: str, arguments: dict[str, Any]) -> None:
    app = make(hostile())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        app.open_screen(place, **arguments)
        await settle(pilot)
        assert app.screen.place == place
        assert_clean(app)


@pytest.mark.parametrize("exists", [True, False])
async def test_before_the_profile_is_open(exists: bool) -> None:
    messenger = hostile()
    app = make(messenger, exists=exists, opened=False)
    app.application.profile = HOSTILE
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        app.application.refuse = RelayUnreachable(address=HOSTILE)
        await pilot.press("a", "enter")
        await settle(pilot)
        assert_clean(app)


def test_what_a_relay_discloses_is_bounded_in_depth_and_width() -> None:
    deep: list[object] = []
    for _ in range(3000):
        deep = [deep]
    held = [{"deep": deep, "wide": "x" * 1_000_000, "long": [0] * 10_000}]
    lines = literal_text(held).plain.splitlines()
    assert len(lines) == LINES_SHOWN + 1
    assert max(map(len, lines)) == CHARACTERS_SHOWN
    assert len(holdings_text(held, 0).plain) < 1000
