"""PURE  What the linter finds, and what it looks at. Every code there is stands here, with what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from router.nouns import Centre, ClassifyRule, Hours

SEVERITIES: tuple[str, ...] = ("error", "warning", "advice")

CODES: dict[str, str] = {
    "mistake": "something that cannot be read, or does not fit together: the server does not start",
    "nobody_at_hour": "at some open hour nobody who works then can take the topic",
    "nobody_in_language": "nobody on the roster can take the topic in this language, at whatever hour",
    "menu_to_nobody": "a key of the telephone menu leads to a topic that nobody can take at some hour it is open",
    "widening_breaks": "a step of widening asks what nobody has",
    "no_way_out": "who waits in this queue while nobody can help stays there: no widening, no overflow",
    "overflow_cycle": "ways out lead from queue to queue and back to the first",
    "overflow_never": "a way out that no contact of the queue can ever go",
    "overflow_no_help": "a way out leads to the same people",
    "widening_no_help": "a step of widening brings in nobody",
    "hours_missing": "a live channel has no hours, so it is open day and night",
    "hours_never": "a number can be dialled, but its telephone never opens",
    "hours_midnight": "hours begin at midnight though the day before does not last until then",
    "hours_closed_day": "a live channel is open on a day on which the centre is closed",
    "hours_past": "a closed day, an open day or a special day is over",
    "priority_starves": "the head start of one queue over another is longer than anybody waits",
    "fairness_outweighs": "an even load counts for more than who can settle the question",
    "reserve_never": "a contact may be kept for a better agent, but nothing that is measured can ever allow it",
    "reserve_impatient": "a contact may be kept for longer than the citizen stays",
    "agent_without_work": "no topic can ever be offered to this agent",
    "agent_never_there": "the agent works only while everything they can take is closed",
    "phone_without_endpoint": "room of an agent's own for calls, but no telephone",
    "channel_never_open": "room of an agent's own for a channel that is closed everywhere",
    "skill_unasked": "a skill that nothing asks",
    "rule_never_fires": "an earlier rule takes all that this one would",
    "keyword_shadowed": "an earlier topic takes every text with this keyword",
    "target_unreachable": "Erlang A says that the people at work cannot meet the norm",
    "odd": "something that works, but is worth a look",
}
"""Code -> meaning. Codes stay: people may filter on them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the configuration that will go wrong, or is of no use."""

    severity: str
    """One of `SEVERITIES`."""
    code: str
    """One of `CODES`."""
    file: str
    key: str
    """Path of the key in the file; lists count from 1."""
    example: str
    """What happens, by an example: which contact, when, who falls out and why."""
    remedy: str


@dataclass(frozen=True, slots=True)
class Volume:
    """How many calls about one topic are expected in the busiest hours."""

    calls_per_hour: float
    handling_seconds: int
    """Mean, wrap-up included."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The busiest hours of the week, and what comes in then by telephone."""

    busiest: Hours
    volumes: Mapping[str, Volume]
    """Per topic."""
    patience_seconds: int
    """Mean time after which a caller gives up."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A configuration as it was written, with what is planned for it."""

    centre: Centre
    keywords: dict[str, tuple[str, ...]] = field(default_factory=dict)
    menus: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Municipality -> (key, topic)."""
    written_rules: tuple[ClassifyRule, ...] = ()
    """In the order of the file."""
    works: Mapping[str, Hours] = field(default_factory=dict)
    """Agent -> working hours; who is not in it works whenever something is open. Breaks do not count."""
    closed_days: frozenset[str] = frozenset()
    """ISO dates on which the whole centre is closed: who has working hours does not work then."""
    written_days: tuple[tuple[str, str], ...] = ()
    """(key, ISO date) of the days in centre.toml."""
    expected: Expected | None = None
    today: str = ""
    """ISO date of the check; empty = nothing is past."""
