"""Opening hours on ordinary days and on the two days a year on which the clock is changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.nouns import Hours
from router.queues.hours import is_open, next_opening, today_start_ms

ZONE = "Europe/Amsterdam"
MINUTE = 60_000
WORKDAY: tuple[tuple[int, int], ...] = ((480, 1020),)
OFFICE = Hours(dict.fromkeys(range(5), WORKDAY) | {3: ((480, 1200),)})
NIGHT = Hours({5: ((1320, 1440),), 6: ((0, 120),)})
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""Sundays of 23 and of 25 hours."""


def ms(text: str, zone: str = ZONE, fold: int = 0) -> int:
    """`2026-03-29 08:00` on the wall, in UTC ms."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 07:59:59", False),
        ("2026-11-23 08:00", True),
        ("2026-11-23 16:59:59", True),
        ("2026-11-23 17:00", False),
        ("2026-11-26 19:59", True),
        ("2026-11-28 12:00", False),
        ("2026-12-25 12:00", False),
    ],
)
def test_open_or_closed(moment, expected):
    assert is_open(OFFICE, ("2026-12-25",), ZONE, ms(moment)) is expected


def test_the_last_millisecond_before_opening_is_closed():
    assert not is_open(OFFICE, (), ZONE, ms("2026-11-23 08:00") - 1)
    assert is_open(OFFICE, (), ZONE, ms("2026-11-23 17:00") - 1)


def test_no_hours_and_always_are_always_open():
    for hours in (None, Hours(always=True)):
        assert is_open(hours, ("2026-11-23",), ZONE, ms("2026-11-23 03:00"))
        assert next_opening(hours, (), ZONE, 5) == 5


def test_open_for_24_hours_leaves_no_gap_at_midnight():
    hours = Hours(dict.fromkeys(range(7), ((0, 1440),)))
    for moment in ("2026-11-23 23:59:59", "2026-11-24 00:00", "2026-10-25 02:30", "2026-03-29 03:00"):
        assert is_open(hours, (), ZONE, ms(moment))


def test_past_midnight_on_a_holiday_counts_for_the_day_it_is():
    assert is_open(NIGHT, (), ZONE, ms("2026-11-28 23:59"))
    assert is_open(NIGHT, (), ZONE, ms("2026-11-29 01:59"))
    assert not is_open(NIGHT, (), ZONE, ms("2026-11-29 02:00"))
    assert not is_open(NIGHT, ("2026-11-29",), ZONE, ms("2026-11-29 01:00"))
    assert is_open(NIGHT, ("2026-11-29",), ZONE, ms("2026-11-28 23:00"))


def test_hours_keep_to_the_clock_on_the_wall_when_it_is_changed():
    # Friday and Monday around the change: 08:00 is 07:00 UTC in winter and 06:00 UTC in summer.
    assert ms("2026-03-30 08:00") - ms("2026-03-27 08:00") == (3 * 24 - 1) * 60 * MINUTE
    for before, after in (("2026-03-27", "2026-03-30"), ("2026-10-23", "2026-10-26")):
        for day in (before, after):
            assert is_open(OFFICE, (), ZONE, ms(f"{day} 08:00"))
            assert not is_open(OFFICE, (), ZONE, ms(f"{day} 08:00") - 1)
            assert not is_open(OFFICE, (), ZONE, ms(f"{day} 17:00"))
        assert next_opening(OFFICE, (), ZONE, ms(f"{before} 17:00")) == ms(f"{after} 08:00")


def test_an_hour_that_is_skipped_does_not_occur():
    hours = Hours({6: ((135, 165),)})  # Sundays 02:15-02:45
    assert next_opening(hours, (), ZONE, ms("2026-03-29 00:00")) == ms("2026-04-05 02:15")
    over_the_change = Hours({6: ((135, 240),)})  # 02:15-04:00
    assert next_opening(over_the_change, (), ZONE, ms("2026-03-29 00:00")) == ms("2026-03-29 03:00")


def test_an_hour_that_comes_twice_is_open_twice():
    hours = Hours({6: ((135, 165),)})
    first, second = ms("2026-10-25 02:15"), ms("2026-10-25 02:15", fold=1)
    assert second - first == 60 * MINUTE
    assert next_opening(hours, (), ZONE, first - 1) == first
    assert next_opening(hours, (), ZONE, first + 30 * MINUTE) == second
    assert next_opening(hours, (), ZONE, second + 30 * MINUTE) == ms("2026-11-01 02:15")
    assert next_opening(Hours({6: ((120, 150),)}), (), ZONE, ms("2026-10-25 02:40")) == ms("2026-10-25 02:00", fold=1)


def test_next_opening_skips_weekends_and_holidays():
    closed = ("2026-12-24", "2026-12-25", "2026-12-28")
    assert next_opening(OFFICE, closed, ZONE, ms("2026-12-23 17:00")) == ms("2026-12-29 08:00")
    assert next_opening(OFFICE, closed, ZONE, ms("2026-12-23 12:00")) == ms("2026-12-23 12:00")
    assert next_opening(Hours(), (), ZONE, ms("2026-12-23 12:00")) is None


def test_a_special_day_goes_before_the_week_before_holidays_and_before_always():
    special = {"2026-12-24": ((480, 720),), "2026-12-26": ((600, 660),), "2026-12-28": ()}
    for usual in (OFFICE, Hours(always=True)):
        hours = Hours(usual.open, usual.always, special)
        assert is_open(hours, (), ZONE, ms("2026-12-24 11:59"))
        assert not is_open(hours, (), ZONE, ms("2026-12-24 12:00"))
        assert not is_open(hours, (), ZONE, ms("2026-12-28 12:00"))
        assert is_open(hours, ("2026-12-26",), ZONE, ms("2026-12-26 10:30"))
    shut = Hours(OFFICE.open, False, special)
    assert next_opening(shut, ("2026-12-25",), ZONE, ms("2026-12-24 13:00")) == ms("2026-12-26 10:00")
    assert next_opening(shut, ("2026-12-25",), ZONE, ms("2026-12-26 11:00")) == ms("2026-12-29 08:00")
    assert next_opening(Hours(always=True, special=special), (), ZONE, ms("2026-12-24 13:00")) == ms("2026-12-25 00:00")


def test_what_never_opens_again_is_none():
    every_day = [(date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(500)]
    assert next_opening(OFFICE, every_day, ZONE, ms("2026-01-01 00:00")) is None


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 11, 23), 24)])
def test_a_day_has_23_24_or_25_hours(day, hours):
    start = ms(f"{day} 00:00")
    end = ms(f"{day + timedelta(days=1)} 00:00")
    assert end - start == hours * 60 * MINUTE
    for at in (start, start + 3 * 60 * MINUTE, end - 1):
        assert today_start_ms(ZONE, at) == start
    assert today_start_ms(ZONE, end) == end
    assert today_start_ms(ZONE, start - 1) < start


def test_a_day_without_a_midnight_begins_at_its_first_moment():
    zone = "America/Sao_Paulo"  # 4 November 2018 began at 01:00
    start = ms("2018-11-04 01:00", zone)
    assert today_start_ms(zone, start + 5 * MINUTE) == start
    assert today_start_ms(zone, start - 1) == ms("2018-11-03 00:00", zone)


def test_a_day_with_two_midnights_begins_at_the_first():
    zone = "America/Havana"  # on 1 November 2026 the clock goes from 01:00 back to 00:00
    first, second = ms("2026-11-01 00:00", zone), ms("2026-11-01 00:00", zone, fold=1)
    assert second - first == 60 * MINUTE
    assert today_start_ms(zone, second + 5 * MINUTE) == first


# -- against a naive recomputation ------------------------------------------------------------------------------


class Naive:
    """Writes the local minute down and looks it up in a list of all open minutes."""

    def __init__(self, hours: Hours, holidays: set[str], zone: str) -> None:
        self.holidays, self.zone = holidays, ZoneInfo(zone)
        self.minutes = {day: {m for a, b in spans for m in range(a, b)} for day, spans in hours.open.items()}
        self.special = {day: {m for a, b in spans for m in range(a, b)} for day, spans in hours.special.items()}

    def is_open(self, at: int) -> bool:
        local = datetime.fromtimestamp(at // MINUTE * 60, self.zone)
        day, minute = f"{local:%Y-%m-%d}", 60 * local.hour + local.minute
        if day in self.special:
            return minute in self.special[day]
        if day in self.holidays:
            return False
        return minute in self.minutes.get(local.isoweekday() - 1, ())


quarters = st.integers(0, 96).map(lambda n: n * 15)


@st.composite
def some_hours(draw):
    def spans():
        edges = sorted(draw(st.sets(quarters, max_size=4)))
        return tuple(zip(edges[::2], edges[1::2], strict=False))

    days = {day: spans() for day in draw(st.sets(st.integers(0, 6), min_size=1))}
    dates = st.sets(st.sampled_from(["2026-03-29", "2026-10-25", "2026-12-24", "2027-01-01"]), max_size=2)
    return Hours(days, special={day: spans() for day in sorted(draw(dates))})


@given(
    hours=some_hours(),
    zone=st.sampled_from([ZONE, "America/Havana", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]),
    start=st.sampled_from(["2026-03-28", "2026-10-24", "2026-10-31", "2018-11-03", "2026-04-04", "2026-12-24"]),
    offset=st.integers(0, 3 * 24 * 60),
    milliseconds=st.integers(0, MINUTE - 1),
    closed=st.sets(st.sampled_from(["2026-03-29", "2026-10-25", "2026-12-25", "2018-11-04"])),
)
@example(Hours({6: ((135, 165),)}), ZONE, "2026-10-24", 24 * 60, 0, set())
@example(Hours({6: ((135, 240),)}), ZONE, "2026-03-28", 24 * 60, 1, set())
def test_every_minute_agrees_with_a_naive_recomputation(hours, zone, start, offset, milliseconds, closed):
    at = ms(f"{start} 00:00", zone) + offset * MINUTE + milliseconds
    naive = Naive(hours, closed, zone)
    assert is_open(hours, closed, zone, at) is naive.is_open(at)
    found = next_opening(hours, closed, zone, at)
    expected = at if naive.is_open(at) else None
    minute = (at // MINUTE + 1) * MINUTE
    horizon = minute + 2 * 24 * 60 * MINUTE
    while expected is None and minute < horizon:
        expected = minute if naive.is_open(minute) else None
        minute += MINUTE
    if expected is None:
        assert found is None or found >= horizon
    else:
        assert found == expected
