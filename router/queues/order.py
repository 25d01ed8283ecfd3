"""Who is first: a total order over everything that waits, on all channels together.

A contact's place is (tier, rank, number): lower goes first. Tier 0 holds people who are waiting and written work past
its target, tier 1 other written work. Rank is the moment of arrival in ms, moved earlier by the queue's priority: each
step is worth a fixed number of seconds of waiting, so that the order of two contacts never changes while they wait.
Number, the contact's first fact, breaks ties.
"""

from __future__ import annotations

from router.nouns import LIVE_CHANNELS, Centre, Queue

LOWEST_PRIORITY = 9

Place = tuple[int, int, int]


def tier_of(channel: str) -> int:
    return 0 if channel in LIVE_CHANNELS else 1


def rank_of(centre: Centre, queue: Queue, received_at: int, priority: int = 0) -> int:
    """`received_at` in ms, with the head start that its priority gives: its own, or (0) that of the queue."""
    return received_at - (LOWEST_PRIORITY - (priority or queue.priority)) * centre.priority_step_seconds * 1000
