"""PURE  Whether the people at work in the busiest hours can meet the norms on the telephone, by Erlang A.

Two questions that are both kinder than the day: the queue alone with everybody who can take something of it, and all
that shares those people as one pool in which everybody takes everything. No breaks, no other channels, calls spread
evenly over the hour. What fails here fails on the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from router.linting.findings import Expected, Finding, Subject
from router.linting.roster import Roster
from router.linting.week import minutes_of, moment
from router.nouns import Centre, Queue
from router.queues.erlang import erlang_a

AGENTS_MAX = 20_000
ASSUMED = "first come first served, everybody takes everything, no breaks and no other work"


@dataclass(frozen=True, slots=True)
class Load:
    """Topics that share people: who can take something of it, what comes in an hour, mean handling."""

    topics: tuple[str, ...]
    crew: int
    calls_per_hour: float
    handling_seconds: float

    def in_target(self, agents: int, patience: float, target: float) -> float:
        """Share answered within `target` seconds."""
        if not agents:
            return 0.0
        return erlang_a(agents, self.calls_per_hour / 3600, self.handling_seconds, patience, target).in_target

    def needed(self, share: float, patience: float, target: float) -> int:
        """The fewest agents with whom that share is met."""
        low, high = 0, 1
        while self.in_target(high, patience, target) < share and high < AGENTS_MAX:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.in_target(middle, patience, target) >= share else (middle, high)
        return high


def staffing_findings(subject: Subject, roster: Roster) -> Iterator[Finding]:
    expected, centre = subject.expected, subject.centre
    if expected is None:
        return
    busy = minutes_of(expected.busiest) & _phone_minutes(subject)
    singles = {
        topic.id: load
        for topic in centre.topics
        if (load := _single(topic.id, roster.able(topic.needs) & roster.on("phone"), expected))
    }
    if not busy or not singles:
        return
    loads = {}
    for queue in centre.queues:
        own = [singles[topic.id] for topic in centre.topics if topic.queue == queue.id and topic.id in singles]
        if own:
            loads[queue.id] = _merged(own)
    pools = _pools(singles.values())
    for n, queue in enumerate(centre.queues, 1):
        if queue.id in loads:
            alone = loads[queue.id]
            yield from _starved(centre, queue, f"queues[{n}]", loads, busy, expected, roster)
            shared = [pool for pool in pools if set(pool.topics) & set(alone.topics)]
            for norm in _norms(centre, queue, n):
                yield from _judged(queue, norm, [alone, *shared], busy, expected, roster)


def _starved(
    centre: Centre, low: Queue, path: str, loads: Mapping[str, Load], busy: int, expected: Expected, roster: Roster
) -> Iterator[Finding]:
    """The queue gets nobody while more urgent calls keep all its people busy, for longer than callers stay."""
    urgent = [queue for queue in centre.queues if queue.id in loads and queue.priority < low.priority]
    if not urgent:
        return
    high = _merged([loads[queue.id] for queue in urgent])
    ahead = (low.priority - max(queue.priority for queue in urgent)) * centre.priority_step_seconds
    agents, minute = roster.fewest_at_work(high.crew, busy)
    needed = high.calls_per_hour * high.handling_seconds / 3600
    if loads[low.id].crew & ~high.crew or needed < agents or ahead <= expected.patience_seconds:
        return
    yield Finding(
        "warning",
        "priority_starves",
        "topics.toml",
        f"{path}.priority",
        f"on {moment(minute)} calls of {', '.join(queue.id for queue in urgent)} alone keep {needed:.1f} of {agents} "
        f"agents busy and go {ahead} s before those of {low.id}, who give up after {expected.patience_seconds} s",
        "bring the priorities closer together, or give the queue people of its own",
    )


@dataclass(frozen=True, slots=True)
class Norm:
    """What is promised on the telephone, by the queue or by one municipality, and where it is written."""

    file: str
    key: str
    name: str
    seconds: int
    share: float


def _norms(centre: Centre, queue: Queue, number: int) -> Iterator[Norm]:
    if "phone" in queue.targets:
        target = queue.targets["phone"]
        yield Norm("topics.toml", f"queues[{number}].targets.phone", "the norm", target.seconds, target.share)
    for n, municipality in enumerate(centre.municipalities, 1):
        own = municipality.targets.get(queue.id, {}).get("phone")
        if own is not None:
            key = f"municipalities[{n}].targets.{queue.id}.phone"
            yield Norm("centre.toml", key, f"the norm of {municipality.id}", own.seconds, own.share)


def _judged(
    queue: Queue, norm: Norm, loads: Iterable[Load], busy: int, expected: Expected, roster: Roster
) -> Iterator[Finding]:
    """The worst of the loads, when it misses the norm. Callers of all municipalities wait in one line."""
    patience = expected.patience_seconds
    staffed = [(load, *roster.fewest_at_work(load.crew, busy)) for load in loads]
    met = [load.in_target(agents, patience, norm.seconds) for load, agents, _ in staffed]
    worst = min(range(len(met)), key=met.__getitem__)
    (load, agents, minute), share = staffed[worst], met[worst]
    if share >= norm.share:
        return
    needed = load.needed(norm.share, patience, norm.seconds)
    then = load.in_target(needed, patience, norm.seconds)
    sharing = "" if worst == 0 else f", with all that shares its agents ({', '.join(load.topics)}),"
    yield Finding(
        "warning",
        "target_unreachable",
        norm.file,
        norm.key,
        f"on {moment(minute)} {load.calls_per_hour:g} calls an hour of {load.handling_seconds:.0f} s for {queue.id}"
        f"{sharing} meet {agents} agent{'' if agents == 1 else 's'}: {share:.0%} within {norm.seconds} s, {norm.name} "
        f"is {norm.share:.0%}; {needed} give {then:.0%} (Erlang A, patience {patience} s, {ASSUMED})",
        f"{needed - agents} more at work then who can take it, a norm that can be kept, or shorter opening hours",
    )


def _single(topic: str, crew: int, expected: Expected) -> Load | None:
    volume = expected.volumes.get(topic)
    return Load((topic,), crew, volume.calls_per_hour, volume.handling_seconds) if volume else None


def _merged(loads: list[Load]) -> Load:
    calls = sum(load.calls_per_hour for load in loads)
    crew = 0
    for load in loads:
        crew |= load.crew
    topics = tuple(topic for load in loads for topic in load.topics)
    return Load(topics, crew, calls, sum(load.calls_per_hour * load.handling_seconds for load in loads) / calls)


def _pools(loads: Iterable[Load]) -> list[Load]:
    """Loads that share somebody, directly or over others, are one pool."""
    pools: list[Load] = []
    for load in loads:
        near = [pool for pool in pools if pool.crew & load.crew]
        pools = [pool for pool in pools if not pool.crew & load.crew]
        pools.append(_merged([*near, load]))
    return pools


def _phone_minutes(subject: Subject) -> int:
    """When the telephone of any municipality is open."""
    found = 0
    for municipality in subject.centre.municipalities:
        if municipality.entry_points:
            found |= minutes_of(municipality.hours.get("phone"))
    return found
