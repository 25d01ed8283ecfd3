"""evolve(state, fact): what a fact changes. In place, by the tables, and nothing else ever changes a state."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from sys import intern
from typing import Any

from router.engine import facts
from router.engine.index import INTAKE_SECONDS_MAX
from router.engine.state import (
    NO_PARTICIPANTS,
    AgentState,
    Books,
    ContactState,
    EndedContact,
    FollowUpState,
    OfferState,
    OutgoingState,
    State,
)
from router.engine.tables import (
    CONNECTION,
    CONTACT,
    DELIVERY,
    FOLLOW_UP,
    LOAD,
    OFFER,
    PARTICIPANT,
    PRESENCE,
    Illegal,
    follow,
)
from router.queues.lanes import LaneKey, lane_name

DAY_MS = 86_400_000


def evolve(state: State, fact: facts.Fact, number: int, at: int) -> None:
    """Apply the fact. Raises Illegal when the tables do not allow it, before anything has changed."""
    if number != state.number + 1 or at < state.at:
        raise Illegal(f"fact {number} at {at} cannot follow fact {state.number} at {state.at}")
    _HANDLERS[type(fact)](state, fact, number, at)
    state.number, state.at = number, at


# -- small steps shared by several facts ----------------------------------------------------------------------


def _contact(state: State, id: str) -> ContactState:
    contact = state.contacts.get(id)
    if contact is None:
        raise Illegal(f"contact {id} is not open")
    return contact


def _go(state: State, contact: ContactState, fact: str, at: int) -> None:
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


def _load(state: State, agent: str, contact: str, fact: str, at: int) -> None:
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
            return
    state.index.agent_changed(state, agent)


def _drop_offer(state: State, contact: ContactState, fact: str, at: int) -> None:
    """Take away the open offer of a contact that goes elsewhere by the same fact."""
    if contact.offer:
        offer = state.offers[contact.offer]
        follow(OFFER, offer.state, fact)
        _load(state, offer.agent, contact.id, "OfferEnded", at)
        del state.offers[contact.offer]
        contact.offer = ""


def _owner_alone(state: State, contact: ContactState, fact: str, at: int) -> None:
    """Whoever took part beside the owner, or was asked to, is free by the same fact."""
    _drop_offer(state, contact, fact, at)
    for agent in contact.participants:
        _load(state, agent, contact.id, "ParticipantLeft", at)
    contact.participants = NO_PARTICIPANTS


# -- the centre -------------------------------------------------------------------------------------------------


def _configured(state: State, fact: facts.CentreConfigured, number: int, at: int) -> None:
    state.centre, state.version = fact.centre, fact.version
    for agent in fact.centre.agents:
        state.agents.setdefault(agent.id, AgentState(agent.id, idle_since=at))
    state.index.configured(state)


def _started(state: State, fact: facts.CentreStarted, number: int, at: int) -> None:
    state.started_at = at
    state.census_pending = list(fact.census)
    state.index.dirty.update(state.index.lanes.lanes())


def _census_taken(state: State, fact: facts.CensusTaken, number: int, at: int) -> None:
    if fact.channel not in state.census_pending:
        raise Illegal(f"no census of {fact.channel} is pending")
    state.census_pending.remove(fact.channel)
    state.index.dirty.update(key for key in state.index.lanes.lanes() if key[0] == fact.channel)


def _channel_lost(state: State, fact: facts.ChannelLost, number: int, at: int) -> None:
    if fact.channel in state.census_pending:
        raise Illegal(f"a census of {fact.channel} is pending already")
    state.census_pending.append(fact.channel)


def _estimates_published(state: State, fact: facts.EstimatesPublished, number: int, at: int) -> None:
    state.estimates, state.estimates_version = fact.estimates, fact.version
    state.index.configured(state)


# -- contacts ---------------------------------------------------------------------------------------------------


def _received(state: State, fact: facts.ContactReceived, number: int, at: int) -> None:
    source = f"{fact.channel}|{fact.source_key}"
    if fact.contact in state.contacts or fact.contact in state.ended or source in state.sources:
        raise Illegal(f"contact {fact.contact} or its source was received before")
    follow(CONTACT, "", "ContactReceived")
    state.contacts[fact.contact] = ContactState(
        fact.contact,
        number,
        intern(fact.channel),
        intern(fact.municipality),
        fact.source_key,
        fact.citizen,
        intern(fact.language),
        state.index.shared_hints(fact.hints),
        at,
        since=at,
    )
    state.sources[source] = fact.contact
    books = state.books.setdefault(fact.channel, Books())
    books.received += 1
    books.move("", "intake")
    state.index.alarms.set(at + INTAKE_SECONDS_MAX * 1000, "intake", fact.contact)


def _queued(state: State, fact: facts.ContactQueued, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    follow(CONTACT, contact.state, "ContactQueued")
    state.index.alarms.intake_is_over(contact.id)
    contact.topic, contact.queue, contact.needs = intern(fact.topic), intern(fact.queue), state.index.shared(fact.needs)
    contact.language, contact.tier, contact.rank = intern(fact.language), fact.tier, fact.rank
    contact.remind_at, contact.reminders = fact.remind_at, 0
    contact.wanted_agent, contact.wanted_until = "", 0
    _go(state, contact, "ContactQueued", at)
    state.index.alarms.set(fact.remind_at, "wait", contact.id)


def _wait_exceeded(state: State, fact: facts.WaitExceeded, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    follow(CONTACT, contact.state, "WaitExceeded")
    contact.reminders, contact.remind_at = fact.times, fact.remind_at
    contact.tier, contact.rank = fact.tier, fact.rank
    _go(state, contact, "WaitExceeded", at)
    state.index.alarms.set(fact.remind_at, "wait", contact.id)


def _reserved(state: State, fact: facts.ContactReserved, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    follow(CONTACT, contact.state, "ContactReserved")
    if contact.reserved_until or fact.until <= at:
        raise Illegal(f"contact {fact.contact} was reserved before, or for no time at all")
    contact.reserved_until = fact.until
    state.index.alarms.set(fact.until, "retry", contact.id)
    state.index.look_again(contact, at)


def _returned(state: State, fact: facts.ContactReturned, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    if contact.owner != fact.agent:
        raise Illegal(f"{fact.agent} does not own contact {fact.contact}")
    follow(CONTACT, contact.state, "ContactReturned")
    contact.owner = ""
    contact.topic, contact.queue, contact.needs = fact.topic, fact.queue, state.index.shared(fact.needs)
    contact.tier, contact.rank, contact.remind_at = fact.tier, fact.rank, fact.remind_at
    contact.wanted_agent, contact.wanted_until = fact.wanted_agent, fact.wanted_until
    if fact.again_at:
        contact.again_at = {**contact.again_at, fact.agent: fact.again_at}
        state.index.alarms.set(fact.again_at, "retry", contact.id)
    if fact.wanted_until:
        state.index.alarms.set(fact.wanted_until, "retry", contact.id)
    _go(state, contact, "ContactReturned", at)
    _owner_alone(state, contact, "ContactReturned", at)
    _load(state, fact.agent, contact.id, "ContactReturned", at)
    state.index.alarms.set(fact.remind_at, "wait", contact.id)


def _conversation_ended(state: State, fact: facts.ConversationEnded, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    if contact.owner != fact.agent:
        raise Illegal(f"{fact.agent} does not own contact {fact.contact}")
    _go(state, contact, "ConversationEnded", at)
    _owner_alone(state, contact, "ConversationEnded", at)
    _load(state, fact.agent, contact.id, "ConversationEnded", at)
    contact.due_at = fact.due_at
    if fact.due_at:
        state.index.alarms.set(fact.due_at, "wrap_up", contact.id)


def _wrap_up_extended(state: State, fact: facts.WrapUpExtended, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    _go(state, contact, "WrapUpExtended", at)
    contact.due_at, contact.extensions = fact.due_at, contact.extensions + 1
    state.index.alarms.set(fact.due_at, "wrap_up", contact.id)


def _ended(state: State, fact: facts.ContactEnded, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    if contact.owner != fact.agent:
        raise Illegal(f"{fact.agent or 'nobody'} does not own contact {fact.contact}")
    _go(state, contact, "ContactEnded", at)
    _owner_alone(state, contact, "ContactEnded", at)
    if contact.owner:
        _load(state, contact.owner, contact.id, "ContactEnded", at)
    ended = state.books[contact.channel].ended
    ended[fact.reason] = ended.get(fact.reason, 0) + 1
    forget_at = at + state.config.remember_days * DAY_MS
    state.ended[contact.id] = EndedContact(f"{contact.channel}|{contact.source_key}", at, forget_at)
    state.index.alarms.set(forget_at, "forget", contact.id)
    del state.contacts[contact.id]


def _forgotten(state: State, fact: facts.ContactForgotten, number: int, at: int) -> None:
    ended = state.ended.pop(fact.contact, None)
    if ended is None:
        raise Illegal(f"contact {fact.contact} has not ended")
    del state.sources[ended.source_key]


def _message_added(state: State, fact: facts.MessageAdded, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    if fact.number != len(contact.messages) + 1 or fact.message in contact.messages:
        raise Illegal(f"message {fact.number} of contact {fact.contact} is out of turn")
    follow(CONTACT, contact.state, "MessageAdded")
    if contact.messages:
        contact.messages[fact.message] = fact.number
    else:
        contact.messages = {fact.message: fact.number}
    if fact.deliver:
        key = f"{fact.contact}/{fact.number}"
        state.outgoing[key] = OutgoingState(fact.contact, fact.number, contact.channel, fact.ref, "due")


def _delivery_noted(state: State, fact: facts.DeliveryNoted, number: int, at: int) -> None:
    key = f"{fact.contact}/{fact.number}"
    outgoing = state.outgoing.get(key)
    if outgoing is None or fact.status not in DELIVERY[outgoing.status]:
        raise Illegal(f"delivery of {key} cannot become {fact.status}")
    outgoing.status = fact.status
    if not DELIVERY[fact.status]:
        del state.outgoing[key]


# -- offers -----------------------------------------------------------------------------------------------------


def _offered(state: State, fact: facts.ContactOffered, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    if contact.offer or fact.offer in state.offers:
        raise Illegal(f"contact {fact.contact} has an open offer")
    if (fact.purpose == "consult") != (contact.state == "active"):
        raise Illegal(f"contact {fact.contact} is {contact.state}: no time for an offer to {fact.purpose}")
    follow(LOAD, state.agents[fact.agent].load.get(contact.id, "free"), "ContactOffered")
    for ahead in fact.overtook:
        _note_overtaking(state, _contact(state, ahead), contact)
    _go(state, contact, "ContactOffered", at)
    _load(state, fact.agent, contact.id, "ContactOffered", at)
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
    return offer, _contact(state, fact.contact)


def _accepted(state: State, fact: facts.OfferAccepted, number: int, at: int) -> None:
    offer, contact = _open_offer(state, fact)
    follow(OFFER, offer.state, "OfferAccepted")
    _go(state, contact, "OfferAccepted", at)
    _load(state, fact.agent, contact.id, "OfferAccepted", at)
    contact.offer = ""
    if offer.purpose == "consult":
        contact.participants = {**contact.participants, fact.agent: follow(PARTICIPANT, "", "OfferAccepted")}
        contact.joined_at = at
    else:
        contact.owner = fact.agent
    contact.wanted_agent, contact.wanted_until = "", 0
    del state.offers[offer.id]


def _decline_requested(state: State, fact: facts.DeclineRequested, number: int, at: int) -> None:
    offer, contact = _open_offer(state, fact)
    offer.state = follow(OFFER, offer.state, "DeclineRequested")
    _go(state, contact, "DeclineRequested", at)


def _offer_ended(state: State, fact: facts.OfferEnded, number: int, at: int) -> None:
    offer, contact = _open_offer(state, fact)
    follow(OFFER, offer.state, "OfferEnded")
    if fact.again_at > at:
        contact.again_at = {**contact.again_at, fact.agent: fact.again_at}
        state.index.alarms.set(fact.again_at, "retry", contact.id)
    if fact.agent == contact.wanted_agent:
        contact.wanted_agent, contact.wanted_until = "", 0
    contact.offer = ""
    del state.offers[offer.id]
    _go(state, contact, "OfferEnded", at)
    _load(state, fact.agent, contact.id, "OfferEnded", at)


def _answer_adopted(state: State, fact: facts.AnswerAdopted, number: int, at: int) -> None:
    contact = _contact(state, fact.contact)
    follow(CONTACT, contact.state, "AnswerAdopted")
    offer = state.offers.get(contact.offer)
    if offer is not None and offer.agent == fact.agent:
        del state.offers[offer.id]
        contact.offer = ""
    else:
        _drop_offer(state, contact, "AnswerAdopted", at)
    _go(state, contact, "AnswerAdopted", at)
    _load(state, fact.agent, contact.id, "AnswerAdopted", at)
    contact.owner = fact.agent


# -- several agents in one conversation -------------------------------------------------------------------------


def _participant(state: State, fact: Any, agent: str) -> tuple[ContactState, str]:
    """The contact, and what its participant becomes by the fact ("" = no participant any more)."""
    contact = _contact(state, fact.contact)
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
    contact.owner = fact.to_agent
    state.agents[fact.agent].after_work_until = fact.after_work_until
    _load(state, fact.agent, contact.id, "ContactTransferred", at)
    if fact.after_work_until:
        state.index.alarms.set(fact.after_work_until, "after_work", fact.agent)


def _conference_started(state: State, fact: facts.ConferenceStarted, number: int, at: int) -> None:
    contact, role = _participant(state, fact, fact.agent)
    contact.participants = {**contact.participants, fact.agent: role}


def _participant_left(state: State, fact: facts.ParticipantLeft, number: int, at: int) -> None:
    contact, _ = _participant(state, fact, fact.agent)
    contact.participants = _without(contact, fact.agent)
    _load(state, fact.agent, contact.id, "ParticipantLeft", at)


def _after_work_ended(state: State, fact: facts.AfterWorkEnded, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    if not agent.after_work_until:
        raise Illegal(f"{fact.agent} has no work left from a transferred call")
    agent.after_work_until, agent.idle_since = 0, at
    state.index.agent_changed(state, fact.agent)


# -- staff and promises ---------------------------------------------------------------------------------------


def _presence_changed(state: State, fact: facts.PresenceChanged, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    if fact.presence not in PRESENCE[agent.presence]:
        raise Illegal(f"{fact.agent} cannot go from {agent.presence} to {fact.presence}")
    if agent.presence == "signed_off" and fact.presence != "signed_off":
        agent.on_since, agent.busy_ms = at, 0
        agent.busy_since = at if agent.load else 0
    if fact.presence == "ready":
        agent.idle_since = at
    agent.presence, agent.reason = fact.presence, fact.reason
    state.index.agent_changed(state, agent.id)


def _agent_lost(state: State, fact: facts.AgentLost, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    agent.connection = follow(CONNECTION, agent.connection, "AgentLost")
    agent.return_at = fact.return_at
    state.index.alarms.set(fact.return_at, "return", fact.agent)
    state.index.agent_changed(state, agent.id)


def _agent_regained(state: State, fact: facts.AgentRegained, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    agent.connection = follow(CONNECTION, agent.connection, "AgentRegained")
    agent.return_at = 0
    state.index.agent_changed(state, agent.id)


def _follow_up_made(state: State, fact: facts.FollowUpMade, number: int, at: int) -> None:
    if fact.follow_up in state.follow_ups:
        raise Illegal(f"follow-up {fact.follow_up} was made before")
    after = follow(FOLLOW_UP, "", "FollowUpMade")
    state.follow_ups[fact.follow_up] = FollowUpState(
        fact.follow_up, fact.contact, after, fact.due_at, fact.owner_agent, fact.owner_queue
    )
    state.index.alarms.set(fact.due_at, "follow_up", fact.follow_up)


def _follow_up(state: State, fact: Any) -> FollowUpState:
    follow_up = state.follow_ups.get(fact.follow_up)
    if follow_up is None:
        raise Illegal(f"follow-up {fact.follow_up} is not open")
    follow_up.state = follow(FOLLOW_UP, follow_up.state, type(fact).__name__)
    return follow_up


def _follow_up_assigned(state: State, fact: facts.FollowUpAssigned, number: int, at: int) -> None:
    follow_up = _follow_up(state, fact)
    follow_up.owner_agent, follow_up.owner_queue = fact.owner_agent, fact.owner_queue


def _follow_up_overdue(state: State, fact: facts.FollowUpOverdue, number: int, at: int) -> None:
    _follow_up(state, fact)


def _follow_up_kept(state: State, fact: facts.FollowUpKept, number: int, at: int) -> None:
    _follow_up(state, fact)
    del state.follow_ups[fact.follow_up]


_HANDLERS: dict[type, Callable[[State, Any, int, int], None]] = {
    facts.CentreConfigured: _configured,
    facts.CentreStarted: _started,
    facts.CensusTaken: _census_taken,
    facts.ChannelLost: _channel_lost,
    facts.EstimatesPublished: _estimates_published,
    facts.ContactReceived: _received,
    facts.ContactQueued: _queued,
    facts.WaitExceeded: _wait_exceeded,
    facts.ContactReserved: _reserved,
    facts.ContactReturned: _returned,
    facts.ConversationEnded: _conversation_ended,
    facts.WrapUpExtended: _wrap_up_extended,
    facts.ContactEnded: _ended,
    facts.ContactForgotten: _forgotten,
    facts.MessageAdded: _message_added,
    facts.DeliveryNoted: _delivery_noted,
    facts.ContactOffered: _offered,
    facts.OfferAccepted: _accepted,
    facts.DeclineRequested: _decline_requested,
    facts.OfferEnded: _offer_ended,
    facts.AnswerAdopted: _answer_adopted,
    facts.ContactTransferred: _transferred,
    facts.ConferenceStarted: _conference_started,
    facts.ParticipantLeft: _participant_left,
    facts.AfterWorkEnded: _after_work_ended,
    facts.PresenceChanged: _presence_changed,
    facts.AgentLost: _agent_lost,
    facts.AgentRegained: _agent_regained,
    facts.FollowUpMade: _follow_up_made,
    facts.FollowUpAssigned: _follow_up_assigned,
    facts.FollowUpOverdue: _follow_up_overdue,
    facts.FollowUpKept: _follow_up_kept,
}
