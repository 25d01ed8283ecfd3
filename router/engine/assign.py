"""Offers: after every change, whoever can be served is served, first in place first, to the agent who suits best.

Between changes nobody waits whom an available agent suits, so only what has changed needs looking at: agents who got
room, and contacts that came to wait. Each offer is explained by the same code that makes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from router import __version__
from router.engine.facts import Candidate, ContactOffered, Explanation
from router.engine.state import ContactState, State
from router.nouns import Agent
from router.queues.order import Place
from router.skills.matching import RULE, has_room, level_of, missing_skill, preference

CANDIDATES_SHOWN = 5
PHONE_GRACE_MS = 3_000
"""The PBX ends its own ringing; the engine's alarm comes this much later."""


def offers(state: State, now: int) -> Iterator[tuple[ContactOffered, Explanation]]:
    """The offers that are possible now, one at a time: the caller evolves each before asking for the next."""
    index = state.index
    while index.changed_agents or index.changed_contacts:
        _leave_out(state, now)
        contact = _next_contact(state, now)
        if contact is None:
            return
        chosen = _best_agent(state, contact, now)
        if chosen is None:
            index.changed_contacts.discard(contact.id)
            continue
        yield _offer(state, contact, chosen, now)


def _leave_out(state: State, now: int) -> None:
    """Forget the changed contacts that nobody can take: an offer only takes room away, so it makes nobody fit again.

    All in one go, so that ten thousand that wait at a start are looked at once each, not once for each other.
    """
    if all(_unavailable(state, agent) for agent in state.index.agents.values()):
        state.index.changed_contacts.clear()
        return
    for id in list(state.index.changed_contacts):
        contact = state.contacts.get(id)
        if contact is None or contact.state != "waiting" or _best_agent(state, contact, now) is None:
            state.index.changed_contacts.discard(id)


def _next_contact(state: State, now: int) -> ContactState | None:
    """The first in place among what the changed agents can take and the changed contacts."""
    index = state.index
    best: tuple[Place, str] | None = None
    for id in sorted(index.changed_agents):
        found = _first_for(state, id, now)
        if found is None:
            index.changed_agents.discard(id)
        elif best is None or found < best:
            best = found
    for id in sorted(index.changed_contacts):
        contact = state.contacts.get(id)
        if contact is None or contact.state != "waiting":
            index.changed_contacts.discard(id)
        elif best is None or (contact.place, id) < best:
            best = (contact.place, id)
    return state.contacts[best[1]] if best else None


def _first_for(state: State, agent_id: str, now: int) -> tuple[Place, str] | None:
    """The first contact in place that this agent can take now."""
    agent = state.index.agents.get(agent_id)
    if agent is None or _unavailable(state, agent):
        return None
    found = [
        state.index.lanes.first(key, lambda id: not _excluded(state, agent, state.contacts[id], now))
        for key in state.index.lanes.lanes()
        if not missing_skill(agent, dict(key[1]))
    ]
    return min((f for f in found if f is not None), default=None)


def _best_agent(state: State, contact: ContactState, now: int) -> Agent | None:
    suitable = (a for a in state.index.agents.values() if not _excluded(state, a, contact, now))
    return min(suitable, key=lambda a: preference(a, contact.needs, state.agents[a.id].idle_since), default=None)


def _unavailable(state: State, agent: Agent) -> str:
    """Why the agent can take nothing at all now, or ""."""
    person = state.agents[agent.id]
    if person.presence != "ready":
        return person.presence
    return "lost" if person.connection == "lost" else ""


def _excluded(state: State, agent: Agent, contact: ContactState, now: int) -> str:
    """Why this agent cannot be offered this contact now, or ""."""
    reason = _unavailable(state, agent)
    if reason:
        return reason
    if contact.channel in state.census_pending:
        return "census"
    wanted = contact.wanted_agent if contact.wanted_until > now else ""
    if wanted and wanted != agent.id:
        return "wanted_other"
    if not wanted:
        skill = missing_skill(agent, contact.needs)
        if skill:
            return f"missing_skill:{skill}"
    if contact.channel == "phone" and not agent.endpoint:
        return "no_phone"
    in_hand = (state.contacts[c].channel for c in state.agents[agent.id].load)
    if not has_room(agent, state.config.channels, contact.channel, in_hand):
        return "busy"
    return "asked_before" if contact.again_at.get(agent.id, 0) > now else ""


def _offer(state: State, contact: ContactState, agent: Agent, now: int) -> tuple[ContactOffered, Explanation]:
    offer = f"{contact.id}-{contact.offers + 1}"
    seconds = state.config.channels[contact.channel].offer_seconds
    expires_at = now + seconds * 1000
    lapses_at = expires_at + (PHONE_GRACE_MS if contact.channel == "phone" else 0)
    fact = ContactOffered(offer, contact.id, agent.id, "answer", expires_at, lapses_at)
    return fact, explain(state, contact.id, now, chosen=agent.id, offer=offer)


def explain(
    state: State, id: str, now: int, *, chosen: str = "", offer: str = "", details: bool = False
) -> Explanation:
    """Who could take the contact and why the others cannot, as the matcher sees it at this moment.

    `details` adds the reason per agent and how many stand before it. Raises KeyError when the contact is not open.
    """
    contact = state.contacts[id]
    fit: list[Agent] = []
    excluded: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for agent in state.index.agents.values():
        reason = _excluded(state, agent, contact, now)
        if reason:
            excluded[reason] = excluded.get(reason, 0) + 1
            reasons[agent.id] = reason
        else:
            fit.append(agent)
    fit.sort(key=lambda a: preference(a, contact.needs, state.agents[a.id].idle_since))
    shown = tuple(
        Candidate(a.id, level_of(a, contact.needs), state.agents[a.id].idle_since) for a in fit[:CANDIDATES_SHOWN]
    )
    return Explanation(
        contact.id,
        now,
        contact.queue,
        contact.topic,
        dict(contact.needs),
        chosen,
        shown,
        dict(sorted(excluded.items())),
        RULE,
        __version__,
        state.version,
        offer,
        _waiting_before(state, contact) if details else 0,
        reasons if details else {},
    )


def _waiting_before(state: State, contact: ContactState) -> int:
    return sum(
        1
        for other in state.contacts.values()
        if other.state == "waiting" and other.queue == contact.queue and other.place < contact.place
    )
