"""Deciding about calls put through to somebody outside the centre: at once, or after the agent has talked with them.

Until the citizen is connected there, the contact stays active and its agent's: what comes back comes to them first.
"""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decide_contacts import returned, wrap_up_due
from router.engine.decision import NOTHING, Decision, owned_contact
from router.engine.state import ContactState, State
from router.errors import InvalidInput, NotAllowed, UnknownThing, WrongState
from router.nouns import TYPED

GRACE_MS = 5_000
"""The PBX ends its own ringing; the engine's alarm comes this much later."""


def pass_outside(state: State, command: commands.PassOutside, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if bool(command.destination) == bool(command.number_ref):
        raise InvalidInput("put it through to one destination, or to one number")
    if contact.outside:
        if contact.outside == (command.destination or TYPED):
            return NOTHING
        raise WrongState("it is being put through already")
    if contact.state != "active" or contact.channel != "phone":
        raise WrongState("only a telephone conversation can be put through")
    if contact.offer or contact.participants:
        raise WrongState("a colleague takes part: finish that first")
    if command.destination and state.config.destination(command.destination) is None:
        raise UnknownThing("no such destination")
    if command.number_ref and not state.config.outside_prefixes:
        raise NotAllowed("calls are put through to the listed destinations only")
    until = now + state.config.outside_seconds * 1000 + GRACE_MS
    begun = facts.OutsideConsulted if command.consult else facts.OutsideDialled
    return Decision((begun(contact.id, contact.owner, command.destination, command.number_ref, until),))


def cancel_outside(state: State, command: commands.CancelOutside, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if contact.state != "active" or not contact.outside:
        raise WrongState("it is not being put through")
    return Decision((over(state, contact, "cancelled", now),))


def join(contact: ContactState, now: int) -> Decision:
    """The owner leaves the citizen to whoever they talk with outside."""
    if contact.outside_state == "ringing":
        raise WrongState("nobody outside has answered yet")
    if contact.outside_state != "talking":
        return NOTHING
    return Decision((facts.OutsideJoined(contact.id, contact.owner, now + GRACE_MS),))


def report_outside(state: State, command: commands.ReportOutside, now: int) -> Decision:
    contact = state.contacts.get(command.contact)
    if contact is None or contact.state != "active" or not contact.outside:
        return NOTHING
    if not command.answered:
        how = "left" if contact.outside_state == "talking" else "not_answered"
        return Decision((over(state, contact, how, now),))
    if contact.outside_state == "through":
        return Decision((passed_on(state, contact, now),))
    ringing = contact.outside_state == "ringing"
    return Decision((facts.OutsideAnswered(contact.id, contact.owner),)) if ringing else NOTHING


def over(state: State, contact: ContactState, how: str, now: int) -> facts.Fact:
    """There is nobody outside (any more): whoever asked first is back with the citizen, else the citizen comes back."""
    if contact.outside_state == "through":
        return back(state, contact, now)
    return facts.OutsideLeft(contact.id, contact.owner, how)


def passed_on(state: State, contact: ContactState, now: int) -> facts.Fact:
    """The other side has answered: the citizen talks on there, and the agent wraps up."""
    return facts.ConversationEnded(contact.id, contact.owner, "passed_on", wrap_up_due(state, contact, now))


def back(state: State, contact: ContactState, now: int) -> facts.Fact:
    """Nobody answered: back to its place, and for a while to the agent who put it through, if they are there."""
    owner = state.agents[contact.owner]
    there = owner.presence == "ready" and owner.connection == "connected"
    return returned(state, contact, "not_passed_on", now, to=owner.id if there else "")
