"""PURE  Who may take what: skills and levels, room for one more. Who is asked first is for the policies.

An agent suits a contact when every need is met by a level at least as high, the channel's slots and combinations leave
room, and nothing personal stands in the way (presence, connection, asked before, kept for a colleague).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from router.nouns import Agent, ChannelRules


def missing_skill(agent: Agent, needs: Mapping[str, int]) -> str:
    """The first need (by name) that the agent does not meet, or ""."""
    for skill in sorted(needs):
        if agent.skills.get(skill, 0) < needs[skill]:
            return skill
    return ""


def level_of(agent: Agent, needs: Mapping[str, int]) -> int:
    """Sum of the agent's levels over the needs: the higher, the better the match."""
    return sum(agent.skills.get(skill, 0) for skill in needs)


def slots_of(agent: Agent, rules: Mapping[str, ChannelRules], channel: str) -> int:
    """How many contacts of the channel this agent may have at once."""
    rule = rules.get(channel)
    return agent.slots.get(channel, rule.slots if rule else 0)


def has_room(agent: Agent, rules: Mapping[str, ChannelRules], channel: str, in_hand: Iterable[str]) -> bool:
    """Whether one more contact of `channel` fits beside those in hand (given by their channels)."""
    held = list(in_hand)
    if held.count(channel) >= slots_of(agent, rules, channel):
        return False
    apart = rules[channel].not_with if channel in rules else ()
    return not any(other in apart or (other in rules and channel in rules[other].not_with) for other in held)
