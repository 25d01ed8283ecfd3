"""PURE  A week as one whole number: bit n is minute n, Monday 00:00 is 0. Uniting and subtracting hours is one step."""

from __future__ import annotations

from collections.abc import Iterator

from router.nouns import Hours

DAY = 1440
WEEK = 7 * DAY
ALL = (1 << WEEK) - 1
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def minutes_of(hours: Hours | None) -> int:
    """The minutes of a usual week at which it is open; None = always. Special days are no part of it."""
    if hours is None or hours.always:
        return ALL
    found = 0
    for day, intervals in hours.open.items():
        for start, end in intervals:
            found |= ((1 << (end - start)) - 1) << (day * DAY + start)
    return found


def stretches(minutes: int) -> Iterator[tuple[int, int]]:
    """(from, to) of each unbroken stretch in it; `to` is no part of it."""
    while minutes:
        start = first_of(minutes)
        end = start + first_of(~(minutes >> start))
        yield start, end
        minutes = minutes >> end << end


def first_of(minutes: int) -> int:
    """The first minute in it. There must be one."""
    return (minutes & -minutes).bit_length() - 1


def moment(minute: int) -> str:
    """`Thursday 18:30`."""
    return f"{DAYS[minute // DAY]} {clock(minute % DAY)}"


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def hours_text(minutes: int) -> str:
    """How long it is, `2 h` or `45 min`."""
    many = minutes.bit_count()
    return f"{many / 60:.3g} h" if many >= 60 else f"{many} min"
