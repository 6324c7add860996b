"""Safety numbers and passphrase estimates as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from exile_tui.locale import set_language
from exile_tui.text import cell_len
from exile_tui.ui.widgets.safety import digit_groups, numbered_words
from exile_tui.ui.widgets.strength import guessing_words, strength_line


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


def test_twelve_groups_in_three_rows() -> None:
    groups = [f"{number:05}" for number in range(12)]
    assert digit_groups(groups).plain.split("\n") == [
        "00000  00001  00002  00003",
        "00004  00005  00006  00007",
        "00008  00009  00010  00011",
    ]


def test_words_are_numbered_down_the_columns_and_line_up() -> None:
    words = ["가격", "가끔", "가난", "가능", "가득", "가르침"]
    words += ["가뭄", "가방", "가상", "가슴", "가운데", "가을"]
    lines = numbered_words(words).plain.split("\n")
    assert lines[0] == " 1 가격      7 가뭄"
    assert lines[5] == " 6 가르침   12 가을"
    assert (
        len({cell_len(line[: line.index(words[6 + row])]) for row, line in enumerate(lines)}) == 1
    )


@dataclass
class Estimate:
    bits: float
    level: int


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, "under a minute"),
        (24, "about 13 minutes"),
        (30, "about 14 hours"),
        (40, "about 1 year"),
        (41, "about 3 years"),
        (52, "over 1,000 years"),
        (10_000, "over 1,000 years"),
    ],
)
def test_guessing_in_words(bits: float, words: str) -> None:
    assert guessing_words(bits) == f"guessing it takes {words}"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_estimate_fits_the_narrowest_window(language: str) -> None:
    set_language(language)
    room = 60 - 5  # first run's margins
    for bits in range(100):
        for level in range(5):
            assert strength_line(Estimate(bits, level)).cell_length <= room


def test_strength_shows_marks_and_a_word() -> None:
    line = strength_line(Estimate(30, 1)).plain
    assert line.startswith("==---  weak")
    assert "14 hours" in line
    assert strength_line(Estimate(200, 9)).plain.startswith("=====  very strong")
