"""`kcc-router simulate`: workload files, the same seed twice, what is learned, and mistakes in the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from router.cli import main
from router.errors import ConfigurationInvalid
from router.simulation.report import differences, summary
from router.simulation.roster import make_roster
from router.simulation.run import Variant, play
from router.simulation.workload import Workload, read_workload

WORKLOADS = Path(__file__).resolve().parents[2] / "benchmarks" / "workloads"
LISTED = """
name = "listed"
[arrivals]
calls_per_hour = 40
hours = 2
[roster]
[[topics]]
id = "afval"
share = 1.0
seconds = 200
[[agents]]
id = "an"
levels = { afval = 5 }
chance = { afval = 0.9 }
[[agents]]
id = "bo"
levels = { afval = 3 }
chance = { afval = 0.6 }
pace = { afval = 1.2 }
"""


def small() -> Workload:
    base = read_workload(WORKLOADS / "kcc-base.toml")
    return replace(base, hours=2.0, profile=(1.0,), roster=replace(base.roster, agents=12))


@pytest.mark.parametrize("name", sorted(p.name for p in WORKLOADS.glob("*.toml")))
def test_every_workload_file_can_be_read(name: str) -> None:
    assert make_roster(read_workload(WORKLOADS / name), 1)


@pytest.mark.parametrize("learning", ["off", "team", "person"])
def test_the_same_seeds_give_the_same_days(learning: str) -> None:
    variant = Variant("resolution", learning)
    once, again = ([*play(small(), variant, range(1), range(2), 4)] for _ in range(2))
    assert once == again
    assert summary(once)["fcr"]["mean"] > 50
    assert differences(once, again)["fcr"] == {"mean": 0, "ci95": 0}


def test_every_policy_meets_the_same_citizens() -> None:
    workload = replace(small(), call_back_chance=0.0)
    offered = {
        day.result.offered
        for policy in ("longest-idle", "skill-level", "resolution")
        for day in play(workload, Variant(policy), range(1), range(1), 0)
    }
    assert len(offered) == 1


def test_the_roster_follows_the_work() -> None:
    workload = read_workload(WORKLOADS / "kcc-base.toml")
    people = make_roster(workload, 5)
    first = [next(topic for topic, level in p.levels.items() if level == 5) for p in people]
    assert len(people) == 45
    assert 9 <= first.count("burgerzaken") <= 12
    assert {len(p.levels) for p in people} == {1, 2, 3, 4}
    assert make_roster(workload, 5) == people


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "listed.toml"
    file.write_text(LISTED)
    assert main(["simulate", str(file), "--policy", "longest-idle", "--seeds", "2", "--json", "--progress"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["policies"]["longest-idle"]["fcr"]["mean"] > 40
    assert "day 0 (50%" in shown.err
    assert main(["simulate", str(file), "--seeds", "1", "--warm-up", "1"]) == 0
    shown = capsys.readouterr()
    assert "resolution/off" in shown.out
    assert not shown.err, "nobody watches"


def test_every_mistake_is_reported_with_its_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        LISTED.replace("share = 1.0", "share = 0.7")
        .replace("chance = { afval = 0.6 }", "chance = { afval = 7 }")
        .replace("hours = 2", "hours = -1")
        .replace("[roster]", "[roster]\nrule = 'cyclic'\ncolour = 1")
    )
    with pytest.raises(ConfigurationInvalid) as caught:
        read_workload(file)
    text = "\n".join(caught.value.mistakes)
    for key in ("topics", "agents[2].chance.afval", "arrivals.hours", "roster.rule", "roster.colour"):
        assert key in text
    assert main(["simulate", str(file)]) == 1
    assert "wrong.toml" in capsys.readouterr().err


def test_what_is_learned_settles_more_than_nothing_learned() -> None:
    """The direction only; how much is for the benchmark to say."""
    workload = replace(read_workload(WORKLOADS / "kcc-base.toml"), hours=4.5)
    found = {
        name: [*play(workload, variant, range(2), range(1), 6)]
        for name, variant in {"idle": Variant("longest-idle"), "person": Variant("resolution", "person")}.items()
    }
    assert differences(found["person"], found["idle"])["fcr"]["mean"] > 2
