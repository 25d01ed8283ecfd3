"""Deciding what becomes of offers: accepted, declined, failed at the phone, or overtaken by what the PBX reports."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decide_contacts import returned
from router.engine.decide_outside import back
from router.engine.decision import NOTHING, Decision, open_contact
from router.engine.state import ContactState, OfferState, State
from router.errors import StaleOffer, UnknownThing, WrongState

PHONE_GRACE_MS = 3_000
"""The PBX ends its own ringing; the engine's alarm comes this much later."""
NOT_RESPONDING = "not_responding"
PHONE_UNREACHABLE = "phone_unreachable"

PAUSED_FOR = {"no_answer": NOT_RESPONDING, "unreachable": PHONE_UNREACHABLE}
"""Failures that pause the agent until they say they are back: reason of the failure -> reason of the pause."""


def accept(state: State, command: commands.Accept, now: int) -> Decision:
    offer = state.offers.get(command.offer)
    if offer is None:
        contact = state.contacts.get(command.offer.rpartition("-")[0])
        mine = contact and (contact.owner == command.agent or command.agent in contact.participants)
        if contact and mine and command.offer == f"{contact.id}-{contact.offers}":
            return Decision(answer=contact.id)
        raise StaleOffer("the offer is over")
    if offer.agent != command.agent:
        raise StaleOffer("the offer is another's")
    return Decision((facts.OfferAccepted(offer.id, offer.contact, offer.agent, offer.purpose),), offer.contact)


def decline(state: State, command: commands.Decline, now: int) -> Decision:
    offer = state.offers.get(command.offer)
    if offer is None or offer.agent != command.agent:
        raise StaleOffer("the offer is over")
    if offer.state == "declining":
        return NOTHING
    if state.contacts[offer.contact].channel == "phone":
        return Decision((facts.DeclineRequested(offer.id, offer.contact, offer.agent),))
    return Decision((ended(state, offer, "declined", command.reason, now),))


def ended(state: State, offer: OfferState, how: str, reason: str, now: int) -> facts.OfferEnded:
    """The offer's end; who did not take it is not asked again at once, unless it was withdrawn from them."""
    kept_from = how != "withdrawn" and offer.purpose == "answer"
    again_at = now + state.config.retry_seconds * 1000 if kept_from else 0
    return facts.OfferEnded(offer.id, offer.contact, offer.agent, how, reason, again_at)


def offer_failed(state: State, command: commands.OfferFailed, now: int) -> Decision:
    offer = state.offers.get(command.offer)
    if offer is None:
        return NOTHING
    if offer.state == "declining":
        return Decision((ended(state, offer, "declined", command.reason, now),))
    how = "expired" if command.reason == "no_answer" else "failed"
    return Decision((ended(state, offer, how, command.reason, now), *_pause(state, offer, command.reason)))


def expire(state: State, offer: OfferState, now: int) -> tuple[facts.Fact, ...]:
    """Nobody reacted in time: the contact goes back to its place, the agent is paused with one click back."""
    if offer.state == "declining":
        return (ended(state, offer, "declined", "no_report", now),)
    return (ended(state, offer, "expired", "no_answer", now), *_pause(state, offer, "no_answer"))


def _pause(state: State, offer: OfferState, failure: str) -> tuple[facts.Fact, ...]:
    """Who cannot be reached is paused; not a colleague who does not answer a colleague."""
    reason = PAUSED_FOR.get(failure)
    if reason is None or state.agents[offer.agent].presence != "ready" or offer.purpose != "answer":
        return ()
    return (facts.PresenceChanged(offer.agent, "paused", reason, "centre"),)


def adopt_answer(state: State, command: commands.AdoptAnswer, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    if command.agent not in state.agents:
        raise UnknownThing("no such agent")
    if contact.owner == command.agent:
        return NOTHING
    if contact.state not in ("waiting", "offered"):
        raise WrongState("the contact is not waiting")
    if talks(state, command.agent):
        raise WrongState("this agent talks with somebody else")
    return Decision(adopted(state, contact, command.agent))


def talks(state: State, agent: str) -> bool:
    """Whether the agent is in a conversation on the telephone."""
    held = (state.contacts[id] for id in state.agents[agent].load)
    return any(
        c.channel == "phone" and c.state == "active" and (c.owner == agent or agent in c.participants) for c in held
    )


def adopted(state: State, contact: ContactState, agent: str) -> tuple[facts.Fact, ...]:
    """The PBX has connected them. Another call that was about to ring there goes back to its place first."""
    others = [o for o in state.offers.values() if o.agent == agent and o.contact != contact.id]
    withdrawn = [
        facts.OfferEnded(o.id, o.contact, agent, "withdrawn", "answered_another", 0)
        for o in others
        if state.contacts[o.contact].channel == "phone"
    ]
    return (*withdrawn, facts.AnswerAdopted(contact.id, agent))


def report_held(state: State, command: commands.ReportHeld, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    offer = state.offers.get(contact.offer)
    if contact.state == "active" and contact.outside:
        return Decision((back(state, contact, now),)) if contact.outside_state == "through" else NOTHING
    if contact.state == "active":
        consulting = (offer is not None and offer.purpose == "consult") or "consulted" in contact.participants.values()
        return NOTHING if consulting else Decision((returned(state, contact, "held", now),))
    if offer is not None and offer.state == "declining":
        return Decision((ended(state, offer, "declined", "", now),))
    return NOTHING
