"""PURE  The learner: from outcomes to estimates. It runs outside the engine; what it finds enters as one fact.

Every chance is drawn towards what is known more surely: a person's on a topic towards the person's own and the level's,
a level's on a topic towards the level's over all topics, and that towards what the levels stand for. The more outcomes,
the less is drawn. `off` uses no outcomes at all, `team` none of a single person's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from router.nouns import Agent, Centre, Estimates, TopicEstimate
from router.skills.estimates import LEVEL_CHANCES, USUAL_SECONDS, level_for, takers
from router.skills.prices import prices

LEVEL_PRIOR = 100
"""Outcomes that a level's name is worth."""
TOPIC_PRIOR = 60
PERSON_PRIOR = 40
PAIR_PRIOR = 80
"""Outcomes that the wider mean is worth against a level's on a topic, a person's, and a person's on a topic."""
SECONDS_PRIOR = 40
RESERVE_ANSWERED_MIN = 300
"""Fewer outcomes on a topic prove nothing about who settles it better."""
RESERVE_SPREAD_MIN = 0.05
"""Where the chances of those who take a topic differ less (standard deviation), nobody is worth waiting for."""
ABANDON_COST_MIN, ABANDON_COST_FIRST, ABANDON_COST_MAX = 0.15, 1.0, 50.0
"""What a lost citizen weighs against a settled contact: at least, before anything is known, at most."""
LOSS_PER_WORK, LOSS_KEPT = 5.5, 0.67
"""One hundredth less work, and about five hundredths fewer give up (measured at loads from 0.5 to 0.95); of a second
that a contact is kept, about two thirds come on top of its wait."""
QUANTILE_80 = 1.2816
"""Of the normal law: four fifths lie within so many standard deviations."""
PATIENCE_PRIOR = (20.0, 3600.0)
"""Citizens who gave up and seconds waited that are supposed before any was seen: a mean of 180 s."""


@dataclass(slots=True)
class Tally:
    """Outcomes added up."""

    answered: int = 0
    resolved: int = 0
    seconds: float = 0.0

    def add(self, resolved: bool, seconds: float) -> None:
        self.answered += 1
        self.resolved += resolved
        self.seconds += seconds


@dataclass(slots=True)
class Learner:
    """What has been seen so far. Feed it outcomes day by day, then ask `learn`."""

    centre: Centre
    pairs: dict[tuple[str, str], Tally] = field(default_factory=dict)
    """(topic, agent) -> outcomes."""
    demand: dict[str, int] = field(default_factory=dict)
    """Topic -> contacts that came."""
    worked_seconds: dict[str, float] = field(default_factory=dict)
    """Agent -> time signed on."""
    waited_seconds: float = 0.0
    gave_up: int = 0
    abandon_cost: float = ABANDON_COST_FIRST
    work_before: float = 0.0
    """Seconds of work a question took before `resolution` was switched on; 0 = not known."""
    _questions: int = 0
    _work_seconds: float = 0.0
    """Since the policy last changed."""
    _gave_up_lately: int = 0
    _kept_seconds: float = 0.0
    """Since estimates were last made."""

    def answered(
        self, topic: str, agent: str, resolved: bool, seconds: float, waited_seconds: float, repeat: bool = False
    ) -> None:
        """A contact was handled; `resolved` is what is known of it now, `repeat` that it asks the same once more."""
        self.pairs.setdefault((topic, agent), Tally()).add(resolved, seconds)
        self._came(topic, waited_seconds)
        self._questions += not repeat
        self._work_seconds += seconds

    def corrected(self, topic: str, agent: str, resolved: bool) -> None:
        """An outcome that was taken in the other way turns out to be `resolved` after all, or not."""
        self.pairs[topic, agent].resolved += 1 if resolved else -1

    def forget(self, old: Learner) -> None:
        """Take out what another learner has seen, a long time ago. What the policy saves stays as it is."""
        for pair, tally in old.pairs.items():
            mine = self.pairs[pair]
            mine.answered -= tally.answered
            mine.resolved -= tally.resolved
            mine.seconds -= tally.seconds
            if not mine.answered:
                del self.pairs[pair]
        for topic, count in old.demand.items():
            self.demand[topic] -= count
        for agent, seconds in old.worked_seconds.items():
            self.worked_seconds[agent] -= seconds
        self.waited_seconds -= old.waited_seconds
        self.gave_up -= old.gave_up

    def copied(self) -> Learner:
        """As it is now, to `learn` from while this one goes on."""
        pairs = {pair: replace(tally) for pair, tally in self.pairs.items()}
        return replace(self, pairs=pairs, demand=dict(self.demand), worked_seconds=dict(self.worked_seconds))

    def published(self, estimates: Estimates) -> None:
        """These estimates are in force now: where a learner that starts anew goes on from."""
        self.abandon_cost = estimates.abandon_cost / 10_000
        self._kept_seconds, self._gave_up_lately = 0.0, 0

    def abandoned(self, topic: str, waited_seconds: float) -> None:
        """A citizen gave up waiting."""
        self._came(topic, waited_seconds)
        self.gave_up += 1
        self._gave_up_lately += 1

    def reserved(self, seconds: float) -> None:
        """A contact was kept for a better agent for this long."""
        self._kept_seconds += seconds

    def policy_begins(self) -> None:
        """What was seen up to now is how it went without `resolution`; what it saves is measured from here on."""
        self.work_before = self._work_seconds / self._questions if self._questions else 0.0
        self._questions, self._work_seconds, self._kept_seconds, self._gave_up_lately = 0, 0.0, 0.0, 0

    def worked(self, agent: str, seconds: float) -> None:
        """The agent was signed on for this long."""
        self.worked_seconds[agent] = self.worked_seconds.get(agent, 0.0) + seconds

    def _came(self, topic: str, waited_seconds: float) -> None:
        self.demand[topic] = self.demand.get(topic, 0) + 1
        self.waited_seconds += waited_seconds

    @property
    def patience_seconds(self) -> float:
        """Mean time to giving up, of an exponential law: all waiting, divided by those who gave up."""
        gave_up, waited = PATIENCE_PRIOR
        return (self.waited_seconds + waited) / (self.gave_up + gave_up)

    def learn(self, basis: str) -> Estimates:
        """The estimates that rest on `basis` (off, team or person). Same outcomes: same estimates."""
        self._steer()
        chances: dict[str, dict[str, float]] = {}
        seconds: dict[str, dict[str, float]] = {}
        people = _People(self) if basis != "off" else None
        for topic in self.centre.topics:
            staff = takers(self.centre, topic)
            usual = self._topic_seconds(topic.id)
            if people is None:
                chances[topic.id] = {a.id: LEVEL_CHANCES[level_for(a, topic.needs)] / 10_000 for a in staff}
                seconds[topic.id] = {a.id: usual for a in staff}
            else:
                pairs = {a.id: people.pair(topic.id, a, topic.needs, usual, basis) for a in staff}
                chances[topic.id] = {id: chance for id, (chance, _) in pairs.items()}
                seconds[topic.id] = {id: taken for id, (_, taken) in pairs.items()}
        agents, topics = self._prices(chances, seconds)
        return Estimates(
            basis,
            {
                topic: TopicEstimate(
                    {id: round(10_000 * chance) for id, chance in row.items()},
                    {id: max(1, round(taken)) for id, taken in seconds[topic].items()},
                    {id: self._pair(topic, id).answered for id in row} if basis == "person" else {},
                    round(10_000 * (topics.get(topic, 1.0) - 1.0)),
                    basis != "off" and self.work_before > 0 and self._worth_reserving(topic, row),
                    *(people.behind(topic, row, basis) if people else ()),
                )
                for topic, row in chances.items()
            },
            {id: round(1_000_000 * price) for id, price in agents.items()},
            max(1, round(self.patience_seconds)),
            round(10_000 * self.abandon_cost),
        )

    def _pair(self, topic: str, agent: str) -> Tally:
        return self.pairs.get((topic, agent)) or Tally()

    def _topic_seconds(self, topic: str) -> float:
        own = [tally for (t, _), tally in self.pairs.items() if t == topic]
        answered = sum(t.answered for t in own)
        return (sum(t.seconds for t in own) + SECONDS_PRIOR * USUAL_SECONDS) / (answered + SECONDS_PRIOR)

    @property
    def saved(self) -> float:
        """Share of the work a question took before that it no longer takes: quicker agents, fewer who come back."""
        if not self.work_before or not self._questions:
            return 0.0
        return max(0.0, 1 - self._work_seconds / self._questions / self.work_before)

    def _steer(self) -> None:
        """Reservations may lose as many as the saved work keeps, no more: dearer above that, cheaper again below."""
        if self._questions and self.work_before:
            fewer = LOSS_PER_WORK * self.saved
            allowed = fewer / LOSS_KEPT / (1 + fewer) * self._gave_up_lately
            lost = self._kept_seconds / self.patience_seconds
            # One citizen more on both sides and the root: a few who gave up one day prove little.
            factor = min(2.0, max(0.7, math.sqrt((lost + 1) / (allowed + 1))))
            self.abandon_cost = min(ABANDON_COST_MAX, max(ABANDON_COST_MIN, self.abandon_cost * factor))
        self._kept_seconds, self._gave_up_lately = 0.0, 0

    def _prices(
        self, chances: Mapping[str, Mapping[str, float]], seconds: Mapping[str, Mapping[str, float]]
    ) -> tuple[dict[str, float], dict[str, float]]:
        hours = max(self.worked_seconds.values(), default=0.0)
        if not hours:
            return {}, {}
        demand = {topic.id: self.demand.get(topic.id, 0) / hours for topic in self.centre.topics}
        capacity = {a.id: self.worked_seconds.get(a.id, 0.0) / hours for a in self.centre.agents}
        return prices(chances, seconds, demand, {a: share for a, share in capacity.items() if share > 0})

    def _worth_reserving(self, topic: str, chances: Mapping[str, float]) -> bool:
        answered = sum(t.answered for (name, _), t in self.pairs.items() if name == topic)
        if answered < RESERVE_ANSWERED_MIN or len(chances) < 2:
            return False
        mean = sum(chances.values()) / len(chances)
        return math.sqrt(sum((c - mean) ** 2 for c in chances.values()) / len(chances)) >= RESERVE_SPREAD_MIN


class _People:
    """The means that single outcomes are drawn towards: per level, per level and topic, per person."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._levels: dict[int, Tally] = {}
        self._topics: dict[tuple[str, int], Tally] = {}
        agents = {a.id: a for a in learner.centre.agents}
        topics = {t.id: t for t in learner.centre.topics}
        for (topic, agent), tally in learner.pairs.items():
            if agent in agents and topic in topics:
                level = level_for(agents[agent], topics[topic].needs)
                for sums in (
                    self._levels.setdefault(level, Tally()),
                    self._topics.setdefault((topic, level), Tally()),
                ):
                    sums.answered += tally.answered
                    sums.resolved += tally.resolved
                    sums.seconds += tally.seconds
        self._offsets: dict[str, tuple[float, float]] = {}

    def level(self, topic: str, level: int, usual: float) -> tuple[float, float]:
        """Chance and seconds of this level on this topic."""
        every, own = self._levels.get(level, Tally()), self._topics.get((topic, level), Tally())
        supposed = LEVEL_CHANCES.get(level, LEVEL_CHANCES[1]) / 10_000
        wide = (every.resolved + LEVEL_PRIOR * supposed) / (every.answered + LEVEL_PRIOR)
        chance = (own.resolved + TOPIC_PRIOR * wide) / (own.answered + TOPIC_PRIOR)
        return chance, (own.seconds + SECONDS_PRIOR * usual) / (own.answered + SECONDS_PRIOR)

    def pair(self, topic: str, agent: Agent, needs: dict[str, int], usual: float, basis: str) -> tuple[float, float]:
        """Chance and seconds of this person on this topic; of their level alone when `basis` is team."""
        chance, seconds = self.level(topic, level_for(agent, needs), usual)
        if basis != "person":
            return chance, seconds
        better, faster = self._offset(agent)
        own = self._learner._pair(topic, agent.id)
        chance = (own.resolved + PAIR_PRIOR * (chance + better)) / (own.answered + PAIR_PRIOR)
        seconds = (own.seconds + SECONDS_PRIOR * seconds * faster) / (own.answered + SECONDS_PRIOR)
        return min(0.99, max(0.01, chance)), seconds

    def behind(self, topic: str, chances: Mapping[str, float], basis: str) -> tuple[dict[str, int], dict[str, int]]:
        """How sure the chances of one topic are: half an 80% interval per agent (1/10,000), and outcomes per level.

        Outcomes and what the wider mean is worth count alike; that the wider mean is itself uncertain is left out.
        """
        found = next(t for t in self._learner.centre.topics if t.id == topic)
        levels = {a.id: level_for(a, found.needs) for a in self._learner.centre.agents if a.id in chances}
        answered = {level: self._topics.get((topic, level), Tally()).answered for level in levels.values()}
        margin = {}
        for id, chance in chances.items():
            one = basis == "person"
            weight = self._learner._pair(topic, id).answered + PAIR_PRIOR if one else answered[levels[id]] + TOPIC_PRIOR
            margin[id] = round(10_000 * QUANTILE_80 * math.sqrt(chance * (1 - chance) / (weight + 1)))
        return margin, {str(level): answered[level] for level in sorted(answered)}

    def _offset(self, agent: Agent) -> tuple[float, float]:
        """How far the person lies from their levels: chance above them, and handling time as a share of theirs."""
        if agent.id not in self._offsets:
            answered, above, taken, expected = 0, 0.0, 0.0, 0.0
            for topic in self._learner.centre.topics:
                own = self._learner.pairs.get((topic.id, agent.id))
                if own is not None:
                    chance, seconds = self.level(topic.id, level_for(agent, topic.needs), USUAL_SECONDS)
                    answered += own.answered
                    above += own.resolved - own.answered * chance
                    taken += own.seconds
                    expected += own.answered * seconds
            prior = SECONDS_PRIOR * USUAL_SECONDS
            self._offsets[agent.id] = above / (answered + PERSON_PRIOR), (taken + prior) / (expected + prior)
        return self._offsets[agent.id]
