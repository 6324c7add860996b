"""Pictures of every screen and state, in both languages, at four sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from exile_tui.core.model import Connection, Link
from exile_tui.errors import RelayUnreachable
from tests.ui import scenes
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import NOW_MS, RELAY, FakeApplication, FakeMessenger
from tests.ui.scenes import Prepare
from tests.ui.worlds import english, hostile, korean

Snap = Callable[..., Awaitable[None]]
DRAFT = {"ko": "그 문서 말인데", "en": "About that paper"}

pytestmark = pytest.mark.parametrize("lang", ["ko", "en"])


def world(lang: str) -> FakeMessenger:
    return korean() if lang == "ko" else english()


def talk(contact_id: int, *keys: str) -> Prepare:
    async def prepare(pilot: Pilot[int]) -> None:
        pilot.app.screen.open_conversation(contact_id)  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press(*keys)

    return prepare


def empty(lang: str) -> FakeMessenger:
    return FakeMessenger()


def quiet(lang: str) -> FakeMessenger:
    messenger = FakeMessenger()
    messenger.add_contact("김하늘" if lang == "ko" else "Haneul Kim")
    return messenger


def drafted(lang: str) -> FakeMessenger:
    messenger = world(lang)
    messenger.drafts[2] = DRAFT[lang]
    return messenger


def offline(lang: str) -> FakeMessenger:
    messenger = world(lang)
    problem = RelayUnreachable(address="127.0.0.1:18443")
    messenger.connection = Connection(Link.OFFLINE, RELAY, NOW_MS + 45_000, problem, 2)
    return messenger


def connecting(lang: str) -> FakeMessenger:
    messenger = world(lang)
    messenger.connection = Connection(Link.CONNECTING, RELAY, None, None, 0)
    return messenger


def strangers(lang: str) -> FakeMessenger:
    return hostile()


def contacts(*keys: str) -> Prepare:
    async def prepare(pilot: Pilot[int]) -> None:
        pilot.app.open_screen("contacts")  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press(*keys)

    return prepare


STATES: dict[str, tuple[Callable[[str], FakeMessenger], Prepare | None]] = {
    "chats-empty": (empty, None),
    "chats-quiet": (quiet, talk(1)),
    "chats-draft": (drafted, talk(1)),
    "chats-details": (world, talk(1, "f5")),
    "chats-details-changed": (world, talk(3, "f5")),
    "chats-offline": (offline, talk(1)),
    "chats-connecting": (connecting, None),
    "chats-hostile": (strangers, talk(1)),
    "contacts-empty": (empty, contacts()),
    "contacts-found": (world, contacts("slash", *"ㄱㅎ")),
}
"""Beside the scenes: what depends on who is there and how the network stands."""


@pytest.mark.parametrize("name", scenes.SCENES)
async def test_scene(snap_sizes: Snap, make_app: MakeApp, name: str, lang: str) -> None:
    app = make_app(application=scenes._application(name, lang), lang=lang)
    await snap_sizes(app, scenes.SCENES[name])


@pytest.mark.parametrize("name", STATES)
async def test_state(snap_sizes: Snap, make_app: MakeApp, name: str, lang: str) -> None:
    fill, prepare = STATES[name]
    await snap_sizes(make_app(application=FakeApplication(fill(lang)), lang=lang), prepare)


@pytest.mark.parametrize("theme", ["exile-light", "hanji"])
async def test_theme(snap_sizes: Snap, make_app: MakeApp, theme: str, lang: str) -> None:
    await snap_sizes(make_app(world(lang), lang=lang, theme=theme), talk(1))
