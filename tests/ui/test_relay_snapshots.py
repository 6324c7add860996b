"""Pictures of the relay's screen and its panels, in both languages and all four sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from exile_tui.core.model import Connection, Link
from exile_tui.core.moving import Moving
from exile_tui.errors import N_, RelayRefused, RelayUnreachable
from exile_tui.ui.screens.welcome import Welcome
from tests.ui.conftest import APART, FOUR_SIZES, LAST_APART, MakeApp, settle
from tests.ui.doubles import DAY, NOW_MS, RELAY, STATEMENT, FakeMessenger

Before = Callable[[Pilot[int]], Awaitable[None]]
Snap = Callable[..., Awaitable[None]]

FAR = replace(RELAY, host="relay.example.org", port=443)
BOTH = pytest.mark.parametrize("lang", ["ko", "en"])
ASKS = N_(
    "The relay {address} asks for an access phrase. Nothing was changed; the person who "
    "runs it knows the phrase."
)


def embedded() -> FakeMessenger:
    messenger = FakeMessenger()
    for name in ("김하늘", "박서준", "Zoe"):
        messenger.add_contact(name)
    return messenger


def far() -> FakeMessenger:
    messenger = embedded()
    messenger.embedded, messenger.relay_address = False, FAR
    messenger.connection = Connection(Link.ONLINE, FAR)
    return messenger


def moving() -> FakeMessenger:
    messenger = far()
    awaited = tuple(messenger._contacts.values())[:2]
    messenger.move = Moving(RELAY, FAR, NOW_MS, NOW_MS + 13 * DAY, awaited, 1, 1)
    return messenger


def stale() -> FakeMessenger:
    messenger = far()
    messenger.statement = msgspec.structs.replace(STATEMENT, date="2026-05-01")
    return messenger


def offline() -> FakeMessenger:
    messenger = far()
    messenger.statement = None
    problem = RelayUnreachable(address=FAR.authority)
    messenger.connection = Connection(Link.OFFLINE, FAR, NOW_MS + 45_000, problem)
    return messenger


def refusing() -> FakeMessenger:
    messenger = embedded()
    messenger.refuse = RelayRefused(ASKS, address=FAR.authority)
    return messenger


def relay(panel: str = "", address: str = "") -> Before:
    async def before(pilot: Pilot[int]) -> None:
        pilot.app.open_screen("relay", panel=panel)  # type: ignore[attr-defined]
        await settle(pilot)
        if address:
            pilot.app.screen.query_one("#to", Input).value = address
            await pilot.press("enter")

    return before


async def welcome(pilot: Pilot[int]) -> None:
    pilot.app.push_screen(Welcome())


async def end_of_page(pilot: Pilot[int]) -> None:
    await relay()(pilot)
    await pilot.press("end")


STATES: dict[str, tuple[Callable[[], FakeMessenger], Before]] = {
    "embedded": (embedded, relay()),
    "literal": (embedded, end_of_page),
    "far": (far, relay()),
    "moving": (moving, relay()),
    "stale": (stale, relay()),
    "offline": (offline, relay()),
    "reach": (embedded, relay("reach")),
    "move": (embedded, relay("move")),
    "move-refused": (refusing, relay("move", FAR.url)),
    "welcome": (embedded, welcome),
}
SCROLLED = {"literal": APART, "move-refused": LAST_APART}


@BOTH
@pytest.mark.parametrize("state", STATES)
async def test_relay(snap_sizes: Snap, make_app: MakeApp, state: str, lang: str) -> None:
    messenger, before = STATES[state]
    for sizes in SCROLLED.get(state, (FOUR_SIZES,)):
        await snap_sizes(make_app(messenger(), lang=lang), before, sizes, simplify=True)
