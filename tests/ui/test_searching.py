"""What was found: where it is marked, what is shown around it, walking from hit to hit."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.core.searching import SearchFilter, SearchPage, SearchPlace
from exile_tui.text import cell_len, nfc, sanitize_terminal_text
from exile_tui.ui.searching import SearchWalk, around, match_spans, other_mode
from tests.ui.doubles import NOW_MS, FakeMessenger


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("어제학교갔다", "학교", ["학교"]),
        ("학교에서 학교로", "학교", ["학교", "학교"]),
        ("학교에서 한강", "ㅎㄱ", ["학교", "한강"]),
        ("안녕하세요", "안ㄴ", ["안녕"]),
        ("안녕하세요", "안녀", ["안녕"]),
        ("안녀 안녕", "안녀", ["안녀"]),
        ("ZOOM 링크", "m 링", ["M 링"]),
        ("Straße", "STRASSE", ["Straße"]),
        ("ÉCOLE", "e\u0301cole", ["ÉCOLE"]),
        ("그래ㅋㅋㅋ", "ㅋㅋ", ["ㅋㅋ"]),
        ("ㄳ합니다", "ㄱㅅ", ["ㄳ"]),
        ("감사", "ㄳ", ["감사"]),
        ("축하해요🎉", "🎉", ["🎉"]),
        ("a.b", ".", ["."]),
        ("학교", "없다", []),
        ("학교", " ", []),
    ],
)
def test_what_is_marked(text: str, query: str, marked: list[str]) -> None:
    for form in ("NFC", "NFD"):
        typed = unicodedata.normalize(form, query)
        assert [text[start:end] for start, end in match_spans(text, typed)] == marked


@given(st.text(), st.text(alphabet="가각안녀녕ㄱㄴㅎㅏ aAß.🎉", max_size=4), st.integers(5, 60))
def test_marks_lie_inside_and_in_order(text: str, query: str, cells: int) -> None:
    shown = nfc(sanitize_terminal_text(text))
    spans = match_spans(shown, query)
    flat = [place for span in spans for place in span]
    assert flat == sorted(flat)
    assert all(0 <= start < end <= len(shown) for start, end in spans)
    cut, inside = around(" ".join(shown.split()), query, cells)
    assert cell_len(cut) <= cells
    assert all(0 <= start < end <= len(cut) for start, end in inside)


def test_a_long_message_shows_the_part_around_the_hit() -> None:
    text = "가나다 " * 500 + "학교에서 " + "라마바 " * 500
    shown, spans = around(text, "학교", 40)
    assert [shown[start:end] for start, end in spans] == ["학교"]
    assert shown.startswith("..")
    assert shown.endswith("..")


@pytest.mark.parametrize(
    ("typed", "turned"),
    [
        ("dkssud", "안녕"),
        ("gkrry rkwk", "학교 가자"),
        ("ㅗ디ㅣㅐ", "hello"),
        ("안녕", "dkssud"),
        ("hello", ""),
        ("test", ""),
        ("2024", ""),
        ("", ""),
        ("🎉", ""),
    ],
)
def test_the_other_input_mode(typed: str, turned: str) -> None:
    assert other_mode(typed) == turned


async def test_a_walk_goes_on_where_the_hits_end_and_stays_at_both_ends() -> None:
    messenger = FakeMessenger(looks_at_once=3)
    person = messenger.add_contact("김하늘")
    for number in range(10):
        messenger.hear(person, f"{number} 학교" if number % 5 == 0 else "다른 말", NOW_MS + number)
    walk = SearchWalk(messenger.search, "학교", SearchFilter())
    assert await walk.load() == 0
    first = await walk.next()
    # What is current is the first hit; the next one is the older.
    assert walk.hits[0].text == "5 학교"
    assert first is not None
    assert first.text == "0 학교"
    assert await walk.next() is None
    assert walk.current.text == "0 학교"
    before = walk.previous()
    assert before is not None
    assert before.text == "5 학교"
    assert walk.previous() is None


async def test_a_message_that_is_found_twice_is_listed_once() -> None:
    messenger = FakeMessenger()
    hit = messenger.hear(messenger.add_contact("김하늘"), "zoom")

    async def twice(
        query: str, only: SearchFilter, limit: int, *, typing: bool, after: SearchPlace | None
    ) -> SearchPage:
        return SearchPage((hit,), SearchPlace(1, 9) if after is None else None)

    walk = SearchWalk(twice, "zoom")
    assert [await walk.load(), await walk.load()] == [1, 0]
    assert walk.hits == [hit]
    assert await walk.next() is None
