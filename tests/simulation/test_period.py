"""Many days in a row: hours, holidays, shifts, channels as described, the same days twice, a state that stays small."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from router.cli import main
from router.engine import facts
from router.engine.decide import advance
from router.engine.state import State, canonical
from router.errors import ConfigurationInvalid
from router.simulation import period as period_module
from router.simulation.calendar import Calendar, Shift, moment
from router.simulation.period import ALL, Period, period_centre, shifts_of
from router.simulation.report import period_summary
from router.simulation.roster import make_roster
from router.simulation.run import Variant, play_period
from router.simulation.visits import Visits
from router.simulation.workload import Workload, read_workload

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "workloads" / "enschede-year.toml"
ZONE = ZoneInfo("Europe/Amsterdam")


def calendar_of(workload: Workload) -> Calendar:
    assert workload.calendar is not None
    return workload.calendar


def small(days: int = 14, first_day: date | None = None, agents: int = 8) -> Workload:
    """The year of Enschede at a twelfth of its size; every topic has people who know it."""
    workload = read_workload(FILE)
    whole = calendar_of(workload)
    calendar = replace(whole, days=days, first_day=first_day or whole.first_day, contacts_a_year=92_000)
    versatile = replace(workload.roster, agents=agents, rule="cyclic", skills=(0.0, 0.0, 0.0, 1.0))
    return replace(workload, calendar=calendar, roster=versatile)


def period(workload: Workload, policy: str = "skill-level") -> Period:
    people = make_roster(workload, 0)
    return Period(workload, calendar_of(workload), people, period_centre(workload, people, policy, "off"), 1)


def test_the_year_has_as_many_contacts_as_are_written() -> None:
    """Within what chance allows: a Poisson number of this size varies by a few thousandths."""
    workload = read_workload(FILE)
    calendar = calendar_of(workload)
    sample = [date(2026, month, 1) + timedelta(days=n) for month in range(1, 13) for n in range(28)]
    weights = {channel.id: sum(calendar.weight(channel, day) for day in sample) for channel in workload.channels}
    expected = sum(
        calendar.contacts_a_year * channel.share * weights[channel.id] / calendar.year_weight(channel)
        for channel in workload.channels
    )
    tenth = replace(calendar, contacts_a_year=calendar.contacts_a_year // 10)
    drawn = Visits(workload, tenth, 3)
    assert sum(1 for day in sample for _ in drawn.first_attempts(day)) == pytest.approx(expected / 10, rel=0.02)


def test_contacts_come_in_the_hours_of_their_channel() -> None:
    workload = small()
    visits = Visits(workload, calendar_of(workload), 1)
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 1, 6)):  # the clock changes on two of them
        for visit in visits.first_attempts(day):
            local = datetime.fromtimestamp(visit.at / 1000, UTC).astimezone(ZONE)
            assert local.date() == day
            if visit.channel == "phone":
                assert 8 <= local.hour < 17


def test_a_day_is_as_long_as_the_clock_makes_it() -> None:
    lengths = [
        (moment(day, 1440) - moment(day, 0)) // 3_600_000
        for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1))
    ]
    assert lengths == [23, 25, 24]


def test_on_a_holiday_only_written_work_comes_and_nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[date] = []

    def watching(state: State, command: object, now: int, explained: bool = True) -> object:
        decision = advance(state, command, now, explained)  # type: ignore[arg-type]
        local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZONE)
        offered.extend(local.date() for fact in decision.facts if isinstance(fact, facts.ContactOffered))
        return decision

    monkeypatch.setattr(period_module, "advance", watching)
    workload = small(days=7, first_day=date(2026, 4, 6))  # Easter Monday
    channels = {visit.channel for visit in Visits(workload, calendar_of(workload), 1).first_attempts(date(2026, 4, 6))}
    assert channels == {"email", "post"}
    period(workload).run()
    assert offered
    assert {day.weekday() for day in offered} <= {1, 2, 3, 4}
    assert date(2026, 4, 6) not in offered


def test_nobody_is_left_signed_on_after_the_shifts() -> None:
    played = period(small(days=5))
    played.run()
    assert {agent.presence for agent in played.state.agents.values()} == {"signed_off"}


def test_the_books_balance_channel_by_channel() -> None:
    played = period(small())
    weeks = played.run()
    for channel, books in played.state.books.items():
        assert books.balanced
        assert books.received == sum(week[channel].offered for week in weeks)
        assert books.ended.get("abandoned", 0) == sum(week[channel].abandoned for week in weeks)
    for week in weeks:
        assert week[ALL].offered == sum(result.offered for name, result in week.items() if name != ALL)
        assert all(0 < share < 1.05 for share in week[ALL].occupancies)


@pytest.mark.parametrize("policy", ["skill-level", "resolution"])
def test_the_same_seed_is_the_same_period(policy: str) -> None:
    once, again = ([*play_period(small(days=7), Variant(policy, "team"), range(1), range(1))] for _ in range(2))
    assert once == again
    found = period_summary(once)
    assert set(found) == {"phone", "counter", "chat", "email", "post", ALL}
    assert found["phone"]["abandonment"]["mean"] > 0 == found["email"]["abandonment"]["mean"]
    assert "occupancy_mean" in found[ALL]


def test_shifts_are_dealt_out_by_their_shares() -> None:
    workload = small(agents=20)
    dealt = shifts_of(workload, make_roster(workload, 0))
    counts = [sum(shift == other for other in dealt.values()) for shift in workload.shifts]
    assert counts == [4, 4, 4, 4, 4]


def test_the_state_stays_as_small_after_four_weeks_as_after_two() -> None:
    """What has ended is forgotten after its days of recognition, and nothing grows beside it."""

    def sizes(days: int) -> dict[str, int]:
        played = period(small(days=days))
        played.run()
        return {
            "ended": len(played.state.ended),
            "state in bytes": len(canonical(played.state)),
            "index in bytes": len(pickle.dumps(played.state.index)),
        }

    two, four = sizes(12), sizes(26)  # both end on a Friday
    for name, size in four.items():
        assert size <= 1.2 * two[name], (name, two, four)
    assert four["ended"] < 2_000


def test_the_command_shows_every_channel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "week.toml"
    text = (
        FILE.read_text()
        .replace("days = 364", "days = 7")
        .replace("contacts_a_year = 1105000", "contacts_a_year = 40000")
    )
    file.write_text(text.replace("agents = 80", "agents = 6"))
    assert main(["simulate", str(file), "--policy", "skill-level", "--seeds", "2", "--json", "--progress"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["policies"]["skill-level"]["chat"]["contacts"]["mean"] > 0
    assert "2026-01-05 (7%, about" in shown.err
    assert main(["simulate", str(file), "--policy", "skill-level", "--seeds", "1"]) == 0
    assert "skill-level email" in capsys.readouterr().out


def test_mistakes_in_calendar_channels_and_shifts_are_reported_with_their_keys(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        FILE.read_text()
        .replace("first_day = 2026-01-05", 'first_day = "soon"')
        .replace("[[shifts]]                  # lunch and coffee in turns\nshare = 0.20", "[[shifts]]\nshare = 0.95")
        .replace('hours = "08:30-16:30"', 'hours = "late"')
        .replace("months = [1.10, ", "months = [")
        .replace("slots = 3", "slots = 0")
    )
    with pytest.raises(ConfigurationInvalid) as caught:
        read_workload(file)
    text = "\n".join(caught.value.mistakes)
    for key in ("calendar.first_day", "shifts", "channels[2].hours", "calendar.months", "channels[3].slots"):
        assert key in text


def test_a_calendar_without_channels_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    text = FILE.read_text()
    file.write_text(text[: text.index("[[channels]]")] + text[text.index("[handling]") :])
    with pytest.raises(ConfigurationInvalid) as caught:
        read_workload(file)
    assert "go together" in "\n".join(caught.value.mistakes)


def test_without_shifts_everybody_works_office_hours() -> None:
    workload = replace(small(), shifts=())
    assert set(shifts_of(workload, make_roster(workload, 0)).values()) == {Shift(1.0)}
