"""Languages, plural forms, and placeholders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exile_tui import locale
from exile_tui.locale import detect_language, set_language, tr, tr_n


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    before = locale.language()
    yield
    set_language(before)


def test_the_language_changes_while_running() -> None:
    set_language("en")
    assert tr("Yesterday") == "Yesterday"
    set_language("ko")
    assert tr("Yesterday") == "어제"
    assert locale.language() == "ko"


def test_plural_forms() -> None:
    set_language("en")
    assert tr_n("{n} hour ago", "{n} hours ago", 1) == "1 hour ago"
    assert tr_n("{n} hour ago", "{n} hours ago", 3) == "3 hours ago"
    set_language("ko")
    assert tr_n("{n} hour ago", "{n} hours ago", 3) == "3시간 전"


def test_a_string_without_translation_stays_english_and_braces_in_values_stay() -> None:
    set_language("ko")
    assert tr("No such string {name}", name="{x} %s") == "No such string {x} %s"
    assert tr("") == ""


def test_a_field_may_ask_for_a_particle() -> None:
    assert tr("{place:으로/로}", place="서울") == "서울로"
    assert tr("{file:을/를} 저장", file="사진") == "사진을 저장"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError):
        set_language("fr")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANGUAGE": "ko:en", "LANG": "en_US.UTF-8"}, "ko"),
        ({"LC_MESSAGES": "ko_KR", "LANG": "en_US"}, "ko"),
        ({}, "en"),
    ],
)
def test_the_language_is_guessed_from_the_locale(
    environment: dict[str, str], expected: str
) -> None:
    assert detect_language(environment) == expected
