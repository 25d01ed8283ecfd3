"""Deciding about staff: presence, lost connections, and the promises (follow-ups) they make and keep."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decide_contacts import ending, returned
from router.engine.decide_offers import ended
from router.engine.decision import NOTHING, Decision, open_contact
from router.engine.state import AgentState, State
from router.engine.tables import PRESENCE
from router.errors import InvalidInput, UnknownThing, WrongState

CONNECTION_LOST = "connection_lost"


def _agent(state: State, id: str) -> AgentState:
    agent = state.agents.get(id)
    if agent is None or state.config.agent(id) is None:
        raise UnknownThing("no such agent")
    return agent


def _give_back_offers(state: State, agent: AgentState, how: str, reason: str, now: int) -> tuple[facts.Fact, ...]:
    """End the agent's open offers; a ringing phone is asked to stop, and its report settles it."""
    given: list[facts.Fact] = []
    for offer in [o for o in state.offers.values() if o.agent == agent.id]:
        if state.contacts[offer.contact].channel != "phone":
            given.append(ended(state, offer, how, reason, now))
        elif offer.state == "open" and how == "declined":
            given.append(facts.DeclineRequested(offer.id, offer.contact, agent.id))
    return tuple(given)


def set_presence(state: State, command: commands.SetPresence, now: int) -> Decision:
    agent = _agent(state, command.agent)
    if command.presence not in PRESENCE:
        raise InvalidInput("presence is ready, paused or signed_off")
    if (command.presence, command.reason) == (agent.presence, agent.reason):
        return NOTHING
    if command.presence not in PRESENCE[agent.presence]:
        raise WrongState(f"an agent cannot go from {agent.presence} to {command.presence}")
    if command.presence == "signed_off" and "in_hand" in agent.load.values():
        raise WrongState("contacts are still in hand: finish them or hand them over first")
    back = () if command.presence == "ready" else _give_back_offers(state, agent, "declined", command.presence, now)
    changed = facts.PresenceChanged(agent.id, command.presence, command.reason, command.by)
    return Decision((*back, changed))


def lose_agent(state: State, command: commands.LoseAgent, now: int) -> Decision:
    agent = _agent(state, command.agent)
    if agent.presence == "signed_off" or agent.connection == "lost":
        return NOTHING
    return Decision(lost(state, agent, now))


def lost(state: State, agent: AgentState, now: int) -> tuple[facts.Fact, ...]:
    """The desk is gone: what was offered in writing goes on at once, what is in hand after a while."""
    back = _give_back_offers(state, agent, "withdrawn", CONNECTION_LOST, now)
    return (*back, facts.AgentLost(agent.id, now + state.config.absence_seconds * 1000))


def regain_agent(state: State, command: commands.RegainAgent, now: int) -> Decision:
    agent = _agent(state, command.agent)
    if agent.connection != "lost":
        return NOTHING
    return Decision((facts.AgentRegained(agent.id),))


def give_back(state: State, agent: AgentState, now: int) -> tuple[facts.Fact, ...]:
    """The agent has been gone too long: conversations in writing go back to their queue, the agent is paused.

    A call goes on: whoever holds the telephone is there.
    """
    given: list[facts.Fact] = []
    for id in agent.load:
        contact = state.contacts[id]
        if contact.state == "active" and contact.channel != "phone":
            given.append(returned(state, contact, "agent_lost", now))
    if agent.presence == "ready":
        given.append(facts.PresenceChanged(agent.id, "paused", CONNECTION_LOST, "centre"))
    return tuple(given)


# -- follow-ups ---------------------------------------------------------------------------------------------


def make_follow_up(state: State, command: commands.MakeFollowUp, now: int) -> Decision:
    if command.follow_up in state.follow_ups:
        return Decision(answer=command.follow_up)
    contact = open_contact(state, command.contact)
    _check_owner(state, command)
    if command.due_at <= now:
        raise InvalidInput("the deadline has passed already")
    made = facts.FollowUpMade(
        command.follow_up,
        contact.id,
        contact.citizen,
        contact.municipality,
        command.by,
        command.due_at,
        command.text_ref,
        command.owner_agent,
        command.owner_queue,
    )
    return Decision((made,), command.follow_up)


def _check_owner(state: State, command: commands.MakeFollowUp | commands.AssignFollowUp) -> None:
    if bool(command.owner_agent) == bool(command.owner_queue):
        raise InvalidInput("a follow-up has one owner: an agent or a queue")
    if command.owner_agent:
        _agent(state, command.owner_agent)
    elif state.config.queue(command.owner_queue) is None:
        raise UnknownThing("no such queue")


def assign_follow_up(state: State, command: commands.AssignFollowUp, now: int) -> Decision:
    follow_up = state.follow_ups.get(command.follow_up)
    if follow_up is None:
        raise UnknownThing("no such open follow-up")
    _check_owner(state, command)
    if (follow_up.owner_agent, follow_up.owner_queue) == (command.owner_agent, command.owner_queue):
        return NOTHING
    assigned = facts.FollowUpAssigned(follow_up.id, command.by, command.owner_agent, command.owner_queue)
    return Decision((assigned,))


def complete_follow_up(state: State, command: commands.CompleteFollowUp, now: int) -> Decision:
    if command.follow_up not in state.follow_ups:
        raise UnknownThing("no such open follow-up")
    kept = facts.FollowUpKept(command.follow_up, command.by, command.note_ref)
    contact = state.contacts.get(state.follow_ups[command.follow_up].calling)
    if contact is None or contact.state not in ("intake", "waiting", "offered"):
        return Decision((kept,))
    return Decision((kept, ending(state, contact, "kept", now)))
