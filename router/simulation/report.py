"""What came of many days, per policy, with 95% intervals, and the differences between policies on the same days.

An interval stands on the means per roster, because the days of one roster share its people; with one roster it stands
on the days. Measures are in percent, but for the wait (seconds).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, pstdev, stdev

from router.simulation.day import DayResult
from router.simulation.run import Played

MEASURES: dict[str, Callable[[DayResult], float]] = {
    "fcr": lambda day: 100 * day.fcr,
    "service_level": lambda day: 100 * day.service_level,
    "abandonment": lambda day: 100 * day.abandonment,
    "wait_seconds": lambda day: day.wait_seconds,
    "occupancy_mean": lambda day: 100 * fmean(day.occupancies),
    "occupancy_sd": lambda day: 100 * pstdev(day.occupancies),
    "occupancy_max": lambda day: 100 * max(day.occupancies),
    "reserved": lambda day: 100 * day.reserved / max(1, day.offered),
    "reserved_seconds": lambda day: day.reserved_ms / 1000 / max(1, day.offered),
    "overtaken_most": lambda day: float(day.overtaken_most),
}

_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10)
"""Two-sided 95% quantiles of Student's t for 1, 2, 3 … degrees of freedom."""


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95% interval (0 for one value: nothing is known of it)."""
    if len(values) < 2:
        return fmean(values), 0.0
    quantile = _T95[len(values) - 2] if len(values) - 2 < len(_T95) else 2.0
    return fmean(values), quantile * stdev(values) / math.sqrt(len(values))


def _per_roster(rows: Iterable[tuple[int, float]]) -> list[float]:
    """One value per roster, or per day when there is one roster."""
    by_roster: dict[int, list[float]] = {}
    for roster, value in rows:
        by_roster.setdefault(roster, []).append(value)
    if len(by_roster) == 1:
        return next(iter(by_roster.values()))
    return [fmean(values) for values in by_roster.values()]


def summary(days: Sequence[Played]) -> dict[str, dict[str, float]]:
    """Measure -> mean and half-width of the 95% interval."""
    found = {}
    for name, measure in MEASURES.items():
        mean, half = interval(_per_roster((day.roster, measure(day.result)) for day in days))
        found[name] = {"mean": round(mean, 4), "ci95": round(half, 4)}
    return found


def differences(days: Sequence[Played], base: Sequence[Played]) -> dict[str, dict[str, float]]:
    """The same of the differences with another policy on the same days."""
    known = {(day.roster, day.seed): day.result for day in base}
    found = {}
    for name, measure in MEASURES.items():
        rows = ((day.roster, measure(day.result) - measure(known[day.roster, day.seed])) for day in days)
        mean, half = interval(_per_roster(rows))
        found[name] = {"mean": round(mean, 4), "ci95": round(half, 4)}
    return found


COLUMNS = {
    "fcr": "FCR %",
    "service_level": "SL %",
    "abandonment": "AB %",
    "wait_seconds": "ASA s",
    "occupancy_mean": "occ %",
    "occupancy_sd": "occ sd",
    "occupancy_max": "occ max",
    "reserved_seconds": "kept s",
    "overtaken_most": "overt.",
}


def table(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Name -> summary, as lines of text."""
    width = max((len(name) for name in rows), default=0)
    lines = [" " * width + "".join(f"{title:>15}" for title in COLUMNS.values())]
    for name, found in rows.items():
        cells = (f"{found[key]['mean']:.2f} ±{found[key]['ci95']:.2f}" for key in COLUMNS)
        lines.append(f"{name:<{width}}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


# -- periods ------------------------------------------------------------------------------------------------------

PER_CHANNEL: dict[str, Callable[[DayResult], float]] = {
    "contacts": lambda week: float(week.offered),
    "fcr": MEASURES["fcr"],
    "service_level": MEASURES["service_level"],
    "abandonment": MEASURES["abandonment"],
    "wait_seconds": MEASURES["wait_seconds"],
}
"""Measures of one channel in one week; contacts as a number."""
PER_CENTRE = {key: MEASURES[key] for key in ("occupancy_mean", "occupancy_sd", "occupancy_max")}
PERIOD_COLUMNS = {
    "contacts": "contacts/week",
    **{key: COLUMNS[key] for key in (*PER_CHANNEL, *PER_CENTRE) if key in COLUMNS},
}


def period_summary(weeks: Iterable[Played]) -> dict[str, dict[str, dict[str, float]]]:
    """Channel -> measure -> mean over the weeks with contacts, and half-width of its 95% interval."""
    rows: dict[str, list[Played]] = {}
    for week in weeks:
        if week.result.offered:
            rows.setdefault(week.channel, []).append(week)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for channel, played in rows.items():
        for name, measure in (PER_CHANNEL | (PER_CENTRE if played[0].result.worked_ms else {})).items():
            mean, half = interval(_per_roster((week.roster, measure(week.result)) for week in played))
            found.setdefault(channel, {})[name] = {"mean": round(mean, 4), "ci95": round(half, 4)}
    return found


def period_table(policies: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]) -> str:
    """Policy -> channel -> summary, as lines of text."""
    names = [f"{policy} {channel}" for policy, found in policies.items() for channel in found]
    width = max((len(name) for name in names), default=0)
    lines = [" " * width + "".join(f"{title:>18}" for title in PERIOD_COLUMNS.values())]
    for policy, found in policies.items():
        for channel, measures in found.items():
            cells = (_cell(measures.get(key)) for key in PERIOD_COLUMNS)
            lines.append(f"{policy + ' ' + channel:<{width}}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def _cell(value: Mapping[str, float] | None) -> str:
    if value is None:
        return ""
    digits = 0 if value["mean"] >= 1_000 else 2
    return f"{value['mean']:.{digits}f} ±{value['ci95']:.{digits}f}"
