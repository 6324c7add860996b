"""Finding by part, initials and beginnings; keys under a Hangul input method."""

from __future__ import annotations

import unicodedata

import pytest

from exile_tui.hangul import QWERTY, initials
from exile_tui.ui.find import matches, name_order
from exile_tui.ui.keys import key_name


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("", "김하늘", True),
        ("하늘", "김하늘", True),
        ("ㄱㅎㄴ", "김하늘", True),
        ("ㅎㄴ", "김하늘", True),
        ("김ㅎ", "김하늘", True),
        ("김하느", "김하늘", True),
        ("ㄷㅎ", "대화", True),
        ("ㄱㄴ", "김하늘", False),
        ("하니", "김하늘", False),
        ("KIM", "Haneul Kim", True),
        ("haneulkim", "Haneul Kim", True),
        ("ㄹㄹ", "릴레이 서버", True),
        ("ㅇㅅ", "릴레이 서버", True),
        (unicodedata.normalize("NFD", "하늘"), "김하늘", True),
        ("xyz", "x", False),
    ],
)
def test_matches(query: str, text: str, found: bool) -> None:
    assert matches(query, text) is found


def test_initials() -> None:
    assert initials("김하늘 a") == "ㄱㅎㄴ a"


def test_names_sort_hangul_first_then_latin_then_the_rest() -> None:
    names = ["zoe", "박서준", "Anna", "3호", "김하늘"]
    assert sorted(names, key=name_order) == ["김하늘", "박서준", "Anna", "zoe", "3호"]


def test_jamo_lie_on_their_keys() -> None:
    assert QWERTY["ㅂ"] == "q"
    assert QWERTY["ㅓ"] == "j"
    assert QWERTY["ㅃ"] == "Q"
    assert QWERTY[unicodedata.normalize("NFKC", "ㅂ")] == "q"
    assert "".join(QWERTY[each] for each in "ㅗㄷㅣㅔ") == "help"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ctrl+j", "Ctrl+J"),
        ("f2", "F2"),
        ("escape", "Esc"),
        ("shift+enter", "Shift+Enter"),
        ("pagedown", "PgDn"),
        ("q", "Q"),
    ],
)
def test_key_names(key: str, name: str) -> None:
    assert key_name(key) == name
