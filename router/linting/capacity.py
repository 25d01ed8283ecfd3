"""PURE  People and skills that can never be used as they stand."""

from __future__ import annotations

from collections.abc import Iterator

from router.linting.findings import Finding, Subject
from router.linting.needs import asks_in_turn, together
from router.linting.roster import Roster
from router.linting.week import ALL, minutes_of
from router.nouns import CHANNELS


def capacity_findings(subject: Subject, roster: Roster) -> Iterator[Finding]:
    centre = subject.centre
    useful, asked = 0, {skill for needs in centre.language_needs.values() for skill in needs}
    for topic in centre.topics:
        for municipality in centre.municipalities:
            for needs in asks_in_turn(centre, topic, together(topic.needs, municipality.needs)):
                useful |= roster.able(needs)
                asked |= needs.keys()
    used = 0
    for channel in CHANNELS:
        used |= roster.on(channel)
    for n in roster.each(roster.everybody & ~(useful & used)):
        why = "meets what no topic asks" if useful >> n & 1 == 0 else "has room for nothing"
        yield Finding(
            "warning",
            "agent_without_work",
            "agents.toml",
            f"agents[{n + 1}]",
            f"{roster.agents[n].id} {why}, and is never offered anything",
            "give them a skill that a topic asks (and the level), or room for a channel",
        )
    yield from _never_there(subject, roster)
    yield from _own_combinations(subject)
    for n, skill in enumerate(centre.skills, 1):
        if skill not in asked:
            yield Finding(
                "advice",
                "skill_unasked",
                "agents.toml",
                f"skills[{n}]",
                f'no topic, municipality or language asks "{skill}": who has it is asked no sooner for it',
                "let a topic ask it, or take it out",
            )


def _never_there(subject: Subject, roster: Roster) -> Iterator[Finding]:
    """Working hours that meet no open hour of any channel the agent can take."""
    all_hours = [municipality.hours for municipality in subject.centre.municipalities]
    open_minutes = {c: _united(minutes_of(hours.get(c)) for hours in all_hours) for c in CHANNELS}
    if all(minutes == ALL for minutes in open_minutes.values()):
        return
    for n, agent in enumerate(roster.agents):
        if agent.id not in subject.works:
            continue
        reachable = _united(minutes for channel, minutes in open_minutes.items() if roster.on(channel) >> n & 1)
        if not roster.works(n) & reachable:
            yield Finding(
                "warning",
                "agent_never_there",
                "agents.toml",
                f"agents[{n + 1}].works",
                f"whenever {agent.id} works, every channel that {agent.id} can take is closed",
                "correct the working hours, or the opening hours",
            )


def _own_combinations(subject: Subject) -> Iterator[Finding]:
    """Room of somebody's own for a channel of which nothing ever reaches them."""
    municipalities = subject.centre.municipalities
    closed = {c for c in CHANNELS if not any(minutes_of(m.hours.get(c)) for m in municipalities)}
    for n, agent in enumerate(subject.centre.agents, 1):
        own = {channel for one in agent.combinations for channel in one}
        if "phone" in own and not agent.endpoint:
            yield Finding(
                "warning",
                "phone_without_endpoint",
                "agents.toml",
                f"agents[{n}].combinations",
                f"{agent.id} has room for a call, and no telephone to ring: every call goes to others",
                'write endpoint = "a1", or take phone out of the combinations',
            )
        for channel in sorted(own & closed):
            yield Finding(
                "warning",
                "channel_never_open",
                "agents.toml",
                f"agents[{n}].combinations",
                f"{agent.id} has room for {channel}, which is closed at every hour in every municipality",
                f"write hours for {channel} in centre.toml, or take it out of the combinations",
            )


def _united(several: Iterator[int]) -> int:
    found = 0
    for minutes in several:
        found |= minutes
    return found
