"""What the outside must do about a fact: the effects that follow from it."""

from __future__ import annotations

from router.engine import facts
from router.engine.decide_recording import next_recording
from router.engine.effects import (
    Announce,
    Confer,
    Connect,
    ConsultOutside,
    Deliver,
    DialBack,
    DialOutside,
    Effect,
    EndDial,
    EndSpy,
    HangUp,
    Hold,
    JoinOutside,
    OfferCallback,
    OfferVoicemail,
    PassOn,
    Reconnect,
    Record,
    Rejoin,
    Ring,
    RingColleague,
    Spy,
)
from router.engine.state import RECORDED, ContactState, State
from router.nouns_telephone import Recording

HANGS_UP = frozenset({"phone", "chat"})
DIALS = (facts.CallbackDialled, facts.ConversationEnded, facts.ContactReturned, facts.ContactEnded)
"""Facts by which the telephones of a callback begin or end."""
HOW = {"on": "resume", "paused": "pause", "dropped": "drop"}
"""How a contact is recorded -> what the PBX does."""
GOES_ON = frozenset({"handled", "passed_on", "voicemail"})
"""Ends after which nothing is hung up: it was, the citizen talks on elsewhere, or is told so first."""


def _channel(state: State, contact: str) -> str:
    if contact in state.contacts:
        return state.contacts[contact].channel
    ended = state.ended.get(contact)
    return ended.source_key.partition("|")[0] if ended else ""


def _talks(state: State, contact: str) -> bool:
    """Whether somebody talks with the citizen: an offer that ends then was to consult a colleague."""
    return contact in state.contacts and state.contacts[contact].state == "active"


def effects_of(state: State, fact: facts.Fact) -> list[tuple[str, Effect]]:
    """(channel, effect) pairs, in order, given the state after the fact."""
    channel = _channel(state, getattr(fact, "contact", ""))
    if channel == "callback" and isinstance(fact, DIALS):
        return [(channel, _dial(state, fact) if isinstance(fact, facts.CallbackDialled) else EndDial(fact.contact))]
    if isinstance(fact, facts.CensusTaken):
        return [("phone", effect) for effect in _recordings_found(state, fact.channel)]
    return [*((channel, effect) for effect in _recording(state, fact)), *_by_channel(state, fact, channel)]


def _recording(state: State, fact: facts.Fact) -> list[Effect]:
    """What becomes of the recording of a conversation."""
    match fact:
        case facts.RecordingStarted() | facts.RecordingPaused() | facts.RecordingResumed() | facts.RecordingDropped():
            return _steered(state.contacts.get(fact.contact))
        case (
            facts.CallHeld()
            | facts.CallRetrieved()
            | facts.ContactTransferred()
            | facts.CallRejoined()
            | facts.OutsideLeft()
        ):
            contact = state.contacts.get(fact.contact)
            return _steered(contact) if contact and contact.recording in RECORDED else []
        case facts.OutsideDialled() | facts.OutsideJoined() | facts.ContactReturned():
            return _kept(state, fact.contact)
        case facts.ConversationEnded() | facts.ContactEnded():
            return _kept(state, fact.contact)
    return []


def _steered(contact: ContactState | None) -> list[Effect]:
    """What the PBX does with the recording of a contact, as it is now."""
    if contact is None or not contact.recordings or contact.recording not in HOW:
        return []
    how = "pause" if contact.held_since and contact.recording == "on" else HOW[contact.recording]
    return [Record(contact.id, contact.recordings, how, refs=contact.recorded if how == "drop" else ())]


def _kept(state: State, id: str) -> list[Effect]:
    """What is over of the recordings of a contact, and not in the vault."""
    unsaved, contact = state.recordings.get(id), state.contacts.get(id)
    if unsaved is None:
        return []
    municipality = state.config.municipality(unsaved.municipality)
    days = (municipality.recording if municipality else Recording()).days
    running = contact.recordings if contact and contact.recording in RECORDED else 0
    return [Record(id, number, "keep", days) for number in unsaved.numbers if number != running]


def _recordings_found(state: State, world: str) -> list[Effect]:
    """What was ordered before a restart, or while the PBX was out of reach, may not have been carried out."""
    steered = (effect for c in state.contacts.values() if c.world == world for effect in _steered(c))
    over = (id for id, unsaved in state.recordings.items() if unsaved.world == world)
    return [*steered, *(effect for id in over for effect in _kept(state, id))]


def _by_channel(state: State, fact: facts.Fact, channel: str) -> list[tuple[str, Effect]]:
    """What the contact's own channel does."""
    match fact:
        case facts.ContactOffered() if channel == "phone":
            agent = state.index.agents[fact.agent]
            seconds = state.config.channels[channel].offer_seconds
            if fact.purpose == "consult":
                return [(channel, RingColleague(fact.contact, fact.offer, fact.agent, agent.endpoint, seconds))]
            contact = state.contacts.get(fact.contact)
            record = next_recording(state, contact) if contact else 0
            return [(channel, Ring(fact.contact, fact.offer, fact.agent, agent.endpoint, seconds, record))]
        case facts.DeclineRequested():
            return [(channel, Reconnect(fact.contact) if _talks(state, fact.contact) else Hold(fact.contact))]
        case facts.OfferEnded() if channel == "phone" and _talks(state, fact.contact):
            return [(channel, Reconnect(fact.contact))]
        case facts.OfferEnded() if channel == "phone" and (fact.how == "withdrawn" or fact.reason == "no_report"):
            return [(channel, Hold(fact.contact))]
        case facts.ParticipantLeft() | facts.ContactTransferred() | facts.ConferenceStarted() | facts.CallRejoined():
            return [(channel, _together(state, fact))]
        case facts.OutsideDialled() | facts.OutsideConsulted() | facts.OutsideLeft() | facts.OutsideJoined():
            return [(channel, effect) for effect in _outside(state, fact)]
        case facts.WayOutTaken():
            return _on_the_way(state, channel, fact)
        case facts.SupervisionSet():
            return [(channel, Spy(fact.contact, fact.by, fact.mode, fact.endpoint))]
        case facts.SupervisionEnded():
            return [(channel, EndSpy(fact.contact, fact.by))]
        case facts.ContactReturned() if channel == "phone" and fact.reason != "held":
            return [(channel, Hold(fact.contact))]
        case facts.ConversationEnded() if channel in HANGS_UP and fact.reason not in GOES_ON:
            return [(channel, HangUp(fact.contact, fact.reason))]
        case facts.ContactEnded() if channel in HANGS_UP and fact.reason not in GOES_ON:
            return [(channel, HangUp(fact.contact, fact.reason))]
        case facts.MessageAdded() if fact.deliver:
            return [(channel, Deliver(fact.contact, fact.number, fact.ref))]
    return []


def _together(
    state: State,
    fact: facts.ParticipantLeft | facts.ContactTransferred | facts.ConferenceStarted | facts.CallRejoined,
) -> Effect:
    match fact:
        case facts.ParticipantLeft():
            return Reconnect(fact.contact)
        case facts.ContactTransferred():
            return Connect(fact.contact, fact.to_agent)
        case facts.ConferenceStarted():
            return Confer(fact.contact)
        case facts.CallRejoined():
            last_offer = f"{fact.contact}-{state.contacts[fact.contact].offers}"
            return Rejoin(fact.contact, last_offer, state.index.agents[fact.agent].endpoint)


def _outside(
    state: State, fact: facts.OutsideDialled | facts.OutsideConsulted | facts.OutsideLeft | facts.OutsideJoined
) -> list[Effect]:
    """A destination that the configuration has no more is dialled no more: the alarm brings the call back."""
    if isinstance(fact, facts.OutsideLeft):
        return [Reconnect(fact.contact)]
    if isinstance(fact, facts.OutsideJoined):
        return [JoinOutside(fact.contact)]
    destination = state.config.destination(fact.destination)
    municipality = state.config.municipality(state.contacts[fact.contact].municipality)
    if municipality is None or (destination is None and not fact.number_ref):
        return []
    asks_first = isinstance(fact, facts.OutsideConsulted)  # then it is the agent who calls
    own = destination is not None and destination.shows == "citizen" and not asks_first
    shows = "" if own else next(iter(municipality.entry_points), "")
    number = destination.number if destination is not None else ""
    dial = ConsultOutside if asks_first else DialOutside
    return [dial(fact.contact, number, fact.number_ref, shows, state.config.outside_seconds)]


def _dial(state: State, fact: facts.CallbackDialled) -> DialBack:
    contact, rules = state.contacts[fact.contact], state.config.channels
    promise, queue = state.follow_ups.get(contact.promise), state.config.queue(contact.queue)
    return DialBack(
        contact.id,
        fact.number,
        fact.agent,
        state.index.agents[fact.agent].endpoint,
        contact.citizen,
        promise.plan.number_ref if promise and promise.plan else "",
        contact.municipality,
        bool(queue and queue.citizen_first),
        rules.get("phone", rules["callback"]).offer_seconds,
        state.config.callbacks.ring_seconds,
        fact.pbx,
    )


def _on_the_way(state: State, channel: str, fact: facts.WayOutTaken) -> list[tuple[str, Effect]]:
    """What the channel does about a way out of the queue."""
    match fact.kind:
        case "message":
            return [(channel, Announce(fact.contact, fact.to))]
        case "callback":
            return [(channel, OfferCallback(fact.contact))]
        case "voicemail":
            return [(channel, OfferVoicemail(fact.contact))]
        case "neighbour" if channel == "phone":
            neighbour = state.config.neighbour(fact.to)
            return [(channel, PassOn(fact.contact, fact.to, neighbour.number))] if neighbour else []
    return []


def owed_deliveries(state: State) -> list[tuple[str, Effect]]:
    """Deliveries that a restart found unsettled; one that had passed the point of no return is not among them."""
    return [(o.channel, Deliver(o.contact, o.number, o.ref)) for o in state.outgoing.values() if o.status == "due"]


def interrupted_deliveries(state: State) -> list[tuple[str, int]]:
    """(contact, number) of deliveries whose outcome a restart has made unknowable."""
    return [(o.contact, o.number) for o in state.outgoing.values() if o.status == "started"]
