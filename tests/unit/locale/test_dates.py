"""Dates and times in both languages, in a fixed zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from exile_tui import locale
from exile_tui.locale import dates, set_language

SEOUL = ZoneInfo("Asia/Seoul")


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=SEOUL).timestamp() * 1000)


NOW = at(2026, 11, 21, 15, 30)


@pytest.fixture(autouse=True)
def _language_again() -> Iterator[None]:
    before = locale.language()
    yield
    set_language(before)


@pytest.mark.parametrize(
    ("hour", "minute", "korean", "english", "plain"),
    [
        (0, 0, "오전 12:00", "12:00 AM", "00:00"),
        (9, 5, "오전 9:05", "9:05 AM", "09:05"),
        (12, 0, "오후 12:00", "12:00 PM", "12:00"),
        (15, 5, "오후 3:05", "3:05 PM", "15:05"),
    ],
)
def test_time_of_day(hour: int, minute: int, korean: str, english: str, plain: str) -> None:
    moment = at(2026, 11, 21, hour, minute)
    set_language("ko")
    assert dates.time_of_day(moment, zone=SEOUL) == korean
    assert dates.time_of_day(moment, hours_24=True, zone=SEOUL) == plain
    set_language("en")
    assert dates.time_of_day(moment, zone=SEOUL) == english


def test_full_date() -> None:
    set_language("ko")
    assert dates.full_date(at(2023, 1, 5), SEOUL) == "2023년 1월 5일 목요일"
    set_language("en")
    assert dates.full_date(at(2023, 1, 5), SEOUL) == "Thursday, January 5, 2023"


@pytest.mark.parametrize(
    ("moment", "korean", "english"),
    [
        (at(2026, 11, 21, 15, 5), "오후 3:05", "3:05 PM"),
        (at(2026, 11, 20, 23, 59), "어제", "Yesterday"),
        (at(2026, 1, 5), "1월 5일", "Jan 5"),
        (at(2023, 1, 5), "2023. 1. 5.", "Jan 5, 2023"),
    ],
)
def test_times_in_lists(moment: int, korean: str, english: str) -> None:
    set_language("ko")
    assert dates.in_list(moment, NOW, zone=SEOUL) == korean
    set_language("en")
    assert dates.in_list(moment, NOW, zone=SEOUL) == english


@pytest.mark.parametrize(
    ("seconds", "korean", "english"),
    [
        (0, "방금", "just now"),
        (59, "방금", "just now"),
        (60, "1분 전", "1 minute ago"),
        (59 * 60 + 59, "59분 전", "59 minutes ago"),
        (60 * 60, "1시간 전", "1 hour ago"),
        (24 * 60 * 60, "11월 20일", "Nov 20"),
        (-61, "11월 21일", "Nov 21"),
    ],
)
def test_relative(seconds: int, korean: str, english: str) -> None:
    set_language("ko")
    assert dates.relative(NOW - seconds * 1000, NOW, SEOUL) == korean
    set_language("en")
    assert dates.relative(NOW - seconds * 1000, NOW, SEOUL) == english


def test_date_and_time() -> None:
    set_language("ko")
    assert dates.date_and_time(at(2026, 11, 21, 9), NOW, zone=SEOUL) == "오전 9:00"
    assert dates.date_and_time(at(2026, 11, 2, 9), NOW, zone=SEOUL) == "11월 2일 오전 9:00"


@pytest.mark.parametrize("moment", [-1, 0, 2**63, -(2**63)])
def test_no_claimed_time_is_an_error(moment: int) -> None:
    assert dates.full_date(moment)
    assert dates.in_list(moment, NOW)
