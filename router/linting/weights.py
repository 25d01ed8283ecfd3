"""PURE  Priorities, reservations and fairness whose figures shut somebody out."""

from __future__ import annotations

from collections.abc import Iterator

from router.linting.findings import Finding, Subject
from router.linting.roster import Roster
from router.linting.ways_out import crew_of
from router.nouns import LIVE_CHANNELS, Centre, Queue
from router.skills.estimates import LEVEL_CHANCES

HEAD_START_SECONDS_MAX = 3_600
"""Nobody on a live channel waits longer than this."""


def weights_findings(subject: Subject, roster: Roster) -> Iterator[Finding]:
    centre = subject.centre
    yield from _priorities(centre, roster)
    for n, queue in enumerate(centre.queues, 1):
        if queue.policy == "resolution":
            yield from _resolution(subject, queue, f"queues[{n}]")


def _priorities(centre: Centre, roster: Roster) -> Iterator[Finding]:
    """A queue that stands behind another for longer than people wait, where both need the same agents."""
    crews = {queue.id: crew_of(centre, queue, roster) for queue in centre.queues}
    for n, low in enumerate(centre.queues, 1):
        live = [channel for channel in low.targets if channel in LIVE_CHANNELS]
        rivals = [q for q in centre.queues if crews[q.id] & crews[low.id] and q.priority < low.priority]
        if not live or not rivals:
            continue
        high = min(rivals, key=lambda queue: queue.priority)
        ahead = (low.priority - high.priority) * centre.priority_step_seconds
        if ahead > HEAD_START_SECONDS_MAX:
            norm = low.targets[live[0]].seconds
            yield Finding(
                "warning",
                "priority_starves",
                "topics.toml",
                f"queues[{n}].priority",
                f"who waits in {low.id} (priority {low.priority}) goes behind everybody who comes into {high.id} "
                f"(priority {high.priority}) in the next {ahead // 60} minutes, with the same agents "
                f"({roster.names(crews[low.id] & crews[high.id])}); the norm on {live[0]} is {norm} s",
                f"lower priority_step_seconds in centre.toml ({centre.priority_step_seconds}), or bring the priorities "
                "closer together",
            )


def _resolution(subject: Subject, queue: Queue, path: str) -> Iterator[Finding]:
    steps = sorted(LEVEL_CHANCES.values())
    spread, load = steps[-1] - steps[0], 25 * queue.fairness_percent
    if load > spread:
        yield Finding(
            "warning",
            "fairness_outweighs",
            "topics.toml",
            f"{path}.fairness_percent",
            f"an expert (level 5) who was busy a quarter of the day longer is asked for {queue.id} after a beginner "
            f"(level 1): the load takes {load / 100:.0f} points off, the level brings {spread / 100:.0f}",
            f"write at most {spread // 25}; 85 is usual",
        )
    if not queue.reserve_seconds:
        return
    if subject.centre.learning == "off":
        yield Finding(
            "advice",
            "reserve_never",
            "topics.toml",
            f"{path}.reserve_seconds",
            f'no contact of {queue.id} is ever kept for a better agent: learning is "off", so nothing is measured',
            'write learning = "team" in centre.toml, or reserve_seconds = 0',
        )
    expected = subject.expected
    if expected and queue.reserve_seconds >= expected.patience_seconds:
        yield Finding(
            "warning",
            "reserve_impatient",
            "topics.toml",
            f"{path}.reserve_seconds",
            f"a caller of {queue.id} may be kept {queue.reserve_seconds} s for a better agent, and gives up after "
            f"{expected.patience_seconds} s",
            "write less than half of expected.patience_seconds",
        )
