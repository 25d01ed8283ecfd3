"""Crews: who can take from one lane, and who of them is free now, best first. Derived; kept up agent by agent."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Set

from router.nouns import Agent, Estimates, Queue
from router.queues.lanes import LaneKey
from router.skills.estimates import USUAL_SECONDS, level_chance, of_topic
from router.skills.matching import level_of, missing_skill
from router.skills.policies import Key, Rival, rival, static_score


class Crew:
    """The agents of one lane. `free` is exact at every moment; the heap behind it is cleaned when it is read."""

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
        "taken",
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
        self.reserves = (
            self.scored and queue.reserve_seconds > 0 and self.estimate is not None and self.estimate.reserve
        )
        """Whether waiting for a better agent may pay in this lane."""
        self.taken: dict[str, Rival] = {}
        """Where it may: those who are present but not free, and come free again."""
        self.rivals: list[Rival] = []
        """The same, best score first."""
        self.present: set[str] = set()
        """Members who are ready and connected, whatever they have in hand."""
        self.no_phone = 0
        """How many of the present lack the telephone that this lane asks."""
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

    def arrive(self, agent: Agent) -> None:
        """The agent is there from now on."""
        if agent.id in self.ranks:
            self.present.add(agent.id)
            self.no_phone += self.channel == "phone" and not agent.endpoint
        else:
            skill = missing_skill(agent, self.needs)
            self.missing[skill] = self.missing.get(skill, 0) + 1

    def leave(self, agent: Agent) -> None:
        """The agent is not there any more."""
        if agent.id in self.ranks:
            self.present.discard(agent.id)
            self.no_phone -= self.channel == "phone" and not agent.endpoint
        else:
            self.missing[missing_skill(agent, self.needs)] -= 1

    def put(self, agent: str, turn: int, occupancy: int) -> bool:
        """The agent is free, with this occupancy (1/10,000) so far; whether that is news."""
        key = (-self.score(agent, occupancy) if self.scored else self.ranks[agent], turn, agent)
        if self.free.get(agent) == key:
            return False
        self.free[agent] = key
        self._let_go(agent)
        heapq.heappush(self.order, key)
        if len(self.order) > 2 * len(self.free) + 64:
            self.order = list(self.free.values())
            heapq.heapify(self.order)
        return True

    def drop(self, agent: str, occupancy: int, comes_back: bool) -> bool:
        """The agent is not free, at this occupancy, and may come free again; whether it is news that they are not, or
        that nobody need wait for them any more."""
        hoped_for = agent in self.taken and not comes_back
        if self.reserves:
            self._let_go(agent)
            if comes_back:
                found = self.taken[agent] = rival(self.score(agent, occupancy), self.seconds[agent], agent)
                insort(self.rivals, found)
        return self.free.pop(agent, None) is not None or hoped_for

    def _let_go(self, agent: str) -> None:
        found = self.taken.pop(agent, None)
        if found is not None:
            del self.rivals[bisect_left(self.rivals, found)]

    def best(self, again_at: dict[str, int], now: int, only_outside: bool = False) -> str:
        """The best of the free who need not be left alone until later ("" = nobody)."""
        if only_outside:
            found = self.best_outside({agent for agent, again in again_at.items() if again > now})
            return found[0] if found else ""
        if again_at:
            found = self.top(1, {agent for agent, again in again_at.items() if again > now})
            return found[0] if found else ""
        order, free = self.order, self.free
        while order:
            key = order[0]
            if free.get(key[2]) == key:
                return key[2]
            heapq.heappop(order)
        return ""

    def best_outside(self, without: Set[str]) -> list[str]:
        """Those of the free who could take no live contact of the queue, but for those in `without`, best first."""
        return [key[2] for key in sorted(self.free[a] for a in self.outside if a in self.free and a not in without)]

    def top(self, many: int, without: Set[str]) -> list[str]:
        """The best `many` of the free, but for those in `without`, best first."""
        order, free = self.order, self.free
        if len(free) == 1 and order:
            return [agent for agent in free if agent not in without]
        found: list[str] = []
        taken: list[Key] = []
        while order and len(found) < many:
            key = heapq.heappop(order)
            if free.get(key[2]) == key and not (taken and taken[-1] == key):
                taken.append(key)
                if key[2] not in without:
                    found.append(key[2])
        for key in taken:
            heapq.heappush(order, key)
        return found

    def score(self, agent: str, occupancy: int) -> int:
        """The agent's score for this lane at this occupancy (1/10,000); meaningful for a scored lane."""
        return -self.ranks[agent] - self.queue.fairness_percent * occupancy // 100
