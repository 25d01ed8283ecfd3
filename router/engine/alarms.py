"""When the engine wants to be woken: a heap of moments, each with what it is for; stale ones are skipped."""

from __future__ import annotations

import heapq
from collections import deque

Alarm = tuple[int, str, str]
"""Moment in ms, kind, id. Kinds: intake, wait, retry, offer, wrap_up, after_work, return, follow_up, callback (its time
has come), dial (nothing was heard of it), outside (likewise), forget, step (of widening, or a way out), lanes (more are
waiting for a way out)."""


class Alarms:
    """Set freely, mostly never taken back: whoever is woken checks whether the reason still stands."""

    def __init__(self) -> None:
        self._heap: list[Alarm] = []
        self._intake: deque[Alarm] = deque()
        """Set in the order in which they go off, and mostly taken back at once: most contacts are queued directly."""

    def set(self, at: int, kind: str, id: str) -> None:
        if kind == "intake" and (not self._intake or self._intake[-1][0] <= at):
            self._intake.append((at, kind, id))
        else:
            heapq.heappush(self._heap, (at, kind, id))

    def intake_is_over(self, id: str) -> None:
        """Take the last alarm of kind intake back, if it was this contact's."""
        if self._intake and self._intake[-1][2] == id:
            self._intake.pop()

    def next(self) -> int | None:
        """The earliest moment, or None."""
        heads = [queue[0][0] for queue in (self._heap, self._intake) if queue]
        return min(heads, default=None)

    def take(self, now: int) -> list[Alarm]:
        """Remove and give all alarms up to `now`, earliest first. A contact's steps are judged once, at the last of
        theirs: whether stale ones were taken before makes no difference to the order."""
        due: list[Alarm] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap))
        if self._intake and self._intake[0][0] <= now:
            while self._intake and self._intake[0][0] <= now:
                due.append(self._intake.popleft())
            due.sort()
        last = {id: at for at, kind, id in due if kind == "step"}
        return [alarm for alarm in due if alarm[1] != "step" or last[alarm[2]] == alarm[0]]
