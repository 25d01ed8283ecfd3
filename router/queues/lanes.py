"""Lanes: contacts that the same agents can take wait in one heap, in their place; removal is lazy.

A lane is (channel, needs). Whoever is first over several lanes is found by looking at their heads only.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from router.queues.order import Place

LaneKey = tuple[str, tuple[tuple[str, int], ...]]
"""Channel, and the needs as sorted (skill, level) pairs."""


def lane_key(channel: str, needs: dict[str, int]) -> LaneKey:
    return channel, tuple(sorted(needs.items()))


class Lanes:
    """All that waits, by lane."""

    def __init__(self) -> None:
        self._heaps: dict[LaneKey, list[tuple[Place, str]]] = {}
        self._where: dict[str, tuple[LaneKey, Place]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, contact: str) -> bool:
        return contact in self._where

    def lanes(self) -> Iterable[LaneKey]:
        """Lanes that are or were in use."""
        return self._heaps

    def place(self, contact: str) -> Place:
        return self._where[contact][1]

    def add(self, contact: str, key: LaneKey, place: Place) -> None:
        """Put the contact at its place; it may stand in one lane only."""
        self._where[contact] = (key, place)
        heapq.heappush(self._heaps.setdefault(key, []), (place, contact))

    def remove(self, contact: str) -> None:
        """Take it out; nothing happens when it does not wait."""
        self._where.pop(contact, None)

    def first(self, key: LaneKey, fits: Callable[[str], bool]) -> tuple[Place, str] | None:
        """The first of the lane for which `fits` holds, with its place."""
        heap = self._heaps.get(key)
        if not heap:
            return None
        passed: list[tuple[Place, str]] = []
        found: tuple[Place, str] | None = None
        while heap:
            place, contact = heap[0]
            if self._where.get(contact) != (key, place):
                heapq.heappop(heap)
            elif fits(contact):
                found = heap[0]
                break
            else:
                passed.append(heapq.heappop(heap))
        for entry in passed:
            heapq.heappush(heap, entry)
        return found
