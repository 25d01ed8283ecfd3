"""Whether a queue takes one more: its limits on how many wait and how long the first of them has waited."""

from __future__ import annotations

from router.engine.state import State
from router.nouns import Queue


def is_full(state: State, queue: Queue, channel: str, now: int) -> bool:
    """Nobody is put in a full queue. Costs a look at each lane of the queue's channel, where it has a limit."""
    limit = queue.limits.get(channel)
    if limit is None:
        return False
    lanes = state.index.lanes
    topics = {topic.id for topic in state.config.topics if topic.queue == queue.id}
    keys = [key for key in lanes.lanes() if key[0] == channel and key[2] in topics]
    if limit.waiting_max and sum(lanes.count(key) for key in keys) >= limit.waiting_max:
        return True
    if not limit.wait_seconds_max:
        return False
    heads = [head for key in keys if (head := lanes.first(key, lambda _: True))]
    return any(now - state.contacts[id].since >= limit.wait_seconds_max * 1000 for _, id in heads)
