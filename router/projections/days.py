"""Local days: from which midnight to which a moment's day lasts, and where some days back begin."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_MS = 24 * 3_600_000


def day_of(at: int, time_zone: str) -> tuple[int, int]:
    """The local midnights around `at`, in UTC ms. Days of 23 and 25 hours come out right."""
    zone = ZoneInfo(time_zone)
    date = datetime.fromtimestamp(at / 1000, zone).date()
    starts = [datetime.combine(day, time(), zone).astimezone(UTC) for day in (date, date + timedelta(days=1))]
    return int(starts[0].timestamp() * 1000), int(starts[1].timestamp() * 1000)


def first_day(now: int, days: int, time_zone: str) -> int:
    """The local midnight at which the first of the last `days` days began, today's included, in UTC ms."""
    return day_of(now - (days - 1) * DAY_MS, time_zone)[0]
