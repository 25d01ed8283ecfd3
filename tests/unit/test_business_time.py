"""Working hours and working days against a count by the minute, through clock changes, holidays and year ends."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from router.nouns import Centre, Hours, Municipality, Queue, QueueTarget
from router.queues.business_time import after_working_days, after_working_hours
from router.queues.targets import due_at, reminder_ms
from tests.unit.test_hours import MINUTE, OFFICE, ZONE, Naive, ms, some_hours

HOLIDAYS = ("2026-04-03", "2026-04-05", "2026-04-06", "2026-12-25", "2026-12-26", "2027-01-01")


@pytest.mark.parametrize(
    ("arrival", "days", "expected"),
    [
        ("2026-11-26 10:00", 2, "2026-11-30 17:00"),  # Thursday: Friday, Monday
        ("2026-11-26 23:00", 2, "2026-11-30 17:00"),  # after closing it is still that day
        ("2026-11-28 10:00", 1, "2026-11-30 17:00"),  # Saturday
        ("2026-11-25 12:00", 1, "2026-11-26 20:00"),  # Thursday is open until eight
        ("2026-12-24 16:00", 2, "2026-12-29 17:00"),  # over Christmas
        ("2026-12-31 09:00", 1, "2027-01-04 17:00"),  # over New Year
        ("2026-03-27 12:00", 1, "2026-03-30 17:00"),  # over the night of 23 hours
        ("2026-10-23 12:00", 1, "2026-10-26 17:00"),  # over the day of 25 hours
        ("2026-04-02 12:00", 1, "2026-04-07 17:00"),  # Good Friday, Easter
    ],
)
def test_working_days_end_when_the_doors_close(arrival: str, days: int, expected: str) -> None:
    assert after_working_days(days, OFFICE, HOLIDAYS, ZONE, ms(arrival)) == ms(expected)


@pytest.mark.parametrize(
    ("arrival", "hours", "expected"),
    [
        ("2026-11-23 08:00", 9, "2026-11-23 17:00"),
        ("2026-11-23 16:00", 4, "2026-11-24 11:00"),
        ("2026-11-23 03:00", 1, "2026-11-23 09:00"),
        ("2026-11-27 16:30", 1, "2026-11-30 08:30"),
        ("2026-12-31 19:00", 2, "2027-01-04 09:00"),
        ("2026-03-27 16:00", 2, "2026-03-30 09:00"),
    ],
)
def test_working_hours_pass_while_it_is_open(arrival: str, hours: int, expected: str) -> None:
    assert after_working_hours(hours, OFFICE, HOLIDAYS, ZONE, ms(arrival)) == ms(expected)


def test_case_38_an_hour_that_is_skipped_or_comes_twice_is_counted_as_it_passes() -> None:
    nights = Hours({6: ((0, 360),)})  # Sundays 00:00-06:00: 5, 6 or 7 hours
    assert after_working_hours(4, nights, (), ZONE, ms("2026-03-29 00:00")) == ms("2026-03-29 05:00")
    assert after_working_hours(4, nights, (), ZONE, ms("2026-10-25 00:00")) == ms("2026-10-25 03:00")
    assert after_working_hours(7, nights, (), ZONE, ms("2026-10-25 00:00")) == ms("2026-10-25 06:00")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-23", 24)])
def test_case_38_a_day_that_is_open_all_day_has_as_many_hours_as_it_has(day: str, hours: int) -> None:
    whole = Hours(dict.fromkeys(range(7), ((0, 1440),)))
    start = ms(f"{day} 00:00")
    end = ms(f"{date.fromisoformat(day) + timedelta(days=1)} 00:00")
    assert after_working_hours(hours, whole, (), ZONE, start) == end
    assert after_working_days(1, whole, (), ZONE, start - 1) == end


def test_a_special_day_has_its_own_hours() -> None:
    special = Hours(OFFICE.open, special={"2026-12-24": ((480, 720),), "2026-12-25": ((600, 660),)})
    assert after_working_days(1, special, HOLIDAYS, ZONE, ms("2026-12-23 12:00")) == ms("2026-12-24 12:00")
    assert after_working_hours(5, special, HOLIDAYS, ZONE, ms("2026-12-24 08:00")) == ms("2026-12-25 11:00")


def test_where_it_never_opens_time_passes_around_the_clock() -> None:
    assert after_working_hours(3, Hours(), (), ZONE, 0) == 3 * 60 * MINUTE
    assert after_working_days(2, Hours(), (), ZONE, 0) == 2 * 24 * 60 * MINUTE


# -- against a naive count --------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    hours=some_hours(),
    zone=st.sampled_from([ZONE, "America/Havana", "Australia/Lord_Howe", "UTC"]),
    start=st.sampled_from(["2026-03-28", "2026-10-24", "2026-10-31", "2026-04-04", "2026-12-24", "2026-12-31"]),
    offset=st.integers(0, 2 * 24 * 60),
    count=st.integers(1, 30),
    closed=st.sets(st.sampled_from(["2026-03-29", "2026-10-25", "2026-12-25", "2027-01-01"])),
)
@example(Hours({6: ((135, 165),)}), ZONE, "2026-10-24", 24 * 60, 1, set())
@example(Hours({6: ((0, 1440),), 0: ((0, 60),)}), ZONE, "2026-03-28", 0, 24, set())
def test_every_deadline_agrees_with_a_count_minute_by_minute(
    hours: Hours, zone: str, start: str, offset: int, count: int, closed: set[str]
) -> None:
    at = ms(f"{start} 00:00", zone) + offset * MINUTE
    naive, place = Naive(hours, closed, zone), ZoneInfo(zone)
    found = after_working_hours(count, hours, closed, zone, at)
    days = after_working_days(1 + count % 4, hours, closed, zone, at)
    arrival = datetime.fromtimestamp(at / 1000, place).date()
    passed, working = 0, set()
    minute, horizon = at, at + 21 * 24 * 60 * MINUTE
    expected_hours = expected_days = None
    while minute < horizon and (expected_hours is None or len(working) <= 1 + count % 4):
        if naive.is_open(minute):
            passed += 1
            day = datetime.fromtimestamp(minute / 1000, place).date()
            working |= {day} - {arrival}
            if day != arrival and len(working) == 1 + count % 4:
                expected_days = minute + MINUTE
            if passed == count * 60:
                expected_hours = minute + MINUTE
        minute += MINUTE
    assert found == expected_hours if expected_hours else found >= horizon or passed < count * 60
    if len(working) > 1 + count % 4:
        assert days == expected_days


# -- norms ------------------------------------------------------------------------------------------------------


def centre_with(**hours: Hours) -> Centre:
    own = {"q": {"email": QueueTarget(0, 0.9, working_hours=4)}}
    municipalities = (
        Municipality("noord", "Noord", (), {}, hours, holidays=HOLIDAYS),
        Municipality("zuid", "Zuid", (), {}, hours, holidays=HOLIDAYS, targets=own),
    )
    return Centre("c", "C", ZONE, municipalities, (), (), (), {}, (), "", ())


QUEUE = Queue("q", {}, {"email": QueueTarget(0, 0.9, working_days=2), "phone": QueueTarget(20, 0.8)})


def test_each_municipality_keeps_its_own_norm() -> None:
    centre, at = centre_with(email=Hours(always=True), office=OFFICE), ms("2026-11-23 16:00")
    assert due_at(centre, QUEUE, "email", "noord", at) == ms("2026-11-25 17:00")
    assert due_at(centre, QUEUE, "email", "zuid", at) == ms("2026-11-24 11:00")
    assert due_at(centre, QUEUE, "phone", "zuid", at) == at + 20_000
    assert due_at(centre, QUEUE, "post", "zuid", at) == 0


def test_the_hours_of_the_channel_go_before_those_of_the_office() -> None:
    centre = centre_with(email=Hours({2: ((600, 660),)}), office=OFFICE)
    assert due_at(centre, QUEUE, "email", "noord", ms("2026-11-23 16:00")) == ms("2026-12-02 11:00")


def test_a_wait_is_told_again_ever_later_and_at_least_once_a_day() -> None:
    assert [reminder_ms(QueueTarget(20, 0.8), times) for times in (1, 2, 30)] == [40_000, 80_000, 86_400_000]
    assert reminder_ms(QueueTarget(0, 0.9, working_days=2), 1) == 86_400_000
    assert reminder_ms(None, 0) == 3_600_000
