"""What facts about the centre, its staff and their promises change."""

from __future__ import annotations

from typing import Any

from router.engine import evolve_callbacks, facts
from router.engine.moves import Handler, prefer_no_more
from router.engine.state import (
    AgentState,
    FollowUpState,
    State,
)
from router.engine.tables import (
    CONNECTION,
    FOLLOW_UP,
    PRESENCE,
    TELEPHONE,
    Illegal,
    follow,
)


def _configured(state: State, fact: facts.CentreConfigured, number: int, at: int) -> None:
    state.centre, state.version = fact.centre, fact.version
    for agent in fact.centre.agents:
        state.agents.setdefault(agent.id, AgentState(agent.id, idle_since=at))
    state.index.configured(state)
    if any(queue.widening or queue.overflow for queue in fact.centre.queues):
        for contact in state.contacts.values():
            if contact.state in ("waiting", "offered"):
                state.index.plan(state, contact, contact.in_queue_since)


def _started(state: State, fact: facts.CentreStarted, number: int, at: int) -> None:
    state.started_at = at
    state.worlds, state.census_pending = list(fact.census), list(fact.census)
    state.index.dirty.update(state.index.lanes.lanes())


def _census_taken(state: State, fact: facts.CensusTaken, number: int, at: int) -> None:
    if fact.channel not in state.census_pending:
        raise Illegal(f"no census of {fact.channel} is pending")
    state.census_pending.remove(fact.channel)
    channel = fact.channel.partition("@")[0]
    state.index.dirty.update(key for key in state.index.lanes.lanes() if key[0] == channel)


def _channel_lost(state: State, fact: facts.ChannelLost, number: int, at: int) -> None:
    if fact.channel in state.census_pending:
        raise Illegal(f"a census of {fact.channel} is pending already")
    state.census_pending.append(fact.channel)


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
    state.index.agent_changed(state, agent.id, at)
    if fact.presence != "ready":
        prefer_no_more(state, agent.id, at)


def _agent_lost(state: State, fact: facts.AgentLost, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    agent.connection = follow(CONNECTION, agent.connection, "AgentLost")
    agent.return_at = fact.return_at
    state.index.alarms.set(fact.return_at, "return", fact.agent)
    state.index.agent_changed(state, agent.id, at)
    prefer_no_more(state, agent.id, at)


def _agent_regained(state: State, fact: facts.AgentRegained, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    agent.connection = follow(CONNECTION, agent.connection, "AgentRegained")
    agent.return_at = 0
    state.index.agent_changed(state, agent.id, at)


def _telephone_changed(state: State, fact: facts.TelephoneChanged, number: int, at: int) -> None:
    agent = state.agents[fact.agent]
    if fact.telephone not in TELEPHONE[agent.telephone]:
        raise Illegal(f"the telephone of {fact.agent} cannot go from {agent.telephone} to {fact.telephone}")
    agent.telephone = fact.telephone
    state.index.telephone_changed(state, agent.id, at)


def _follow_up_made(state: State, fact: facts.FollowUpMade, number: int, at: int) -> None:
    if fact.follow_up in state.follow_ups:
        raise Illegal(f"follow-up {fact.follow_up} was made before")
    after = follow(FOLLOW_UP, "", "FollowUpMade")
    made = state.follow_ups[fact.follow_up] = FollowUpState(
        fact.follow_up,
        fact.contact,
        after,
        fact.due_at,
        fact.owner_agent,
        fact.owner_queue,
        fact.citizen,
        fact.municipality,
        fact.callback,
    )
    evolve_callbacks.promised(state, made)
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
    evolve_callbacks.kept(state, _follow_up(state, fact))
    del state.follow_ups[fact.follow_up]


HANDLERS: dict[type, Handler] = {
    facts.CentreConfigured: _configured,
    facts.CentreStarted: _started,
    facts.CensusTaken: _census_taken,
    facts.ChannelLost: _channel_lost,
    facts.PresenceChanged: _presence_changed,
    facts.AgentLost: _agent_lost,
    facts.AgentRegained: _agent_regained,
    facts.TelephoneChanged: _telephone_changed,
    facts.FollowUpMade: _follow_up_made,
    facts.FollowUpAssigned: _follow_up_assigned,
    facts.FollowUpOverdue: _follow_up_overdue,
    facts.FollowUpKept: _follow_up_kept,
}
