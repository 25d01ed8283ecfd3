"""PURE  When something changes for a contact that waits in a queue: steps of widening, and ways out of the queue.

Both count from the moment the contact came into the queue. A way out is named `<queue>><kind>:<to>`; a contact takes
each at most once, so that going round in circles ends by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from router.nouns import LIVE_CHANNELS, Queue, WayOut


def way_name(queue: str, way: WayOut) -> str:
    return f"{queue}>{way.kind}:{way.to}"


def open_ways(queue: Queue, channel: str, taken: Collection[str]) -> Iterator[WayOut]:
    """The ways out that a contact of this channel has not taken, in order."""
    for way in queue.overflow:
        if way_name(queue.id, way) not in taken and suits(way, channel):
            yield way


def suits(way: WayOut, channel: str) -> bool:
    """Whether contacts of the channel can go this way at all: a chat cannot be connected to another centre."""
    if way.channels and channel not in way.channels:
        return False
    if way.kind in ("callback", "voicemail"):
        return channel == "phone"
    if way.kind == "message":
        return channel in ("phone", "chat")
    return way.kind != "neighbour" or channel == "phone" or channel not in LIVE_CHANNELS


def steps_due(queue: Queue, since: int, step: int, now: int) -> bool:
    """Whether the next step of widening, after `step` were taken, is due at `now` (ms)."""
    return step < len(queue.widening) and since + queue.widening[step].after_seconds * 1000 <= now


def next_moment(queue: Queue, channel: str, since: int, step: int, taken: Collection[str], after: int) -> int:
    """The first moment later than `after` (ms) at which a step or a way out comes due; 0 = there is none."""
    moments = [since + s.after_seconds * 1000 for s in queue.widening[step:]]
    moments += [since + w.after_seconds * 1000 for w in open_ways(queue, channel, taken) if w.after_seconds]
    return min((moment for moment in moments if moment > after), default=0)


def expected_wait_seconds(waiting: int, staffed: int, handling_seconds: int) -> int | None:
    """How long the last of `waiting` waits with `staffed` agents at work; None = nobody is there, so nobody knows."""
    return waiting * handling_seconds // staffed if staffed else None
