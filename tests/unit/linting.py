"""A small centre for the linter's tests, and what is found in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from router.linting.findings import Finding, Subject
from router.linting.lint import lint
from router.nouns import Agent, Centre, Hours, Municipality, Queue, QueueLimit, QueueTarget, Topic
from router.settings_capacity import COMBINATIONS, read_channels, read_combinations
from router.settings_table import Notes, Table

OFFICE_HOURS = Hours(dict.fromkeys(range(5), ((510, 1020),)))
"""Weekdays 08:30-17:00."""
LATE_THURSDAY = Hours({**OFFICE_HOURS.open, 3: ((510, 1200),)})
"""… and on Thursdays until 20:00."""
LIVE = ("phone", "chat", "counter")


def agent(id: str, /, **skills: int) -> Agent:
    return Agent(id, id.title(), id.title(), skills, f"e-{id}")


def municipality(id: str, live: Hours = OFFICE_HOURS, **changes: Any) -> Municipality:
    return replace(Municipality(id, id.title(), (f"14{id}",), {"nl": "Dag"}, dict.fromkeys(LIVE, live)), **changes)


def queue(id: str, **changes: Any) -> Queue:
    return replace(Queue(id, {"nl": id}, {"phone": QueueTarget(20, 0.8)}, limits={"phone": QueueLimit(20)}), **changes)


def topic(id: str, queue: str = "", /, **needs: int) -> Topic:
    return Topic(id, {"nl": id}, queue or id, needs)


_EMPTY = Table("centre.toml", "", {}, Notes())
_COMBINATIONS = read_combinations(_EMPTY, COMBINATIONS)

USUAL = Centre(
    "k",
    "KCC",
    "Europe/Amsterdam",
    municipalities=(municipality("veenstede"),),
    topics=(topic("wmo", wmo=3), topic("algemeen")),
    queues=(queue("wmo"), queue("algemeen")),
    agents=(agent("sanne", wmo=3, engels=4), agent("emma", wmo=4), agent("bram")),
    channels=read_channels(_EMPTY, _COMBINATIONS),
    combinations=_COMBINATIONS,
    classification=(),
    default_topic="algemeen",
    skills=("wmo", "engels"),
    language_needs={"en": {"engels": 2}},
)
OFFICE_STAFF = {member.id: OFFICE_HOURS for member in USUAL.agents}


def subject(*, works: dict[str, Hours] | None = None, **changes: Any) -> Subject:
    """The usual centre; changes of the subject's own fields, or else of the centre's."""
    own = {name: changes.pop(name) for name in tuple(changes) if name in Subject.__dataclass_fields__}
    return Subject(replace(USUAL, **changes), works=works or {}, **own)


def found(code: str, looked_at: Subject) -> list[Finding]:
    return [finding for finding in lint(looked_at) if finding.code == code]


def one(code: str, looked_at: Subject) -> Finding:
    """The one finding of this code."""
    (finding,) = found(code, looked_at)
    return finding
