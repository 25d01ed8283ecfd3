"""PURE  The policies: in which order agents are asked, what a free agent takes, when waiting for a better one pays.

All figures are whole numbers: chances and scores in 1/10,000, prices of time in millionths of a settled contact a
second, time in ms. The score of `resolution` is the reduced gain of a linear programme that shares everybody's time
out over the topics (chance less the price of the time it takes), less the agent's own occupancy: that keeps the work
even. Waiting for a better agent is worth what the better agents, freed at their usual rate, would add; it costs what
citizens who hang up meanwhile would lose.
"""

from __future__ import annotations

ONE = 10_000
"""A chance, score or occupancy of 1."""

RULES: dict[str, str] = {
    "longest-idle": "longest idle, id",
    "skill-level": "level, longest idle, id",
    "resolution": "chance less price of time less own occupancy, longest idle, id",
}

TIME_WEIGHT_PERCENT = 50
"""Share of the price of time that counts; all of it would save the best for a crowd that may not come."""
WAIT_MS_PER_SCORE = 40
"""What 1/10,000 of score is worth in waiting: one hundredth of a chance outweighs 4 s."""
OCCUPANCY_FLOOR_MS = 14_400_000
"""Occupancy is judged over at least this long: what chance brings in the first hours evens out by itself."""

Key = tuple[int, int, str]
"""Sort key of an agent: lowest is asked first. Rank by policy, idle since (ms; later for who has work in hand), id."""


def static_score(chance: int, price: int, seconds: int) -> int:
    """What the agent is worth for the contact, less what their time is worth elsewhere."""
    return chance - price * seconds * TIME_WEIGHT_PERCENT // 10_000


def occupancy(busy_ms: int, on_ms: int) -> int:
    """Share of the time since signing on that the agent had something in hand."""
    return ONE * busy_ms // max(on_ms, OCCUPANCY_FLOOR_MS)


def head_start_ms(score: int, topic_price: int) -> int:
    """How much earlier than its arrival a contact counts for this agent: one hundredth of the gain is worth 4 s."""
    return WAIT_MS_PER_SCORE * (score - topic_price)


def waiting_pays(gain: int, ahead: int, abandon_cost: int, patience_seconds: int) -> bool:
    """Whether a second's wait that brings this gain (see Rivals) is worth more than it costs.

    `ahead` citizens share who comes free; each of them may hang up meanwhile.
    """
    return gain > abandon_cost * 1_000_000 * ahead // patience_seconds
