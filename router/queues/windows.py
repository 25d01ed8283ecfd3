"""PURE  When citizens are called back: the parts of the day they may choose, as far as it is open in them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby

from router.nouns import OFFICE, Hours, Municipality
from router.nouns_callbacks import PartOfDay, Window
from router.queues.hours import local_day, next_opening, stretches

SHORTEST_MS = 15 * 60_000
"""What is left of a part of the day is offered down to this."""


def calling_hours(municipality: Municipality) -> Hours:
    """When its citizens are called back: the hours of callbacks, else of the office, else of the telephone, else at
    any time."""
    hours = municipality.hours
    return next((hours[name] for name in ("callback", OFFICE, "phone") if name in hours), Hours(always=True))


def called_from(municipality: Municipality, time_zone: str, at_ms: int) -> int:
    """The first moment from `at_ms` (UTC ms) on at which citizens are called back; `at_ms` when none is foreseen."""
    opens = next_opening(calling_hours(municipality), municipality.holidays, time_zone, at_ms)
    return at_ms if opens is None else opens


def windows(
    municipality: Municipality, parts: tuple[PartOfDay, ...], time_zone: str, at_ms: int, days_max: int
) -> tuple[Window, ...]:
    """Those that are left of today, and those of the next days that have any, so many days; in order.

    One per part and day: the longest, where it is closed in between.
    """
    each = (_windows(municipality, part, time_zone, at_ms) for part in parts)
    in_order = heapq.merge(*each, key=lambda window: window.call_from)
    found: list[Window] = []
    days = 0
    for ahead, of_day in groupby(in_order, key=lambda window: window.days_ahead):
        days += ahead > 0
        if days > days_max:
            break
        found += of_day
    return tuple(found)


def _windows(municipality: Municipality, part: PartOfDay, time_zone: str, at_ms: int) -> Iterator[Window]:
    hours = calling_hours(municipality)
    holidays = () if hours.always else municipality.holidays
    today = local_day(time_zone, at_ms)
    open_then = stretches(_within(hours, part), holidays, time_zone, at_ms)
    for day, of_day in groupby(open_then, key=lambda stretch: stretch[0]):
        left = ((max(start, at_ms), end) for _, start, end in of_day)
        start, end = max(left, key=lambda stretch: stretch[1] - stretch[0])
        if end - start >= SHORTEST_MS:
            yield Window(part.id, (day - today).days, day.weekday(), start, end)


def _within(hours: Hours, part: PartOfDay) -> Hours:
    """The hours as far as they lie in this part of the day."""

    def clipped(intervals: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        both = ((max(start, part.start), min(end, part.end)) for start, end in intervals)
        return tuple((start, end) for start, end in both if start < end)

    usual = dict.fromkeys(range(7), ((0, 1440),)) if hours.always else hours.open
    return Hours(
        {weekday: clipped(intervals) for weekday, intervals in usual.items()},
        special={day: clipped(intervals) for day, intervals in hours.special.items()},
    )
