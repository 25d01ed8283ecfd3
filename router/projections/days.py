"""Local days: from which midnight to which a moment's day lasts."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(at: int, time_zone: str) -> tuple[int, int]:
    """The local midnights around `at`, in UTC ms. Days of 23 and 25 hours come out right."""
    zone = ZoneInfo(time_zone)
    date = datetime.fromtimestamp(at / 1000, zone).date()
    starts = [datetime.combine(day, time(), zone).astimezone(UTC) for day in (date, date + timedelta(days=1))]
    return int(starts[0].timestamp() * 1000), int(starts[1].timestamp() * 1000)
