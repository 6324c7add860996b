"""Days as people type them, and when they begin in this computer's zone."""

from __future__ import annotations

import re
from datetime import date, datetime

_DAY = re.compile(r"\s*([0-9]{4})\s*[-./년]\s*([0-9]{1,2})\s*[-./월]\s*([0-9]{1,2})\s*[.일]?\s*")


def typed_day(text: str) -> date | None:
    """Return the day of `2026-01-31`, `2026. 1. 31.` or `2026년 1월 31일`; None if it is none."""
    found = _DAY.fullmatch(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def day_begins(day: date) -> int:
    """Return the moment when a day begins here, in milliseconds since the epoch; not below 0."""
    try:
        return max(0, int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000))
    except (OverflowError, ValueError, OSError):  # the first and the last day have no neighbours
        return 0 if day.year < 1970 else 253_402_300_800_000
