"""Lanes: contacts that the same agents can take wait in one heap, in their place; removal is lazy.

A lane is (channel, needs, topic, colleague). Whoever is first over several lanes is found by looking at their heads.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from router.queues.order import Place

LaneKey = tuple[str, tuple[tuple[str, int], ...], str, str]
"""Channel, the needs as sorted (skill, level) pairs, topic, and the one colleague it is kept for ("" = anybody)."""


def lane_key(channel: str, needs: dict[str, int], topic: str = "", colleague: str = "") -> LaneKey:
    """Kept for one colleague the needs say nothing about who may take it: that colleague may lack the skill."""
    return channel, tuple(sorted(needs.items())), topic, colleague


def lane_name(key: LaneKey) -> str:
    """The lane in one text, where a key must be one; the same whether or not it is kept for a colleague."""
    return "|".join((key[0], key[2], *(f"{skill}:{level}" for skill, level in key[1])))


class Lanes:
    """All that waits, by lane. A lane in which nobody waits any more leaves nothing behind."""

    def __init__(self) -> None:
        self._heaps: dict[LaneKey, list[tuple[Place, str]]] = {}
        self._counts: dict[LaneKey, int] = {}
        self._where: dict[str, tuple[LaneKey, Place]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, contact: str) -> bool:
        return contact in self._where

    def lanes(self) -> Iterable[LaneKey]:
        """Lanes in which somebody waits."""
        return self._counts

    def count(self, key: LaneKey) -> int:
        """How many wait in the lane."""
        return self._counts.get(key, 0)

    def place(self, contact: str) -> Place:
        return self._where[contact][1]

    def lane(self, contact: str) -> LaneKey:
        return self._where[contact][0]

    def add(self, contact: str, key: LaneKey, place: Place) -> None:
        """Put the contact at its place; it may stand in one lane only."""
        self._where[contact] = (key, place)
        self._counts[key] = self._counts.get(key, 0) + 1
        heapq.heappush(self._heaps.setdefault(key, []), (place, contact))

    def remove(self, contact: str) -> LaneKey | None:
        """Take it out; gives the lane it stood in, or None when it does not wait."""
        found = self._where.pop(contact, None)
        if found is None:
            return None
        key = found[0]
        left = self._counts[key] = self._counts[key] - 1
        if not left:
            del self._counts[key], self._heaps[key]
        elif len(self._heaps[key]) > 2 * left + 64:
            self._sweep(key)
        return key

    def _sweep(self, key: LaneKey) -> None:
        """Throw out what was removed behind the head: a heap is never much longer than its lane."""
        heap = [entry for entry in set(self._heaps[key]) if self._where.get(entry[1]) == (key, entry[0])]
        heapq.heapify(heap)
        self._heaps[key] = heap

    def first(self, key: LaneKey, fits: Callable[[str], bool]) -> tuple[Place, str] | None:
        """The first of the lane for which `fits` holds, with its place."""
        heap = self._heaps.get(key)
        if not heap:
            return None
        passed: list[tuple[Place, str]] = []
        found: tuple[Place, str] | None = None
        while heap:
            entry = heap[0]
            where = self._where.get(entry[1])
            if where is None or where[1] != entry[0] or where[0] != key or (passed and passed[-1] == entry):
                heapq.heappop(heap)
            elif fits(entry[1]):
                found = entry
                break
            else:
                passed.append(heapq.heappop(heap))
        for entry in passed:
            heapq.heappush(heap, entry)
        return found
