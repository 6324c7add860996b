"""Every key has a name, words in both languages, and a place in the palette."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from textual import events
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

from exile_tui.hangul import QWERTY
from exile_tui.locale import every_language
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.screens.palette import PaletteScreen
from exile_tui.ui.widgets.key_line import MOST_KEYS, KeyLine, shown_keys
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication
from tests.ui.paint import screen_lines
from tests.ui.worlds import english, korean

SIZE = (120, 40)
PLACES = ("contacts", "invite", "join", "relay", "settings")
ANSWERS_A_HABIT = "hint_quit"
"""Ctrl+C does nothing but tell which key closes the program: no action to look for."""


def kinds() -> Iterator[type[DOMNode]]:
    """Yield every screen and widget of ours, and the app."""
    found: dict[type[DOMNode], None] = {}
    for package in ("exile_tui.ui", "exile_tui.ui.screens", "exile_tui.ui.widgets"):
        for info in iter_modules(import_module(package).__path__, f"{package}."):
            for each in vars(import_module(info.name)).values():
                ours = getattr(each, "__module__", "").startswith("exile_tui.")
                if ours and isinstance(each, type) and issubclass(each, DOMNode):
                    found[each] = None
    yield from found


def bindings() -> list[tuple[type[DOMNode], Binding]]:
    """Return every binding that a class of ours declares, one for each key."""
    return [
        (kind, binding)
        for kind in kinds()
        for binding in Binding.make_bindings(vars(kind).get("BINDINGS", ()))
        if binding.action != ANSWERS_A_HABIT
    ]


def named(pair: tuple[type[DOMNode], Binding]) -> str:
    return f"{pair[0].__name__}-{pair[1].key}-{pair[1].action}"


def is_letter(key: str) -> bool:
    return len(key) == 1 and key.isalnum()


def test_there_are_bindings_to_look_at() -> None:
    assert len(bindings()) > 60


@pytest.mark.parametrize("pair", bindings(), ids=named)
def test_a_binding_has_a_name_and_words_in_every_language(
    pair: tuple[type[DOMNode], Binding],
) -> None:
    _, binding = pair
    assert binding.id
    for text in (binding.description, binding.tooltip):
        assert text
        assert any("가" <= character <= "힣" for character in "".join(every_language(text)))
    assert "alt+" not in binding.key


def test_every_action_has_a_key_that_writes_nothing() -> None:
    usable: dict[tuple[str, str], bool] = {}
    for kind, binding in bindings():
        key = (kind.__name__, binding.id or "")
        usable[key] = usable.get(key, False) or not is_letter(binding.key)
    assert [key for key, has_one in usable.items() if not has_one] == []


def test_a_letter_of_every_binding_has_a_jamo() -> None:
    letters = {binding.key for _, binding in bindings() if is_letter(binding.key)}
    # Shift+N types what N types in Hangul mode: an arrow does the same there.
    assert letters - {"N"} <= set(QWERTY.values())


def place(app: ExileApp) -> str:
    assert isinstance(app.screen, ExileScreen)
    return app.screen.place


async def show(pilot: Any, name: str) -> None:
    await settle(pilot)
    if name == "talk":
        await pilot.press("enter")
    elif name == "verify":
        pilot.app.open_screen("verify", contact_id=1)
    elif name not in ("chats", "unlock", "first_run"):
        pilot.app.open_screen(name)
    await settle(pilot)


def application(name: str) -> FakeApplication:
    closed = name in ("unlock", "first_run")
    return FakeApplication(korean(), exists=name != "first_run", opened=not closed)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("name", ["chats", "talk", "verify", "unlock", "first_run", *PLACES])
async def test_the_palette_has_every_action_that_works_here(
    make_app: MakeApp, name: str, lang: str
) -> None:
    app = make_app(application=application(name), lang=lang)
    async with app.run_test(size=SIZE) as pilot:
        await show(pilot, name)
        screen = app.screen
        works = {
            each.id
            for node, listed in screen._binding_chain
            for each in [each for found in listed.key_to_bindings.values() for each in found]
            if each.id and app._check_action_state(each.action, node)
        }
        # Each action is its binding's; a list or a button may act on Enter in its place.
        own = {each.id for each in shown_keys(screen)}
        assert own <= works
        assert {each for each in works - own if not each.endswith((".up", ".down"))} <= {
            "choices.turn",  # the same action as choices.next
            "first-run.next",  # a button has the focus
        }
        await pilot.press("ctrl+p")
        await settle(pilot)
        assert isinstance(app.screen, PaletteScreen)
        assert {each.id for each in app.screen._shown} == own - {"app.palette"}


@pytest.mark.parametrize("name", ["chats", "talk", "verify", "unlock", "first_run", *PLACES])
async def test_where_text_is_typed_no_letter_does_anything_else(
    make_app: MakeApp, name: str
) -> None:
    app = make_app(application=application(name))
    async with app.run_test(size=SIZE) as pilot:
        await show(pilot, name)
        typed = [each for each in app.screen.query("*") if isinstance(each, Input | TextArea)]
        letters = [
            binding.id
            for key, listed in app.screen._bindings.key_to_bindings.items()
            for binding in listed
            if is_letter(key)
        ]
        assert not typed or not letters


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_the_key_line_has_at_most_six_keys_and_ends_with_help(
    make_app: MakeApp, lang: str
) -> None:
    app = make_app(korean(), lang=lang)
    async with app.run_test(size=SIZE) as pilot:
        for name in ("chats", "talk", *PLACES):
            await show(pilot, name)
            for size in ((60, 20), (80, 24), SIZE):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                line = app.screen.query_one(KeyLine)
                assert line.region.width == size[0]
                assert 1 < len(line._spots) <= MOST_KEYS
                assert line._spots[-1][2].id == "app.help"
                last = screen_lines(app)[-1].rstrip()
                assert last.endswith("F1 " + line._spots[-1][2].description)
            app.show_chats()
            await settle(pilot)


@pytest.mark.parametrize(("name", "letter", "jamo"), [("invite", "s", "ㄴ"), ("invite", "c", "ㅊ")])
async def test_letters_work_in_hangul_mode(
    make_app: MakeApp, name: str, letter: str, jamo: str
) -> None:
    seen = []
    for character in (letter, jamo):
        app = make_app(english())
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await show(pilot, name)
            app.post_message(events.Key(character, character))
            await settle(pilot)
            seen.append(
                (type(app.screen), isinstance(app.screen, ModalScreen), len(app._notifications))
            )
    assert seen[0] == seen[1]
    assert seen[0][1] or seen[0][2]


async def test_every_key_in_the_line_can_be_clicked(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await show(pilot, "talk")
        for start, _, shown in app.screen.query_one(KeyLine)._spots:
            if shown.id != "chats.verify":
                continue
            await pilot.click(offset=(start + 2, SIZE[1] - 1))
            await settle(pilot)
        assert place(app) == "verify"
