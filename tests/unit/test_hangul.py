"""Hangul as it is typed: spelling, keys, and back; finding by all of them."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.hangul import INITIALS, QWERTY, compose, initials, jamo, keys
from exile_tui.ui.find import best, matches, score

SYLLABLES = st.text(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")), max_size=12)
TYPED = st.text(st.sampled_from([each for each in QWERTY if "ㄱ" <= each <= "ㅣ"]), max_size=20)
NAMES = st.text(st.sampled_from("김하늘박서준값과까 zoeKim3"), min_size=1, max_size=12)


@given(SYLLABLES)
def test_syllables_come_back_from_their_jamo_and_from_their_keys(text: str) -> None:
    assert compose(jamo(text)) == text
    assert compose(keys(text)) == text
    assert keys(text).isascii()


@given(TYPED)
def test_no_key_is_lost_whatever_is_typed(typed: str) -> None:
    assert jamo(compose(typed)) == typed
    assert keys(compose(typed)) == keys(typed)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    compose(text)
    assert jamo(jamo(text)) == jamo(text)
    assert keys(keys(text)) == keys(text)
    assert len(initials(text)) == len(text)


@pytest.mark.parametrize(
    ("pressed", "text"),
    [
        ("dkssud", "안녕"),
        ("eoghk", "대화"),
        ("ghkrdls", "확인"),
        ("rkqt", "값"),
        ("rkqtdl", "값이"),
        ("rkqtl", "갑시"),
        ("rks rnr", "간 국"),
        ("dhQk", "오빠"),
        ("GKSMF", "하늘"),
        ("dml", "의"),
        ("hk", "ㅘ"),
        ("rt", "ㄱㅅ"),
        ("123", "123"),
    ],
)
def test_keys_become_what_was_meant(pressed: str, text: str) -> None:
    assert compose(pressed) == text


@pytest.mark.parametrize(
    ("text", "spelled", "pressed"),
    [
        ("값과 까", "ㄱㅏㅂㅅㄱㅗㅏ ㄲㅏ", "rkqtrhk Rk"),
        ("ㅗ디ㅔ", "ㅗㄷㅣㅔ", "help"),
        ("ㄳ", "ㄱㅅ", "rt"),
        ("ㅢ", "ㅡㅣ", "ml"),
        (unicodedata.normalize("NFD", "하늘"), "ㅎㅏㄴㅡㄹ", "gksmf"),
    ],
)
def test_spelling(text: str, spelled: str, pressed: str) -> None:
    assert jamo(text) == spelled
    assert keys(text) == pressed


@given(NAMES.filter(str.strip))
def test_a_name_is_found_by_itself_its_parts_its_initials_and_in_the_wrong_mode(name: str) -> None:
    assert score(name, name) == 100
    spelled = jamo(name)
    for length in range(1, len(spelled) + 1):
        typed = spelled[:length]
        # Letters of a Latin name stay: composed they would be the wrong mode, tested below.
        query = typed if re.search("[A-Za-z]", typed) else compose(typed)
        assert matches(query, name), query
    for start in range(len(name)):
        if name[start:].strip():
            assert matches(name[start:], name)
    assert matches(initials(name), name)
    if len(keys(name.strip())) > 1:
        assert matches(keys(name), name)
        assert matches(compose(name), name)


@given(NAMES, st.sampled_from("뷁qㅋ").map(lambda odd: odd * 3))
def test_what_is_not_in_it_is_not_found(name: str, odd: str) -> None:
    assert not matches(odd, name)


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=5))
def test_any_query_ranks_any_texts(query: str, texts: list[str]) -> None:
    found = best(query, texts, lambda text: (text,))
    points = [score(query, text) for text in found]
    assert points == sorted(points, reverse=True)
    assert all(points)
    assert sorted(found) == sorted(text for text in texts if matches(query, text))


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("대화", "대화", "대화 찾기"),
        ("대화", "대화 찾기", "모든 대화 찾기"),
        ("찾기", "대화 찾기", "되찾기"),
        ("ㄷㅎ", "대화", "다음 대화"),
        ("ㄷㅎ", "다 해", "egg"),
        ("help", "Help", "ㅗ디ㅔ"),
        ("rk", "Work rka", "가나"),
        ("하", "하늘", "김한솔"),
    ],
)
def test_the_better_comes_first(query: str, better: str, worse: str) -> None:
    assert score(query, better) > score(query, worse)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("ㄱㅅ", "감사"),
        ("ㄳ", "감사"),
        ("김ㅎㄴ", "김하늘"),
        ("rgs", "김하늘"),
        ("rlagk", "김하늘"),
        ("캗", "Zoe"),
        ("ㅗ디ㅔ", "Help"),
        ("eogh", "대화"),
        ("하늘 김", "김하늘"),
        ("kim ha", "Haneul Kim"),
        ("간", "가나다"),
    ],
)
def test_found(query: str, text: str) -> None:
    assert matches(query, text)


@pytest.mark.parametrize(
    ("query", "text"), [("ㄷ", "egg"), ("gg", "하"), ("er", "싣고"), ("늘하", "하늘")]
)
def test_not_found(query: str, text: str) -> None:
    assert not matches(query, text)


def test_every_initial_has_a_key() -> None:
    assert all(len(QWERTY[each]) == 1 for each in INITIALS)
