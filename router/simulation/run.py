"""Many days: the same rosters and the same citizens under each policy, with warm-up days for what must be learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from router.nouns import Estimates
from router.simulation.day import Day, DayResult, centre_of
from router.simulation.period import Period, period_centre
from router.simulation.roster import make_roster
from router.simulation.workload import Person, Workload
from router.skills.learner import Learner

WARM_UP_SEED = 1_000_000
"""Warm-up days have seeds from here on: no day is both learned from and counted."""
WATCHING_SHARE = 0.25
"""Share of the warm-up in which the learner only watches the work as `longest-idle` hands it out."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A policy and what its estimates may rest on."""

    policy: str
    learning: str = "off"

    @property
    def name(self) -> str:
        return f"{self.policy}/{self.learning}" if self.policy == "resolution" else self.policy


@dataclass(frozen=True, slots=True)
class Played:
    """One day as it went."""

    roster: int
    seed: int
    result: DayResult
    channel: str = ""
    """Of a period: the channel, or `all`; `result` is then a week's."""


Progress = Callable[[str], None]


def play(
    workload: Workload, variant: Variant, rosters: range, seeds: range, warm_up: int, progress: Progress | None = None
) -> Iterator[Played]:
    """Every seed of every roster, in order. What is learned is learned per roster, in the warm-up days alone."""
    for roster in rosters:
        people = make_roster(workload, roster)
        centre = centre_of(workload, people, variant.policy, variant.learning)
        estimates = None
        if variant.policy == "resolution":
            estimates = warmed_up(workload, people, variant, roster, warm_up, progress)
        for seed in seeds:
            yield Played(roster, seed, Day(workload, people, centre, seed, estimates).run())
            if progress is not None:
                progress(f"{workload.name} {variant.name}: roster {roster}, day {seed}")


def warmed_up(
    workload: Workload,
    people: tuple[Person, ...],
    variant: Variant,
    roster: int,
    days: int,
    progress: Progress | None = None,
) -> Estimates | None:
    """The estimates after so many days, learned from what came of them; None after none."""
    learner = Learner(centre_of(workload, people, variant.policy, variant.learning))
    watching = round(WATCHING_SHARE * days)
    estimates: Estimates | None = None
    for day in range(days):
        policy = "longest-idle" if day < watching else variant.policy
        centre = centre_of(workload, people, policy, variant.learning)
        Day(workload, people, centre, WARM_UP_SEED * (roster + 1) + day, estimates, learner).run()
        if progress is not None:
            progress(f"{workload.name} {variant.name}: roster {roster}, warm-up day {day + 1}")
        if day + 1 == watching:
            learner.policy_begins()
        if day + 1 >= watching:
            estimates = learner.learn(variant.learning)
    return estimates


def play_period(
    workload: Workload, variant: Variant, rosters: range, seeds: range, progress: Progress | None = None
) -> Iterator[Played]:
    """The days of the workload's calendar, week by week and channel by channel; `resolution` learns every week."""
    if workload.calendar is None:
        raise AssertionError("the workload has no calendar")
    for roster in rosters:
        people = make_roster(workload, roster)
        centre = period_centre(workload, people, variant.policy, variant.learning)
        for seed in seeds:
            learner = Learner(centre) if variant.policy == "resolution" else None
            period = Period(workload, workload.calendar, people, centre, seed, learner)
            name = f"{workload.name} {variant.name}: roster {roster}, seed {seed}"
            for week in period.run(name, progress):
                yield from (Played(roster, seed, result, channel) for channel, result in week.items())


def steps(workload: Workload, variant: Variant, rosters: int, seeds: int, warm_up: int) -> int:
    """How many times progress will be told."""
    if workload.calendar is not None:
        return rosters * seeds * workload.calendar.days
    return rosters * (seeds + (warm_up if variant.policy == "resolution" else 0))
