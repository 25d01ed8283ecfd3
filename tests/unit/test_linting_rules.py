"""The linter on hours, weights, wording and staffing: a bad and a good configuration of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.linting.findings import Expected, Volume
from router.linting.wording import table_lines
from router.nouns import ClassifyRule, Hours, QueueTarget
from router.queues.erlang import erlang_a
from router.skills.classification import ordered_rules
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

# -- hours (failure case 38: hours that shift, go stale, or leak) -------------------------------------------------


def with_phone(hours: Hours | None, **changes):
    usual = municipality("veenstede")
    rest = {channel: own for channel, own in usual.hours.items() if channel != "phone"}
    return (replace(usual, hours=rest if hours is None else rest | {"phone": hours}, **changes),)


def test_case_38_a_live_channel_without_hours_is_open_at_night() -> None:
    finding = one("hours_missing", subject(municipalities=with_phone(None)))
    assert finding.key == "municipalities[1].hours.phone"
    assert finding.example.startswith("phone of veenstede is open on Sunday 03:00")
    assert not found("hours_missing", subject(municipalities=with_phone(None, entry_points=())))


def test_a_number_that_never_opens() -> None:
    finding = one("hours_never", subject(municipalities=with_phone(Hours())))
    assert finding.example.startswith("who dials 14veenstede (veenstede) hears that it is closed")
    once = Hours(special={"2026-12-24": ((480, 720),)})
    assert not found("hours_never", subject(municipalities=with_phone(once)))


def test_case_38_half_a_night_leaks() -> None:
    half = Hours({4: ((480, 1320),), 5: ((0, 120),)})
    finding = one("hours_midnight", subject(municipalities=with_phone(half)))
    assert finding.example == (
        "phone of veenstede closes at 22:00 on Friday and opens again at Saturday 00:00: half of a night"
    )
    whole = Hours({4: ((480, 1440),), 5: ((0, 120),)})
    round_the_clock = Hours(dict.fromkeys(range(7), ((0, 1440),)))
    for hours in (whole, round_the_clock):
        assert not found("hours_midnight", subject(municipalities=with_phone(hours)))


def test_case_38_open_on_a_holiday_on_which_nobody_works() -> None:
    christmas = frozenset({"2026-12-25", "2026-12-26"})
    closed: dict[str, Any] = {"closed_days": christmas, "today": "2026-11-28", "works": OFFICE_STAFF}
    always = with_phone(Hours(always=True), holidays=tuple(sorted(christmas)))
    finding = one("hours_closed_day", subject(municipalities=always, **closed))
    assert "phone of veenstede is open on 2026-12-25 and 1 other days" in finding.example
    own = replace(municipality("veenstede"), holidays=("2026-12-26",))
    assert len(found("hours_closed_day", subject(municipalities=(own,), **closed))) == 3
    good = replace(own, holidays=tuple(sorted(christmas)))
    assert not found("hours_closed_day", subject(municipalities=(good,), **closed))
    assert not found("hours_closed_day", subject(municipalities=always, **closed | {"works": {}}))


def test_case_38_stale_days() -> None:
    days = (("closed_days[1]", "2026-12-24"), ("municipalities[1].closed_days[1]", "2026-05-15"))
    finding = one("hours_past", subject(written_days=days, today="2026-11-28"))
    assert (finding.severity, finding.key) == ("advice", "municipalities[1].closed_days[1]")
    assert not found("hours_past", subject(written_days=days, today="2026-05-15"))


# -- weights (failure case 14: weight and penalty shut others out) --------------------------------------------------


def test_case_14_a_priority_that_starves_another_queue_of_the_same_agents() -> None:
    queues = (queue("wmo", priority=1), queue("algemeen", priority=9))
    finding = one("priority_starves", subject(queues=queues, priority_step_seconds=600))
    assert (
        "who waits in algemeen (priority 9) goes behind everybody who comes into wmo (priority 1) in the next 80 "
        "minutes, with the same agents (sanne and emma); the norm on phone is 20 s" in finding.example
    )
    assert not found("priority_starves", subject(queues=queues, priority_step_seconds=120))


def test_case_14_queues_with_people_of_their_own_do_not_starve_one_another() -> None:
    queues = (queue("wmo", priority=1), queue("bouwen", priority=9))
    topics = (topic("wmo", wmo=3), topic("bouwen", bouwen=3))
    people = (agent("a", wmo=3), agent("b", bouwen=3))
    apart = subject(queues=queues, topics=topics, agents=people, priority_step_seconds=3600)
    assert not found("priority_starves", apart)


def resolution(**changes):
    return {"queues": (queue("wmo", policy="resolution", **changes), queue("algemeen"))}


def test_case_14_a_load_that_counts_for_more_than_knowing() -> None:
    finding = one("fairness_outweighs", subject(**resolution(fairness_percent=400)))
    assert "the load takes 100 points off, the level brings 32" in finding.example
    assert not found("fairness_outweighs", subject(**resolution()))


def test_a_reservation_that_can_never_be() -> None:
    assert one("reserve_never", subject(**resolution(reserve_seconds=15))).severity == "advice"
    assert not found("reserve_never", subject(learning="team", **resolution(reserve_seconds=15)))


def test_a_reservation_that_outlasts_the_caller() -> None:
    expected = Expected(OFFICE_HOURS, {}, 30)
    bad = subject(learning="team", expected=expected, **resolution(reserve_seconds=30))
    assert "may be kept 30 s for a better agent, and gives up after 30 s" in one("reserve_impatient", bad).example
    good = subject(learning="team", expected=expected, **resolution(reserve_seconds=10))
    assert not found("reserve_impatient", good)


# -- rules and keywords ---------------------------------------------------------------------------------------------


def worded(*rules: ClassifyRule, **keywords: tuple[str, ...]):
    return subject(
        written_rules=rules,
        keywords=keywords,
        classification=ordered_rules(rules, (t.id for t in USUAL.topics), keywords),
    )


def test_a_rule_that_an_earlier_one_eats() -> None:
    wide, narrow = ClassifyRule(("keyword:a",), "wmo"), ClassifyRule(("keyword:a", "keyword:b"), "algemeen")
    finding = one("rule_never_fires", worded(wide, narrow))
    assert finding.key == "rules[2]"
    assert "the earlier rule keyword:a -> wmo takes it" in finding.example
    assert not found("rule_never_fires", worded(narrow, wide))


def test_a_rule_that_only_repeats_a_choice() -> None:
    """A rule with a choice in it goes before the choice itself, so it is not eaten."""
    assert not found("rule_never_fires", worded(ClassifyRule(("topic:wmo", "keyword:a"), "algemeen")))


@pytest.mark.parametrize(
    ("early", "late", "shadowed"),
    [
        ("parkeer*", "parkeervergunning", True),
        ("parkeer*", "parkeervergunning*", True),
        ("parkeer", "parkeer*", False),
        ("vergunning*", "een vergunning*", True),
        ("lamp", "kapotte lamp", True),
        ("lamp", "kapotte lamp*", False),
        ("grof vuil", "vuil", False),
        ("Afvál", "afval", True),
        ("bak", "glasbak", False),
    ],
)
def test_a_keyword_that_an_earlier_topic_eats(early: str, late: str, shadowed: bool) -> None:
    findings = found("keyword_shadowed", worded(wmo=(early,), algemeen=("anders", late)))
    assert bool(findings) is shadowed
    if findings:
        assert findings[0].key == "topics[2].keywords[2]"
        assert f'a mail with "{late}" is about wmo, never about algemeen' in findings[0].example


def test_a_keyword_of_the_same_topic_eats_nothing() -> None:
    assert not found("keyword_shadowed", worded(wmo=("zorg*", "zorgloket")))


# -- staffing -------------------------------------------------------------------------------------------------------

MONDAY_MORNING = Hours({0: ((600, 660),)})


def staffed(calls: float, agents: int, works: dict[str, Hours] | None = None):
    people = tuple(agent(f"a{n}", wmo=3) for n in range(agents))
    expected = Expected(MONDAY_MORNING, {"wmo": Volume(calls, 300)}, 180)
    return subject(agents=people, expected=expected, language_needs={}, works=works)


def test_a_norm_that_erlang_a_says_cannot_be_met() -> None:
    finding = one("target_unreachable", staffed(48, 4))
    share = erlang_a(4, 48 / 3600, 300, 180, 20).in_target
    six = erlang_a(6, 48 / 3600, 300, 180, 20).in_target
    assert (finding.severity, finding.key) == ("warning", "queues[1].targets.phone")
    assert finding.example.startswith(
        f"on Monday 10:00 48 calls an hour of 300 s for wmo meet 4 agents: {share:.0%} within 20 s, the norm is 80%; "
        f"6 give {six:.0%} (Erlang A, patience 180 s, first come first served,"
    )
    assert finding.remedy.startswith("2 more at work")
    assert erlang_a(5, 48 / 3600, 300, 180, 20).in_target < 0.8 <= six
    assert not found("target_unreachable", staffed(48, 6))


def test_only_who_works_in_the_busiest_hours_counts() -> None:
    away = {"a0": Hours({0: ((600, 630),)}), "a1": Hours({1: ((480, 1020),)})}
    finding = one("target_unreachable", staffed(38, 6, away))
    assert finding.example.startswith("on Monday 10:30 38 calls an hour of 300 s for wmo meet 4 agents")


def test_nobody_there_meets_no_norm() -> None:
    finding = one("target_unreachable", staffed(38, 1, {"a0": LATE_THURSDAY}))
    assert "meet 1 agent:" in finding.example
    nobody = one("target_unreachable", staffed(38, 1, {"a0": Hours({1: ((480, 1020),)})}))
    assert "meet 0 agents: 0% within 20 s" in nobody.example


def test_queues_that_share_their_people_are_judged_as_one_pool() -> None:
    people = tuple(agent(f"a{n}", wmo=3) for n in range(5))
    expected = Expected(MONDAY_MORNING, {"wmo": Volume(30, 300), "algemeen": Volume(30, 300)}, 180)
    both = subject(agents=people, expected=expected, language_needs={})
    findings = found("target_unreachable", both)
    assert [finding.key for finding in findings] == ["queues[1].targets.phone", "queues[2].targets.phone"]
    assert "60 calls an hour of 300 s for wmo, with all that shares its agents (wmo, algemeen), meet 5" in (
        findings[0].example
    )
    wmo_alone = replace(expected, volumes={"wmo": Volume(30, 300)})
    assert not found("target_unreachable", replace(both, expected=wmo_alone))


def test_a_norm_of_one_municipality_is_judged_too() -> None:
    looked_at = staffed(48, 6)
    first, *others = looked_at.centre.municipalities
    strict = replace(first, targets={"wmo": {"phone": QueueTarget(2, 0.9)}})
    finding = one(
        "target_unreachable", replace(looked_at, centre=replace(looked_at.centre, municipalities=(strict, *others)))
    )
    assert (finding.file, finding.key) == ("centre.toml", "municipalities[1].targets.wmo.phone")
    share = erlang_a(6, 48 / 3600, 300, 180, 2).in_target
    assert f"{share:.0%} within 2 s, the norm of {first.id} is 90%" in finding.example


def test_case_14_urgent_calls_that_fill_everybody_starve_the_rest() -> None:
    expected = Expected(MONDAY_MORNING, {"wmo": Volume(60, 300), "algemeen": Volume(6, 300)}, 180)
    queues = (queue("wmo", priority=3), queue("algemeen", priority=5))
    people = tuple(agent(f"a{n}", wmo=3) for n in range(5))
    looked_at = subject(agents=people, expected=expected, queues=queues, language_needs={})
    finding = one("priority_starves", looked_at)
    assert finding.example.startswith(
        "on Monday 10:00 calls of wmo alone keep 5.0 of 5 agents busy and go 240 s before those of algemeen"
    )
    apart = subject(agents=(*people, agent("tim")), expected=expected, queues=queues, language_needs={})
    assert not found("priority_starves", apart)
    small_steps = subject(agents=people, expected=expected, queues=queues, language_needs={}, priority_step_seconds=60)
    assert not found("priority_starves", small_steps)


def test_no_expectations_no_judgement() -> None:
    assert not found("target_unreachable", replace(staffed(10_000, 1), expected=None))


def test_the_table_that_decides_what_a_contact_is_about_is_told_in_its_order() -> None:
    rules = (ClassifyRule(("keyword:a", "keyword:b"), "algemeen"), ClassifyRule(("topic:algemeen", "keyword:a"), "wmo"))
    assert table_lines(worded(*rules, wmo=("wmo",), a=("a",), b=("b",)).centre) == [
        "1. topic:algemeen + keyword:a -> wmo",
        "2. topic:… or form:… -> that topic, of wmo, algemeen",
        "3. keyword:a + keyword:b -> algemeen",
        "4. keyword:… -> that topic, of wmo",
        "5. anything else -> algemeen",
    ]
