"""A workload in words: topics, channels, arrivals, handling times, patience, who comes back, who works. TOML in.

All shares and chances are numbers from 0 to 1, durations seconds. Every mistake is reported with its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from router.errors import ConfigurationInvalid
from router.settings_table import Notes, Table, read_toml
from router.simulation.calendar import Calendar, ChannelLoad, Shift, read_calendar, read_channels, read_shifts
from router.simulation.reading import number, numbers

AGENTS_MAX = 10_000
SHAPES = ("lognormal", "exponential")
ROSTERS = ("shares", "cyclic", "listed")


@dataclass(frozen=True, slots=True)
class TopicLoad:
    """One topic: its share of the contacts and its mean handling time, wrap-up included."""

    id: str
    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Person:
    """One agent as they are; the engine sees `levels` alone."""

    id: str
    levels: dict[str, int]
    """Topic -> level, 1 to 5: who may take it."""
    chance: dict[str, float]
    """Topic -> chance that they settle it."""
    pace: dict[str, float]
    """Topic -> their handling time as a multiple of the topic's."""


@dataclass(frozen=True, slots=True)
class Roster:
    """How the agents of a day are made: by a rule from a seed, or listed one by one."""

    rule: str = "shares"
    """shares: primary skills follow the work, further ones are drawn; cyclic: equal groups, further skills in turn."""
    agents: int = 45
    skills: tuple[float, ...] = (0.15, 0.35, 0.30, 0.20)
    """Chance of having 1, 2, 3 … skills (shares); the number of skills is that with the highest chance (cyclic)."""
    levels: tuple[int, ...] = (5, 4, 3, 2)
    """Level of the first, second … skill."""
    chances: tuple[float, ...] = (0.86, 0.74, 0.64, 0.58)
    """Mean chance of settling a contact by the first, second … skill."""
    paces: tuple[float, ...] = (1.0, 1.08, 1.15, 1.2)
    """Handling time by the first, second … skill."""
    agent_spread: float = 0.07
    pair_spread: float = 0.042
    """Standard deviations of the chance: per agent, and per agent and topic."""
    least: float = 0.25
    most: float = 0.98
    pace_spread: float = 0.10
    """Standard deviation of the logarithm of an agent's own pace."""
    people: tuple[Person, ...] = ()
    """Those listed."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One day of one contact centre, to be played as often as wanted with other seeds."""

    name: str
    topics: tuple[TopicLoad, ...]
    roster: Roster
    load: float = 0.8
    """Work offered at profile 1.0, calls back left out, as a share of the agents' time."""
    calls_per_hour: float = 0.0
    """Instead of `load` when above 0."""
    hours: float = 9.0
    profile: tuple[float, ...] = (1.0,)
    """Relative intensity of equal parts of the day."""
    spread: float = 0.8
    """Coefficient of variation of handling times."""
    shape: str = "lognormal"
    patience_seconds: float = 180.0
    """Mean of an exponential law; 0 = nobody gives up."""
    places: int = 0
    """Who finds this many waiting is turned away; 0 = there is always place."""
    call_back_chance: float = 0.6
    call_back_seconds: float = 3600.0
    call_backs_max: int = 3
    """An unsolved citizen calls again with this chance, after an exponential time, at most this often, that day."""
    target_seconds: int = 20
    reserve_seconds: int = 19
    overtaken_max: int = 10
    fairness_percent: int = 85
    """Of the queue, as in topics.toml."""
    quiet_free: int = 0
    quiet_seconds: int = 14_400
    """Of the queue, for periods with written work."""
    skip_hours: float = 0.0
    """The beginning of the day that is not counted."""
    calendar: Calendar | None = None
    """Many days in a row, with the channels, shifts and profiles below; None = single days of telephone calls."""
    channels: tuple[ChannelLoad, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def mean_seconds(self) -> float:
        return sum(t.share * t.seconds for t in self.topics)

    @property
    def per_hour(self) -> float:
        """Contacts an hour at profile 1.0, calls back left out."""
        return self.calls_per_hour or self.load * self.roster.agents * 3600 / self.mean_seconds


def read_workload(path: Path) -> Workload:
    """Read a workload file. Raises ConfigurationInvalid with every mistake, each `file: key: what is wrong`."""
    notes = Notes()
    table = read_toml(path.parent, path.name, notes)
    workload = _workload(table) if table is not None else None
    if workload is None or notes.mistakes:
        raise ConfigurationInvalid(list(dict.fromkeys(notes.mistakes)))
    return workload


def _workload(table: Table) -> Workload:
    topics = tuple(_topic(t) for t in table.tables("topics", required=True))
    total = sum(t.share for t in topics)
    if topics and abs(total - 1) > 0.001:
        table.mistake("topics", f"the shares add up to {total:.3f}; write shares that add up to 1")
    if len({t.id for t in topics}) < len(topics):
        table.mistake("topics", "two topics have the same id")
    arrivals, handling = table.table("arrivals", required="calendar" not in table), table.table("handling")
    patience, again, queue = table.table("patience"), table.table("call_back"), table.table("queue")
    calendar, channels, shifts = read_calendar(table), read_channels(table), read_shifts(table)
    if (calendar is None) != (not channels) or (shifts and calendar is None):
        table.mistake("calendar", "[calendar] and [[channels]] go together; [[shifts]] goes with them")
    if ("load" in arrivals) + ("calls_per_hour" in arrivals) + (calendar is not None) != 1:
        arrivals.mistake("load", "write one of load, calls_per_hour, and a [calendar] with contacts_a_year")
    workload = Workload(
        name=table.text("name"),
        topics=topics,
        roster=_roster(table.table("roster", required=True), table, {t.id for t in topics}),
        load=number(arrivals, "load", 0.8, 0.01, 3),
        calls_per_hour=number(arrivals, "calls_per_hour", 0, 0.1, 1_000_000),
        hours=number(arrivals, "hours", 9, 0.5, 10_000),
        profile=numbers(arrivals, "profile", (1.0,), 0, 10),
        skip_hours=number(arrivals, "skip_hours", 0, 0, 10_000),
        spread=number(handling, "spread", 0.8, 0, 5),
        shape=handling.choice("shape", "lognormal", SHAPES),
        patience_seconds=number(patience, "mean_seconds", 180, 0, 100_000),
        places=patience.integer("places", 0, 0, 1_000_000),
        call_back_chance=number(again, "chance", 0.6, 0, 1),
        call_back_seconds=number(again, "after_seconds", 3600, 1, 100_000),
        call_backs_max=again.integer("times_max", 3, 0, 20),
        target_seconds=queue.integer("target_seconds", 20, 1, 86_400),
        reserve_seconds=queue.integer("reserve_seconds", 19, 0, 3600),
        overtaken_max=queue.integer("overtaken_max", 10, 0, 1000),
        fairness_percent=queue.integer("fairness_percent", 85, 0, 1000),
        quiet_free=queue.integer("quiet_free", 0, 0, 1000),
        quiet_seconds=queue.integer("quiet_seconds", 14_400, 60, 10 * 86_400),
        calendar=calendar,
        channels=channels,
        shifts=shifts,
    )
    for part in (arrivals, handling, patience, again, queue, table):
        part.done()
    return workload


def _topic(table: Table) -> TopicLoad:
    topic = TopicLoad(table.id("id"), number(table, "share", None, 0, 1), number(table, "seconds", None, 1, 100_000))
    table.done()
    return topic


def _roster(table: Table, whole: Table, topics: set[str]) -> Roster:
    usual = Roster()
    people = tuple(_person(t, topics) for t in whole.tables("agents"))
    rule = table.choice("rule", "listed" if people else "shares", ROSTERS)
    if (rule == "listed") != bool(people):
        table.mistake("rule", '"listed" goes with [[agents]], the other rules go without')
    roster = Roster(
        rule,
        table.integer("agents", len(people) or usual.agents, 1, AGENTS_MAX),
        numbers(table, "skills", usual.skills, 0, 1),
        tuple(int(level) for level in numbers(table, "levels", usual.levels, 1, 5)),
        numbers(table, "chances", usual.chances, 0, 1),
        numbers(table, "paces", usual.paces, 0.1, 10),
        number(table, "agent_spread", usual.agent_spread, 0, 1),
        number(table, "pair_spread", usual.pair_spread, 0, 1),
        number(table, "least", usual.least, 0, 1),
        number(table, "most", usual.most, 0, 1),
        number(table, "pace_spread", usual.pace_spread, 0, 1),
        people,
    )
    if len({len(roster.skills), len(roster.levels), len(roster.chances), len(roster.paces)}) > 1:
        table.mistake("skills", "skills, levels, chances and paces have one value each per skill: the same number")
    if abs(sum(roster.skills) - 1) > 0.001:
        table.mistake("skills", "the chances of having 1, 2, 3 … skills do not add up to 1")
    table.done()
    return roster


def _person(table: Table, topics: set[str]) -> Person:
    id, levels = table.id("id"), table.levels("levels")
    values = {name: table.table(name) for name in ("chance", "pace")}
    for topic in levels:
        if topic not in topics:
            table.mistake(f"levels.{topic}", "there is no such topic")
    chance = {topic: number(values["chance"], topic, None, 0, 1) for topic in levels}
    pace = {topic: number(values["pace"], topic, 1.0, 0.1, 10) for topic in levels}
    for part in (*values.values(), table):
        part.done()
    return Person(id, levels, chance, pace)
