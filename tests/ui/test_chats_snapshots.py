"""Chats as pictures, in both languages and sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.ui.conftest import MakeApp
from tests.ui.doubles import FakeMessenger
from tests.ui.worlds import english, hostile, korean

WORLDS = {"ko": korean, "en": english}
Snap = Callable[..., None]

pytestmark = pytest.mark.parametrize("lang", ["ko", "en"])


def sizes(*pairs: tuple[int, int]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("size", pairs, ids=lambda size: f"{size[0]}x{size[1]}")


two_sizes = sizes((120, 40), (80, 24))
all_sizes = sizes((120, 40), (80, 24), (60, 20))
one_size = sizes((80, 24))


def conversation(contact_id: int) -> Callable[[Any], Any]:
    async def open_it(pilot: Any) -> None:
        pilot.app.screen.open_conversation(contact_id)

    return open_it


def keys(*pressed: str) -> Callable[[Any], Any]:
    async def press(pilot: Any) -> None:
        await pilot.press(*pressed)

    return press


@two_sizes
def test_empty(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(FakeMessenger(), lang=lang), size)


@all_sizes
def test_list_with_unread(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(WORLDS[lang](), lang=lang), size)


@all_sizes
def test_conversation(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(WORLDS[lang](), lang=lang), size, conversation(1))


@two_sizes
def test_changed(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(WORLDS[lang](), lang=lang), size, conversation(3))


@two_sizes
def test_waiting(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(WORLDS[lang](), lang=lang), size, conversation(4))


@two_sizes
def test_hostile(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(hostile(), lang=lang), size, conversation(1))


@one_size
def test_search(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    word = {"ko": "회의", "en": "meet"}[lang]
    snap(make_app(WORLDS[lang](), lang=lang), size, keys("ctrl+f", *word))


@one_size
def test_help(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(WORLDS[lang](), lang=lang), size, keys("f1"))


@one_size
def test_palette(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(WORLDS[lang](), lang=lang), size, keys("ctrl+p"))


@one_size
def test_light_theme(snap: Snap, make_app: MakeApp, lang: str, size: tuple[int, int]) -> None:
    snap(make_app(WORLDS[lang](), lang=lang, theme="exile-light"), size, conversation(1))
