"""Deciding about an agent's telephone: in a conversation, away from it, or in somebody else's."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decide_contacts import returned
from router.engine.decide_offers import PHONE_UNREACHABLE
from router.engine.decide_talk import cancel_consult
from router.engine.decision import NOTHING, Decision, open_contact
from router.engine.state import AgentState, State
from router.engine.tables import TELEPHONE
from router.errors import InvalidInput, WrongState
from router.nouns import BY_TELEPHONE


def rejoin(state: State, command: commands.RejoinCall, now: int) -> Decision:
    """The telephone of somebody in the call is there again without it. A consult ends with its owner's, for its leg is
    lost too; in a conference the others talk on, and it comes in again."""
    contact = open_contact(state, command.contact)
    if contact.state != "active" or contact.channel != "phone" or contact.outside:
        raise WrongState("only a telephone conversation can be taken up again")
    rejoined = facts.CallRejoined(contact.id, command.agent)
    if "conferenced" in contact.participants.values() and command.agent in (contact.owner, *contact.participants):
        return Decision((rejoined,))
    if contact.owner != command.agent:
        raise WrongState("the contact is not in this agent's hands")
    before = cancel_consult(state, commands.CancelConsult(contact.id, command.agent), now).facts
    return Decision((*before, rejoined))


def hold_call(state: State, command: commands.HoldCall, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    theirs = contact.state == "active" and contact.owner == command.agent
    if not theirs or contact.participants or contact.outside or contact.held_since:
        return NOTHING
    return Decision((facts.CallHeld(contact.id, command.agent),))


def retrieve_call(state: State, command: commands.RetrieveCall, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    theirs = contact.held_since and contact.owner == command.agent
    return Decision((facts.CallRetrieved(contact.id, command.agent),)) if theirs else NOTHING


def lose_phone(state: State, command: commands.LosePhone, now: int) -> Decision:
    """The telephone fell silent without hanging up: the citizen keeps their place, the agent is paused."""
    contact = open_contact(state, command.contact)
    if contact.state != "active" or contact.owner != command.agent or contact.outside:
        return NOTHING
    back = returned(state, contact, "phone_lost", now)
    if state.agents[command.agent].presence != "ready":
        return Decision((back,))
    return Decision((facts.PresenceChanged(command.agent, "paused", PHONE_UNREACHABLE, "centre"), back))


def report_telephones(state: State, command: commands.ReportTelephones, now: int) -> Decision:
    """Who is busy elsewhere, or cannot be reached, is not asked for calls until their telephone is free again."""
    changed: list[facts.Fact] = []
    for id, telephone in command.telephones.items():
        if telephone not in TELEPHONE:
            raise InvalidInput("a telephone is free, elsewhere or unregistered")
        agent = state.agents.get(id)
        if agent is None or agent.telephone == telephone or (telephone == "elsewhere" and _in_ours(state, agent)):
            continue
        changed.append(facts.TelephoneChanged(id, telephone))
    return Decision(tuple(changed))


def _in_ours(state: State, agent: AgentState) -> bool:
    """Whether the agent's telephone rings, or is in a call, for a contact."""
    contacts = (state.contacts[id] for id in agent.load)
    return any(c.channel in BY_TELEPHONE and c.state in ("offered", "active") for c in contacts)
