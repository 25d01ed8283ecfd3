"""The learner: chances from outcomes, drawn towards the wider mean; prices of time; what waiting may cost."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from router.nouns import Centre
from router.skills.learner import ABANDON_COST_FIRST, ABANDON_COST_MIN, Learner
from router.skills.prices import prices
from tests.properties.world import small_centre


def centre() -> Centre:
    return replace(small_centre("resolution", "resolution"), learning="person", learning_reason="a test")


def fed(outcomes: dict[tuple[str, str], tuple[int, int]]) -> Learner:
    """(topic, agent) -> (answered, resolved)."""
    learner = Learner(centre())
    for (topic, agent), (answered, resolved) in outcomes.items():
        for n in range(answered):
            learner.answered(topic, agent, n < resolved, 240, 5)
    learner.policy_begins()
    for person in learner.centre.agents:
        learner.worked(person.id, 8 * 3600)
    return learner


def test_off_uses_no_outcomes() -> None:
    learner = fed({("burgerzaken", "anna"): (500, 0), ("burgerzaken", "bert"): (500, 500)})
    off = learner.learn("off").topics["burgerzaken"]
    assert off.chance["anna"] > off.chance["bert"], "level 4 before level 2"
    assert not off.answered
    assert not off.reserve


def test_team_knows_levels_and_nobody_in_person() -> None:
    """Bert and Eef both have level 2 on burgerzaken."""
    learner = fed({("burgerzaken", "bert"): (400, 100), ("burgerzaken", "eef"): (400, 300)})
    team = learner.learn("team").topics["burgerzaken"]
    assert team.chance["bert"] == team.chance["eef"]
    assert team.seconds["bert"] == team.seconds["eef"]
    assert not team.answered


def test_person_tells_them_apart_the_more_the_more_is_known() -> None:
    few = fed({("burgerzaken", "bert"): (8, 2), ("burgerzaken", "eef"): (8, 6)}).learn("person")
    many = fed({("burgerzaken", "bert"): (400, 100), ("burgerzaken", "eef"): (400, 300)}).learn("person")
    apart = [e.topics["burgerzaken"].chance["eef"] - e.topics["burgerzaken"].chance["bert"] for e in (few, many)]
    assert 0 < apart[0] < apart[1] <= 5_000
    assert apart[0] < 1_500, "eight contacts prove little"
    assert apart[1] > 3_500
    assert many.topics["burgerzaken"].answered["bert"] == 400


def test_waiting_is_earned_by_a_measured_spread() -> None:
    alike = fed({("burgerzaken", a): (300, 225) for a in ("anna", "bert", "dia", "eef")}).learn("team")
    apart = fed(
        {("burgerzaken", "anna"): (300, 270), ("burgerzaken", "bert"): (300, 150), ("burgerzaken", "eef"): (300, 150)}
    ).learn("team")
    unknown = fed({("burgerzaken", "anna"): (20, 20), ("burgerzaken", "bert"): (20, 0)}).learn("team")
    assert not alike.topics["burgerzaken"].reserve
    assert apart.topics["burgerzaken"].reserve
    assert not unknown.topics["burgerzaken"].reserve


def test_patience_is_all_waiting_by_those_who_gave_up() -> None:
    learner = Learner(centre())
    dice = random.Random(1)
    for _ in range(4_000):
        patience, wait = dice.expovariate(1 / 90), dice.expovariate(1 / 60)
        if patience < wait:
            learner.abandoned("wmo", patience)
        else:
            learner.answered("wmo", "anna", True, 300, wait)
    assert learner.learn("team").patience_seconds == pytest.approx(90, rel=0.1)


def test_reservations_may_lose_no_more_than_the_saved_work_keeps() -> None:
    learner = fed({("burgerzaken", "anna"): (500, 400)})

    def day(seconds: float, kept: float) -> int:
        for _ in range(100):
            learner.answered("burgerzaken", "anna", True, seconds, 0)
        for _ in range(10):
            learner.abandoned("burgerzaken", 100)
        learner.reserved(kept)
        return learner.learn("person").abandon_cost

    first, floor = round(10_000 * ABANDON_COST_FIRST), round(10_000 * ABANDON_COST_MIN)
    assert day(240, 0) == first, "nothing was spent and nothing saved"
    dear = [day(240, 500) for _ in range(5)]
    assert first < dear[0] < dear[-1], "nothing was saved, so nothing may be spent"
    assert learner.saved == 0
    cheap = [day(200, 100) for _ in range(40)]
    assert learner.saved > 0.1
    assert cheap[-1] == floor


def test_nothing_is_reserved_before_it_is_known_what_it_was_like_without() -> None:
    learner = fed({("burgerzaken", "anna"): (300, 270), ("burgerzaken", "bert"): (300, 150)})
    assert learner.learn("team").topics["burgerzaken"].reserve
    learner.work_before = 0.0
    assert not learner.learn("team").topics["burgerzaken"].reserve


def test_the_same_outcomes_give_the_same_estimates() -> None:
    outcomes = {("wmo", "anna"): (120, 90), ("burgerzaken", "bert"): (77, 50)}
    assert fed(outcomes).learn("person") == fed(outcomes).learn("person")


def test_time_is_dear_where_work_is_much_and_people_are_few() -> None:
    chances = {"a": {"one": 0.8, "both": 0.8}, "b": {"both": 0.8, "two": 0.8}}
    seconds = {topic: dict.fromkeys(row, 300.0) for topic, row in chances.items()}
    people = {"one": 1.0, "both": 1.0, "two": 1.0}
    agents, topics = prices(chances, seconds, {"a": 0.0055, "b": 0.001}, people)
    assert agents["one"] > agents["two"]
    assert agents["two"] < agents["both"]
    assert topics["a"] < topics["b"], "one more of a finds less time left"
    even, _ = prices(chances, seconds, {"a": 0.003, "b": 0.003}, people)
    assert even["one"] == pytest.approx(even["two"], abs=1e-4)


def test_prices_of_nothing() -> None:
    assert prices({}, {}, {"a": 0.0}, {"x": 1.0}) == ({"x": 0.0}, {"a": 0.0})


def test_margins_and_numbers_stand_beside_what_was_measured() -> None:
    few = fed({("burgerzaken", "bert"): (8, 4), ("burgerzaken", "anna"): (400, 300)})
    assert few.learn("off").topics["burgerzaken"].margin == {}
    team = few.learn("team").topics["burgerzaken"]
    assert team.level_answered == {"2": 8, "3": 0, "4": 400}
    assert team.margin["bert"] == team.margin["eef"] > team.margin["anna"] > 0
    person = few.learn("person").topics["burgerzaken"]
    assert person.margin["anna"] < person.margin["bert"] < 1_000
    assert person.answered["anna"] == 400


def test_a_correction_is_as_if_it_had_been_known_at_once() -> None:
    late, knowing = fed({("wmo", "dia"): (10, 8)}), fed({("wmo", "dia"): (10, 7)})
    late.corrected("wmo", "dia", False)
    assert late.learn("person") == knowing.learn("person")
    late.corrected("wmo", "dia", True)
    assert late.learn("person") == fed({("wmo", "dia"): (10, 8)}).learn("person")


def test_what_is_forgotten_leaves_no_trace_in_the_chances() -> None:
    old = {("wmo", "dia"): (30, 3), ("afval", "cor"): (5, 5)}
    new = {("wmo", "dia"): (10, 8)}
    both = fed(old)
    for (topic, agent), (answered, resolved) in new.items():
        for n in range(answered):
            both.answered(topic, agent, n < resolved, 240, 5)
    both.abandoned("wmo", 100)
    both.forget(fed(old))
    kept, alone = both.learn("person"), fed(new).learn("person")
    assert {t: (e.chance, e.seconds, e.answered) for t, e in kept.topics.items()} == {
        t: (e.chance, e.seconds, e.answered) for t, e in alone.topics.items()
    }
    assert ("afval", "cor") not in both.pairs


def test_a_new_learner_goes_on_from_what_was_published() -> None:
    learner = fed({("wmo", "dia"): (10, 8)})
    learner.published(replace(learner.learn("off"), abandon_cost=12_000))
    assert learner.abandon_cost == 1.2
