"""What is planned for the centre, for `kcc-router check` alone: working hours of agents, calls that are expected."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from router.linting.findings import Expected, Volume
from router.nouns import Hours
from router.settings_hours import read_hours
from router.settings_table import Table, nearest

CALLS_PER_HOUR_MAX = 100_000.0


def read_works(agents: Iterable[Table]) -> dict[str, Hours]:
    """Agent -> working hours, of those who have any."""
    return {agent.id("id"): read_hours(agent, "works") for agent in agents if "works" in agent}


def read_expected(topics: Table, known: Collection[str]) -> Expected | None:
    """`[expected]` of topics.toml; `known` are the topics there are."""
    if "expected" not in topics:
        return None
    table = topics.table("expected")
    volumes = {}
    for topic, volume in table.items("calls"):
        if topic not in known:
            volume.mistake("", f'there is no topic "{topic}"{nearest(topic, known)}')
        per_hour = volume.number("per_hour", 0.01, CALLS_PER_HOUR_MAX, "write calls an hour: 38")
        volumes[topic] = Volume(per_hour, volume.integer("handling_seconds", None, 1, 36_000))
        volume.done()
    if "busiest" not in table:
        table.mistake("busiest", 'it is missing; write {weekdays = "09:00-11:00"}')
    busiest = read_hours(table, "busiest") if "busiest" in table else Hours()
    expected = Expected(busiest, volumes, table.integer("patience_seconds", 180, 5, 36_000))
    table.done()
    return expected
