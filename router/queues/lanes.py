"""Lanes: contacts that the same agents can take wait in one heap, in their place; removal is lazy.

A lane is (channel, needs, topic, colleague, steps of widening). Whoever is first over several lanes is found by looking
at their heads.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from router.queues.order import Place

LaneKey = tuple[str, tuple[tuple[str, int], ...], str, str, int]
"""Channel, the needs as sorted (skill, level) pairs, topic, the one colleague it is kept for ("" = anybody), and how
many steps of widening led to those needs."""

Entry = tuple[Place, str, LaneKey]
"""Place, contact, lane: one and the same object in the heap and beside it, or the one in the heap is stale."""


def lane_key(channel: str, needs: dict[str, int], topic: str = "", colleague: str = "", step: int = 0) -> LaneKey:
    """Kept for one colleague the needs say nothing about who may take it: that colleague may lack the skill."""
    return channel, tuple(sorted(needs.items())), topic, colleague, step


def lane_name(key: LaneKey) -> str:
    """The lane in one text, where a key must be one; the same whether or not it is kept for a colleague."""
    widened = (f"+{key[4]}",) if key[4] else ()
    return "|".join((key[0], key[2], *(f"{skill}:{level}" for skill, level in key[1]), *widened))


class Lanes:
    """All that waits, by lane. A lane in which nobody waits any more leaves nothing behind."""

    def __init__(self) -> None:
        self._heaps: dict[LaneKey, list[Entry]] = {}
        self._counts: dict[LaneKey, int] = {}
        self._where: dict[str, Entry] = {}

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
        return self._where[contact][0]

    def lane(self, contact: str) -> LaneKey:
        return self._where[contact][2]

    def add(self, contact: str, key: LaneKey, place: Place) -> None:
        """Put the contact at its place; it may stand in one lane only."""
        if key in self._counts:
            self._counts[key] += 1
            heap = self._heaps[key]
            key = heap[0][2]  # the same key, kept once
        else:
            self._counts[key] = 1
            heap = self._heaps[key] = []
        entry = self._where[contact] = (place, contact, key)
        heapq.heappush(heap, entry)

    def remove(self, contact: str) -> LaneKey | None:
        """Take it out; gives the lane it stood in, or None when it does not wait."""
        found = self._where.pop(contact, None)
        if found is None:
            return None
        key = found[2]
        left = self._counts[key] = self._counts[key] - 1
        if not left:
            del self._counts[key], self._heaps[key]
        elif len(self._heaps[key]) > 2 * left + 64:
            self._sweep(key)
        return key

    def _sweep(self, key: LaneKey) -> None:
        """Throw out what was removed behind the head: a heap is never much longer than its lane."""
        heap = [entry for entry in self._heaps[key] if self._where.get(entry[1]) is entry]
        heapq.heapify(heap)
        self._heaps[key] = heap

    def contacts(self, key: LaneKey) -> list[str]:
        """All who wait in the lane, in order."""
        where = self._where
        return [entry[1] for entry in sorted(e for e in self._heaps.get(key, ()) if where.get(e[1]) is e)]

    def first(self, key: LaneKey, fits: Callable[[str], bool]) -> tuple[Place, str] | None:
        """The first of the lane for which `fits` holds, with its place."""
        heap = self._heaps.get(key)
        if not heap:
            return None
        passed: list[Entry] = []
        found: Entry | None = None
        while heap:
            entry = heap[0]
            if self._where.get(entry[1]) is not entry:
                heapq.heappop(heap)
            elif fits(entry[1]):
                found = entry
                break
            else:
                passed.append(heapq.heappop(heap))
        for entry in passed:
            heapq.heappush(heap, entry)
        return (found[0], found[1]) if found else None
