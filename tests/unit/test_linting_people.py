"""The linter on people: a gap in the hours, a language, a menu key, somebody who is of no use; and its cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from router.linting.coverage import Coverage
from router.linting.findings import CODES, SEVERITIES
from router.linting.lint import lint
from router.linting.roster import Roster
from router.linting.week import ALL, first_of, minutes_of, moment, stretches
from router.nouns import Agent, Hours
from tests.unit.linting import (
    LATE_THURSDAY,
    OFFICE_HOURS,
    OFFICE_STAFF,
    USUAL,
    agent,
    found,
    municipality,
    one,
    queue,
    subject,
    topic,
)

LATE = {"municipalities": (municipality("veenstede", LATE_THURSDAY),)}


def test_a_good_centre_has_no_findings() -> None:
    assert lint(subject()) == ()
    assert lint(subject(works=OFFICE_STAFF)) == ()


def test_every_code_is_explained_and_every_severity_known() -> None:
    everything = subject(works=OFFICE_STAFF, agents=(*USUAL.agents, agent("tim", fries=5)), skills=("fries",), **LATE)
    assert {finding.code for finding in lint(everything)} <= CODES.keys()
    severities = [finding.severity for finding in lint(everything)]
    assert severities == sorted(severities, key=SEVERITIES.index)


# -- hours and people -------------------------------------------------------------------------------------------


def test_an_open_hour_at_which_nobody_works_is_told_by_a_call() -> None:
    late = OFFICE_STAFF | {"bram": LATE_THURSDAY}
    finding = one("nobody_at_hour", subject(works=late, language_needs={}, **LATE))
    assert finding.severity == "error"
    assert finding.example == (
        "a call about wmo for veenstede on Thursday 17:00 finds nobody (it asks wmo 3; sanne and emma: until 17:00); "
        "3 h a week; also veenstede chat, veenstede counter"
    )


def test_another_language_is_a_warning_and_names_who_falls_out_for_what() -> None:
    late = {"emma": LATE_THURSDAY, "bram": LATE_THURSDAY, "sanne": Hours({0: OFFICE_HOURS.open[0]})}
    (first, *_) = found("nobody_at_hour", subject(works=late, **LATE))
    assert first.severity == "warning"
    assert "a call in English about wmo for veenstede on Tuesday 08:30 finds nobody" in first.example
    assert "(it asks engels 2 and wmo 3; sanne: off on Tuesdays)" in first.example


def test_who_has_no_telephone_takes_no_call_though_able() -> None:
    people = (replace(agent("sanne", wmo=5), endpoint=""), agent("bram"))
    finding = one("nobody_at_hour", subject(agents=people, language_needs={}))
    assert "a call about wmo for veenstede at any hour" not in finding.example
    assert "on Monday 08:30 finds nobody (it asks wmo 3; sanne: no telephone)" in finding.example


def test_hours_that_are_left_out_are_whenever_it_is_open() -> None:
    assert not found("nobody_at_hour", subject(works={"bram": OFFICE_HOURS}, **LATE))


def test_written_work_waits_for_somebody_and_is_no_gap() -> None:
    always = municipality("veenstede", hours=dict.fromkeys(("email", "post"), Hours(always=True)), entry_points=())
    closed = replace(always, hours=always.hours | dict.fromkeys(("chat", "counter"), Hours()))
    assert not found("nobody_at_hour", subject(works=OFFICE_STAFF, municipalities=(closed,)))


def test_a_language_that_nobody_speaks_with_a_topic() -> None:
    finding = one("nobody_in_language", subject(agents=(agent("sanne", wmo=5), agent("bram", engels=5))))
    assert "a call in English about wmo waits for a supervisor: nobody has engels 2 and wmo 3" in finding.example


def test_a_menu_key_that_leads_to_nobody() -> None:
    menus = {"veenstede": (("1", "algemeen"), ("2", "wmo"))}
    late = OFFICE_STAFF | {"bram": LATE_THURSDAY}
    finding = one("menu_to_nobody", subject(works=late, menus=menus, language_needs={}, **LATE))
    assert (finding.key, finding.severity) == ("menus.veenstede.2", "warning")
    assert finding.example.startswith("who presses 2: a call about wmo for veenstede on Thursday 17:00")
    assert not found("menu_to_nobody", subject(works=OFFICE_STAFF, menus=menus))


# -- of no use --------------------------------------------------------------------------------------------------


def test_an_agent_whom_no_topic_asks() -> None:
    people = (agent("sanne", wmo=3), agent("bram", wmo=2))
    finding = one("agent_without_work", subject(agents=people, topics=(topic("wmo", wmo=3),), queues=(queue("wmo"),)))
    assert (finding.key, finding.example) == (
        "agents[2]",
        "bram meets what no topic asks, and is never offered anything",
    )
    assert not found("agent_without_work", subject())


def test_somebody_who_works_while_all_is_closed() -> None:
    closed = dict.fromkeys(("phone", "chat", "counter", "email", "post", "callback"), OFFICE_HOURS)
    nights = {"bram": Hours({6: ((0, 480),)})}
    looked_at = subject(works=nights, municipalities=(municipality("veenstede", hours=closed),))
    assert one("agent_never_there", looked_at).key == "agents[3].works"
    assert not found("agent_never_there", subject(works=OFFICE_STAFF))


def test_room_of_ones_own_for_what_never_comes() -> None:
    closed = municipality("veenstede")
    closed = replace(closed, hours=closed.hours | {"counter": Hours()})
    tim = replace(agent("tim", wmo=3), combinations=({"phone": 1}, {"counter": 1}), endpoint="")
    looked_at = subject(agents=(*USUAL.agents, tim), municipalities=(closed,))
    assert one("phone_without_endpoint", looked_at).key == "agents[4].combinations"
    assert "tim has room for counter, which is closed" in one("channel_never_open", looked_at).example
    good = subject(agents=(*USUAL.agents, replace(tim, endpoint="a9")))
    assert not found("phone_without_endpoint", good) + found("channel_never_open", good)


def test_a_skill_that_nothing_asks() -> None:
    assert one("skill_unasked", subject(skills=("wmo", "engels", "fries"))).key == "skills[3]"


# -- the week ---------------------------------------------------------------------------------------------------


def test_a_week_is_one_number() -> None:
    assert minutes_of(None) == minutes_of(Hours(always=True)) == ALL
    assert minutes_of(Hours()) == 0
    assert minutes_of(OFFICE_HOURS).bit_count() == 5 * 510
    assert moment(first_of(minutes_of(LATE_THURSDAY) & ~minutes_of(OFFICE_HOURS))) == "Thursday 17:00"


def test_the_fewest_at_work_are_found_at_every_change_of_shift() -> None:
    works = {"sanne": Hours({0: ((480, 600), (630, 1020))}), "emma": Hours({0: ((480, 615),)}), "bram": OFFICE_HOURS}
    roster = Roster(subject(works=works))
    morning = minutes_of(Hours({0: ((480, 720),)}))
    naive = min((roster.at_work(minute).bit_count(), minute) for minute in range(480, 720))
    assert roster.fewest_at_work(roster.everybody, morning) == naive == (1, 615)


def test_stretches_are_told_one_by_one() -> None:
    hours = Hours({0: ((480, 600), (630, 1440)), 1: ((0, 60),)})
    assert list(stretches(minutes_of(hours))) == [(480, 600), (630, 1500)]
    assert list(stretches(ALL)) == [(0, 7 * 1440)]


@pytest.mark.parametrize(("minute", "expected"), [(3 * 1440 + 1030, 1), (600, 3), (6 * 1440, 0)])
def test_who_is_at_work_is_as_counted_one_by_one(minute: int, expected: int) -> None:
    works = OFFICE_STAFF | {"bram": LATE_THURSDAY}
    roster = Roster(subject(works=works))
    assert roster.at_work(minute).bit_count() == expected
    assert sum(minutes_of(hours) >> minute & 1 for hours in works.values()) == expected


# -- the cost ---------------------------------------------------------------------------------------------------


class Looked(dict[str, int]):
    """Skills that count how often they are looked at."""

    looks = 0

    def items(self):
        Looked.looks += 1
        return super().items()

    def get(self, *arguments):
        Looked.looks += 1
        return super().get(*arguments)

    def __iter__(self) -> Iterator[str]:
        Looked.looks += 1
        return super().__iter__()


def test_each_agent_is_looked_at_once_however_many_topics_there_are() -> None:
    """So ten thousand agents and two hundred topics are no more than ten thousand and one."""
    skills = tuple(f"s{n}" for n in range(200))

    def person(n: int) -> Agent:
        mine: Mapping[str, int] = {skills[(n * 7 + k) % 200]: 1 + (n + k) % 5 for k in range(6)}
        return Agent(f"a{n}", "A", "A", Looked(mine), f"e{n}")

    people = tuple(person(n) for n in range(10_000))
    topics = tuple(topic(f"t{n}", "wmo", **{skill: 2}) for n, skill in enumerate(skills))
    works = {f"a{n}": Hours({n % 5: ((480 + n % 8 * 30, 1020),)}) for n in range(10_000)}
    two = (municipality("a"), municipality("b"))
    looked_at = subject(agents=people, topics=topics, works=works, municipalities=two)
    Looked.looks = 0
    roster = Roster(looked_at)
    assert not Coverage(looked_at, roster).gaps.keys() - {(t.id, "nl") for t in topics}
    assert Looked.looks == len(people)
