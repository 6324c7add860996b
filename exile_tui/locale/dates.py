"""Write dates and times the way each language does.

Times are milliseconds since the epoch, as peers and the clock give them; a value that no calendar
holds is clamped, since a peer may claim anything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from exile_tui import locale
from exile_tui.locale import tr, tr_n

_LARGEST_MS = 253_000_000_000_000
"""A day in the year 9987: every zone's offset still fits the calendar."""
_WEEKDAYS_KO = ("월", "화", "수", "목", "금", "토", "일")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def local(at_ms: int, zone: tzinfo | None = None) -> datetime:
    """Return the moment in a zone; None is the machine's own."""
    seconds = min(max(at_ms, 0), _LARGEST_MS) / 1000
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone)


def day_of(at_ms: int, zone: tzinfo | None = None) -> tuple[int, int]:
    """Return when the day of a moment begins, and when the next one does; in ms."""
    at = local(at_ms, zone)
    days = (
        at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(days=n)
        for n in (0, 1)
    )
    # A day may have 23 or 25 hours: each midnight is looked up in the zone by itself.
    begins, ends = (int(day.replace(tzinfo=zone).timestamp() * 1000) for day in days)
    return begins, ends


def time_of_day(at_ms: int, *, hours_24: bool = False, zone: tzinfo | None = None) -> str:
    """Return `오후 3:05` or `3:05 PM`; 오전 12:00 is midnight, 오후 12:00 noon."""
    at = local(at_ms, zone)
    if hours_24:
        return f"{at.hour:02}:{at.minute:02}"
    clock = f"{at.hour % 12 or 12}:{at.minute:02}"
    if locale.language() == "ko":
        return f"{'오전' if at.hour < 12 else '오후'} {clock}"
    return f"{clock} {'AM' if at.hour < 12 else 'PM'}"


def full_date(at_ms: int, zone: tzinfo | None = None) -> str:
    """Return `2023년 1월 5일 목요일` or `Thursday, January 5, 2023`."""
    at = local(at_ms, zone)
    if locale.language() == "ko":
        return f"{at.year}년 {at.month}월 {at.day}일 {_WEEKDAYS_KO[at.weekday()]}요일"
    return f"{_WEEKDAYS[at.weekday()]}, {_MONTHS[at.month - 1]} {at.day}, {at.year}"


def short_date(at_ms: int, now_ms: int, zone: tzinfo | None = None) -> str:
    """Return `1월 5일` or `Jan 5` within this year, else `2023. 1. 5.` or `Jan 5, 2023`."""
    at = local(at_ms, zone)
    this_year = at.year == local(now_ms, zone).year
    if locale.language() == "ko":
        return f"{at.month}월 {at.day}일" if this_year else f"{at.year}. {at.month}. {at.day}."
    month = _MONTHS[at.month - 1][:3]
    return f"{month} {at.day}" if this_year else f"{month} {at.day}, {at.year}"


def in_list(at_ms: int, now_ms: int, *, hours_24: bool = False, zone: tzinfo | None = None) -> str:
    """Return today's time, `어제` for yesterday, else the short date."""
    day, today = local(at_ms, zone).date(), local(now_ms, zone).date()
    if day == today:
        return time_of_day(at_ms, hours_24=hours_24, zone=zone)
    if day == today - timedelta(days=1):
        return tr("Yesterday")
    return short_date(at_ms, now_ms, zone)


def relative(at_ms: int, now_ms: int, zone: tzinfo | None = None) -> str:
    """Return `방금`, `n분 전`, `n시간 전`, and from a day on the short date."""
    minutes = (now_ms - at_ms) // 60_000
    if 0 <= minutes < 1:
        return tr("just now")
    if 1 <= minutes < 60:
        return tr_n("{n} minute ago", "{n} minutes ago", minutes)
    if 60 <= minutes < 24 * 60:
        return tr_n("{n} hour ago", "{n} hours ago", minutes // 60)
    return short_date(at_ms, now_ms, zone)


def date_and_time(
    at_ms: int, now_ms: int, *, hours_24: bool = False, zone: tzinfo | None = None
) -> str:
    """Return the time alone today, else the short date and the time."""
    clock = time_of_day(at_ms, hours_24=hours_24, zone=zone)
    if local(at_ms, zone).date() == local(now_ms, zone).date():
        return clock
    return f"{short_date(at_ms, now_ms, zone)} {clock}"
