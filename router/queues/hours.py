"""PURE  Opening hours: whether a channel is open at a moment, when it is open next, and when a local day began.

Hours are written in the local day of the clock on the wall, so a day of 23 or 25 hours needs no rule of its own: an
hour that is skipped in March does not occur, and one that comes twice in October is open (or closed) both times.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from router.nouns import Hours

DAYS_AHEAD_MAX = 400
"""How far ahead is looked: longer than any year of closed days."""
MINUTE_MS = 60_000
EPOCH = date(1970, 1, 1)
MINUTES_A_DAY = 1440


def is_open(hours: Hours | None, holidays: Collection[str], time_zone: str, at_ms: int) -> bool:
    """Whether it is open at `at_ms`. `holidays` are ISO dates on which it is closed all day; no hours = always open.

    An interval runs from its first minute to just before its last; 1440 is the end of the day. Hours past midnight are
    two intervals that meet there. A special day goes before a holiday, and also before "always".
    """
    if hours is None:
        return True
    local = _local(at_ms, ZoneInfo(time_zone))
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in _intervals(hours, holidays, local.date()))


def next_opening(hours: Hours | None, holidays: Collection[str], time_zone: str, at_ms: int) -> int | None:
    """The first moment (UTC ms) from `at_ms` on at which it is open: `at_ms` itself when it is open now.

    None when it does not open within 400 days.
    """
    if hours is None:
        return at_ms
    for _, start, end in stretches(hours, holidays, time_zone, at_ms):
        if end > at_ms:
            return max(start, at_ms)
    return None


def stretches(hours: Hours, holidays: Collection[str], time_zone: str, at_ms: int) -> Iterator[tuple[date, int, int]]:
    """When it is open from the local day of `at_ms` on, 400 days ahead: (local day, from, to) in UTC ms, in order.

    Those of one day do not touch; the last of a day and the first of the next may.
    """
    zone = ZoneInfo(time_zone)
    first = _local(at_ms, zone).date()
    for ahead in range(DAYS_AHEAD_MAX):
        day = first + timedelta(days=ahead)
        intervals = _intervals(hours, holidays, day)
        if intervals:
            yield from ((day, start, end) for start, end in _in_utc(day, intervals, zone))


def _intervals(hours: Hours, holidays: Collection[str], day: date) -> tuple[tuple[int, int], ...]:
    """The minutes of this local day at which it is open."""
    name = day.isoformat()
    if name in hours.special:
        return hours.special[name]
    if hours.always:
        return ((0, MINUTES_A_DAY),)
    return () if name in holidays else hours.open.get(day.weekday(), ())


def _in_utc(day: date, intervals: tuple[tuple[int, int], ...], zone: ZoneInfo) -> list[tuple[int, int]]:
    """Those minutes of the clock on the wall in UTC ms."""
    midnight = (day - EPOCH).days * MINUTES_A_DAY * MINUTE_MS
    found: list[tuple[int, int]] = []
    for low, high, offset in _even_parts(day, zone):
        for first, last in intervals:
            start = max(low, midnight + first * MINUTE_MS - offset)
            stop = min(high, midnight + last * MINUTE_MS - offset)
            if start >= stop:
                continue
            if found and found[-1][1] == start:
                found[-1] = found[-1][0], stop
            else:
                found.append((start, stop))
    return found


@lru_cache(maxsize=2048)
def _even_parts(day: date, zone: ZoneInfo) -> tuple[tuple[int, int, int], ...]:
    """The parts of the day in which the clock runs evenly: from, to (UTC ms), and how far the wall is ahead of UTC."""
    begin, end = _moments(day, 0, zone)[0], _moments(day + timedelta(days=1), 0, zone)[0]
    parts = pairwise((begin, *_changes(day, zone), end))
    millisecond = timedelta(milliseconds=1)
    return tuple((low, high, (_local(low, zone).utcoffset() or timedelta()) // millisecond) for low, high in parts)


def local_day(time_zone: str, at_ms: int) -> date:
    """The day on the calendar at the wall."""
    return _local(at_ms, ZoneInfo(time_zone)).date()


def today_start_ms(time_zone: str, at_ms: int) -> int:
    """When the local day of `at_ms` began, in UTC ms: its first moment, also where midnight is skipped or repeated."""
    zone = ZoneInfo(time_zone)
    return _moments(_local(at_ms, zone).date(), 0, zone)[0]


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    # Not fromtimestamp(at_ms / 1000): a float may round to the next minute.
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone)


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _moments(day: date, minute: int, zone: ZoneInfo) -> tuple[int, int]:
    """When the wall clock shows this minute of the day: two moments where the clock is put back, else twice the same.

    A minute that is skipped gives the moment of the change, give or take an hour.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    return _ms(naive.replace(tzinfo=zone, fold=0)), _ms(naive.replace(tzinfo=zone, fold=1))


def _changes(day: date, zone: ZoneInfo) -> tuple[int, ...]:
    """The moment of this day at which the clock is changed, if there is one; to the second."""
    low = _moments(day, 0, zone)[0] // 1000
    high = _moments(day + timedelta(days=1), 0, zone)[0] // 1000

    def offset(second: int) -> timedelta | None:
        return _local(second * 1000, zone).utcoffset()

    before = offset(low)
    if before == offset(high):
        return ()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    return (high * 1000,)
