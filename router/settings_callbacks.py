"""[callbacks] of centre.toml: how often, how soon again, in which parts of the day, and how they share the agents."""

from __future__ import annotations

from router.nouns_callbacks import USUAL_PARTS, CallbackRules, PartOfDay
from router.settings_hours import intervals
from router.settings_table import Table

PARTS_MAX = 4
"""With "as soon as it is your turn" five choices: nobody remembers more by telephone."""


def read_callbacks(centre: Table) -> CallbackRules:
    table = centre.table("callbacks")
    rules = CallbackRules(
        tries_max=table.integer("tries_max", 3, 1, 10),
        again_seconds=table.integer("again_seconds", 900, 60, 86_400),
        ring_seconds=table.integer("ring_seconds", 30, 5, 120),
        live_between_max=table.integer("live_between_max", 0, 0, 100),
        parts_of_day=_parts_of_day(table) if "parts_of_day" in table else USUAL_PARTS,
    )
    table.done()
    return rules


def _parts_of_day(callbacks: Table) -> tuple[PartOfDay, ...]:
    """Each with its own name and one interval; they may not overlap, so that a moment has one name."""
    parts: list[PartOfDay] = []
    for table in callbacks.tables("parts_of_day")[:PARTS_MAX]:
        hours = intervals(table, "hours")
        if len(hours) != 1:
            table.mistake("hours", 'it is one interval; write "09:00-12:00"')
        start, end = hours[0] if hours else (0, 1440)
        part = PartOfDay(table.id("id"), table.per_language("title"), start, end)
        if any(part.id == other.id for other in parts):
            table.mistake("id", f'"{part.id}" is the id of another part of the day; give each its own')
        if parts and part.start < parts[-1].end:
            table.mistake("hours", "it begins before the part above it has ended; write them in order")
        table.done()
        parts.append(part)
    if len(callbacks.tables("parts_of_day")) > PARTS_MAX:
        callbacks.mistake("parts_of_day", f"there are more than {PARTS_MAX}; nobody remembers more by telephone")
    return tuple(parts)
