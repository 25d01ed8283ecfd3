"""PURE  Opening hours: whether a channel is open at a moment, when it opens next, and when a local day began.

Hours are written in the local day of the clock on the wall, so a day of 23 or 25 hours needs no rule of its own: an
hour that is skipped in March does not occur, and one that comes twice in October is open (or closed) both times.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from router.nouns import Hours

DAYS_AHEAD_MAX = 400
"""How far `next_opening` looks: longer than any year of closed days."""


def is_open(hours: Hours | None, holidays: Collection[str], time_zone: str, at_ms: int) -> bool:
    """Whether it is open at `at_ms`. `holidays` are ISO dates on which it is closed all day; no hours = always open.

    An interval runs from its first minute to just before its last; 1440 is the end of the day. Hours past midnight are
    two intervals that meet there.
    """
    if hours is None or hours.always:
        return True
    local = _local(at_ms, ZoneInfo(time_zone))
    if local.date().isoformat() in holidays:
        return False
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in hours.open.get(local.weekday(), ()))


def next_opening(hours: Hours | None, holidays: Collection[str], time_zone: str, at_ms: int) -> int | None:
    """The first moment (UTC ms) from `at_ms` on at which it is open: `at_ms` itself when it is open now.

    None when it does not open within 400 days.
    """
    if is_open(hours, holidays, time_zone, at_ms):
        return at_ms
    assert hours is not None
    zone = ZoneInfo(time_zone)
    first = _local(at_ms, zone).date()
    for ahead in range(DAYS_AHEAD_MAX):
        day = first + timedelta(days=ahead)
        if day.isoformat() in holidays:
            continue
        starts = [m for start, _ in hours.open.get(day.weekday(), ()) for m in _moments(day, start, zone)]
        moments = sorted({*starts, *_changes(day, zone)} if starts else ())
        for moment in moments:
            if moment >= at_ms and is_open(hours, holidays, time_zone, moment):
                return moment
    return None


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
