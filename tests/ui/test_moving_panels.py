"""Moving as a person does it: the panels over the relay's screen, and what stays in sight."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from exile_tui.core.model import Connection, ContactState, Link
from exile_tui.core.moving import Moving
from exile_tui.errors import RelayKeyMismatch, RelayRefused, RelayUnreachable, UsageError
from exile_tui.locale import in_language
from exile_tui.ui.app import ExileApp
from exile_tui.ui.moving_text import host_kind, moving_text, place_text
from exile_tui.ui.screens.move import MovePanel
from exile_tui.ui.screens.reach import ReachPanel
from exile_tui.ui.screens.relay import RelayScreen
from exile_tui.ui.screens.welcome import Welcome
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import DAY, NOW_MS, RELAY, FakeApplication, FakeMessenger
from tests.ui.paint import screen_text

FAR = replace(RELAY, host="relay.example.org", port=443)
SIZE = (100, 30)


async def opened(app: ExileApp, pilot: Pilot[int], panel: str = "") -> str:
    app.open_screen("relay", panel=panel)
    await settle(pilot)
    return " ".join(screen_text(app).split())


def words(app: ExileApp) -> str:
    return " ".join(screen_text(app).split())


async def paste(app: ExileApp, pilot: Pilot[int], text: str) -> None:
    app.screen.query_one("#to", Input).value = text
    await pilot.press("enter")
    await settle(pilot)


async def test_moving_to_a_relay_far_away(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.add_contact("김하늘")
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        await pilot.press("ctrl+r")
        await settle(pilot)
        assert isinstance(app.screen, MovePanel)
        assert not app.screen.query_one("#phrase").display
        await paste(app, pilot, f"  {FAR.url}\n")
        assert isinstance(app.screen, RelayScreen)
        assert messenger.relay_address == FAR
        text = words(app)
        assert FAR.authority in text
        assert "1 contact has not followed you here yet: 김하늘" in text
        assert "The old relay, 127.0.0.1:18443, is read too, until Dec 5 at most." in text
        assert not app.screen.query_one("#reach").display
        messenger.move = None
        messenger.emit(app_moving_changed())
        await settle(pilot)
        assert "has not followed" not in words(app)


def app_moving_changed() -> Any:
    from exile_tui.core.events import MovingChanged

    return MovingChanged()


async def test_a_relay_that_asks_for_its_phrase(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot, "move")
        messenger.refuse = RelayRefused("Wanted: a phrase. Nothing was changed.")
        await paste(app, pilot, FAR.url)
        assert "Nothing was changed." in words(app)
        field = app.screen.query_one("#phrase", Input)
        assert field.display
        assert field.has_focus
        await pilot.press(*"sesame", "enter")
        await settle(pilot)
        assert messenger.relay_address == FAR
        assert messenger.access_phrase == "sesame"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Paste the relay's address here first."),
        ("exile:abc", "This is an invite link."),
        ("https://example.org", "This is not a relay's address."),
    ],
)
async def test_what_is_no_address_says_so(make_app: MakeApp, text: str, said: str) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot, "move")
        await paste(app, pilot, text)
        assert said in words(app)
        assert app.screen.query_one("#to", Input).value == text
        assert messenger.relay_address == RELAY


async def test_while_it_is_asked_nothing_is_asked_twice(make_app: MakeApp) -> None:
    messenger = FakeMessenger(embedded=False)
    messenger.hold = asyncio.Event()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot, "move")
        app.screen.query_one("#to", Input).value = FAR.url
        await pilot.press("enter")
        await pilot.pause()
        assert "Asking the relay..." in words(app)
        app.screen.query_one("#here", Button).press()
        await pilot.press("enter")
        await pilot.pause()
        messenger.hold.set()
        await settle(pilot)
        assert messenger.relay_address == FAR


async def test_back_to_the_relay_of_this_computer(make_app: MakeApp) -> None:
    messenger = FakeMessenger(embedded=False, relay_address=FAR)
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot, "move")
        await pilot.click("#here")
        await settle(pilot)
        assert messenger.embedded
        assert messenger.relay_address == RELAY


async def test_opening_the_relay_to_others(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        text = await opened(app, pilot)
        assert "Nobody else reaches it." in text
        await pilot.press("ctrl+e")
        await settle(pilot)
        assert isinstance(app.screen, ReachPanel)
        assert "18443" in words(app)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert messenger.relay_address.host == "10.8.0.3"
        assert "Others reach it too." in words(app)
        await pilot.press("ctrl+e")
        await settle(pilot)
        assert "127.0.0.1" in words(app)
        assert "Only this computer" in words(app)
        messenger.refuse = RelayUnreachable("It can't listen there.")
        await pilot.press("enter")
        await settle(pilot)
        assert "It can't listen there." in words(app)
        await pilot.press("up", "enter")
        await settle(pilot)
        assert messenger.only_here


async def test_a_computer_in_no_network(make_app: MakeApp) -> None:
    messenger = FakeMessenger(own_hosts=[])
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot, "reach")
        assert "it is in no network" in str(app.screen.query_one("#hosts", Static).visual)
        assert app.screen.query_one("#open", Button).disabled
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, MovePanel)


async def test_the_language_changes_under_an_open_panel(make_app: MakeApp) -> None:
    app = make_app(FakeMessenger())
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot, "move")
        app.screen.query_one("#to", Input).value = "https://"
        await app.choose_language("ko")
        await settle(pilot)
        assert "다른 릴레이 서버 쓰기" in words(app)
        assert app.screen.query_one("#to", Input).value == "https://"


async def test_a_changed_key_is_a_warning(make_app: MakeApp) -> None:
    class Changed(FakeMessenger):
        async def facts(self) -> Any:
            raise RelayKeyMismatch(address=RELAY.authority)

    app = make_app(Changed())
    async with app.run_test(size=SIZE) as pilot:
        text = await opened(app, pilot)
        assert "its key is a different one" in text


async def test_the_welcome_says_who_reaches_the_relay(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(Welcome())
        await settle(pilot)
        assert "only this computer reaches it" in words(app)
        app.screen.query_one("#reach", Button).press()
        await settle(pilot)
        assert isinstance(app.screen, ReachPanel)
    far = make_app(FakeMessenger(embedded=False, relay_address=FAR))
    async with far.run_test(size=SIZE) as pilot:
        far.push_screen(Welcome())
        await settle(pilot)
        assert not far.screen.query("#reach")


def test_who_is_missing_in_words() -> None:
    messenger = FakeMessenger()
    many = tuple(messenger.add_contact(f"사람 {number}\x1b[2J") for number in range(8))
    nameless = messenger.add_contact("", ContactState.JOINING)
    moving = Moving(RELAY, FAR, NOW_MS, NOW_MS + 14 * DAY, (*many, nameless), 2, 3)
    text = moving_text(moving, NOW_MS).plain
    assert "9 contacts have not followed you here yet" in text
    assert text.count("사람") == 6
    assert "\x1b" not in text
    assert "as soon as this relay has made their mailboxes" in text
    assert "3 open invites still lead to the old relay" in text
    end = NOW_MS + 15 * DAY
    late = moving_text(replace(moving, invites=0, untold=0, read=False), end).plain
    assert "The old relay is not read any more." in late


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("192.168.0.12", "home or office"),
        ("fd00::2", "home or office"),
        ("100.101.102.103", "VPN"),
        ("127.0.0.1", "Only this computer"),
        ("8.8.8.8", "internet"),
    ],
)
def test_kinds_of_addresses(host: str, kind: str) -> None:
    assert kind in host_kind(host)


def test_where_the_relay_is() -> None:
    assert "Nobody else" in place_text("127.0.0.1", embedded=True).plain
    assert "Others reach it" in place_text("192.168.0.2", embedded=True).plain
    assert "Only programs on this computer" in place_text("127.0.0.1", embedded=False).plain
    assert "somebody you chose" in place_text("relay.example.org", embedded=False).plain


async def test_a_refused_move_is_shown_even_when_the_panel_was_closed(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.hold = asyncio.Event()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot, "move")
        app.screen.query_one("#to", Input).value = FAR.url
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("escape")
        messenger.refuse = UsageError("This is your relay already. Nothing was changed.")
        messenger.hold.set()
        await settle(pilot)
        assert any("your relay already" in notice.message for notice in app._notifications)


def application_is_offline(messenger: FakeMessenger) -> None:
    messenger.connection = Connection(Link.OFFLINE, RELAY, NOW_MS, RelayUnreachable(address="x"))


async def test_what_the_old_relay_holds_up_is_not_shown_as_offline(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(application=FakeApplication(messenger))
    async with app.run_test(size=SIZE) as pilot:
        application_is_offline(messenger)
        await opened(app, pilot, "move")
        await paste(app, pilot, FAR.url)
        assert not app.screen.query_one("#connection").display
        assert not app.screen.query_one("#problem").display


@pytest.mark.parametrize(
    ("lang", "soon", "longer", "on", "over"),
    [
        ("en", "until Dec 5 at most.", "until Dec 5, or till all are told.",
         "is read on for who can't be told yet.", "is not read any more."),
        ("ko", "길어도 12월 5일까지 함께 확인해요.", "알리지 못한 사람이 있으면 더 오래 확인해요.",
         "도 계속 확인해요.", "옛 서버는 이제 확인하지 않아요."),
    ],
)  # fmt: skip
def test_it_never_says_of_what_is_read_on_that_it_is_not(
    lang: str, soon: str, longer: str, on: str, over: str
) -> None:
    untold = FakeMessenger().add_contact("김하늘")
    moving = Moving(RELAY, FAR, NOW_MS, NOW_MS + 14 * DAY, (untold,), 1, 0)
    late = NOW_MS + 15 * DAY
    with in_language(lang):
        assert soon in moving_text(moving, NOW_MS).plain
        assert longer in moving_text(replace(moving, longer=True), NOW_MS).plain
        assert on in moving_text(replace(moving, longer=True), late).plain
        assert over in moving_text(replace(moving, read=False, untold=0), late).plain
        assert over in moving_text(replace(moving, read=False, untold=0), NOW_MS).plain
