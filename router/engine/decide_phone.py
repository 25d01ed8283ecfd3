"""Deciding about an agent's telephone in a conversation: taken up again after it was away, or gone for good."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decide_contacts import returned
from router.engine.decide_offers import PHONE_UNREACHABLE
from router.engine.decide_talk import cancel_consult
from router.engine.decision import NOTHING, Decision, open_contact, owned_contact
from router.engine.state import State
from router.errors import WrongState


def rejoin(state: State, command: commands.RejoinCall, now: int) -> Decision:
    """The owner's telephone is there again without its call. A consult ends with it, for its leg is lost too."""
    contact = owned_contact(state, command.contact, command.agent)
    if contact.state != "active" or contact.channel != "phone" or contact.outside:
        raise WrongState("only a telephone conversation can be taken up again")
    if "conferenced" in contact.participants.values():
        raise WrongState("a colleague talks with the citizen; it goes on without you")
    before = cancel_consult(state, commands.CancelConsult(contact.id, command.agent), now).facts
    return Decision((*before, facts.CallRejoined(contact.id, command.agent)))


def lose_phone(state: State, command: commands.LosePhone, now: int) -> Decision:
    """The telephone fell silent without hanging up: the citizen keeps their place, the agent is paused."""
    contact = open_contact(state, command.contact)
    if contact.state != "active" or contact.owner != command.agent or contact.outside:
        return NOTHING
    back = returned(state, contact, "phone_lost", now)
    if state.agents[command.agent].presence != "ready":
        return Decision((back,))
    return Decision((facts.PresenceChanged(command.agent, "paused", PHONE_UNREACHABLE, "centre"), back))
