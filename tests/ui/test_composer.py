"""The composer: whole characters, newlines, sending, and the terminal's cursor."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from exile_tui.ui.widgets.composer import Composer
from tests.ui.worlds import FAMILY


class Desk(App[None]):
    def __init__(self, *, enter_sends: bool = True) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.enter_sends = enter_sends

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("above", id="above")
            yield Composer(enter_sends=self.enter_sends, placeholder="Write")

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        self.sent.append(event.text)


async def type_text(pilot: Any, text: str) -> None:
    """Type as a terminal reports it: one code point after the other."""
    for character in text:
        pilot.app.post_message(events.Key(character, character))
    await pilot.pause()


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_enter_sends_and_the_field_is_empty_at_once(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        await type_text(pilot, "안녕하세요")
        await pilot.press("enter")
        await type_text(pilot, "요")  # an input method's last syllable may come after Enter
        assert desk.sent == ["안녕하세요"]
        assert desk.query_one(Composer).text == "요"


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "shift+\r"])
async def test_newline_keys(desk: Desk, key: str) -> None:
    async with desk.run_test() as pilot:
        await type_text(pilot, "a")
        desk.post_message(events.Key(key, "\n" if key == "ctrl+j" else None))
        await pilot.pause()
        await type_text(pilot, "b")
        assert desk.query_one(Composer).text == "a\nb"
        assert desk.sent == []
        await pilot.press("enter")
        assert desk.sent == ["a\nb"]


async def test_no_key_overtakes_another(desk: Desk) -> None:
    """All of it arrives in one read, as when the computer is busy."""
    async with desk.run_test() as pilot:
        for key in ("a", "enter", "b", "ctrl+j", "c", "d", "left", "x", "backspace", "enter", "z"):
            desk.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        assert desk.sent == ["a", "b\ncd"]
        assert desk.query_one(Composer).text == "z"


async def test_the_setting_swaps_the_keys() -> None:
    desk = Desk(enter_sends=False)
    async with desk.run_test() as pilot:
        await type_text(pilot, "a")
        await pilot.press("enter")
        await type_text(pilot, "b")
        assert desk.sent == []
        await pilot.press("ctrl+j")
        assert desk.sent == ["a\nb"]


async def test_nothing_but_space_is_not_sent(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        await type_text(pilot, "  ")
        await pilot.press("enter")
        assert desk.sent == []


async def test_a_joined_emoji_is_typed_moved_over_and_deleted_as_one(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        composer = desk.query_one(Composer)
        await type_text(pilot, f"a{FAMILY}b")
        assert composer.text == f"a{FAMILY}b"
        await pilot.press("left")
        assert composer.cursor_location == (0, 1 + len(FAMILY))
        await pilot.press("left")
        assert composer.cursor_location == (0, 1)
        await pilot.press("right", "backspace")
        assert composer.text == "ab"


@pytest.mark.parametrize("cluster", ["é", "e\u0301", "🇰🇷", "👍🏽", "❤️", "각", "\u1112\u1161\u11ab"])
async def test_backspace_and_delete_take_a_whole_character(desk: Desk, cluster: str) -> None:
    async with desk.run_test() as pilot:
        composer = desk.query_one(Composer)
        composer.load_text(f"x{cluster}y{cluster}")
        composer.move_cursor(composer.document.end)
        await pilot.press("backspace")
        assert composer.text == f"x{cluster}y"
        await pilot.press("home", "right", "delete")
        assert composer.text == "xy"


async def test_the_cursor_is_never_inside_a_character(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        composer = desk.query_one(Composer)
        composer.load_text(f"ab\n{FAMILY}c")
        for column in range(len(FAMILY) + 2):
            composer.move_cursor((1, column))
            await pilot.pause()
            assert composer.cursor_location[1] in (0, len(FAMILY), len(FAMILY) + 1)


async def test_text_is_composed_when_pasted_and_sent(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        decomposed = unicodedata.normalize("NFD", "한글")
        desk.post_message(events.Paste(f"{decomposed}\r\n\x1b[31m둘\x00"))
        await pilot.pause()
        assert desk.query_one(Composer).text == "한글\n[31m둘"
        await type_text(pilot, unicodedata.normalize("NFD", "각"))
        await pilot.press("enter")
        assert desk.sent == ["한글\n[31m둘각"]


async def test_undo_takes_back_an_edit_but_never_what_was_sent(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        composer = desk.query_one(Composer)
        desk.post_message(events.Paste("pasted"))
        await pilot.pause()
        await pilot.press("ctrl+z")
        assert composer.text == ""
        await type_text(pilot, "secret")
        await pilot.press("enter", "ctrl+z")
        assert composer.text == ""


async def test_what_could_not_be_sent_comes_back_before_what_was_written_since(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        composer = desk.query_one(Composer)
        composer.give_back("first")
        assert composer.text == "first"
        await type_text(pilot, "!")
        composer.give_back("zero")
        assert composer.text == "zero\nfirst!"


async def test_the_terminals_cursor_follows_edits_wrapping_and_layout(desk: Desk) -> None:
    async with desk.run_test(size=(40, 12)) as pilot:
        composer = desk.query_one(Composer)

        def cursor() -> tuple[int, int]:
            return tuple(desk.cursor_position - composer.content_region.offset)

        await type_text(pilot, "가나")
        assert cursor() == (4, 0)
        await pilot.press("left")
        assert cursor() == (2, 0)
        await pilot.press("end")
        await type_text(pilot, "다" * 20)
        assert cursor()[1] == 1
        before = desk.cursor_position
        desk.query_one("#above").styles.height = 4
        await pilot.pause()
        assert desk.cursor_position == (before[0], before[1] + 3)
        await pilot.resize_terminal(30, 12)
        await pilot.pause()
        assert desk.cursor_position == composer.cursor_screen_offset


async def test_it_grows_with_its_text_up_to_eight_rows(desk: Desk) -> None:
    async with desk.run_test() as pilot:
        composer = desk.query_one(Composer)
        assert composer.size.height == 1
        composer.load_text("1\n2\n3")
        await pilot.pause()
        assert composer.size.height == 3
        composer.load_text("\n" * 20)
        await pilot.pause()
        assert composer.size.height == 8


async def test_a_joined_emoji_is_not_wrapped_in_two(desk: Desk) -> None:
    async with desk.run_test(size=(20, 12)) as pilot:
        composer = desk.query_one(Composer)
        composer.load_text(FAMILY * 20)
        await pilot.pause()
        sections = composer.wrapped_document.get_sections(0)
        assert len(sections) > 1
        assert all(len(section) % len(FAMILY) == 0 for section in sections)
