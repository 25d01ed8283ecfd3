"""What facts about offers change, and facts about several agents in one conversation."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

from router.engine import facts
from router.engine.evolve_callbacks import count_offer
from router.engine.moves import Handler, drop_offer, go, load, open_contact, unwanted
from router.engine.state import (
    NO_PARTICIPANTS,
    ContactState,
    OfferState,
    State,
)
from router.engine.tables import (
    CONTACT,
    LOAD,
    OFFER,
    PARTICIPANT,
    Illegal,
    follow,
)
from router.queues.lanes import lane_name


def _offered(state: State, fact: facts.ContactOffered, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    if contact.offer or fact.offer in state.offers:
        raise Illegal(f"contact {fact.contact} has an open offer")
    if (fact.purpose == "consult") != (contact.state == "active") or contact.outside:
        raise Illegal(f"contact {fact.contact} is {contact.state}: no time for an offer to {fact.purpose}")
    follow(LOAD, state.agents[fact.agent].load.get(contact.id, "free"), "ContactOffered")
    for ahead in fact.overtook:
        _note_overtaking(state, open_contact(state, ahead), contact)
    go(state, contact, "ContactOffered", at)
    load(state, fact.agent, contact.id, "ContactOffered", at)
    if fact.purpose == "answer":
        count_offer(state, contact)
    contact.offer, contact.offers = fact.offer, contact.offers + 1
    after = follow(OFFER, "", "ContactOffered")
    state.offers[fact.offer] = OfferState(fact.offer, contact.id, fact.agent, after, at, fact.lapses_at, fact.purpose)
    state.index.alarms.set(fact.lapses_at, "offer", fact.offer)


def _note_overtaking(state: State, ahead: ContactState, contact: ContactState) -> None:
    """The contact goes before this one and all behind it in its lane that came earlier."""
    places = state.overtakers.setdefault(lane_name(ahead.lane(state.at)), [])
    del places[: bisect_left(places, ahead.place)]
    insort(places, contact.place)


def _open_offer(state: State, fact: Any) -> tuple[OfferState, ContactState]:
    offer = state.offers.get(fact.offer)
    if offer is None or offer.agent != fact.agent or offer.contact != fact.contact:
        raise Illegal(f"offer {fact.offer} is not open for {fact.agent}")
    return offer, open_contact(state, fact.contact)


def _accepted(state: State, fact: facts.OfferAccepted, number: int, at: int) -> None:
    offer, contact = _open_offer(state, fact)
    follow(OFFER, offer.state, "OfferAccepted")
    go(state, contact, "OfferAccepted", at)
    load(state, fact.agent, contact.id, "OfferAccepted", at)
    contact.offer = ""
    if fact.purpose != offer.purpose:
        raise Illegal(f"offer {fact.offer} was made to {offer.purpose}")
    if offer.purpose == "consult":
        contact.participants = {**contact.participants, fact.agent: follow(PARTICIPANT, "", "OfferAccepted")}
        contact.joined_at = at
    else:
        contact.owner = fact.agent
    unwanted(contact)
    del state.offers[offer.id]


def _decline_requested(state: State, fact: facts.DeclineRequested, number: int, at: int) -> None:
    offer, contact = _open_offer(state, fact)
    offer.state = follow(OFFER, offer.state, "DeclineRequested")
    go(state, contact, "DeclineRequested", at)


def _offer_ended(state: State, fact: facts.OfferEnded, number: int, at: int) -> None:
    offer, contact = _open_offer(state, fact)
    follow(OFFER, offer.state, "OfferEnded")
    if fact.again_at > at:
        contact.again_at = {**contact.again_at, fact.agent: fact.again_at}
        state.index.alarms.set(fact.again_at, "retry", contact.id)
    if fact.agent == contact.wanted_agent:
        unwanted(contact)
    contact.offer = ""
    del state.offers[offer.id]
    go(state, contact, "OfferEnded", at)
    load(state, fact.agent, contact.id, "OfferEnded", at)
    if contact.state == "waiting":
        state.index.plan(state, contact, contact.in_queue_since)


def _answer_adopted(state: State, fact: facts.AnswerAdopted, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "AnswerAdopted")
    offer = state.offers.get(contact.offer)
    if offer is not None and offer.agent == fact.agent:
        del state.offers[offer.id]
        contact.offer = ""
    else:
        drop_offer(state, contact, "AnswerAdopted", at)
    go(state, contact, "AnswerAdopted", at)
    load(state, fact.agent, contact.id, "AnswerAdopted", at)
    contact.owner = fact.agent


# -- several agents in one conversation -------------------------------------------------------------------------


def _participant(state: State, fact: Any, agent: str) -> tuple[ContactState, str]:
    """The contact, and what its participant becomes by the fact ("" = no participant any more)."""
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, type(fact).__name__)
    if agent not in contact.participants:
        raise Illegal(f"{agent} does not take part in contact {fact.contact}")
    return contact, follow(PARTICIPANT, contact.participants[agent], type(fact).__name__)


def _without(contact: ContactState, agent: str) -> dict[str, str]:
    return {id: role for id, role in contact.participants.items() if id != agent} or NO_PARTICIPANTS


def _transferred(state: State, fact: facts.ContactTransferred, number: int, at: int) -> None:
    contact, _ = _participant(state, fact, fact.to_agent)
    if contact.owner != fact.agent:
        raise Illegal(f"{fact.agent} does not own contact {fact.contact}")
    contact.participants = _without(contact, fact.to_agent)
    contact.owner, contact.held_since = fact.to_agent, 0
    state.agents[fact.agent].after_work_until = fact.after_work_until
    load(state, fact.agent, contact.id, "ContactTransferred", at)
    if fact.after_work_until:
        state.index.alarms.set(fact.after_work_until, "after_work", fact.agent)


def _conference_started(state: State, fact: facts.ConferenceStarted, number: int, at: int) -> None:
    contact, role = _participant(state, fact, fact.agent)
    contact.participants = {**contact.participants, fact.agent: role}


def _participant_left(state: State, fact: facts.ParticipantLeft, number: int, at: int) -> None:
    contact, _ = _participant(state, fact, fact.agent)
    contact.participants = _without(contact, fact.agent)
    load(state, fact.agent, contact.id, "ParticipantLeft", at)


def _call_rejoined(state: State, fact: facts.CallRejoined, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "CallRejoined")
    if "conferenced" in contact.participants.values():
        if fact.agent not in (contact.owner, *contact.participants):
            raise Illegal(f"{fact.agent} does not take part in contact {fact.contact}")
    elif contact.owner != fact.agent or contact.offer or contact.participants:
        raise Illegal(f"{fact.agent} does not have contact {fact.contact} alone")
    contact.held_since = 0


def _call_held(state: State, fact: facts.CallHeld | facts.CallRetrieved, number: int, at: int) -> None:
    contact, held = open_contact(state, fact.contact), isinstance(fact, facts.CallHeld)
    follow(CONTACT, contact.state, type(fact).__name__)
    if contact.owner != fact.agent or held == bool(contact.held_since):
        raise Illegal(f"{fact.agent} cannot do this to the hold of contact {fact.contact}")
    contact.held_since = at if held else 0


def _supervision_set(state: State, fact: facts.SupervisionSet, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "SupervisionSet")
    contact.supervisors = {**contact.supervisors, fact.by: fact.mode}


def _supervision_ended(state: State, fact: facts.SupervisionEnded, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "SupervisionEnded")
    if fact.by not in contact.supervisors:
        raise Illegal(f"{fact.by} does not listen to contact {fact.contact}")
    contact.supervisors = {by: mode for by, mode in contact.supervisors.items() if by != fact.by} or NO_PARTICIPANTS


def _after_work_ended(state: State, fact: facts.AfterWorkEnded, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    if not agent.after_work_until:
        raise Illegal(f"{fact.agent} has no work left from a transferred call")
    agent.after_work_until, agent.idle_since = 0, at
    state.index.agent_changed(state, fact.agent, at)


HANDLERS: dict[type, Handler] = {
    facts.ContactOffered: _offered,
    facts.OfferAccepted: _accepted,
    facts.DeclineRequested: _decline_requested,
    facts.OfferEnded: _offer_ended,
    facts.AnswerAdopted: _answer_adopted,
    facts.ContactTransferred: _transferred,
    facts.ConferenceStarted: _conference_started,
    facts.ParticipantLeft: _participant_left,
    facts.CallRejoined: _call_rejoined,
    facts.CallHeld: _call_held,
    facts.CallRetrieved: _call_held,
    facts.SupervisionSet: _supervision_set,
    facts.SupervisionEnded: _supervision_ended,
    facts.AfterWorkEnded: _after_work_ended,
}
