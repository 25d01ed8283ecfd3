"""Routing: what the policies do to the reference workload, to others, and what a decision costs. Last line: JSON."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from benchmarks.matching import Cost, measure
from router.simulation.bound import fluid_bound
from router.simulation.report import differences, summary, table
from router.simulation.roster import make_roster
from router.simulation.run import Played, Variant, play
from router.simulation.workload import Workload, read_workload

WORKLOADS = Path(__file__).parent / "workloads"
FIRST_ROSTER, FIRST_SEED = 500, 5_000
"""Rosters and days that nothing was tuned on (100 to 107 and 0 to 2 were)."""
LONGEST, LEVEL = Variant("longest-idle"), Variant("skill-level")
LEARNT = Variant("resolution", "person")
VARIANTS = (LONGEST, LEVEL, Variant("resolution", "off"), Variant("resolution", "team"), LEARNT)
WARM_UP = 20
LIMITS = (("fcr", 1, 0.3), ("service_level", 1, 0.3), ("abandonment", -1, 0.2))
"""Measure, which way is better, and by how many points the mean may be worse before it is called worse."""


def note(what: str) -> None:
    print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def days_of(workload: Workload, variant: Variant, rosters: int, seeds: int, warm_up: int) -> list[Played]:
    chosen = range(FIRST_ROSTER, FIRST_ROSTER + rosters), range(FIRST_SEED, FIRST_SEED + seeds)
    return list(play(workload, variant, *chosen, warm_up, note))


def reference(quick: bool) -> dict[str, object]:
    """KCC-base: every policy on the same rosters and Mondays; the figures that are promised."""
    workload = read_workload(WORKLOADS / "kcc-base.toml")
    rosters, seeds, warm_up = (2, 1, 6) if quick else (10, 8, WARM_UP)
    played = {v.name: days_of(workload, v, rosters, seeds, warm_up) for v in VARIANTS}
    note("")
    print(f"\n{workload.name}: {rosters} rosters x {seeds} Mondays, {warm_up} warm-up days where something is learned")
    print(table({name: summary(days) for name, days in played.items()}))
    print("\ndifference with longest-idle on the same days")
    base = played[LONGEST.name]
    print(table({name: differences(days, base) for name, days in played.items() if name != LONGEST.name}))
    people = [make_roster(workload, FIRST_ROSTER + n) for n in range(rosters)]
    bound = 100 * fmean(fluid_bound(workload, roster) for roster in people)
    gained, of_level = differences(played[LEARNT.name], base), differences(played[LEARNT.name], played[LEVEL.name])
    found, plain = summary(played[LEARNT.name]), summary(base)
    closed = gained["fcr"]["mean"] / (bound - plain["fcr"]["mean"])
    print(f"\nfluid upper bound {bound:.2f}%; {LEARNT.name} closes {closed:.1%} of the gap above longest-idle")
    return {
        "fcr_gain_over_longest_idle_points": gained["fcr"]["mean"],
        "fcr_gain_over_longest_idle_ci95": gained["fcr"]["ci95"],
        "fcr_gain_over_skill_level_points": of_level["fcr"]["mean"],
        "fcr_gain_over_skill_level_ci95": of_level["fcr"]["ci95"],
        "service_level_20s_delta_points": gained["service_level"]["mean"],
        "service_level_20s_delta_ci95": gained["service_level"]["ci95"],
        "abandon_delta_points": gained["abandonment"]["mean"],
        "abandon_delta_ci95": gained["abandonment"]["ci95"],
        "occupancy_sd_ratio": round(found["occupancy_sd"]["mean"] / plain["occupancy_sd"]["mean"], 4),
        "lp_gap_closed": round(closed, 4),
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


def elsewhere(quick: bool) -> bool:
    """Whether `resolution` is nowhere worse than `longest-idle`, with all that may be learned and with nothing."""
    print("\nother workloads: resolution less longest-idle, in points (95% interval)")
    print(f"{'':28}{'FCR':>16}{'SL20':>16}{'AB':>16}   worse?")
    rosters, seeds, warm_up = (2, 1, 4) if quick else (4, 3, 12)
    good = True
    for name, workload in variations(quick):
        base = days_of(workload, LONGEST, rosters, seeds, 0)
        for variant in (Variant("resolution", "team"), LEARNT):
            found = differences(days_of(workload, variant, rosters, seeds, warm_up), base)
            note("")
            worse = [key for key, sign, allowed in LIMITS if sign * found[key]["mean"] < -allowed]
            good = good and not worse
            cells = (
                f"{found[k]['mean']:+.2f} ±{found[k]['ci95']:.2f}" for k in ("fcr", "service_level", "abandonment")
            )
            line = "".join(f"{cell:>16}" for cell in cells)
            print(f"{name + ', ' + variant.learning:28}{line}   {', '.join(worse) or 'no'}")
    return good


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
        print(cost.line())
    return {
        "match_vs_scan_ratio": round(base.scan_us / base.match_us, 1),
        "cost_growth_waiting": round(large.match_us / small.match_us, 2),
        "cost_growth_agents": round(wide.match_us / thin.match_us, 2),
        "match_vs_scan_ratio_with_explanation": round(
            (base.scan_us + base.scan_explain_us) / (base.match_us + base.explain_us), 1
        ),
        "bytes_per_waiting_contact": round(large.bytes_per_contact),
        "match_p99_us": round(base.match_p99_us, 1),
    }


def main(quick: bool) -> int:
    """Print the tables and, as the last line, one JSON object."""
    started = time.monotonic()
    found = reference(quick)
    good = elsewhere(quick)
    found |= matching(quick)
    rosters, seeds = (2, 1) if quick else (10, 8)
    found["never_worse_elsewhere"] = good
    found["runs"] = rosters * seeds
    found["seconds"] = round(time.monotonic() - started)
    print()
    print(json.dumps(found))
    return 0
