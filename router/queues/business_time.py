"""PURE  Business time: the moment by which something promised in working hours or working days must have happened."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby, islice

from router.nouns import Hours
from router.queues.hours import local_day, stretches

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def after_working_hours(count: int, hours: Hours, holidays: Collection[str], time_zone: str, at_ms: int) -> int:
    """The moment (UTC ms) at which `count` hours of opening time have passed since `at_ms`.

    Hours are real hours, also where the clock is changed while it is open. When it does not open often enough within
    400 days, they are counted around the clock.
    """
    left = count * HOUR_MS
    for _, start, end in stretches(hours, holidays, time_zone, at_ms):
        open_ms = end - max(start, at_ms)
        if open_ms >= left:
            return end - open_ms + left
        left -= max(0, open_ms)
    return at_ms + count * HOUR_MS


def after_working_days(count: int, hours: Hours, holidays: Collection[str], time_zone: str, at_ms: int) -> int:
    """When the doors close (UTC ms) on the working day number `count` after the local day of `at_ms`.

    A working day is a day with opening hours. The day of arrival does not count, as with the terms in Dutch law (Awb
    6:8). When it does not open often enough within 400 days, they are days of 24 hours.
    """
    arrival = local_day(time_zone, at_ms)
    by_day = groupby(stretches(hours, holidays, time_zone, at_ms), key=lambda stretch: stretch[0])
    working = (max(end for _, _, end in found) for day, found in by_day if day != arrival)
    return next(islice(working, count - 1, None), at_ms + count * DAY_MS)
