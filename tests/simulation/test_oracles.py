"""The engine under virtual time meets exact results: Erlang B, C and A, M/M/90/30, and the claim of two skills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from router.queues.erlang import Expected, erlang_a, erlang_b, erlang_c, limited
from router.simulation.bound import fluid_bound, maximise
from router.simulation.day import Day, DayResult, centre_of
from router.simulation.report import interval
from router.simulation.roster import make_roster
from router.simulation.workload import Workload, read_workload

WORKLOADS = Path(__file__).resolve().parents[2] / "benchmarks" / "workloads"


def played(workload: Workload, seeds: int, policy: str = "skill-level") -> list[DayResult]:
    people = make_roster(workload, 0)
    centre = centre_of(workload, people, policy, "off")
    return [Day(workload, people, centre, seed).run() for seed in range(seeds)]


def meets(days: list[DayResult], measure: Callable[[DayResult], float], exact: float, slack: float) -> None:
    """The exact value lies in the 95% interval of the days, widened by `slack` for the one time in twenty."""
    mean, half = interval([measure(day) for day in days])
    assert abs(mean - exact) <= half + slack * exact, f"{mean:.4f} ±{half:.4f}, exactly {exact:.4f}"


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
        (240, 22, (0.3181, 0.0578, 10.41, 0.7856)),
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


@pytest.mark.parametrize("policy", ["longest-idle", "skill-level", "resolution"])
def test_the_engine_meets_erlang_a_under_every_policy(policy: str) -> None:
    """Everybody the same: no policy may be better or worse than the formula."""
    workload = replace(read_workload(WORKLOADS / "erlang-a.toml"), hours=25.0)
    days = played(workload, 5, policy)
    exact = erlang_a(workload.roster.agents, workload.per_hour / 3600, 300, 180, 20)
    meets(days, lambda d: d.delayed / d.offered, exact.waits, 0.03)
    meets(days, lambda d: d.abandonment, exact.lost, 0.03)
    meets(days, lambda d: d.waited_all / 1000 / d.offered, exact.wait_seconds, 0.03)
    meets(days, lambda d: d.service_level, exact.in_target, 0.01)


def test_the_engine_meets_erlang_c() -> None:
    workload = replace(read_workload(WORKLOADS / "erlang-c.toml"), hours=40.0, skip_hours=2.0)
    days = played(workload, 5)
    exact = erlang_c(workload.roster.agents, workload.per_hour / 3600, 300, 20)
    meets(days, lambda d: d.delayed / d.offered, exact.waits, 0.03)
    meets(days, lambda d: d.waited_all / 1000 / d.offered, exact.wait_seconds, 0.05)
    meets(days, lambda d: d.service_level, exact.in_target, 0.01)


def with_skills(many: int, hours: float) -> Workload:
    workload = read_workload(WORKLOADS / "two-skills.toml")
    skills = tuple(1.0 if n == many - 1 else 0.0 for n in range(6))
    return replace(workload, hours=hours, skip_hours=10.0, roster=replace(workload.roster, skills=skills))


def test_six_skills_are_one_queue_with_places() -> None:
    days = played(with_skills(6, 50.0), 5)
    exact = limited(90, 30, 504 / 3600, 600, 30)
    meets(days, lambda d: d.turned_away / d.offered, exact.lost, 0.05)
    meets(days, lambda d: d.delayed / d.answered, exact.waits, 0.03)
    meets(days, lambda d: d.wait_seconds, exact.wait_seconds, 0.05)


def test_two_skills_do_almost_as_well_as_six() -> None:
    """At load 84 the second skill brings most of what all six bring (the claim of Wallace and Whitt)."""
    one, two, six = (played(with_skills(many, 90.0), 1)[0].wait_seconds for many in (1, 2, 6))
    assert two < 0.35 * one
    assert (one - two) / (one - six) > 0.9


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
