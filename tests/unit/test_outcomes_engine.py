"""What citizens answer, and estimates that are switched off: in the engine."""

from __future__ import annotations

from dataclasses import replace

from router.engine import commands, facts
from router.nouns import Estimates, TopicEstimate
from router.skills.estimates import LEVEL_CHANCES, in_force, level_chance
from tests.properties.world import World, small_centre


def handled(here: World) -> str:
    here.ready("anna")
    contact = here.receive("chat")
    offer, agent = here.offer_of(contact)
    here.ask(commands.Accept(offer, agent))
    here.ask(commands.FinishConversation(contact, agent))
    return contact


def said(here: World) -> list[facts.CitizenAnswered]:
    return [fact for _, fact in here.record if isinstance(fact, facts.CitizenAnswered)]


def test_a_citizen_answers_in_wrap_up_or_after_the_end_and_not_before() -> None:
    here = World()
    here.ready("anna")
    early = here.receive("chat")
    assert here.ask(commands.AnswerCitizen(early, True)) is None
    first, second = handled(here), handled(here)
    assert here.ask(commands.AnswerCitizen(first, True)) is not None
    here.ask(commands.CompleteWrapUp(second, "anna", True))
    assert here.ask(commands.AnswerCitizen(second, False)) is not None
    assert said(here) == [facts.CitizenAnswered(first, True), facts.CitizenAnswered(second, False)]
    assert here.ask(commands.AnswerCitizen("c-never", True)) is None


def test_the_first_answer_stands_and_a_mark_may_follow_once() -> None:
    here = World()
    contact = handled(here)
    for _ in range(3):
        here.ask(commands.AnswerCitizen(contact, False))
    assert here.ask(commands.AnswerCitizen(contact, True)) is None
    for _ in range(3):
        here.ask(commands.AnswerCitizen(contact, False, 7))
    assert here.ask(commands.AnswerCitizen(contact, False, 9)) is None
    assert here.ask(commands.AnswerCitizen(contact, False, 11)) is None
    assert said(here) == [facts.CitizenAnswered(contact, False), facts.CitizenAnswered(contact, False, 7)]


def test_answers_are_forgotten_with_their_contact() -> None:
    here = World()
    contact = handled(here)
    here.ask(commands.AnswerCitizen(contact, True))
    here.ask(commands.CompleteWrapUp(contact, "anna", True))
    here.pass_time(25 * 3_600_000)
    assert not here.state.answers
    assert here.ask(commands.AnswerCitizen(contact, True)) is None


# -- switching off ----------------------------------------------------------------------------------------------


def estimates() -> Estimates:
    topics = {
        "burgerzaken": TopicEstimate(
            {"anna": 1_000, "bert": 9_000, "eef": 5_000}, {"anna": 100, "bert": 300, "eef": 200}
        ),
        "wmo": TopicEstimate({"anna": 1_000}, {"anna": 100}, price=700, reserve=True),
    }
    return Estimates("team", topics)


def world() -> World:
    here = World(small_centre("resolution", "resolution"))
    here.ask(commands.PublishEstimates(estimates(), "1"))
    return here


def asked(here: World) -> str:
    """Who is asked first for a call about burgerzaken when Anna (level 4) and Bert (level 2) are free."""
    here.ready("anna", "bert")
    contact = here.receive("phone")
    return here.offer_of(contact)[1]


def test_the_estimates_decide_until_one_is_switched_off() -> None:
    assert asked(world()) == "bert"
    for topic, agent in (("burgerzaken", ""), ("", "")):
        here = world()
        here.ask(commands.SwitchEstimates(False, "sup", "v-1", topic, agent))
        assert asked(here) == "anna", "by level"
    here = world()
    here.ask(commands.SwitchEstimates(False, "sup", "v-1", "burgerzaken", "bert"))
    crew = here.state.index.crew(here.state, ("phone", (("burgerzaken", 2),), "burgerzaken", "", 0))
    assert crew.chances == {"anna": 1_000, "bert": LEVEL_CHANCES[2], "dia": LEVEL_CHANCES[3], "eef": 5_000}
    assert crew.seconds["bert"] == 200, "the topic's mean"


def test_switching_on_again_brings_the_estimate_back_and_doing_it_twice_is_no_news() -> None:
    here = world()
    off = commands.SwitchEstimates(False, "sup", "v-1", "burgerzaken")
    for _ in range(3):
        here.ask(off)
    for _ in range(3):
        here.ask(replace(off, on=True))
    assert [f.on for _, f in here.record if isinstance(f, facts.EstimatesSwitched)] == [False, True]
    assert here.state.estimates_off == []
    assert asked(here) == "bert"


def test_what_does_not_exist_is_not_switched() -> None:
    here = world()
    assert here.ask(commands.SwitchEstimates(False, "sup", "v-1", "nergens")) is None
    assert here.ask(commands.SwitchEstimates(False, "sup", "v-1", "wmo", "niemand")) is None
    assert here.ask(commands.SwitchEstimates(False, "sup", "v-1", "", "anna")) is None


def test_a_topic_that_is_off_leaves_nothing_behind() -> None:
    centre = small_centre("resolution", "resolution")
    found = in_force(centre, estimates(), [("wmo", "")])
    assert found is not None
    assert set(found.topics) == {"burgerzaken"}
    alone = in_force(centre, estimates(), [("wmo", "anna")])
    assert alone is not None
    assert alone.topics["wmo"].chance == {}
    assert alone.topics["wmo"].seconds == {"anna": 100}
    assert in_force(centre, estimates(), [("", "")]) is None
    assert level_chance(centre.agents[0], {"wmo": 3}) == LEVEL_CHANCES[3]
