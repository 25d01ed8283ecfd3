"""When the engine wants to be woken: a heap of moments, each with what it is for; stale ones are skipped."""

from __future__ import annotations

import heapq

Alarm = tuple[int, str, str]
"""Moment in ms, kind, id. Kinds: intake, wait, retry, offer, wrap_up, return, follow_up, forget."""


class Alarms:
    """Set freely, never taken back: whoever is woken checks whether the reason still stands."""

    def __init__(self) -> None:
        self._heap: list[Alarm] = []

    def set(self, at: int, kind: str, id: str) -> None:
        heapq.heappush(self._heap, (at, kind, id))

    def next(self) -> int | None:
        """The earliest moment, or None."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: int) -> list[Alarm]:
        """Remove and give all alarms up to `now`, earliest first."""
        due: list[Alarm] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap))
        return due
