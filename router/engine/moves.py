"""Steps that several facts share: a contact moves by its table, an agent's slot by its own, the books with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router.engine.state import (
    NO_PARTICIPANTS,
    RECORDED,
    ContactState,
    State,
)
from router.engine.tables import (
    CONTACT,
    DIALLING,
    LOAD,
    OFFER,
    RECORDING,
    Illegal,
    follow,
)
from router.queues.lanes import LaneKey, lane_name

Handler = Callable[[State, Any, int, int], None]
"""What one kind of fact changes: state, fact, its number and its moment."""


def open_contact(state: State, id: str) -> ContactState:
    contact = state.contacts.get(id)
    if contact is None:
        raise Illegal(f"contact {id} is not open")
    return contact


def go(state: State, contact: ContactState, fact: str, at: int) -> None:
    """Move the contact by its table, and the books, lanes and timers with it."""
    after = follow(CONTACT, contact.state, fact)
    if contact.state == "waiting":
        left = state.index.waits_no_more(contact.id)
        if left and state.overtakers:
            _forget_overtakers(state, left)
    if after != contact.state:
        state.books[contact.channel].move(contact.state, "" if after == "ended" else after)
        contact.state, contact.since = after, at
    if after == "waiting":
        state.index.waits(contact, contact.lane(at))


def _forget_overtakers(state: State, left: LaneKey) -> None:
    """Of a lane in which nobody waits any more."""
    if not state.index.lanes.count(left):
        name = lane_name(left)
        if name in state.overtakers and all(lane_name(key) != name for key in state.index.lanes.lanes()):
            del state.overtakers[name]


def prefer_no_more(state: State, agent: str, at: int) -> None:
    """The agent is not there: what waits for them because of what went before waits for anybody from now on."""
    for id in state.index.kept_for(agent):
        contact = state.contacts[id]
        if contact.preferred and contact.wanted_until > at:
            unwanted(contact)
            state.index.waits_no_more(id)
            state.index.waits(contact, contact.lane(at))


def unwanted(contact: ContactState) -> None:
    """The contact is kept for nobody any more."""
    contact.wanted_agent, contact.wanted_until, contact.preferred = "", 0, False


def load(state: State, agent: str, contact: str, fact: str, at: int) -> None:
    """Move one slot of the agent by its table."""
    person = state.agents[agent]
    before = person.load.get(contact, "free")
    after = follow(LOAD, before, fact)
    if after == "free":
        del person.load[contact]
        if not person.load:
            person.busy_ms, person.busy_since = person.busy_ms + at - person.busy_since, 0
            if before == "in_hand":
                person.idle_since = at
    else:
        person.load[contact] = after
        if not person.busy_since:
            person.busy_since = at
        if before != "free":
            state.index.hands.add(agent)
            return
    state.index.agent_changed(state, agent, at)


def drop_offer(state: State, contact: ContactState, fact: str, at: int) -> None:
    """Take away the open offer of a contact that goes elsewhere by the same fact."""
    if contact.offer:
        offer = state.offers[contact.offer]
        follow(OFFER, offer.state, fact)
        load(state, offer.agent, contact.id, "OfferEnded", at)
        del state.offers[contact.offer]
        contact.offer = ""


def owner_alone(state: State, contact: ContactState, fact: str, at: int) -> None:
    """Whoever took part beside the owner, or was asked to, is free by the same fact."""
    drop_offer(state, contact, fact, at)
    for agent in contact.participants:
        load(state, agent, contact.id, "ParticipantLeft", at)
    if contact.dialling:
        contact.dialling = follow(DIALLING, contact.dialling, fact)
    recording_over(contact, fact)
    contact.participants = contact.supervisors = NO_PARTICIPANTS
    contact.held_since = 0


def recording_over(contact: ContactState, fact: str) -> None:
    """What was being recorded is complete by the same fact."""
    if contact.recording in RECORDED:
        contact.recording = follow(RECORDING, contact.recording, fact)
