"""Nothing a terminal acts on survives; cutting keeps whole characters."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.text import (
    cell_len,
    cut,
    fit,
    graphemes,
    next_boundary,
    nfc,
    one_line,
    previous_boundary,
    sanitize_name,
    sanitize_terminal_text,
    unjoined,
    wrap,
)

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ud800-\udfff]"
)
FAMILY = "👨\u200d👩\u200d👧\u200d👦"
NASTY = st.sampled_from(
    [
        "\x1b[2J",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]8;;http://evil\x1b\\x",
        "\x9b31m",
        "\u202e",
        "\u2066",
        "\u2028",
        "\r\n",
        "\r",
        "\x85",
        "\u3164",
        "\u115f",
        "\u200d",
        "\u200c",
        "\ufe0f",
        "©",
        "👍🏽",
        "\U0001f3fd",
        "\u200d🇰",
        "\u11a8" * 9,
        "\ud800",
        "[bold]",
        "é",
        "e\u0301",
        "\u0301" * 20,
        FAMILY,
        "하",
        "\u1112\u1161",
        "\t",
        "\n",
    ]
)
TEXT = st.lists(st.one_of(NASTY, st.text(max_size=8), st.characters()), max_size=12).map("".join)


@given(TEXT)
def test_nothing_a_terminal_acts_on_survives(text: str) -> None:
    safe = sanitize_terminal_text(text)
    assert not FORBIDDEN.search(safe)
    assert sanitize_terminal_text(safe) == safe
    safe.encode()


@given(TEXT)
def test_names_are_one_visible_line(text: str) -> None:
    name = sanitize_name(text)
    assert not FORBIDDEN.search(name)
    assert "\n" not in name
    assert "\t" not in name
    assert name == name.strip()
    assert any(unicodedata.category(character)[0] in "LNPS" for character in name)
    assert sanitize_name(name) == name


@given(TEXT)
def test_one_line_has_no_breaks(text: str) -> None:
    line = one_line(text)
    assert "\n" not in line
    assert one_line(line) == line


@given(TEXT, st.integers(min_value=0, max_value=30))
def test_cutting_never_exceeds_the_cells(text: str, cells: int) -> None:
    line = one_line(text)
    assert cell_len(cut(line, cells)) <= cells
    assert cell_len(fit(line, cells)) == cells


@given(TEXT)
def test_graphemes_join_to_the_text_and_are_the_boundaries(text: str) -> None:
    parts = graphemes(nfc(sanitize_terminal_text(text)))
    whole = "".join(parts)
    at, forward = 0, [0]
    while at < len(whole):
        at = next_boundary(whole, at)
        forward.append(at)
    backward = [len(whole)]
    while backward[-1] > 0:
        backward.append(previous_boundary(whole, backward[-1]))
    assert forward == backward[::-1]


def test_what_stays() -> None:
    text = "안녕 [bold]x[/]\n\t" + FAMILY + " ❤️ नमस्ते"
    assert sanitize_terminal_text(text) == text
    assert sanitize_terminal_text("a\r\nb\rc\u2028d") == "a\nb\nc\nd"


@pytest.mark.parametrize(
    "emoji",
    [
        FAMILY,
        "👩🏻\u200d❤️\u200d💋\u200d👨🏼",
        "🧑🏽\u200d🤝\u200d🧑🏿",
        "🏳️\u200d🌈",
        "🏴\u200d☠️",
        "👁️\u200d🗨️",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🇰🇷",
        "1️⃣",
    ],
)
def test_emoji_of_several_characters_stay(emoji: str) -> None:
    assert sanitize_terminal_text(emoji * 3) == emoji * 3
    assert graphemes(emoji * 3) == [emoji] * 3


def test_stacked_marks_are_limited() -> None:
    assert sanitize_terminal_text("a" + "\u0301" * 50) == "a" + "\u0301" * 8
    for others in ("\u200c", "\u200d", "\u034f", "\ufe0f", "\u200b", "\u11a8"):
        stack = sanitize_terminal_text("가" + ("\u0301" * 8 + others) * 50)
        assert len(stack) == 9, others


@given(st.text(st.sampled_from("aA✔©가 \u200d\u200c\ufe0f\u0301\u3164\uffa0👩🏽"), max_size=60))
def test_no_text_takes_many_more_cells_than_are_measured(text: str) -> None:
    safe = sanitize_terminal_text(text)
    # What a terminal draws that joins nothing: each character for itself.
    drawn = sum(
        2 if each in "\u3164🏽" else 1 if each == "\uffa0" else cell_len(each) for each in safe
    )
    emoji = sum(each in "✔©👩🏽" for each in safe)
    assert drawn <= cell_len(safe) + 2 * emoji
    assert all(len(each) < 20 for each in graphemes(safe))


def test_a_joiner_hides_no_letters_from_the_measure() -> None:
    assert cell_len(sanitize_terminal_text("\u200dverified" * 9)) == 8 * 9
    assert cell_len(sanitize_terminal_text("\u200d".join("verified"))) == 8
    assert cell_len(sanitize_terminal_text("✔\u200d" * 100)) >= 20
    assert cell_len(sanitize_terminal_text("\u3164" * 9)) == 18
    assert sanitize_terminal_text("a\U0001f3fd👍🏽\U0001f3fd") == "a👍🏽"


@pytest.mark.parametrize("wide", ["\u1100", "\u0600", "क\u094d", "🇰", "가\u11a8\u11a8"])
def test_no_row_is_wider_than_its_cells(wide: str) -> None:
    rows = wrap(sanitize_terminal_text(wide * 5_000), 20)
    assert max(map(cell_len, rows)) <= 20
    assert "".join(rows) == sanitize_terminal_text(wide * 5_000)


def test_a_row_of_flags_letters_takes_no_square_of_its_length() -> None:
    """What `\\X` alone does: 16,000 of them took a second."""
    letters = "🇰" * 200_000
    assert len(graphemes(letters)) == 100_000


@pytest.mark.parametrize(
    "blank", ["", " ", "\u3164", "\u115f\u1160", "\u200b\u200d", "\ufe0f", "\n"]
)
def test_a_name_with_nothing_to_see_gets_a_placeholder(blank: str) -> None:
    assert sanitize_name(blank) == "?"
    assert sanitize_name(blank, "이름 모름") == "이름 모름"


def test_names_are_composed_and_can_not_hide_a_difference() -> None:
    assert sanitize_name("김\u3164하늘\u200b") == "김 하늘"
    assert sanitize_name(unicodedata.normalize("NFD", "김하늘")) == "김하늘"
    assert sanitize_name("가족 " + FAMILY) == "가족 " + FAMILY
    assert sanitize_name("a\u200db") == "ab"


def test_cutting_keeps_whole_characters() -> None:
    assert cut("안녕하세요", 7) == "안녕.."
    assert cut("안녕하세요", 6) == "안녕.."
    assert cut("hello", 5) == "hello"
    assert cut("안녕", 1) == "."
    assert fit("가", 4) == "가  "
    assert next_boundary(FAMILY + "x", 0) == len(FAMILY)
    assert previous_boundary("x" + FAMILY, 1 + len(FAMILY)) == 1


@given(TEXT, st.integers(min_value=2, max_value=30))
def test_wrapping_keeps_every_character_and_the_width(text: str, cells: int) -> None:
    safe = sanitize_terminal_text(text)
    lines = wrap(safe, cells)
    assert all(cell_len(line) <= cells or len(graphemes(line)) == 1 for line in lines)
    assert "".join("".join(lines).split()) == "".join(safe.split())


def test_wrapping_prefers_spaces() -> None:
    assert wrap("오늘 회의는 세 시에 시작해요", 12) == ["오늘 회의는", "세 시에", "시작해요"]
    assert wrap("abcdef gh", 4) == ["abcd", "ef", "gh"]
    assert wrap("a\n\nb", 4) == ["a", "", "b"]
    assert wrap(FAMILY * 3, 4) == [FAMILY * 2, FAMILY]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("가족 👩‍👩‍👧‍👦!", "가족 👩!"),
        ("👋🏽 🤦🏽‍♀️", "👋 🤦"),
        ("❤️‍🔥", "❤️"),
        ("क्‍ष", "क्‍ष"),
    ],
)
def test_what_may_be_drawn_apart_is_not_joined(text: str, shown: str) -> None:
    assert unjoined(text) == shown
