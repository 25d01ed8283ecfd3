"""Routing: what the policies do to the reference workload, to others, and what a decision costs. Last line: JSON."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from benchmarks.matching import Cost, measure, measure_scoring
from benchmarks.players import Days, Plan, Players
from router.simulation.bound import fluid_bound
from router.simulation.report import differences, summary, table
from router.simulation.roster import make_roster
from router.simulation.run import Variant
from router.simulation.workload import Workload, read_workload

WORKLOADS = Path(__file__).parent / "workloads"
LONGEST, LEVEL = Variant("longest-idle"), Variant("skill-level")
OFF, TEAM, PERSON = (Variant("resolution", basis) for basis in ("off", "team", "person"))
VARIANTS = (LONGEST, LEVEL, OFF, TEAM, PERSON)
NAMED = (
    "fcr_gain_over_longest_idle_points",
    "fcr_gain_over_skill_level_points",
    "service_level_20s_delta_points",
    "abandon_delta_points",
    "occupancy_sd_ratio",
    "lp_gap_closed",
    "match_vs_scan_ratio",
    "cost_growth_waiting",
    "cost_growth_agents",
    "bytes_per_waiting_contact",
    "runs",
)
"""The figures that are promised, of `resolution` with all that may be learned; in the last line they come first."""
LIMITS = (("fcr", 1, 0.3), ("service_level", 1, 0.3), ("abandonment", -1, 0.2))
"""Measure, which way is better, and by how many points `resolution` may at most be worse than `longest-idle`."""


def plan(rosters: int, seeds: int, warm_up: int) -> Plan:
    """Rosters from 600 and days from 6000 on: nothing was chosen by those (rosters 100 to 107 and 500 to 509 were)."""
    return Plan(range(600, 600 + rosters), range(6_000, 6_000 + seeds), warm_up)


class Reference:
    """KCC-base: every policy on the same rosters and Mondays; the figures that are promised."""

    def __init__(self, players: Players, quick: bool) -> None:
        self.workload = read_workload(WORKLOADS / "kcc-base.toml")
        self.plan = plan(2, 1, 6) if quick else plan(8, 6, 20)
        self.days = {v.name: players.submit(self.workload, v, self.plan) for v in VARIANTS}

    def show(self) -> dict[str, object]:
        played = {name: days.wait() for name, days in self.days.items()}
        asked = self.plan
        print(
            f"\n{self.workload.name}: {len(asked.rosters)} rosters x {len(asked.seeds)} Mondays, "
            f"{asked.warm_up} warm-up days where something is learned"
        )
        print(table({name: summary(days) for name, days in played.items()}), flush=True)
        print("\ndifference with longest-idle on the same days")
        base = played[LONGEST.name]
        print(table({name: differences(days, base) for name, days in played.items() if name != LONGEST.name}))
        bound = 100 * fmean(fluid_bound(self.workload, make_roster(self.workload, n)) for n in asked.rosters)
        plain = summary(base)
        gap = bound - plain["fcr"]["mean"]
        gained, of_level = (differences(played[PERSON.name], played[v.name]) for v in (LONGEST, LEVEL))
        closed = {v.name: differences(played[v.name], base)["fcr"]["mean"] / gap for v in VARIANTS[1:]}
        shares = ", ".join(f"{name} {share:.1%}" for name, share in closed.items())
        print(f"\nfluid upper bound {bound:.2f}%; of the gap above longest-idle is closed: {shares}", flush=True)
        spread = summary(played[PERSON.name])["occupancy_sd"]["mean"] / plain["occupancy_sd"]["mean"]
        return {
            "fcr_gain_over_longest_idle_points": gained["fcr"]["mean"],
            "fcr_gain_over_skill_level_points": of_level["fcr"]["mean"],
            "service_level_20s_delta_points": gained["service_level"]["mean"],
            "abandon_delta_points": gained["abandonment"]["mean"],
            "occupancy_sd_ratio": round(spread, 4),
            "lp_gap_closed": round(closed[PERSON.name], 4),
            "fcr_gain_over_longest_idle_ci95": gained["fcr"]["ci95"],
            "fcr_gain_over_skill_level_ci95": of_level["fcr"]["ci95"],
            "service_level_20s_delta_ci95": gained["service_level"]["ci95"],
            "abandon_delta_ci95": gained["abandonment"]["ci95"],
        }


def variations(quick: bool) -> list[tuple[str, Workload]]:
    """Other sizes, loads and spreads than the one the constants were looked at on."""
    base = read_workload(WORKLOADS / "kcc-base.toml")
    roster = base.roster
    alike = replace(roster, chances=(0.76, 0.74, 0.72, 0.70), agent_spread=0.02, pair_spread=0.01)
    same = replace(roster, chances=(0.75,) * 4, agent_spread=0.0, pair_spread=0.0, paces=(1.0,) * 4)
    found = [
        ("12 agents, load .70", replace(base, load=0.70, roster=replace(roster, agents=12))),
        ("12 agents, load .85", replace(base, load=0.85, roster=replace(roster, agents=12))),
        ("45 agents, load .50", replace(base, load=0.50)),
        ("45 agents, load .65", replace(base, load=0.65)),
        ("45 agents, load .90", replace(base, load=0.90)),
        ("45 agents, load 1.05", replace(base, load=1.05)),
        ("100 agents, load .85", replace(base, load=0.85, roster=replace(roster, agents=100))),
        ("agents differ little", replace(base, roster=alike)),
        ("agents do not differ", replace(base, roster=same)),
        ("no call backs", replace(base, call_back_chance=0.0, load=0.9)),
        ("patience 60 s", replace(base, patience_seconds=60.0)),
        ("exponential handling", replace(base, shape="exponential")),
    ]
    return found[7:8] if quick else found


class Elsewhere:
    """Whether `resolution` is anywhere worse than `longest-idle`, whatever it may learn."""

    def __init__(self, players: Players, quick: bool) -> None:
        asked = plan(2, 1, 4) if quick else plan(12, 2, 8)
        variants = (LONGEST, TEAM, PERSON) if quick else (LONGEST, OFF, TEAM, PERSON)
        self.days = {
            name: {v: players.submit(workload, v, asked) for v in variants} for name, workload in variations(quick)
        }

    def show(self) -> tuple[int, int]:
        """Prints a line a workload and policy; gives how many are worse, and how many may be for all that is shown."""
        print("\nother workloads: resolution less longest-idle, in points (95% interval)")
        print(f"{'':34}{'FCR':>16}{'SL20':>16}{'AB':>16}   worse?")
        verdicts = [
            self._line(f"{name}, {variant.learning}", days, variants[LONGEST])
            for name, variants in self.days.items()
            for variant, days in variants.items()
            if variant is not LONGEST
        ]
        return verdicts.count("yes"), verdicts.count("perhaps")

    def _line(self, name: str, days: Days, base: Days) -> str:
        found = differences(days.wait(), base.wait())
        verdict = worse(found)
        cells = (f"{found[key]['mean']:+.2f} ±{found[key]['ci95']:.2f}" for key, _, _ in LIMITS)
        print(f"{name:34}" + "".join(f"{cell:>16}" for cell in cells) + f"   {verdict}", flush=True)
        return verdict


def worse(found: dict[str, dict[str, float]]) -> str:
    """yes: a mean lies beyond its limit; perhaps: an interval does; no: all intervals lie within."""
    means = [sign * found[key]["mean"] < -allowed for key, sign, allowed in LIMITS]
    ends = [sign * found[key]["mean"] - found[key]["ci95"] < -allowed for key, sign, allowed in LIMITS]
    return "yes" if any(means) else "perhaps" if any(ends) else "no"


def matching(quick: bool) -> dict[str, object]:
    """What a decision costs through the real engine; medians of repeated measurements."""
    few, many = (1_000, 100_000) if quick else (1_000, 1_000_000)
    print("\nmatching: a freed agent gets the next contact, through the real engine")
    print(Cost.header())
    base = measure(1_000, 10_000, scan=True)
    small, large = measure(1_000, few), measure(1_000, many)
    thin, wide = measure(100, 10_000), measure(10_000, 10_000)
    scored = measure(1_000, 10_000, policy="resolution")
    for cost in (base, small, large, thin, wide, scored):
        print(cost.line(), flush=True)
    usual, slowest, seen = measure_scoring()
    print(
        f"scoring 128 free of 10,000 agents, 512 busy ones beside: {usual:.1f} µs, p99 {slowest:.1f} µs "
        f"({seen:.1f} µs with what the machine put in between)"
    )
    return {
        "match_vs_scan_ratio": round(base.scan_us / base.match_us, 1),
        "cost_growth_waiting": round(large.match_us / small.match_us, 2),
        "cost_growth_agents": round(wide.match_us / thin.match_us, 2),
        "bytes_per_waiting_contact": round(large.bytes_per_contact),
        "match_p99_us": round(base.match_p99_us, 1),
        "scoring_128_p99_us": round(slowest, 1),
        "scoring_128_p99_us_as_seen": round(seen, 1),
    }


def main(quick: bool) -> int:
    """Print the tables and, as the last line, one JSON object."""
    started = time.monotonic()
    found = matching(quick)
    with Players() as players:
        reference, elsewhere = Reference(players, quick), Elsewhere(players, quick)
        found |= reference.show()
        yes, perhaps = elsewhere.show()
    found["runs"] = len(reference.plan.rosters) * len(reference.plan.seeds)
    found |= {"worse_elsewhere": yes, "perhaps_worse_elsewhere": perhaps}
    found["seconds"] = round(time.monotonic() - started)
    print(f"\n{json.dumps({name: found[name] for name in NAMED} | found)}")
    return 0
