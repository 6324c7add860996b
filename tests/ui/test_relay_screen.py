"""The relay's screen: what it holds, to the letter, what it can't know, what it states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from exile_tui.core.model import Connection, Link
from exile_tui.errors import RelayRefused, RelayUnreachable
from exile_tui.ui.app import ExileApp
from exile_tui.ui.statement import holdings_text, signed_text, statement_age
from exile_tui.wire.address import RelayAddress
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import NOW_MS, RELAY, STATEMENT, FakeMessenger
from tests.ui.paint import screen_text

SIZE = (120, 60)


async def opened(app: ExileApp, pilot: Pilot[int]) -> str:
    app.open_screen("relay")
    await settle(pilot)
    return screen_text(app)


async def test_it_shows_the_answer_to_the_letter(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        text = await opened(app, pilot)
        assert RELAY.url in text
        assert "this computer" in text
        assert "2 mailboxes under random numbers" in text
        assert "1 sealed envelope of 4,096 bytes" in text
        assert "until Nov 24 at most" in text
        for mailbox in await messenger.disclosure():
            for name, value in mailbox.items():
                assert name in text
                if isinstance(value, str):
                    assert value in text
        assert "What you write" in text
        assert "Signed 3 days ago by the relay's own key." in text
        assert "Republic of Korea" in text


async def test_offline_says_when_and_reconnects_now(make_app: MakeApp) -> None:
    messenger = FakeMessenger(embedded=False)
    messenger.statement = None
    problem = RelayUnreachable(address="127.0.0.1:18443")
    messenger.connection = Connection(Link.OFFLINE, RELAY, NOW_MS + 45_000, problem)
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        text = await opened(app, pilot)
        assert "offline, trying again at 3:30 PM" in text
        assert "The relay 127.0.0.1:18443 is out of reach" in text
        await pilot.press("f5")
        await pilot.click("#reconnect")
        await settle(pilot)
        assert messenger.reconnects == 2
        messenger.statement = STATEMENT
        messenger.set_connection(Connection(Link.ONLINE, RELAY))
        await settle(pilot)
        assert not app.screen.query_one("#reconnect").display
        assert "Republic of Korea" in screen_text(app)


async def test_an_access_phrase_can_be_given(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.connection = Connection(
        Link.OFFLINE, RELAY, None, RelayRefused(address="127.0.0.1:18443")
    )
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        await pilot.click("#phrase")
        await pilot.press(*"sesame", "enter")
        await settle(pilot)
        assert messenger.access_phrase == "sesame"
        assert app.screen.query_one("#phrase", Input).value == ""


async def test_copying_the_address(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("f8")
        await settle(pilot)
        assert app.clipboard == RELAY.url


@dataclass
class Lying(FakeMessenger):
    """A relay that answers with controls and far too much."""

    async def disclosure(self, relay: RelayAddress | None = None) -> list[dict[str, Any]]:
        return [
            {"\x1b[2Jkey": "\x1b]52;c;aGk=\x07\u202evalue", "n": [[1, {"a": None}]], "[b]": {}},
            *({"x": index} for index in range(2000)),
        ]


async def test_what_a_relay_says_is_made_safe(make_app: MakeApp) -> None:
    messenger = Lying()
    messenger.statement = msgspec.structs.replace(
        STATEMENT, jurisdiction="\x1b[31m[red]Mars", software="\x9b2J", limits={"\x1bA": 1}
    )
    app = make_app(messenger)
    async with app.run_test(size=(80, 500)) as pilot:
        text = await opened(app, pilot)
        assert "[2Jkey: ]52;c;aGk=value" in text
        assert "[31m[red]Mars" in text
        assert not set("\x1b\x07\x9b\u202e") & set(text)
        assert "... and more" in text


async def test_any_failure_is_a_sentence(make_app: MakeApp) -> None:
    class Broken(FakeMessenger):
        async def disclosure(self, relay: RelayAddress | None = None) -> list[dict[str, Any]]:
            raise RelayUnreachable(address="127.0.0.1:18443")

    messenger = Broken()
    messenger.statement = None
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        text = await opened(app, pilot)
        assert text.count("is out of reach") == 2


@pytest.mark.parametrize(
    ("day", "age"),
    [
        ("2026-11-21", 0),
        ("2026-11-20", 1),
        ("2027-01-01", 0),
        ("2026-08-22", 91),
        ("2026-02-30", None),
    ],
)
def test_statement_age(day: str, age: int | None) -> None:
    assert statement_age(day, NOW_MS) == age
    words = signed_text(msgspec.structs.replace(STATEMENT, date=day), NOW_MS).plain
    if age is None:
        assert "its date is none" in words
    elif age == 91:
        assert "That is old" in words
    else:
        assert "by the relay's own key" in words


def test_no_mailbox_yet() -> None:
    assert "Nothing" in holdings_text([], NOW_MS).plain
