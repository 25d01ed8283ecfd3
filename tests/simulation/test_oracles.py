"""The engine under virtual time meets exact results: Erlang B, C and A, M/M/90/30, and the claim of two skills."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import pytest

from router.queues.erlang import Expected, erlang_a, erlang_b, erlang_c, limited
from router.simulation.bound import fluid_bound, maximise
from router.simulation.day import Day, DayResult, centre_of
from router.simulation.roster import make_roster
from router.simulation.workload import Workload, read_workload

WORKLOADS = Path(__file__).resolve().parents[2] / "benchmarks" / "workloads"


DAYS = 10
T99 = 3.25
"""Two-sided 99% quantile of Student's t at ten days. Some twenty figures are held against theory here: at 95% one of
them would be expected to miss."""


def played(workload: Workload, policy: str = "skill-level") -> list[DayResult]:
    """Days of which each size has its own: one unlucky run of chance is not held against theory twice."""
    people = make_roster(workload, 0)
    centre = centre_of(workload, people, policy, "off")
    first = round(100 * workload.per_hour)
    return [Day(workload, people, centre, seed).run() for seed in range(first, first + DAYS)]


def meets(days: list[DayResult], measure: Callable[[DayResult], float], exact: float, narrow: float = 0.2) -> None:
    """The exact value lies in the interval of the days, which is narrow enough (share of the value) to tell."""
    values = [measure(day) for day in days]
    half = T99 * stdev(values) / math.sqrt(len(values))
    assert half <= narrow * exact, f"{fmean(values):.4f} ±{half:.4f} says too little"
    assert abs(fmean(values) - exact) <= half, f"{fmean(values):.4f} ±{half:.4f}, exactly {exact:.4f}"


# -- the formulas -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("servers", "load", "blocking"),
    [(5, 3, 0.11005), (10, 8, 0.12166), (10, 10, 0.21458), (20, 15, 0.04559), (40, 35, 0.05424), (100, 90, 0.02696)],
)
def test_erlang_b(servers: int, load: float, blocking: float) -> None:
    assert erlang_b(servers, load) == pytest.approx(blocking, abs=5e-6)


@pytest.mark.parametrize(
    ("calls", "servers", "expected"),
    [
        (60, 7, (0.3241, 48.62, 0.7163)),
        (120, 13, (0.2853, 28.53, 0.7664)),
        (240, 23, (0.4157, 41.57, 0.6596)),
        (480, 44, (0.4317, 32.38, 0.6693)),
        (480, 46, (0.2658, 13.29, 0.8218)),
        (960, 85, (0.4748, 28.49, 0.6598)),
    ],
)
def test_erlang_c(calls: int, servers: int, expected: tuple[float, float, float]) -> None:
    found = erlang_c(servers, calls / 3600, 300, 20)
    assert (found.waits, found.wait_seconds, found.in_target) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("calls", "servers", "expected"),
    [
        (60, 7, (0.2180, 0.0628, 11.31, 0.8261)),
        (120, 12, (0.2737, 0.0638, 11.49, 0.7956)),
        (240, 22, (0.3181, 0.0578, 10.41, 0.7856)),
        (480, 40, (0.4605, 0.0709, 12.76, 0.7104)),
        (480, 42, (0.3515, 0.0484, 8.72, 0.7979)),
        (480, 44, (0.2533, 0.0314, 5.65, 0.8674)),
        (960, 82, (0.3759, 0.0385, 6.92, 0.8317)),
    ],
)
def test_erlang_a(calls: int, servers: int, expected: tuple[float, float, float, float]) -> None:
    found = erlang_a(servers, calls / 3600, 300, 180, 20)
    assert (found.waits, found.lost, found.wait_seconds, found.in_target) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("calls", "servers"), [(60, 3), (60, 7), (9_000, 100), (100_000, 1), (4, 1_000)])
def test_given_time_erlang_a_answers_all_who_do_not_give_up(calls: int, servers: int) -> None:
    """Also at tenfold overload, where chances span hundreds of digits."""
    found = erlang_a(servers, calls / 3600, 300, 180, 1_000_000)
    assert found.in_target == pytest.approx(1 - found.lost, abs=1e-5)


def test_erlang_c_needs_a_steady_state() -> None:
    with pytest.raises(ValueError, match="not below"):
        erlang_c(10, 1, 10, 20)


def test_places_without_end_are_erlang_c() -> None:
    wide, plain = limited(20, 400, 15 / 300, 300, 20), erlang_c(20, 15 / 300, 300, 20)
    assert isinstance(wide, Expected)
    assert wide.waits == pytest.approx(plain.waits, rel=1e-6)
    assert wide.wait_seconds == pytest.approx(plain.wait_seconds, rel=1e-6)
    assert wide.in_target == pytest.approx(plain.in_target, rel=1e-6)


# -- the engine -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("calls", "agents", "policy"),
    [
        (60, 7, "skill-level"),
        (240, 22, "longest-idle"),
        (240, 22, "skill-level"),
        (240, 22, "resolution"),
    ],
)
def test_the_engine_meets_erlang_a(calls: int, agents: int, policy: str) -> None:
    """Everybody the same: no policy may be better or worse than the formula."""
    workload = sized("erlang-a.toml", calls, agents, 10_000)
    days = played(workload, policy)
    exact = erlang_a(agents, calls / 3600, 300, 180, 20)
    meets(days, lambda d: d.delayed / d.offered, exact.waits)
    meets(days, lambda d: d.abandonment, exact.lost)
    meets(days, lambda d: d.waited_all / 1000 / d.offered, exact.wait_seconds)
    meets(days, lambda d: d.service_level, exact.in_target, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("calls", "agents"), [(60, 7), (120, 13)])
def test_the_engine_meets_erlang_c(calls: int, agents: int) -> None:
    days = played(sized("erlang-c.toml", calls, agents, 10_000))
    exact = erlang_c(agents, calls / 3600, 300, 20)
    meets(days, lambda d: d.delayed / d.offered, exact.waits)
    meets(days, lambda d: d.waited_all / 1000 / d.offered, exact.wait_seconds, 0.3)
    meets(days, lambda d: d.service_level, exact.in_target, 0.06)


def sized(name: str, calls: int, agents: int, arrivals: int) -> Workload:
    """So many calls an hour for so many agents, until about so many have come."""
    found = read_workload(WORKLOADS / name)
    roster = replace(found.roster, agents=agents)
    return replace(found, calls_per_hour=float(calls), hours=arrivals / calls, skip_hours=2.0, roster=roster)


def with_skills(many: int, hours: float) -> Workload:
    workload = read_workload(WORKLOADS / "two-skills.toml")
    skills = tuple(1.0 if n == many - 1 else 0.0 for n in range(6))
    return replace(workload, hours=hours, skip_hours=hours / 5, roster=replace(workload.roster, skills=skills))


def test_six_skills_are_one_queue_with_places() -> None:
    days = played(with_skills(6, 25.0))
    exact = limited(90, 30, 504 / 3600, 600, 30)
    meets(days, lambda d: d.turned_away / d.offered, exact.lost, 1.0)
    meets(days, lambda d: d.delayed / d.answered, exact.waits, 0.25)
    meets(days, lambda d: d.wait_seconds, exact.wait_seconds, 0.4)
    meets(days, lambda d: d.in_half_minute / d.offered, exact.in_target, 0.1)


@pytest.mark.slow
def test_two_skills_do_almost_as_well_as_six() -> None:
    """The claim of Wallace and Whitt at load 84, on as many arrivals as the simulation it was taken from.

    Its rows: skills each, chance of waiting, mean wait in minutes, chance of an answer within half a minute. Being
    turned away is too rare to be held against one simulation by another: it is held against the formula above.
    """
    rows = {1: (0.557, 2.446, 0.494), 2: (0.411, 0.550, 0.730)}
    waits = {}
    for many, row in rows.items():
        workload = with_skills(many, 150_000 / 504)
        people = make_roster(workload, 0)
        day = Day(workload, people, centre_of(workload, people, "skill-level", "off"), 0).run()
        found = (day.delayed / day.answered, day.wait_seconds / 60, day.in_half_minute / day.answered)
        assert found == pytest.approx(row, rel=0.1), f"{many} skills each"
        waits[many] = day.wait_seconds
    six = limited(90, 30, 504 / 3600, 600, 30).wait_seconds
    assert (waits[1] - waits[2]) / (waits[1] - six) > 0.9


# -- the bound --------------------------------------------------------------------------------------------------------


def test_a_small_programme_is_solved_exactly() -> None:
    assert maximise([3, 5], [[1, 0], [0, 2], [3, 2]], [4, 12, 18]) == pytest.approx([2, 6])
    with pytest.raises(ValueError, match="no bound"):
        maximise([1], [[-1]], [1])


def test_nothing_simulated_settles_more_than_the_bound() -> None:
    workload = read_workload(WORKLOADS / "kcc-base.toml")
    people = make_roster(workload, 3)
    bound = fluid_bound(workload, people)
    assert fluid_bound(workload, people, 0.85) < bound < 0.95
    for policy in ("longest-idle", "skill-level"):
        assert Day(workload, people, centre_of(workload, people, policy, "off"), 1).run().fcr < bound
