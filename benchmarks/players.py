"""Plays many days in several processes: the days of one roster are one task, and all tasks are known beforehand."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from router.simulation.run import Played, Variant, play
from router.simulation.workload import Workload

DEMAND_DAYS = 2
"""Where no outcome is learned from: days that show how much comes, for the prices of time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many rosters, so many counted days of each, after so many days to learn from."""

    rosters: range
    seeds: range
    warm_up: int


class Days:
    """The days of one variant on one workload; `wait` gives them in order of roster and seed."""

    def __init__(self, tasks: list[Future[list[Played]]]) -> None:
        self._tasks = tasks

    def wait(self) -> list[Played]:
        return [day for task in self._tasks for day in task.result()]


class Players:
    """A pool of processes; use it as a context. What is submitted first is played first."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(os.cpu_count())
        self._submitted, self._done = 0, 0

    def __enter__(self) -> Players:
        return self

    def __exit__(self, *what: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, workload: Workload, variant: Variant, plan: Plan) -> Days:
        return Days([self._task(workload, variant, roster, plan) for roster in plan.rosters])

    def _task(self, workload: Workload, variant: Variant, roster: int, plan: Plan) -> Future[list[Played]]:
        warm_up = plan.warm_up if variant.learning != "off" else min(plan.warm_up, DEMAND_DAYS)
        task = self._pool.submit(_play, workload, variant, roster, plan.seeds, warm_up)
        self._submitted += 1
        task.add_done_callback(self._note)
        return task

    def _note(self, task: Future[list[Played]]) -> None:
        self._done += 1
        if sys.stderr.isatty():
            print(f"\r\033[K{self._done} of {self._submitted} rosters played", end="", file=sys.stderr, flush=True)


def _play(workload: Workload, variant: Variant, roster: int, seeds: range, warm_up: int) -> list[Played]:
    return list(play(workload, variant, range(roster, roster + 1), seeds, warm_up))
