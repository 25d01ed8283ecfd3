"""PURE  Who may take what: skills and levels. Who is asked first is for the policies.

An agent suits a contact when every need is met by a level at least as high, there is room beside what is in hand
(`capacity`), and nothing personal stands in the way (presence, connection, asked before, kept for a colleague).
"""

from __future__ import annotations

from collections.abc import Mapping

from router.nouns import Agent


def missing_skill(agent: Agent, needs: Mapping[str, int]) -> str:
    """The first need (by name) that the agent does not meet, or ""."""
    for skill in sorted(needs):
        if agent.skills.get(skill, 0) < needs[skill]:
            return skill
    return ""


def level_of(agent: Agent, needs: Mapping[str, int]) -> int:
    """Sum of the agent's levels over the needs: the higher, the better the match."""
    return sum(agent.skills.get(skill, 0) for skill in needs)
