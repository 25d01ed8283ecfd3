"""PURE  Hours that never open, that leak into the night, or that are open on a day nobody works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from router.linting.findings import Finding, Subject
from router.linting.roster import Roster
from router.linting.week import DAY, DAYS, clock, minutes_of
from router.nouns import LIVE_CHANNELS, Hours, Municipality


def hours_findings(subject: Subject, roster: Roster) -> Iterator[Finding]:
    for n, municipality in enumerate(subject.centre.municipalities, 1):
        path = f"municipalities[{n}].hours"
        yield from _missing(municipality, roster, path)
        if municipality.entry_points and not _ever(municipality.hours.get("phone")):
            yield Finding(
                "warning",
                "hours_never",
                "centre.toml",
                f"{path}.phone",
                f"who dials {municipality.entry_points[0]} ({municipality.id}) hears that it is closed, at every hour",
                'write hours, phone = {weekdays = "08:00-17:00"}, or take the entry points out',
            )
        for channel, hours in municipality.hours.items():
            yield from _midnight(municipality.id, channel, hours, f"{path}.{channel}")
        yield from _closed_days(subject, municipality, path)
    yield from _past(subject)


def _missing(municipality: Municipality, roster: Roster, path: str) -> Iterator[Finding]:
    for channel in sorted(LIVE_CHANNELS - municipality.hours.keys()):
        if not roster.on(channel) or (channel == "phone" and not municipality.entry_points):
            continue
        yield Finding(
            "warning",
            "hours_missing",
            "centre.toml",
            f"{path}.{channel}",
            f"{channel} of {municipality.id} is open on Sunday 03:00: what has no hours never closes",
            f'write {channel} = {{weekdays = "08:30-17:00"}}, "closed", or "always" when that is meant',
        )


def _ever(hours: Hours | None) -> bool:
    return bool(minutes_of(hours)) or any(hours.special.values() if hours else ())


def _midnight(municipality: str, channel: str, hours: Hours, path: str) -> Iterator[Finding]:
    for day in range(7):
        today, before = hours.open.get(day, ()), hours.open.get((day - 1) % 7, ())
        if not today or today[0][0] != 0 or (before and before[-1][1] == DAY):
            continue
        end = clock(before[-1][1]) if before else ""
        closes = f"closes at {end} on {DAYS[day - 1]}" if end else f"is closed on {DAYS[day - 1]}"
        yield Finding(
            "warning",
            "hours_midnight",
            "centre.toml",
            f"{path}.{DAYS[day].lower()}",
            f"{channel} of {municipality} {closes} and opens again at {DAYS[day]} 00:00: half of a night",
            f'hours past midnight are two: {DAYS[day - 1].lower()} "22:00-24:00" and {DAYS[day].lower()} "00:00-02:00"',
        )


def _closed_days(subject: Subject, municipality: Municipality, path: str) -> Iterator[Finding]:
    """Open on a day on which the centre is closed. Whoever has working hours is not there then."""
    if any(agent.id not in subject.works for agent in subject.centre.agents):
        return  # somebody works whenever something is open
    for channel in sorted(LIVE_CHANNELS & municipality.hours.keys()):
        hours = municipality.hours[channel]
        days = [day for day in sorted(subject.closed_days) if day >= subject.today and _opens(municipality, hours, day)]
        if days:
            more = f" and {len(days) - 1} other days" if len(days) > 1 else ""
            yield Finding(
                "warning",
                "hours_closed_day",
                "centre.toml",
                f"{path}.{channel}",
                f"{channel} of {municipality.id} is open on {days[0]}{more}, on which the centre is closed and nobody "
                "works",
                'write hours instead of "always", take the day out of open_days, or write it as an exception',
            )


def _opens(municipality: Municipality, hours: Hours, day: str) -> bool:
    if day in hours.special:
        return bool(hours.special[day])
    if hours.always:
        return True
    return day not in municipality.holidays and bool(hours.open.get(date.fromisoformat(day).weekday()))


def _past(subject: Subject) -> Iterator[Finding]:
    past = [(key, day) for key, day in subject.written_days if day < subject.today]
    if past:
        key, day = past[0]
        more = (
            f", and so are {len(past) - 1} others" if len(past) > 2 else ", and so is another" if len(past) > 1 else ""
        )
        yield Finding(
            "advice",
            "hours_past",
            "centre.toml",
            key,
            f"{day} is over{more}: it changes nothing any more",
            "take it out, and write those of the coming year",
        )
