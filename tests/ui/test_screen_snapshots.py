"""Pictures of every screen but the chats, in both languages and both sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from exile_tui.core.model import Connection, ContactState, InviteState, Link
from exile_tui.errors import RelayUnreachable
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import NOW_MS, RELAY, FakeApplication, FakeMessenger, at

Before = Callable[[Pilot[int]], Awaitable[None]]
Snap = Callable[..., None]

BOTH = pytest.mark.parametrize("lang", ["ko", "en"])
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
WORDS = "correct horse"


def people() -> FakeMessenger:
    """Return a profile with a contact of every kind."""
    messenger = FakeMessenger()
    messenger.add_contact("김하늘", verified=True)
    messenger.add_contact("박서준")
    messenger.add_contact("Zoe", changed=True)
    messenger.add_contact("이도윤", ContactState.REQUESTED, created_ms=at(11, 21, 15, 2))
    messenger.add_contact("", ContactState.JOINING)
    messenger.add_contact("anna")
    messenger.add_contact("Bob Kim", ContactState.REQUESTED, created_ms=at(11, 20, 9, 1))
    return messenger


def place(name: str, *keys: str, click: str = "", **arguments: Any) -> Before:
    """Return what opens a screen, presses keys and a button."""

    async def before(pilot: Pilot[int]) -> None:
        pilot.app.open_screen(name, **arguments)  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        if click:
            pilot.app.screen.query_one(click, Button).press()

    return before


PLACES: dict[str, Before] = {
    "contacts": place("contacts"),
    "join": place("join"),
    "join-waiting": place("join", *"exile:abc", "enter"),
    "verify-digits": place("verify", contact_id=2),
    "verify-words": place("verify", "f7", contact_id=1),
    "verify-changed": place("verify", contact_id=3),
    "invite": place("invite"),
    "relay": place("relay"),
}
STATES: dict[str, Before] = {
    "contacts-found": place("contacts", "slash", "ㄱ", "ㅎ"),
    "join-error": place("join", *"/no/code.png", "enter"),
    "verify-different": place("verify", click="#different", contact_id=1),
    "verify-compare": place("verify", click="#compare", contact_id=2),
    "verify-aloud": place("verify", "f7", "f8", contact_id=2),
}
"""Seen in the small window only, where room is short."""


@SIZES
@BOTH
@pytest.mark.parametrize("name", PLACES)
def test_place(snap: Snap, make_app: MakeApp, name: str, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(people(), lang=lang), size=size, before=PLACES[name])


@BOTH
@pytest.mark.parametrize("name", STATES)
def test_state(snap: Snap, make_app: MakeApp, name: str, lang: str) -> None:
    snap(make_app(people(), lang=lang), before=STATES[name])


@SIZES
@BOTH
def test_contacts_empty(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(FakeMessenger(), lang=lang), size=size, before=place("contacts"))


@SIZES
@BOTH
def test_invites(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    messenger = FakeMessenger()
    messenger.add_invite(InviteState.SPENT, at(11, 1))
    messenger.add_invite(InviteState.EXPIRED, at(11, 10))
    messenger.add_invite(InviteState.REVOKED, at(11, 20, 18))
    messenger.add_invite(created_ms=at(11, 21, 9))
    snap(make_app(messenger, lang=lang), size=size, before=place("invite"))


@SIZES
@BOTH
def test_relay_offline(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    messenger = FakeMessenger(embedded=False)
    problem = RelayUnreachable(address="127.0.0.1:18443")
    messenger.connection = Connection(Link.OFFLINE, RELAY, NOW_MS + 45_000, problem, 2)
    messenger.statement = None
    snap(make_app(messenger, lang=lang), size=size, before=place("relay"))


@SIZES
@BOTH
@pytest.mark.parametrize("wrong", [False, True], ids=["empty", "wrong"])
def test_unlock(
    snap: Snap, make_app: MakeApp, wrong: bool, lang: str, size: tuple[int, int]
) -> None:
    async def before(pilot: Pilot[int]) -> None:
        if wrong:
            await pilot.press(*"abc", "enter")

    app = make_app(application=FakeApplication(opened=False), lang=lang)
    snap(app, size=size, before=before)


@SIZES
@BOTH
@pytest.mark.parametrize("step", ["language", "passphrase", "mismatch", "relay", "welcome"])
def test_first_run(
    snap: Snap, make_app: MakeApp, step: str, lang: str, size: tuple[int, int]
) -> None:
    async def before(pilot: Pilot[int]) -> None:
        if step == "language":
            return
        await pilot.press("enter", *WORDS)
        await settle(pilot)
        if step == "mismatch":
            await pilot.press("enter", *"other", "enter")
        if step in ("passphrase", "mismatch"):
            return
        pilot.app.screen.query_one("#second", Input).value = WORDS
        await pilot.press("enter", "enter")
        await settle(pilot)
        await pilot.press("enter" if step == "welcome" else "down")

    app = make_app(application=FakeApplication(exists=False, opened=False), lang=lang)
    snap(app, size=size, before=before)
