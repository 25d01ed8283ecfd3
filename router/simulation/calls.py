"""The calls of a day, drawn beforehand: every policy meets the same citizens with the same questions and patience."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from router.simulation.workload import Workload


@dataclass(frozen=True, slots=True)
class Call:
    """One call and all that chance decides about it."""

    id: str
    at: int
    """When it comes, in ms since opening."""
    topic: str
    patience_ms: int
    """-1 = endless."""
    work: float
    """Handling time as a multiple of the agent's mean for the topic."""
    luck: float
    """Solved when below the agent's chance."""
    again: float
    again_after_ms: int
    """Unsolved, the citizen calls again when `again` is below the workload's chance."""
    attempt: int = 0


class Calls:
    """Draws the calls of one seed."""

    def __init__(self, workload: Workload, seed: int) -> None:
        self._workload = workload
        self._seed = seed
        self._seconds = {t.id: t.seconds for t in workload.topics}
        variation = workload.spread
        self._sigma = math.sqrt(math.log(1 + variation * variation))
        self._close = round(workload.hours * 3_600_000)

    def first_attempts(self) -> Iterator[Call]:
        """Those who call for the first time, in order of arrival: a Poisson stream, thinned by the profile."""
        load = self._workload
        dice = random.Random(f"day {self._seed}")
        peak = max(load.profile)
        per_ms = load.per_hour * peak / 3_600_000
        topics, shares = [t.id for t in load.topics], [t.share for t in load.topics]
        at, number = 0.0, 0
        while True:
            at += dice.expovariate(per_ms)
            if at >= self._close:
                return
            part = load.profile[min(len(load.profile) - 1, int(at / self._close * len(load.profile)))]
            if dice.random() * peak < part:
                number += 1
                yield self._draw(dice, f"c-{number}", int(at), dice.choices(topics, shares)[0], 0)

    def next_attempt(self, call: Call, ended_at: int) -> Call | None:
        """The same citizen calling again about the same question; None when they do not, or not today."""
        load = self._workload
        at = ended_at + call.again_after_ms
        if call.again >= load.call_back_chance or call.attempt >= load.call_backs_max or at >= self._close:
            return None
        dice = random.Random(f"day {self._seed} {call.id}")
        return self._draw(dice, f"{call.id}x", at, call.topic, call.attempt + 1)

    def _draw(self, dice: random.Random, id: str, at: int, topic: str, attempt: int) -> Call:
        load = self._workload
        patience = round(dice.expovariate(1 / load.patience_seconds) * 1000) if load.patience_seconds else -1
        if load.shape == "exponential":
            work = dice.expovariate(1.0)
        else:
            work = math.exp(dice.gauss(-self._sigma * self._sigma / 2, self._sigma))
        again_after = round(dice.expovariate(1 / load.call_back_seconds) * 1000)
        return Call(id, at, topic, patience, work, dice.random(), dice.random(), again_after, attempt)

    def handling_ms(self, call: Call, pace: float) -> int:
        return max(1, round(self._seconds[call.topic] * pace * call.work * 1000))
