"""Many days in a row: the channels with their own hours, the shape of week and year, and the shifts people work.

All times of day are local; a day is as long as the clock makes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from router.nouns import CHANNELS
from router.settings_hours import intervals, public_holidays
from router.settings_table import Table, shown
from router.simulation.reading import number, numbers

ZONE = ZoneInfo("Europe/Amsterdam")
WEEKDAYS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0)
OFFICE = (480, 1020)
DAYS_MAX = 731
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Interval = tuple[int, int]
"""From and to, in minutes of the local day."""


@dataclass(frozen=True, slots=True)
class ChannelLoad:
    """One channel: its part of the contacts, when they come, and how it is worked."""

    id: str
    share: float
    hours: Interval = OFFICE
    """When contacts come in."""
    profile: tuple[float, ...] = (1.0,)
    """Relative intensity of equal parts of those hours."""
    weekdays: tuple[float, ...] = WEEKDAYS
    """Relative intensity, Monday first; 0 = closed."""
    holidays: bool = False
    """Contacts come in on closed days too."""
    pace: float = 1.0
    """Handling time as a multiple of the topic's."""
    patience_seconds: float = 0.0
    """Mean of an exponential law; 0 = nobody gives up."""
    target_seconds: int = 20
    slots: int = 1
    not_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """The hours of a part of the agents."""

    share: float
    hours: tuple[Interval, ...] = (OFFICE,)
    """What lies between them are breaks."""
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    absent: float = 0.0
    """Share of the working days on which somebody is on leave or ill."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are played, and how the year's contacts fall on them."""

    first_day: date
    days: int
    contacts_a_year: int
    """First attempts, on all channels, in the calendar year of `first_day`."""
    months: tuple[float, ...] = (1.0,) * 12
    closed: frozenset[date] = frozenset()

    def dates(self) -> Iterator[date]:
        return (self.first_day + timedelta(days=n) for n in range(self.days))

    def weight(self, channel: ChannelLoad, day: date) -> float:
        """Relative number of contacts of the channel on this day."""
        if day in self.closed and not channel.holidays:
            return 0.0
        return channel.weekdays[day.weekday()] * self.months[day.month - 1]

    def year_weight(self, channel: ChannelLoad) -> float:
        """The weights of all days of the year together."""
        begin = date(self.first_day.year, 1, 1)
        length = (date(begin.year + 1, 1, 1) - begin).days
        return sum(self.weight(channel, begin + timedelta(days=n)) for n in range(length))


def moment(day: date, minute: int) -> int:
    """The local time of day as UTC ms."""
    local = datetime.combine(day, time(), ZONE) + timedelta(minutes=minute)
    return (local - _EPOCH) // timedelta(milliseconds=1)


# -- as it is written --------------------------------------------------------------------------------------------------


def read_channels(whole: Table) -> tuple[ChannelLoad, ...]:
    channels = tuple(_channel(table) for table in whole.tables("channels"))
    _adds_up(whole, "channels", [c.share for c in channels])
    if len({c.id for c in channels}) < len(channels):
        whole.mistake("channels", "two channels have the same id")
    return channels


def _channel(table: Table) -> ChannelLoad:
    usual = ChannelLoad("", 0)
    hours = intervals(table, "hours") if "hours" in table else (OFFICE,)
    if len(hours) != 1:
        table.mistake("hours", 'write one interval, "08:00-17:00"')
    not_with = table.texts("not_with")
    for other in not_with:
        if other not in CHANNELS:
            table.mistake("not_with", f"there is no channel {shown(other)}")
    channel = ChannelLoad(
        table.choice("id", "phone", CHANNELS),
        number(table, "share", None, 0, 1),
        hours[0] if hours else OFFICE,
        numbers(table, "profile", usual.profile, 0, 10),
        numbers(table, "weekdays", usual.weekdays, 0, 10, length=7),
        table.flag("holidays", False),
        number(table, "pace", usual.pace, 0.01, 100),
        number(table, "patience_seconds", usual.patience_seconds, 0, 100_000),
        table.integer("target_seconds", usual.target_seconds, 1, 10 * 86_400),
        table.integer("slots", usual.slots, 1, 20),
        not_with,
    )
    table.done()
    return channel


def read_shifts(whole: Table) -> tuple[Shift, ...]:
    shifts = tuple(_shift(table) for table in whole.tables("shifts"))
    _adds_up(whole, "shifts", [s.share for s in shifts])
    return shifts


def _shift(table: Table) -> Shift:
    usual = Shift(1)
    shift = Shift(
        number(table, "share", None, 0, 1),
        intervals(table, "hours") if "hours" in table else usual.hours,
        tuple(int(day) for day in numbers(table, "weekdays", usual.weekdays, 0, 6)),
        number(table, "absent", 0, 0, 1),
    )
    table.done()
    return shift


def _adds_up(whole: Table, key: str, shares: list[float]) -> None:
    if shares and abs(sum(shares) - 1) > 0.001:
        whole.mistake(key, f"the shares add up to {sum(shares):.3f}; write shares that add up to 1")


def read_calendar(whole: Table) -> Calendar | None:
    """None when the table is not there: single days are played."""
    if "calendar" not in whole:
        return None
    table = whole.table("calendar")
    first = table.raw("first_day")
    if type(first) is not date:
        table.mistake("first_day", f"{shown(first)} is not a day; write 2026-01-05")
        first = date(2026, 1, 5)
    calendar = Calendar(
        first,
        table.integer("days", 7, 1, DAYS_MAX),
        table.integer("contacts_a_year", None, 1, 1_000_000_000),
        numbers(table, "months", (1.0,) * 12, 0, 10, length=12),
        frozenset(date.fromisoformat(day) for day in public_holidays(table, first)),
    )
    table.done()
    return calendar
