"""What happens to those who wait: needs widened, a way out taken, priority changed, nobody there who could help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NeedsWidened:
    """waiting | offered: the contact asks less from now on. It keeps its place, also while it is being offered."""

    contact: str
    step: int
    """1, 2 … of its queue's steps: how many it has had."""
    needs: dict[str, int]
    """In force from now on."""


@dataclass(frozen=True, slots=True)
class WayOutTaken:
    """waiting: overflow. What it leads to follows as a fact of its own, or is done by the channel."""

    contact: str
    way: str
    """`<queue>><kind>:<to>`; once per contact."""
    kind: str
    """queue, neighbour, callback or message"""
    to: str
    reason: str
    """waited, nobody, full or expected"""


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """waiting | offered: a supervisor gave the contact a priority of its own."""

    contact: str
    priority: int
    tier: int
    rank: int
    by: str
    why_ref: str


@dataclass(frozen=True, slots=True)
class LaneStranded:
    """Those of this channel and topic, with these needs, wait for somebody who is not there."""

    lane: str
    channel: str
    topic: str
    needs: dict[str, int]
    step: int
    """How many steps of widening they have had."""
    reason: str
    """nobody_has_skill (in the configuration, widened as far as it goes), nobody_signed_on or nobody_reachable"""


@dataclass(frozen=True, slots=True)
class LaneCleared:
    """Somebody is there who could help, or nobody waits there any more."""

    lane: str
