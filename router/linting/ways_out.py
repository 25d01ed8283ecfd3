"""PURE  Queues in which somebody could stay for ever: no way out, ways in circles or to nowhere, idle widening."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from router.linting.findings import Finding, Subject
from router.linting.needs import asked, together
from router.linting.roster import Roster
from router.nouns import CHANNELS, LANGUAGES, LIVE_CHANNELS, Centre, Queue, WayOut
from router.queues.overflow import suits
from router.skills.widening import widened


def way_text(way: WayOut) -> str:
    """`after 60 s to the neighbour buurgemeente`."""
    when = {
        bool(way.after_seconds): f"after {way.after_seconds} s",
        way.nobody: "when nobody is there",
        bool(way.waiting_above): f"when more than {way.waiting_above} wait",
        bool(way.expected_above_seconds): f"when {way.expected_above_seconds} s are expected",
    }[True]
    where = {
        "queue": f"to the queue {way.to}",
        "neighbour": f"to the neighbour {way.to}",
        "callback": "to a callback",
        "voicemail": "to voicemail",
    }
    return f"{when} {where.get(way.kind, f'the message {way.to}')}"


def ways_out_findings(subject: Subject, roster: Roster) -> Iterator[Finding]:
    centre = subject.centre
    for n, queue in enumerate(centre.queues, 1):
        path = f"queues[{n}]"
        crew = crew_of(centre, queue, roster)
        yield from _never(queue, path)
        for k, way in enumerate(queue.overflow, 1):
            target = centre.queue(way.to) if way.kind == "queue" else None
            if target is not None and crew and not crew_of(centre, target, roster) & ~crew:
                yield Finding(
                    "warning",
                    "overflow_no_help",
                    "topics.toml",
                    f"{path}.overflow[{k}]",
                    f"who goes from {queue.id} {way_text(way)} finds the same people there: {roster.names(crew)}",
                    "name a queue with other people, a neighbour, or a callback",
                )
        yield from _widening(subject, queue, path, roster)
    yield from _no_way_out(centre, roster)
    yield from _cycles(centre)


def crew_of(centre: Centre, queue: Queue, roster: Roster) -> int:
    """Who can take at least one topic of the queue."""
    found = 0
    for topic in centre.topics:
        if topic.queue == queue.id:
            found |= roster.able(topic.needs)
    return found


def _no_way_out(centre: Centre, roster: Roster) -> Iterator[Finding]:
    """One finding for each queue that hangs on one agent, and one for all others together."""
    closed = []
    for n, queue in enumerate(centre.queues, 1):
        crew = crew_of(centre, queue, roster)
        leads = queue.widening or queue.limits or any(way.kind != "message" for way in queue.overflow)
        live = [channel for channel in queue.targets if channel in LIVE_CHANNELS and roster.on(channel) & crew]
        if live and not leads:
            closed.append((n, queue.id, crew, live[0]))
    lonely = [found for found in closed if found[2].bit_count() == 1]
    several = [found for found in closed if found[2].bit_count() > 1]
    for n, queue_id, crew, channel in [*lonely, *several[:1]]:
        alone = crew.bit_count() == 1
        others = [] if alone else [found[1] for found in several[1:]]
        yield Finding(
            "warning" if alone else "advice",
            "no_way_out",
            "topics.toml",
            f"queues[{n}]",
            f"who comes into {queue_id} by {channel} while {roster.names(crew)} {'is' if alone else 'are'} away waits "
            f"until they give up: nothing is widened, no way leads out{'; so in ' * bool(others)}{', '.join(others)}",
            "write [[queues.overflow]] nobody = true with queue, neighbour or callback; or [[queues.widening]]",
        )


def _never(queue: Queue, path: str) -> Iterator[Finding]:
    for k, way in enumerate(queue.overflow, 1):
        channels = {channel for channel in CHANNELS if suits(way, channel)}
        gone: set[str] = set()
        for early in queue.overflow[: k - 1]:
            sooner = 0 < early.after_seconds <= way.after_seconds
            if early.kind in ("queue", "neighbour") and (sooner or (early.nobody and way.nobody)):
                gone |= {channel for channel in channels if suits(early, channel)}
        if channels - gone:
            continue
        who = "what waits has left by an earlier way" if channels else "none of its channels can go this way"
        yield Finding(
            "warning",
            "overflow_never",
            "topics.toml",
            f"{path}.overflow[{k}]",
            f"nothing of {queue.id} ever goes {way_text(way)}: {who}",
            "put it before the other, or take it out",
        )


def _widening(subject: Subject, queue: Queue, path: str, roster: Roster) -> Iterator[Finding]:
    """Each step must bring somebody in, for at least one topic, and leave nobody out altogether."""
    asks = _asks(subject, queue)
    for k, step in enumerate(queue.widening, 1):
        before, asks = asks, {name: widened(needs, step, queue.floor) for name, needs in asks.items()}
        crews = {name: (roster.able(before[name]), roster.able(asks[name])) for name in asks}
        broken = next((name for name, (was, now) in crews.items() if was and not now), None)
        where = f"{path}.widening[{k}]"
        if broken is not None:
            yield Finding(
                "error",
                "widening_breaks",
                "topics.toml",
                where,
                f"{broken}: what waited {step.after_seconds} s asks {asked(asks[broken])}, which nobody has; "
                f"{roster.names(crews[broken][0])} could take it until then",
                "ask a skill (and level) that somebody has",
            )
        elif asks and not any(now & ~was for was, now in crews.values()):
            name = next((name for name in asks if asks[name] != before[name]), next(iter(asks)))
            what = (
                f"asks {asked(asks[name])} instead of {asked(before[name])}"
                if asks[name] != before[name]
                else (f"still asks {asked(asks[name])}")
            )
            yield Finding(
                "warning",
                "widening_no_help",
                "topics.toml",
                where,
                f"a contact about {name} that waited {step.after_seconds} s {what}: still "
                f"{roster.names(crews[name][1])}, and nobody more",
                "lower it further (and the floor), name another skill, or take the step out",
            )


def _asks(subject: Subject, queue: Queue) -> dict[str, Mapping[str, int]]:
    """`wmo for veenstede in en` -> needs, of all that can come into the queue."""
    centre = subject.centre
    return {
        f"{topic.id} for {m.id}{f' in {language}' if extra else ''}": together(topic.needs, m.needs, extra)
        for topic in centre.topics
        if topic.queue == queue.id
        for m in centre.municipalities
        for language in LANGUAGES
        for extra in (centre.language_needs.get(language, {}),)
    }


def _cycles(centre: Centre) -> Iterator[Finding]:
    """Each circle of ways from queue to queue, once, from its first queue on."""
    leads = {queue.id: [way for way in queue.overflow if way.kind == "queue"] for queue in centre.queues}
    numbers = {queue.id: n for n, queue in enumerate(centre.queues, 1)}
    for queue in centre.queues:
        circle = _circle(queue.id, leads, numbers)
        if circle:
            first = next(way for way in leads[queue.id] if way.to == circle[1])
            k = centre.queues[numbers[queue.id] - 1].overflow.index(first) + 1
            yield Finding(
                "warning",
                "overflow_cycle",
                "topics.toml",
                f"queues[{numbers[queue.id]}].overflow[{k}]",
                f"who waits in {queue.id} goes {', '.join(f'from {a} to {b}' for a, b in pairwise(circle))}; "
                f"each way is taken once, so then it waits in {queue.id} for good",
                "let the last queue lead elsewhere: a neighbour, a callback",
            )


def _circle(start: str, leads: Mapping[str, list[WayOut]], numbers: Mapping[str, int]) -> list[str]:
    """The shortest way from `start` back to it over later queues only, both ends in it; empty = there is none."""
    came_from: dict[str, str] = {}
    line = [start]
    for here in line:
        for way in leads.get(here, ()):
            if way.to == start:
                path = [start, here]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if numbers.get(way.to, 0) > numbers[start] and way.to not in came_from:
                came_from[way.to] = here
                line.append(way.to)
    return []
