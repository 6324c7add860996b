"""Every screen, as it is reached by keys, for tests that look at all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button, ContentSwitcher, Input

from exile_tui.core.model import Connection, InviteState, Link
from exile_tui.errors import RelayUnreachable
from exile_tui.ui.app import ExileApp
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import NOW_MS, RELAY, FakeApplication, at
from tests.ui.worlds import english, korean

Prepare = Callable[[Pilot[int]], Awaitable[None]]
WORDS = "correct horse"


async def _nothing(pilot: Pilot[int]) -> None:
    pass


def _talk(contact_id: int, *keys: str) -> Prepare:
    async def prepare(pilot: Pilot[int]) -> None:
        pilot.app.screen.open_conversation(contact_id)  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press(*keys)

    return prepare


def _place(name: str, *keys: str, click: str = "", **arguments: Any) -> Prepare:
    async def prepare(pilot: Pilot[int]) -> None:
        pilot.app.open_screen(name, **arguments)  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        if click:
            pilot.app.screen.query_one(click, Button).press()

    return prepare


def _keys(*keys: str) -> Prepare:
    async def prepare(pilot: Pilot[int]) -> None:
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return prepare


async def _confirm(pilot: Pilot[int]) -> None:
    pilot.app.ask("Delete?", "Delete", lambda: None, "It is gone then.")  # type: ignore[attr-defined]


async def _notices(pilot: Pilot[int]) -> None:
    pilot.app.notify("Something to know.")
    pilot.app.notify("Something to mind.", severity="warning")
    pilot.app.notify("Something failed.", title="Failed", severity="error")


def _first_run(step: str) -> Prepare:
    """Go through the first run up to a step, or to the welcome behind the last."""

    async def prepare(pilot: Pilot[int]) -> None:
        screen = pilot.app.screen
        for _ in range(8):
            if pilot.app.screen is not screen:
                break
            now = screen.query_one("#steps", ContentSwitcher).current
            if now == step:
                break
            if now == "passphrase":
                screen.query_one("#first", Input).value = WORDS
                screen.query_one("#second", Input).value = WORDS
                screen.query_one("#second", Input).focus()
                await pilot.pause()
            await pilot.press("enter")
            await settle(pilot)
        if step == "passphrase":
            await pilot.press(*WORDS)

    return prepare


OPEN: dict[str, Prepare] = {
    "chats": _nothing,
    "chats-talk": _talk(1),
    "chats-read": _talk(1, "shift+tab"),
    "chats-changed": _talk(3),
    "chats-waiting": _talk(4),
    "chats-notices": _notices,
    "contacts": _place("contacts"),
    "contacts-none": _place("contacts", "slash", *"zzzz"),
    "invite": _place("invite"),
    "invite-first": _place("invite"),
    "join": _place("join"),
    "join-error": _place("join", *"/no/code.png", "enter"),
    "verify": _place("verify", contact_id=2),
    "verify-done": _place("verify", "f7", contact_id=1),
    "verify-changed": _place("verify", contact_id=3),
    "verify-different": _place("verify", click="#different", contact_id=2),
    "verify-compare": _place("verify", click="#compare", contact_id=2),
    "verify-aloud": _place("verify", "f7", "f8", contact_id=2),
    "verify-code": _place("verify", "f6", contact_id=2),
    "relay": _place("relay"),
    "relay-offline": _place("relay"),
    "settings": _place("settings"),
    "passphrase": _place("passphrase"),
    "search": _keys("ctrl+f", "회"),
    "palette": _keys("ctrl+p"),
    "help": _keys("f1"),
    "confirm": _confirm,
}
CLOSED: dict[str, Prepare] = {
    "unlock": _nothing,
    "unlock-wrong": _keys(*"abc", "enter"),
    "first_run-language": _first_run("language"),
    "first_run-passphrase": _first_run("passphrase"),
    "first_run-name": _first_run("name"),
    "first_run-relay": _first_run("relay"),
    "first_run-welcome": _first_run("welcome"),
}
SCENES = OPEN | CLOSED


def _application(name: str, lang: str) -> FakeApplication:
    if name.startswith("unlock"):
        return FakeApplication(opened=False)
    if name.startswith("first_run"):
        return FakeApplication(exists=False, opened=False)
    messenger = korean() if lang == "ko" else english()
    if name != "invite-first":
        messenger.add_invite(InviteState.SPENT, at(11, 1))
        messenger.add_invite(created_ms=at(11, 21, 9))
    if name == "relay-offline":
        problem = RelayUnreachable(address="127.0.0.1:18443")
        messenger.connection = Connection(Link.OFFLINE, RELAY, NOW_MS + 45_000, problem, 2)
        messenger.statement = None
    return FakeApplication(messenger)


@asynccontextmanager
async def scene(
    make_app: MakeApp,
    name: str,
    size: tuple[int, int] = (100, 26),
    lang: str = "ko",
    **settings: Any,
) -> AsyncIterator[tuple[ExileApp, Pilot[int]]]:
    """Run an app and bring it to a screen.

    Args:
        make_app: The fixture.
        name: One of `SCENES`.
        size: Columns and rows.
        lang: The language of the screen and of the people in it.
        settings: Settings of the app.
    """
    app = make_app(application=_application(name, lang), lang=lang, **settings)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await SCENES[name](pilot)
        await settle(pilot)
        yield app, pilot
