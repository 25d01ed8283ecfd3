"""Why an offer went where it went: kept beside the facts, and derived again from them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Candidate:
    """One agent who could take the contact, as the matcher saw it."""

    agent: str
    level: int
    """Sum of the agent's levels over the needs."""
    idle_since: int
    """In ms."""
    chance: int = 0
    """That this agent settles it, in 1/10,000; 0 where the policy does not look at it."""
    score: int = 0
    """What the policy makes of it, in 1/10,000: chance less the price of the time and the own occupancy."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an offer went where it went, or why a contact waits."""

    contact: str
    at: int
    queue: str
    topic: str
    needs: dict[str, int]
    chosen: str
    """Agent id, or empty when nobody can take it now."""
    candidates: tuple[Candidate, ...]
    """The best five, best first."""
    excluded: dict[str, int]
    """Reason -> number of agents: signed_off, paused, lost, after_work, census, missing_skill:<skill>, busy, no_phone,
    asked_before, wanted_other, reserved (free, but kept from it for a better agent)."""
    rule: str
    """The policy that chose, in words."""
    engine: str
    configuration: str
    offer: str = ""
    waiting_before: int = 0
    """How many of the same queue stand before it; only when asked for."""
    details: dict[str, str] = field(default_factory=dict)
    """Per excluded agent the reason; only when asked for."""
    reserved_until: int = 0
    """Until when (ms) it is, or on an offer was, kept for a better agent; 0 = it never was."""
    step: int = 0
    """Steps of widening in force: the needs are what they left."""
    stranded: str = ""
    """Why nobody is there for it: nobody_has_skill, nobody_signed_on, nobody_reachable, or empty."""
