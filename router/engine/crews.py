"""Crews: who can take from one lane, and who of them is free now, best first. Derived; kept up agent by agent."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Set
from itertools import islice

from router.nouns import Agent, Estimates, Queue
from router.queues.lanes import LaneKey
from router.skills.estimates import USUAL_SECONDS, level_chance, of_topic
from router.skills.matching import level_of, missing_skill
from router.skills.policies import Key, static_score
from router.skills.rivals import Rivals


class Crew:
    """The agents of one lane."""

    __slots__ = (
        "chances",
        "channel",
        "estimate",
        "free",
        "key",
        "missing",
        "needs",
        "no_phone",
        "order",
        "outside",
        "present",
        "queue",
        "ranks",
        "reached",
        "reserves",
        "rivals",
        "seconds",
    )

    def __init__(self, key: LaneKey, queue: Queue, agents: Iterable[Agent], estimates: Estimates | None) -> None:
        self.key = key
        self.channel = key[0]
        self.needs = dict(key[1])
        self.queue = queue
        self.estimate = of_topic(estimates, key[2])
        self.ranks: dict[str, int] = {}
        """Agents who meet the needs -> rank by the queue's policy, lowest first."""
        self.chances: dict[str, int] = {}
        self.seconds: dict[str, int] = {}
        self.free: dict[str, Key] = {}
        """Of those, who can be offered something of this lane now."""
        self.outside: frozenset[str] = frozenset()
        """Members who could take no live contact of a queue that keeps agents free for those."""
        self.order: list[Key] = []
        """The keys of the free, best first."""
        self.reserves = (
            self.scored and queue.reserve_seconds > 0 and self.estimate is not None and self.estimate.reserve
        )
        """Whether waiting for a better agent may pay in this lane."""
        self.rivals = Rivals()
        """Where it may: those who are present but not free, and come free again."""
        self.present: set[str] = set()
        """Members who are ready and connected, whatever they have in hand."""
        self.no_phone: set[str] = set()
        """Those of the present who lack the telephone that this lane asks."""
        self.missing: dict[str, int] = {}
        """Skill -> how many who are present, but no members, lack it."""
        self.reached = {} if estimates is None else estimates.prices
        for agent in agents:
            if not missing_skill(agent, self.needs):
                self._join(agent)

    def _join(self, agent: Agent) -> None:
        if self.queue.policy == "longest-idle":
            self.ranks[agent.id] = 0
        elif self.queue.policy == "skill-level":
            self.ranks[agent.id] = -level_of(agent, self.needs)
        else:
            known = self.estimate
            chance = known.chance.get(agent.id) if known else None
            self.chances[agent.id] = level_chance(agent, self.needs) if chance is None else chance
            self.seconds[agent.id] = known.seconds.get(agent.id, USUAL_SECONDS) if known else USUAL_SECONDS
            price = self.reached.get(agent.id, 0)
            self.ranks[agent.id] = -static_score(self.chances[agent.id], price, self.seconds[agent.id])

    @property
    def scored(self) -> bool:
        return self.queue.policy == "resolution"

    def arrive(self, agent: Agent, no_phone: bool) -> None:
        """The agent is there from now on, with or without the telephone that this lane asks."""
        if agent.id in self.ranks:
            self.present.add(agent.id)
            if no_phone:
                self.no_phone.add(agent.id)
        else:
            skill = missing_skill(agent, self.needs)
            self.missing[skill] = self.missing.get(skill, 0) + 1

    def leave(self, agent: Agent) -> None:
        """The agent is not there any more."""
        if agent.id in self.ranks:
            self.present.discard(agent.id)
            self.no_phone.discard(agent.id)
        else:
            self.missing[missing_skill(agent, self.needs)] -= 1

    def put(self, agent: str, turn: int, occupancy: int) -> bool:
        """The agent is free, with this occupancy (1/10,000) so far; whether that is news."""
        key = (-self.score(agent, occupancy) if self.scored else self.ranks[agent], turn, agent)
        if self.free.get(agent) == key:
            return False
        self._take_out(agent)
        self.free[agent] = key
        insort(self.order, key)
        self.rivals.drop(agent)
        return True

    def drop(self, agent: str, occupancy: int, comes_back: bool) -> bool:
        """The agent is not free, at this occupancy, and may come free again; whether it is news that they are not, or
        that nobody need wait for them any more."""
        hoped_for = agent in self.rivals and not comes_back
        if self.reserves and comes_back:
            self.rivals.put(agent, self.score(agent, occupancy), self.seconds[agent])
        else:
            self.rivals.drop(agent)
        return self._take_out(agent) or hoped_for

    def _take_out(self, agent: str) -> bool:
        """Out of the free; whether the agent was one of them."""
        key = self.free.pop(agent, None)
        if key is not None:
            del self.order[bisect_left(self.order, key)]
        return key is not None

    def best(self, again_at: dict[str, int], now: int, only_outside: bool = False) -> str:
        """The best of the free who need not be left alone until later ("" = nobody)."""
        if only_outside:
            found = self.best_outside({agent for agent, again in again_at.items() if again > now})
            return found[0] if found else ""
        for _, _, agent in self.order:
            if again_at.get(agent, 0) <= now:
                return agent
        return ""

    def best_outside(self, without: Set[str]) -> list[str]:
        """Those of the free who could take no live contact of the queue, but for those in `without`, best first."""
        return [key[2] for key in sorted(self.free[a] for a in self.outside if a in self.free and a not in without)]

    def top(self, many: int, without: Set[str]) -> list[str]:
        """The best `many` of the free, but for those in `without`, best first."""
        return list(islice((agent for _, _, agent in self.order if agent not in without), many))

    def score(self, agent: str, occupancy: int) -> int:
        """The agent's score for this lane at this occupancy (1/10,000); meaningful for a scored lane."""
        return -self.ranks[agent] - self.queue.fairness_percent * occupancy // 100
