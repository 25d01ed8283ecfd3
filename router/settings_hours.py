"""Opening hours, closed days and special days as they are written in centre.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from router.nouns import CHANNELS, OFFICE, Hours
from router.settings_table import Table, nearest, shown

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
GROUPS = {"every_day": range(7), "weekdays": range(5), "weekend": range(5, 7)}
HOLIDAY_YEARS = 3
"""Public holidays are expanded for the year of reading and the two after it."""
EXCEPTIONS_MAX = 400

_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\Z")


def public_holidays(centre: Table, today: date) -> frozenset[str]:
    which = centre.text("holidays", "none")
    if which == "none":
        return frozenset()
    if which != "nl":
        centre.mistake("holidays", f'{shown(which)} is not a calendar known here; write "nl" or "none"')
        return frozenset()
    from holidays import country_holidays

    years = range(today.year, today.year + HOLIDAY_YEARS)
    return frozenset(day.isoformat() for day in country_holidays("NL", years=years))


def closed_days(table: Table, holidays: Iterable[str]) -> frozenset[str]:
    """Those holidays, with `closed_days` added and `open_days` taken out."""
    return (frozenset(holidays) | _dates(table, "closed_days")) - _dates(table, "open_days")


def written_days(centre: Table) -> tuple[tuple[str, str], ...]:
    """(key, ISO date) of every day that is written in centre.toml and can be read."""
    found = _days_in(centre)
    for table in centre.tables("municipalities"):
        found += _days_in(table)
    return tuple(found)


def _days_in(table: Table) -> list[tuple[str, str]]:
    written = table.everything()
    days = [(f"exceptions[{n}].date", t.everything().get("date")) for n, t in enumerate(table.tables("exceptions"), 1)]
    for key in ("closed_days", "open_days"):
        value = written.get(key, [])
        days += [(f"{key}[{n}]", day) for n, day in enumerate(value if isinstance(value, list) else [value], 1)]
    prefix = f"{table.path}." if table.path else ""
    return [(f"{prefix}{key}", day.isoformat()) for key, value in days if (day := _date(value)) is not None]


def _dates(table: Table, key: str) -> frozenset[str]:
    value = table.raw(key)
    if value is None:
        return frozenset()
    days = set()
    for n, day in enumerate(value if isinstance(value, list) else [value], 1):
        read = _date(day)
        if read is None:
            table.mistake(f"{key}[{n}]", f"{shown(day)} is not a day; write 2026-12-24")
        else:
            days.add(read.isoformat())
    return frozenset(days)


def _date(day: Any) -> date | None:
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    try:
        return date.fromisoformat(day) if isinstance(day, str) else None
    except ValueError:
        return None


def read_hours(hours: Table, channel: str) -> Hours:
    """`"always"`, `"closed"`, or days: a day goes before `weekdays` and `weekend`, and those before `every_day`."""
    word = hours.raw(channel)
    if word == "always":
        return Hours(always=True)
    if word == "closed":
        return Hours()
    if not isinstance(word, dict):
        hours.mistake(
            channel, f'{shown(word)} is not possible; write "always", "closed" or {{weekdays = "08:00-17:00"}}'
        )
        return Hours()
    table = hours.table(channel)
    days: dict[int, tuple[tuple[int, int], ...]] = {}
    for group, numbers in GROUPS.items():
        if group in table:
            opened = intervals(table, group)
            days.update(dict.fromkeys(numbers, opened))
    for number, day in enumerate(DAYS):
        if day in table:
            days[number] = intervals(table, day)
    table.skip(*GROUPS, *DAYS)
    table.done()
    return Hours({day: intervals for day, intervals in sorted(days.items()) if intervals})


def intervals(table: Table, key: str) -> tuple[tuple[int, int], ...]:
    """`"08:00-12:00, 13:00-17:00"` as minutes of the day, in order; none where it says "closed"."""
    value = table.raw(key)
    if value == "closed":
        return ()
    found: list[tuple[int, int]] = []
    for part in value.split(",") if isinstance(value, str) else [""]:
        match = _INTERVAL.match(part.strip())
        numbers = [int(n) for n in match.groups()] if match else [99] * 4
        start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
        if numbers[1] > 59 or numbers[3] > 59 or start >= 1440 or end > 1440:
            table.mistake(key, f'{shown(value)} is not a time of day; write "08:00-17:00"')
            return ()
        if end <= start:
            remedy = 'hours past midnight are two: "22:00-24:00" and "00:00-02:00" on the next day'
            table.mistake(key, f"{shown(value)} ends before it starts; {remedy}")
            return ()
        found.append((start, end))
    found.sort()
    for (_, end), (start, _) in pairwise(found):
        if start < end:
            table.mistake(key, f'{shown(value)} overlaps; write "08:00-12:00, 13:00-17:00"')
            return ()
    return tuple(found)


def with_exceptions(hours: dict[str, Hours], exceptions: list[Table]) -> dict[str, Hours]:
    """Those hours, with the special days in them: a date, and per channel the hours of that day."""
    hours = dict(hours)
    for n, table in enumerate(exceptions):
        day = _date(table.raw("date"))
        if day is None:
            table.mistake("date", "it is missing, or no day; write 2026-12-24")
        for channel in table:
            if channel == "date":
                continue
            if channel not in (*CHANNELS, OFFICE):
                table.mistake(channel, f"there is no such channel{nearest(channel, CHANNELS)}")
            usual = hours.get(channel, Hours(always=True))
            opened = intervals(table, channel)
            if day is None or n >= EXCEPTIONS_MAX:
                continue
            if day.isoformat() in usual.special:
                table.mistake(channel, f"{day} has hours for {channel} already; write them in one place")
            hours[channel] = replace(usual, special={**usual.special, day.isoformat(): opened})
        table.done()
    if len(exceptions) > EXCEPTIONS_MAX:
        exceptions[EXCEPTIONS_MAX].mistake("", f"at most {EXCEPTIONS_MAX} special days; take out those that are past")
    return hours
