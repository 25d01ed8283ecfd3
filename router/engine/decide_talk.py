"""Deciding about several agents in one conversation: consult, warm transfer, conference, and who leaves it."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decide_contacts import returned, wrap_up_due
from router.engine.decide_offers import PHONE_GRACE_MS, ended
from router.engine.decide_outside import join
from router.engine.decision import NOTHING, Decision, open_contact, owned_contact
from router.engine.index import lacks_phone
from router.engine.state import AgentState, ContactState, State
from router.errors import InvalidInput, TooMany, UnknownThing, WrongState
from router.nouns import SUPERVISION


def consult(state: State, command: commands.Consult, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if contact.state != "active" or contact.channel != "phone":
        raise WrongState("only in a telephone conversation can a colleague be consulted")
    if contact.outside:
        raise WrongState("it is being put through to somebody outside")
    if contact.offer or contact.participants:
        offer = state.offers.get(contact.offer)
        if command.to_agent in contact.participants or (offer is not None and offer.agent == command.to_agent):
            return NOTHING
        raise WrongState("another colleague is being consulted already")
    if command.to_agent == command.agent:
        raise InvalidInput("consult a colleague, not yourself")
    _check_free(state, command.to_agent)
    seconds = state.config.channels["phone"].offer_seconds
    expires_at = now + seconds * 1000
    offer_id = f"{contact.id}-{contact.offers + 1}"
    offered = facts.ContactOffered(
        offer_id, contact.id, command.to_agent, "consult", expires_at, expires_at + PHONE_GRACE_MS
    )
    return Decision((offered,), offer_id)


def _check_free(state: State, id: str) -> None:
    """Whether the colleague's telephone can be rung: signed on, even paused, connected, and not talking."""
    person, agent = state.agents.get(id), state.config.agent(id)
    if person is None or agent is None:
        raise UnknownThing("no such agent")
    if person.presence == "signed_off" or person.connection == "lost":
        raise WrongState("this colleague is not there")
    if lacks_phone(agent, person, "phone"):
        raise WrongState("this colleague has no telephone that can be reached")
    if "phone" not in state.index.room(state, agent, person):
        raise WrongState("this colleague has somebody else at the moment")


def cancel_consult(state: State, command: commands.CancelConsult, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    offer = state.offers.get(contact.offer)
    if contact.state == "active" and offer is not None:
        return Decision((ended(state, offer, "withdrawn", "cancelled", now),))
    consulted = _in_role(contact, "consulted")
    if not consulted:
        return NOTHING
    return Decision((facts.ParticipantLeft(contact.id, consulted, "cancelled"),))


def complete_transfer(state: State, command: commands.CompleteTransfer, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if contact.outside:
        return join(contact, now)
    colleague = _in_role(contact, "consulted") or _in_role(contact, "conferenced")
    if not colleague:
        raise WrongState("no colleague has answered yet")
    return Decision((_transferred(state, contact, colleague, now),))


def _transferred(state: State, contact: ContactState, colleague: str, now: int) -> facts.ContactTransferred:
    return facts.ContactTransferred(contact.id, contact.owner, colleague, wrap_up_due(state, contact, now))


def start_conference(state: State, command: commands.StartConference, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if _in_role(contact, "conferenced"):
        return NOTHING
    colleague = _in_role(contact, "consulted")
    if not colleague:
        raise WrongState("no colleague has answered yet")
    return Decision((facts.ConferenceStarted(contact.id, colleague),))


def leave_conversation(state: State, command: commands.LeaveConversation, now: int) -> Decision:
    """Whoever hangs up leaves. In a conference the colleague goes on with the citizen; a citizen left on hold during a
    consult waits again, at the place their arrival gives them."""
    contact = open_contact(state, command.contact)
    if contact.state != "active" or contact.outside_state == "through":
        return NOTHING
    if command.agent in contact.participants:
        return Decision((facts.ParticipantLeft(contact.id, command.agent, "left"),))
    if command.agent != contact.owner:
        return NOTHING
    colleague = _in_role(contact, "conferenced")
    if colleague:
        return Decision((_transferred(state, contact, colleague, now),))
    return Decision((returned(state, contact, "held", now),))


def finish_after_work(state: State, command: commands.FinishAfterWork, now: int) -> Decision:
    agent = state.agents.get(command.agent)
    if agent is None:
        raise UnknownThing("no such agent")
    return Decision(after_work_ended(agent, automatic=False))


def after_work_ended(agent: AgentState, *, automatic: bool) -> tuple[facts.Fact, ...]:
    return (facts.AfterWorkEnded(agent.id, automatic),) if agent.after_work_until else ()


SUPERVISORS_MAX = 3
"""Per call."""


def supervise(state: State, command: commands.Supervise, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    if command.mode not in SUPERVISION:
        raise InvalidInput("listen, whisper or barge")
    if contact.state != "active" or contact.channel != "phone" or contact.outside:
        raise WrongState("only a telephone conversation can be listened to")
    if not command.endpoint:
        raise WrongState("you have no telephone")
    if contact.supervisors.get(command.by) == command.mode:
        return NOTHING
    if command.by not in contact.supervisors and len(contact.supervisors) >= SUPERVISORS_MAX:
        raise TooMany("enough others listen to this call")
    return Decision((facts.SupervisionSet(contact.id, command.by, command.mode, command.endpoint),))


def end_supervision(state: State, command: commands.EndSupervision, now: int) -> Decision:
    contact = state.contacts.get(command.contact)
    if contact is None or command.by not in contact.supervisors:
        return NOTHING
    return Decision((facts.SupervisionEnded(contact.id, command.by, command.reason),))


def _in_role(contact: ContactState, role: str) -> str:
    return next((agent for agent, has in contact.participants.items() if has == role), "")
