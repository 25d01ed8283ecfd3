"""Why an offer goes where it goes, and why a contact waits: candidates with scores, and who is out for what reason.

Counting is done by the crew of the contact's lane and costs nothing by the number of agents; `details` looks at each
agent, and a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable

from router import __version__
from router.engine.crews import Crew
from router.engine.explanation import Candidate, Explanation
from router.engine.index import lacks_phone, unavailable
from router.engine.state import ContactState, State
from router.nouns import Agent
from router.queues.lanes import lane_key, lane_name
from router.skills.matching import level_of, missing_skill
from router.skills.policies import RULES

CANDIDATES_SHOWN = 5


def excluded(state: State, agent: Agent, contact: ContactState, now: int) -> str:
    """Why this agent cannot be offered this contact now, judged from scratch; "" = they can."""
    reason = unavailable(state.agents[agent.id])
    if reason:
        return reason
    if state.unseen(contact):
        return "census"
    wanted = contact.wanted_agent if contact.wanted_until > now else ""
    if wanted and wanted != agent.id:
        return "wanted_other"
    if not wanted:
        skill = missing_skill(agent, contact.needs)
        if skill:
            return f"missing_skill:{skill}"
    busy = busy_with(state, agent.id, contact, now)
    return busy or ("" if wanted or agent.id not in state.index.quiet.kept_from(contact, now) else "quiet")


def busy_with(state: State, id: str, contact: ContactState, now: int) -> str:
    """Why an agent who may take the contact cannot at this moment, or ""."""
    agent, person = state.index.agents.get(id), state.agents.get(id)
    if agent is None or person is None or unavailable(person):
        return "away"
    if lacks_phone(agent, person, contact.channel):
        return "no_phone"
    if contact.channel not in state.index.room(state, agent, person):
        return "busy"
    return "asked_before" if contact.again_at.get(id, 0) > now else ""


def explain(
    state: State, id: str, now: int, *, chosen: str = "", offer: str = "", details: bool = False
) -> Explanation:
    """Who could take the contact and why the others cannot, as the matcher sees it at this moment.

    `details` adds the reason per agent and how many stand before it. Raises KeyError when the contact is not open.
    """
    contact = state.contacts[id]
    key = state.index.lanes.lane(id) if id in state.index.lanes else None
    if key is None or key[3]:
        key = lane_key(contact.channel, contact.needs, contact.topic, step=contact.step)
    crew = state.index.crew(state, key)
    wanted = contact.wanted_agent if contact.wanted_until > now else ""
    reasons = _reasons(state, contact, now) if details or wanted else {}
    if wanted:
        counts, free = _count(reasons.values()), len(state.index.agents) - len(reasons)
        best = [wanted] if free else []
    else:
        counts, free, best = _counted(state, crew, contact, now)
    if free and not chosen and contact.reserved_until > now:
        counts["reserved"], best = free, []
        if details:
            reasons.update((id, "reserved") for id in state.index.agents.keys() - reasons.keys())
    shown = tuple(_candidate(state, crew, agent) for agent in best)
    return Explanation(
        contact.id,
        now,
        contact.queue,
        contact.topic,
        dict(contact.needs),
        chosen,
        shown,
        dict(sorted(counts.items())),
        RULES[crew.queue.policy],
        __version__,
        state.version,
        offer,
        _waiting_before(state, contact) if details else 0,
        reasons if details else {},
        contact.reserved_until,
        contact.step,
        state.stranded.get(lane_name(key), "") if contact.state == "waiting" and not chosen else "",
    )


def _count(reasons: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _counted(state: State, crew: Crew, contact: ContactState, now: int) -> tuple[dict[str, int], int, list[str]]:
    """Reason -> number of agents, how many can take it, and the best of those, best first."""
    counts = {reason: count for reason, count in state.index.away.items() if count}
    if state.unseen(contact):
        present = len(state.index.agents) - sum(counts.values())
        return counts | ({"census": present} if present else {}), 0, []
    for skill, count in crew.missing.items():
        if count:
            counts[f"missing_skill:{skill}"] = count
    again_at = contact.again_at
    asked = {agent for agent, again in again_at.items() if again > now and agent in crew.free} if again_at else set()
    if crew.no_phone:
        counts["no_phone"] = len(crew.no_phone)
    busy = len(crew.present) - len(crew.no_phone) - len(crew.free)
    if busy:
        counts["busy"] = busy
    if asked:
        counts["asked_before"] = len(asked)
    free = len(crew.free) - len(asked)
    if not state.index.quiet.kept_from(contact, now):
        return counts, free, crew.top(CANDIDATES_SHOWN, asked)
    outside = crew.best_outside(asked)
    if free > len(outside):
        counts["quiet"] = free - len(outside)
    return counts, len(outside), outside[:CANDIDATES_SHOWN]


def _candidate(state: State, crew: Crew, agent: str) -> Candidate:
    level = level_of(state.index.agents[agent], crew.needs)
    key = crew.free.get(agent)
    if key is None or not crew.scored:
        return Candidate(agent, level, state.agents[agent].idle_since)
    return Candidate(agent, level, state.agents[agent].idle_since, crew.chances[agent], -key[0])


def _reasons(state: State, contact: ContactState, now: int) -> dict[str, str]:
    """Agent -> reason, of everybody who cannot take it."""
    found = ((agent.id, excluded(state, agent, contact, now)) for agent in state.index.agents.values())
    return {id: reason for id, reason in found if reason}


def _waiting_before(state: State, contact: ContactState) -> int:
    return sum(
        1
        for other in state.contacts.values()
        if other.state == "waiting" and other.queue == contact.queue and other.place < contact.place
    )
