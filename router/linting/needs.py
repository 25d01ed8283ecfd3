"""PURE  What a contact asks, put together and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from router.nouns import Centre, Topic
from router.skills.widening import widened


def together(*several: Mapping[str, int]) -> dict[str, int]:
    """The highest of what each asks."""
    needs: dict[str, int] = {}
    for more in several:
        for skill, level in more.items():
            needs[skill] = max(level, needs.get(skill, 0))
    return needs


def asked(needs: Mapping[str, int]) -> str:
    """`engels 2 and wmo 3`."""
    return " and ".join(f"{skill} {level}" for skill, level in sorted(needs.items()))


def asks_in_turn(centre: Centre, topic: Topic, needs: Mapping[str, int]) -> Iterator[Mapping[str, int]]:
    """These needs, and what they become with each step of widening in the topic's queue."""
    yield needs
    queue = centre.queue(topic.queue)
    if queue is None:
        return
    for step in queue.widening:
        needs = widened(needs, step, queue.floor)
        yield needs
