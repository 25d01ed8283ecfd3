"""Who works: agents made from a roster's rule and a seed, with what the engine sees of them and what it does not."""

from __future__ import annotations

import math
import random

from router.simulation.workload import Person, Roster, Workload


def make_roster(workload: Workload, seed: int) -> tuple[Person, ...]:
    """The people of one roster. The same seed gives the same people."""
    roster = workload.roster
    if roster.rule == "listed":
        return roster.people
    dice = random.Random(f"roster {seed}")
    skills = _cyclic(workload) if roster.rule == "cyclic" else _by_shares(workload, dice)
    return tuple(_person(n, own, roster, dice) for n, own in enumerate(skills, 1))


def _by_shares(workload: Workload, dice: random.Random) -> list[list[str]]:
    """First skills follow the shares of work; the number of skills and the further ones are drawn."""
    roster = workload.roster
    topics = [t.id for t in workload.topics]
    works = [t.share * t.seconds / workload.mean_seconds for t in workload.topics]
    first = [topic for topic, work in zip(topics, works, strict=True) for _ in range(_seats(work, roster.agents))]
    first = (first + [topics[0]] * roster.agents)[: roster.agents]
    dice.shuffle(first)
    made = []
    for primary in first:
        many = dice.choices(range(1, len(roster.skills) + 1), roster.skills)[0]
        own = [primary]
        while len(own) < min(many, len(topics)):
            more = dice.choices(topics, works)[0]
            if more not in own:
                own.append(more)
        made.append(own)
    return made


def _seats(work: float, agents: int) -> int:
    return max(1, round(work * agents))


def _cyclic(workload: Workload) -> list[list[str]]:
    """Equal groups by first skill; the further skills of the agents in a group are the next ones in turn."""
    roster = workload.roster
    topics = [t.id for t in workload.topics]
    many = max(range(len(roster.skills)), key=lambda n: roster.skills[n]) + 1
    made = []
    for n in range(roster.agents):
        primary, turn = n % len(topics), n // len(topics)
        others = [topics[(primary + 1 + (turn + k) % (len(topics) - 1)) % len(topics)] for k in range(len(topics) - 1)]
        made.append([topics[primary], *others[: many - 1]])
    return made


def _person(number: int, skills: list[str], roster: Roster, dice: random.Random) -> Person:
    better, pace = dice.gauss(0, roster.agent_spread), math.exp(dice.gauss(0, roster.pace_spread))
    chance, paces = {}, {}
    for rank, topic in enumerate(skills):
        drawn = roster.chances[rank] + better + dice.gauss(0, roster.pair_spread)
        chance[topic] = min(roster.most, max(roster.least, drawn))
        paces[topic] = pace * roster.paces[rank]
    levels = {topic: roster.levels[rank] for rank, topic in enumerate(skills)}
    return Person(f"a{number}", levels, chance, paces)
