"""When citizens may choose to be called back: parts of the day, as far as it is open in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from router.nouns import Hours, Municipality
from router.nouns_callbacks import USUAL_PARTS, PartOfDay
from router.queues.windows import called_from, calling_hours, windows

ZONE = "Europe/Amsterdam"
WEEKDAYS = Hours(dict.fromkeys(range(5), ((540, 1020),)))
MONDAY, FRIDAY = "2026-11-30", "2026-11-27"


def ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


def place(hours: dict[str, Hours], holidays: tuple[str, ...] = ()) -> Municipality:
    return Municipality("duinrand", "Duinrand", (), {}, hours, holidays=holidays)


def found(at: str, hours: dict[str, Hours], days_max: int = 1, **more: Any) -> list[tuple[str, int, str, str]]:
    """(part, days ahead, from, until) in local time."""
    zone = ZoneInfo(ZONE)

    def clock(at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%d %H:%M")

    parts = more.pop("parts", USUAL_PARTS)
    ours = windows(place(hours, **more), parts, ZONE, ms(at), days_max)
    return [(w.part, w.days_ahead, clock(w.call_from), clock(w.call_until)) for w in ours]


def test_what_is_left_of_today_and_the_next_open_day() -> None:
    assert found(f"{MONDAY}T10:30", {"callback": WEEKDAYS}) == [
        ("morning", 0, "30 10:30", "30 12:00"),
        ("afternoon", 0, "30 13:00", "30 17:00"),
        ("morning", 1, "01 09:00", "01 12:00"),
        ("afternoon", 1, "01 13:00", "01 17:00"),
    ]


def test_what_is_too_short_to_call_in_is_left_out() -> None:
    assert found(f"{MONDAY}T11:50", {"callback": WEEKDAYS})[0] == ("afternoon", 0, "30 13:00", "30 17:00")


def test_after_hours_on_friday_it_is_monday_and_holidays_are_passed_over() -> None:
    friday = f"{FRIDAY}T17:30"
    assert [(part, ahead) for part, ahead, *_ in found(friday, {"office": WEEKDAYS})] == [
        ("morning", 3),
        ("afternoon", 3),
    ]
    assert [ahead for _, ahead, *_ in found(friday, {"office": WEEKDAYS}, holidays=(MONDAY,))] == [4, 4]


def test_so_many_days_as_are_asked_for() -> None:
    ahead = [ahead for _, ahead, *_ in found(f"{FRIDAY}T12:00", {"office": WEEKDAYS}, days_max=3)]
    assert ahead == [0, 3, 3, 4, 4, 5, 5]


def test_a_part_in_which_it_closes_is_its_longest_stretch() -> None:
    lunch = Hours({0: ((480, 630), (660, 700), (840, 990))})
    assert found(f"{MONDAY}T00:00", {"phone": lunch}, 0) == [
        ("morning", 0, "30 09:00", "30 10:30"),
        ("afternoon", 0, "30 14:00", "30 16:30"),
    ]


def test_special_days_go_before_and_a_place_without_hours_is_always_open() -> None:
    special = Hours({0: ((540, 1020),)}, special={MONDAY: ((600, 660),)})
    assert found(f"{MONDAY}T00:00", {"office": special}, 0) == [("morning", 0, "30 10:00", "30 11:00")]
    always = found(f"{MONDAY}T00:00", {"phone": Hours(always=True)}, 0, holidays=(MONDAY,))
    assert always == found(f"{MONDAY}T00:00", {}, 0)
    assert [part for part, *_ in always] == ["morning", "afternoon"]


def test_a_day_on_which_the_clock_is_changed_keeps_the_clock_on_the_wall() -> None:
    night = (PartOfDay("night", {}, 60, 240),)
    assert found("2027-03-28T00:00", {}, 0, parts=night) == [("night", 0, "28 01:00", "28 04:00")]


def test_never_open_or_no_parts_is_nothing_to_choose() -> None:
    assert found(f"{MONDAY}T10:00", {"callback": Hours()}) == []
    assert found(f"{MONDAY}T10:00", {}, parts=()) == []


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (f"{MONDAY}T10:00", f"{MONDAY}T10:00"),
        (f"{FRIDAY}T16:59", f"{FRIDAY}T16:59"),
        (f"{FRIDAY}T17:00", f"{MONDAY}T09:00"),
    ],
)
def test_called_again_when_it_is_open(at: str, expected: str) -> None:
    assert called_from(place({"callback": WEEKDAYS, "phone": Hours()}), ZONE, ms(at)) == ms(expected)


def test_never_open_is_called_again_all_the_same() -> None:
    assert called_from(place({"callback": Hours()}), ZONE, ms(f"{MONDAY}T10:00")) == ms(f"{MONDAY}T10:00")


def test_whose_hours_they_are() -> None:
    a, b, c = Hours({0: ((1, 2),)}), Hours({1: ((1, 2),)}), Hours({2: ((1, 2),)})
    assert calling_hours(place({"callback": a, "office": b, "phone": c})) == a
    assert calling_hours(place({"phone": c, "office": b})) == b
    assert calling_hours(place({"phone": c})) == c
    assert calling_hours(place({"chat": c})).always
