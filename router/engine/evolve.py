"""evolve(state, fact): what a fact changes. In place, by the tables, and nothing else ever changes a state."""

from __future__ import annotations

from router.engine import (
    evolve_callbacks,
    evolve_centre,
    evolve_contacts,
    evolve_offers,
    evolve_openings,
    evolve_outcomes,
    evolve_outside,
    evolve_recording,
    evolve_waiting,
)
from router.engine.facts import Fact
from router.engine.moves import Handler
from router.engine.state import State
from router.engine.tables import Illegal

_HANDLERS: dict[type, Handler] = {
    **evolve_callbacks.HANDLERS,
    **evolve_centre.HANDLERS,
    **evolve_contacts.HANDLERS,
    **evolve_offers.HANDLERS,
    **evolve_outcomes.HANDLERS,
    **evolve_openings.HANDLERS,
    **evolve_outside.HANDLERS,
    **evolve_recording.HANDLERS,
    **evolve_waiting.HANDLERS,
}


def evolve(state: State, fact: Fact, number: int, at: int) -> None:
    """Apply the fact. Raises Illegal when the tables do not allow it, before anything has changed."""
    if number != state.number + 1 or at < state.at:
        raise Illegal(f"fact {number} at {at} cannot follow fact {state.number} at {state.at}")
    _HANDLERS[type(fact)](state, fact, number, at)
    state.number, state.at = number, at
