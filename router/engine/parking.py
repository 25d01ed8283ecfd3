"""Parking: after every change, written work lies still while a contact that goes before it is in hand.

Only agents whose hands have changed are looked at. Parked work stays its owner's and can be worked on; it takes no
room, and its wrap-up does not run out.
"""

from __future__ import annotations

from collections.abc import Iterator

from router.engine.decide_contacts import wrap_up_due
from router.engine.facts import WorkParked, WorkResumed
from router.engine.state import State


def changes(state: State, now: int) -> Iterator[WorkParked | WorkResumed]:
    """What must be parked or resumed: the caller evolves each before asking for the next."""
    hands = state.index.hands
    while hands:
        agent = min(hands)
        hands.discard(agent)
        held = [(id, load) for id, load in state.agents[agent].load.items() if load != "reserved"]
        channels = {state.contacts[id].channel for id, _ in held}
        if state.agents[agent].after_work_until:
            channels.add("phone")
        parked = state.index.capacity(agent).parked(channels)
        for id, load in held:
            contact = state.contacts[id]
            if (contact.channel in parked) == (load == "parked"):
                continue
            if load == "parked":
                yield WorkResumed(id, agent, wrap_up_due(state, contact, now) if contact.state == "wrap_up" else 0)
            else:
                yield WorkParked(id, agent)
