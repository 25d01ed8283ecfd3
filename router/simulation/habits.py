"""How people would have done otherwise: patience, reaction, handling time and resolution of what was not recorded.

Used by a rerun where a contact leaves its recorded path. What chance decides is drawn per contact, so that every
configuration meets the same citizens; a recorded outcome bounds the draw: who was settled by an agent with chance p had
luck below p, and who was not had luck above it.
"""

from __future__ import annotations

import random
from collections import deque
from statistics import fmean, median

from router.nouns import LEARNING, LIVE_CHANNELS, Agent, Centre, Estimates
from router.simulation.tape import Story, Turn
from router.skills.estimates import USUAL_SECONDS, allowed, level_chance
from router.skills.learner import PATIENCE_PRIOR, Learner, Tally

USUAL_REACTION_MS = 2_000
USUAL_MS = (1000 * USUAL_SECONDS,)
TAKEN_KEPT = 1_000


class Habits:
    """Watches the record (`ended`, story by story), then answers what somebody would have done (after `judge_by`)."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], Tally] = {}
        """(topic, agent) -> outcomes."""
        self._waited: dict[str, float] = {}
        self._gave_up: dict[str, int] = {}
        self._taken: dict[str, deque[int]] = {}
        """Topic -> ms of work, of the most recent contacts."""
        self._agents: dict[str, Agent] = {}
        self._needs: dict[str, dict[str, int]] = {}
        self._estimates = Estimates("off", {})

    # -- watching -------------------------------------------------------------------------------------------------

    def ended(self, story: Story) -> None:
        """Learn from a contact that has come to its end."""
        if story.channel in LIVE_CHANNELS:
            waited = ((story.answered_at or story.ended_at) - story.received_at) / 1000
            self._waited[story.channel] = self._waited.get(story.channel, 0.0) + waited
            self._gave_up[story.channel] = self._gave_up.get(story.channel, 0) + (not story.turns)
        for turn in story.turns:
            spent = turn.talk_ms + turn.wrap_ms
            self._taken.setdefault(turn.topic, deque(maxlen=TAKEN_KEPT)).append(spent)
            settled = False if turn.handed_over else turn.resolved
            if settled is not None:
                self._pairs.setdefault((turn.topic, turn.agent), Tally()).add(settled, spent / 1000)

    def judge_by(self, centre: Centre) -> None:
        """Chances and handling times rest on what this configuration allows: levels, or outcomes."""
        self._agents = {a.id: a for a in centre.agents}
        self._needs = {t.id: t.needs for t in centre.topics}
        basis = next(basis for basis in reversed(LEARNING) if allowed(centre, basis))
        self._estimates = Learner(centre, self._pairs).learn(basis)

    @property
    def basis(self) -> str:
        return self._estimates.basis

    def patience(self) -> dict[str, float]:
        """Live channel -> mean patience in seconds, of those on which anything was seen."""
        return {channel: self.patience_seconds(channel) for channel in self._waited}

    def patience_seconds(self, channel: str) -> float:
        """Mean time to giving up: all waiting of the channel divided by those who gave up (exponential, censored)."""
        gave_up, waited = PATIENCE_PRIOR
        return (self._waited.get(channel, 0.0) + waited) / (self._gave_up.get(channel, 0) + gave_up)

    # -- answering ------------------------------------------------------------------------------------------------

    def leaves_at(self, story: Story) -> int | None:
        """When a waiting citizen gives up who did not in the record; None = never, or the record says when itself."""
        if story.channel not in LIVE_CHANNELS or (story.ended_at and not story.turns):
            return None
        more = self._dice("patience", story.id).expovariate(1 / self.patience_seconds(story.channel))
        return (story.answered_at or story.received_at) + round(1000 * more)

    def reaction_ms(self, reactions: dict[str, list[int]], agent: str) -> int:
        """From offer to acceptance: the agent's own median, or everybody's."""
        own = reactions.get(agent) or [ms for known in reactions.values() for ms in known]
        return round(median(own)) if own else USUAL_REACTION_MS

    def turn(self, story: Story, number: int, topic: str, agent: str) -> Turn:
        """How the agent's turn (0, 1, 2 …) with this contact goes: talk, wrap-up, and whether it is settled."""
        if number >= len(story.turns):
            spent = self._dice(f"work {number}", story.id).choice(self._taken.get(topic) or USUAL_MS)
            settled = self._dice(f"luck {number}", story.id).random() < self.chance(topic, agent)
            return Turn(agent, topic, 0, max(1, spent), 0, None, settled, closed=True)
        known = story.turns[number]
        if known.agent == agent:
            return known
        slower = self._seconds(topic, agent) / self._seconds(topic, known.agent)
        talk, wrap = max(1, round(known.talk_ms * slower)), round(known.wrap_ms * slower)
        outcome = False if known.handed_over else known.resolved
        if outcome is None:
            return Turn(agent, topic, 0, talk, wrap, None, None, known.closed)
        settled = self._luck(story, number, topic, known, outcome) < self.chance(topic, agent)
        return Turn(agent, topic, 0, talk, wrap, None if settled else known.handed_over, settled, closed=True)

    def _luck(self, story: Story, number: int, topic: str, known: Turn, settled: bool) -> float:
        """The citizen's luck, from 0 (any agent settles it) to 1 (none does), as far as the record tells it."""
        draw, chance = self._dice(f"luck {number}", story.id).random(), self.chance(topic, known.agent)
        return draw * chance if settled else chance + draw * (1 - chance)

    def chance(self, topic: str, agent: str) -> float:
        """That the agent settles a contact of this topic, by what the configuration lets estimates rest on."""
        known = self._estimates.topics.get(topic)
        found = known.chance.get(agent) if known else None
        if found is None and agent in self._agents:
            found = level_chance(self._agents[agent], self._needs.get(topic, {}))
        return (5_000 if found is None else found) / 10_000

    def _seconds(self, topic: str, agent: str) -> float:
        known = self._estimates.topics.get(topic)
        if known is None or not known.seconds:
            return 1.0
        return known.seconds.get(agent) or fmean(known.seconds.values())

    @staticmethod
    def _dice(what: str, contact: str) -> random.Random:
        return random.Random(f"{what} {contact}")
