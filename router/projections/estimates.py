"""Read model: the estimates in force, with the numbers they rest on, and which of them are switched off by whom."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from router.engine import facts
from router.nouns import Agent, Centre, Estimates, Topic, TopicEstimate
from router.port import Numbered
from router.skills.estimates import allowed, level_chance, level_for, takers


class Estimate(msgspec.Struct, frozen=True):
    """What is expected of one agent on a topic, or of everybody at a level; chances in 1/10,000."""

    agent: str
    """Empty: of a level, in which nobody is looked at by themselves."""
    level: int
    agents: int
    """How many it is about."""
    chance: int
    """That a contact is settled in one go: what the matcher goes by."""
    low: int
    high: int
    """The chance lies between these with 80% certainty; both equal to it where nothing was measured."""
    answered: int
    """Number of outcomes it rests on."""
    seconds: int
    """Handling time, wrap-up included."""
    on: bool
    """False: switched off, so that `chance` is what the level stands for."""


class TopicEstimates(msgspec.Struct, frozen=True):
    """One topic."""

    topic: str
    queue: str
    price: int
    """What one more contact of the topic would add with everybody's time at its price, in 1/10,000."""
    reserve: bool
    """Waiting for a better agent can pay here."""
    on: bool
    estimates: list[Estimate]
    """Highest level first, then by name."""


class SwitchedOff(msgspec.Struct, frozen=True):
    """What was switched off, by whom and when; `topic` empty: all, `agent` empty: everybody's."""

    topic: str
    agent: str
    by: str
    at: int
    why: str


class EstimateList(msgspec.Struct, frozen=True):
    """Everything the matcher expects (protocol 3.5)."""

    learning: str
    """What the configuration allows: off, team or person."""
    learning_reason: str
    basis: str
    """What these rest on; empty when none are in force."""
    version: str
    published_at: int
    on: bool
    """False: all of them are switched off."""
    topics: list[TopicEstimates]
    off: list[SwitchedOff]


@dataclass(frozen=True, slots=True)
class Switch:
    """Who switched something off."""

    by: str
    at: int
    why_ref: str


@dataclass(slots=True)
class EstimateView:
    """Folds the configuration, the estimates and the switches."""

    centre: Centre
    position: int = 0
    estimates: Estimates | None = None
    version: str = ""
    published_at: int = 0
    off: dict[tuple[str, str], Switch] = field(default_factory=dict)
    """(topic, agent) -> who switched it off; ("", "") = all, (topic, "") = everybody's."""

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        match numbered.fact:
            case facts.CentreConfigured(centre=centre):
                self.centre = centre
            case facts.EstimatesPublished(estimates=estimates, version=version):
                self.estimates, self.version, self.published_at = estimates, version, numbered.at
            case facts.EstimatesSwitched(topic=topic, agent=agent, on=True):
                self.off.pop((topic, agent), None)
            case facts.EstimatesSwitched(topic=topic, agent=agent, by=by, why_ref=why_ref):
                self.off[topic, agent] = Switch(by, numbered.at, why_ref)
            case _:
                pass

    def view(self, whys: dict[str, str], agent: str = "") -> EstimateList:
        """All of it, or what concerns one agent alone. `whys` holds the reasons by their reference."""
        known = self.estimates if self.estimates and allowed(self.centre, self.estimates.basis) else None
        on = ("", "") not in self.off
        topics = [self._topic(topic, known, on, agent) for topic in self.centre.topics]
        return EstimateList(
            learning=self.centre.learning,
            learning_reason=self.centre.learning_reason,
            basis=known.basis if known else "",
            version=self.version,
            published_at=self.published_at,
            on=on,
            topics=[topic for topic in topics if topic.estimates],
            off=[
                SwitchedOff(topic, who, switch.by, switch.at, whys.get(switch.why_ref, ""))
                for (topic, who), switch in sorted(self.off.items())
                if not agent or who in ("", agent)
            ],
        )

    def _topic(self, topic: Topic, known: Estimates | None, all_on: bool, agent: str) -> TopicEstimates:
        estimate = known.topics.get(topic.id) if known else None
        on = all_on and (topic.id, "") not in self.off
        staff = takers(self.centre, topic)
        rows = [[one] for one in staff] if known and known.basis == "person" else _levels(topic, staff)
        mine = [members for members in rows if not agent or any(one.id == agent for one in members)]
        shown = [self._row(topic, members, estimate, on) for members in mine]
        return TopicEstimates(
            topic=topic.id,
            queue=topic.queue,
            price=estimate.price if estimate and on else 0,
            reserve=bool(estimate and estimate.reserve and on),
            on=on,
            estimates=sorted(shown, key=lambda row: (-row.level, row.agent)),
        )

    def _row(self, topic: Topic, members: list[Agent], estimate: TopicEstimate | None, on: bool) -> Estimate:
        one, level = members[0], level_for(members[0], topic.needs)
        person = estimate is not None and bool(estimate.answered)
        on = on and not (person and (topic.id, one.id) in self.off)
        used = estimate if estimate and on and one.id in estimate.chance else None
        chance = used.chance[one.id] if used else level_chance(one, topic.needs)
        answered = 0
        if estimate is not None:
            answered = estimate.answered.get(one.id, 0) if person else estimate.level_answered.get(str(level), 0)
        margin = used.margin.get(one.id, 0) if used and answered else 0
        return Estimate(
            agent=one.id if person else "",
            level=level,
            agents=len(members),
            chance=chance,
            low=max(0, chance - margin),
            high=min(10_000, chance + margin),
            answered=answered,
            seconds=estimate.seconds.get(one.id, 0) if estimate else 0,
            on=on,
        )


def _levels(topic: Topic, staff: list[Agent]) -> list[list[Agent]]:
    """Who is alike as far as the estimates know: one row a level."""
    levels: dict[int, list[Agent]] = {}
    for agent in staff:
        levels.setdefault(level_for(agent, topic.needs), []).append(agent)
    return list(levels.values())
