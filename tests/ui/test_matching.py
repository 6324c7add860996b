"""Names are found the way Korean is typed."""

from __future__ import annotations

import unicodedata

import pytest

from exile_tui.ui.matching import matches, sort_key


@pytest.mark.parametrize(
    ("query", "name", "found"),
    [
        ("", "김하늘", True),
        ("ㄱㅎㄴ", "김하늘", True),
        ("ㅎㄴ", "김하늘", True),
        ("ㄱㄴ", "김하늘", False),
        ("ㄱ하늘", "김하늘", True),
        ("하느", "김하늘", True),
        ("한", "김하늘", True),
        ("김한", "김하나", True),
        ("핞", "김하나", False),
        ("하늘빛", "김하늘", False),
        ("HA", "Hanbit", True),
        ("ㅃ", "뿌리", True),
        ("ㅂ", "뿌리", False),
        (unicodedata.normalize("NFD", "하늘"), "김하늘", True),
        ("하늘", unicodedata.normalize("NFD", "김하늘"), True),
        ("ㄱㅎ", "김 하늘", False),
        ("x", "", False),
    ],
)
def test_matches(query: str, name: str, found: bool) -> None:
    assert matches(query, name) is found


def test_sorts_hangul_then_latin_then_the_rest() -> None:
    names = ["Zoe", "하나", "anna", "7번", "가온", "나래", "?", "ㄱㄴ"]
    assert sorted(names, key=sort_key) == [
        "ㄱㄴ", "가온", "나래", "하나", "anna", "Zoe", "7번", "?",
    ]  # fmt: skip


def test_every_beginning_of_a_typed_name_finds_it() -> None:
    """What an input method has committed on the way to 김하늘."""
    for typed in ("ㄱ", "기", "김", "김ㅎ", "김하", "김한", "김하느", "김하늘"):
        assert matches(typed, "김하늘"), typed
