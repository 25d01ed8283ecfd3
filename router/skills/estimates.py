"""PURE  What the matcher goes by: the published estimates where the configuration allows them, levels where not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from router.nouns import LEARNING, Agent, Centre, Estimates, Topic, TopicEstimate
from router.skills.matching import missing_skill

LEVEL_CHANCES: dict[int, int] = {1: 5_000, 2: 5_800, 3: 6_600, 4: 7_400, 5: 8_200}
"""Level -> chance of settling it in one go, in 1/10,000, where nothing was measured: eight points a level."""
USUAL_SECONDS = 300
"""Handling time of a topic of which nothing is known."""


def level_for(agent: Agent, needs: dict[str, int]) -> int:
    """The agent's lowest level over the needs: a chain is as strong as its weakest link. 3 when nothing is needed."""
    return min((agent.skills.get(skill, 0) for skill in needs), default=3)


def level_chance(agent: Agent, needs: dict[str, int]) -> int:
    return LEVEL_CHANCES.get(level_for(agent, needs), LEVEL_CHANCES[1])


def allowed(centre: Centre, basis: str) -> bool:
    """Whether the municipality lets estimates rest on this much."""
    wanted = centre.learning if centre.learning != "person" or centre.learning_reason.strip() else "team"
    return basis in LEARNING and wanted in LEARNING and LEARNING.index(basis) <= LEARNING.index(wanted)


def in_force(centre: Centre, estimates: Estimates | None, off: Collection[tuple[str, str]] = ()) -> Estimates | None:
    """The estimates that may be used now: what rests on more than is allowed is not, nor what is switched `off`.

    `off` holds (topic, agent): ("", "") is all of them, (topic, "") the whole topic. What is left out is made up for
    by the level's chance, and by the topic's mean time or the usual one.
    """
    if estimates is None or not allowed(centre, estimates.basis) or ("", "") in off:
        return None
    if not off:
        return estimates
    topics = {id: _without(one, {a for t, a in off if t == id}) for id, one in estimates.topics.items()}
    return replace(estimates, topics={id: one for id, one in topics.items() if (id, "") not in off})


def _without(topic: TopicEstimate, agents: set[str]) -> TopicEstimate:
    if not agents:
        return topic
    mean = sum(topic.seconds.values()) // max(1, len(topic.seconds)) or USUAL_SECONDS
    return replace(
        topic,
        chance={a: chance for a, chance in topic.chance.items() if a not in agents},
        seconds={a: mean if a in agents else seconds for a, seconds in topic.seconds.items()},
    )


def takers(centre: Centre, topic: Topic) -> list[Agent]:
    """Who meets the topic's own needs."""
    return [agent for agent in centre.agents if not missing_skill(agent, topic.needs)]


def of_topic(estimates: Estimates | None, topic: str) -> TopicEstimate | None:
    return estimates.topics.get(topic) if estimates else None
