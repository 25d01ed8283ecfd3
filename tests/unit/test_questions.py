"""Several questions in one contact: asked together, added later, and each with an answer of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.engine import commands, facts
from router.engine.decide import advance
from router.errors import InvalidInput, Refusal, TooMany, WrongState
from router.nouns import ClassifyRule, Question, Topic
from router.skills.classification import topics_of
from router.wire import decode
from tests.properties.world import World, small_centre


def refused(world: World, command: commands.Command) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        advance(world.state, command, world.now)
    return refusal.value


def in_hand(world: World, channel: str = "counter", *topics: str) -> tuple[str, str]:
    """A contact about these topics (burgerzaken, else) that is in conversation, and with whom."""
    hints = tuple(f"topic:{topic}" for topic in topics or ("burgerzaken",))
    contact = world.receive(channel, hints=hints)
    offer, agent = world.offer_of(contact)
    assert world.ask(commands.Accept(offer, agent))
    return contact, agent


def last(world: World, kind: type[facts.Fact]) -> facts.Fact:
    return next(fact for _, fact in reversed(world.record) if isinstance(fact, kind))


def test_a_form_with_two_topics_asks_for_somebody_who_can_take_both() -> None:
    world = World()
    world.ready("cor", "bert")  # cor knows waste, bert both
    contact = world.receive("chat", hints=("topic:afval", "topic:burgerzaken"))
    here = world.state.contacts[contact]
    assert (here.topic, here.further) == ("burgerzaken", ("afval",))
    assert here.needs == {"burgerzaken": 2, "afval": 1}
    assert world.offer_of(contact)[1] == "bert"


def test_where_nobody_here_can_take_both_it_asks_what_the_first_question_asks() -> None:
    world = World()
    world.ready("anna")  # knows no waste
    contact = world.receive("chat", hints=("topic:afval", "topic:burgerzaken"))
    assert world.state.contacts[contact].needs == {"burgerzaken": 2}
    assert world.offer_of(contact)[1] == "anna"


def test_written_work_waits_for_whoever_on_the_roster_can_take_both() -> None:
    world = World()
    world.ready("anna")
    contact = world.receive("email", hints=("topic:afval", "topic:burgerzaken"))
    assert world.state.contacts[contact].needs == {"burgerzaken": 2, "afval": 1}
    assert world.offer_of(contact) == ("", "")
    world.ready("dia")
    assert world.offer_of(contact)[1] == "dia"


def test_a_question_is_added_once_a_topic_and_not_without_end() -> None:
    centre = small_centre()
    more = tuple(Topic(f"more-{n}", {}, "buiten", {}) for n in range(9))
    world = World(replace(centre, topics=centre.topics + more))
    world.ready("anna")
    contact, agent = in_hand(world)
    for _ in range(3):
        decision = world.ask(commands.AddQuestion(contact, agent, "afval"))
        assert decision is not None
        assert decision.answer == 2
    first = world.ask(commands.AddQuestion(contact, agent, "burgerzaken"))
    assert first is not None
    assert (first.answer, first.facts) == (1, ())
    assert [fact for _, fact in world.record if isinstance(fact, facts.QuestionAdded)] == [
        facts.QuestionAdded(contact, 2, "afval", agent)
    ]
    assert isinstance(refused(world, commands.AddQuestion(contact, agent, "nergens")), InvalidInput)
    assert isinstance(refused(world, commands.AddQuestion(contact, "bert", "wmo")), WrongState)
    for n in range(7):
        world.ask(commands.AddQuestion(contact, agent, f"more-{n}"))
    assert isinstance(refused(world, commands.AddQuestion(contact, agent, "more-8")), TooMany)


def test_each_question_gets_its_own_answer_and_the_contact_is_settled_when_all_are() -> None:
    world = World()
    world.ready("anna")
    contact, agent = in_hand(world)
    world.ask(commands.AddQuestion(contact, agent, "afval"))
    world.ask(commands.FinishConversation(contact, agent))
    world.ask(commands.AddQuestion(contact, agent, "wmo"))
    wrong = commands.CompleteWrapUp(contact, agent, True, further=(Question("parkeren", True),))
    assert isinstance(refused(world, wrong), InvalidInput)
    assert isinstance(refused(world, commands.CompleteWrapUp(contact, agent, True, topic="afval")), InvalidInput)
    answers = (Question("afval", False), Question("wmo", True))
    world.ask(commands.CompleteWrapUp(contact, agent, True, further=answers))
    ended = last(world, facts.ContactEnded)
    assert isinstance(ended, facts.ContactEnded)
    assert ended.resolved is False
    assert ended.questions == (Question("burgerzaken", True), *answers) == ended.outcomes


def test_what_was_not_asked_after_all_does_not_count() -> None:
    world = World()
    world.ready("anna")
    contact, agent = in_hand(world)
    world.ask(commands.AddQuestion(contact, agent, "afval"))
    world.ask(commands.FinishConversation(contact, agent))
    world.ask(commands.CompleteWrapUp(contact, agent, True))
    ended = last(world, facts.ContactEnded)
    assert isinstance(ended, facts.ContactEnded)
    assert (ended.resolved, ended.questions[1]) == (True, Question("afval", None))


def test_a_contact_with_one_question_ends_as_before() -> None:
    world = World()
    world.ready("anna")
    contact, agent = in_hand(world)
    world.ask(commands.FinishConversation(contact, agent))
    assert isinstance(
        refused(world, commands.CompleteWrapUp(contact, agent, True, further=(Question("afval", True),))), InvalidInput
    )
    world.ask(commands.CompleteWrapUp(contact, agent, True))
    ended = last(world, facts.ContactEnded)
    assert isinstance(ended, facts.ContactEnded)
    assert (ended.questions, ended.outcomes) == ((), (Question("burgerzaken", True),))


def test_handed_to_another_queue_the_question_of_that_queue_goes_first() -> None:
    world = World()
    world.ready("anna", "cor")
    contact, agent = in_hand(world)
    world.ask(commands.AddQuestion(contact, agent, "afval"))
    world.ask(commands.HandOver(contact, agent, queue="buiten"))
    here = world.state.contacts[contact]
    assert (here.topic, here.further, here.needs) == ("afval", ("burgerzaken",), {"afval": 1})
    assert world.offer_of(contact)[1] == "cor"


def test_handed_to_a_queue_that_serves_none_of_them_its_own_topic_takes_the_place_of_the_first() -> None:
    world = World()
    world.ready("anna")
    contact, agent = in_hand(world, "counter", "burgerzaken")
    world.ask(commands.AddQuestion(contact, agent, "wmo"))
    world.ask(commands.HandOver(contact, agent, queue="buiten"))
    here = world.state.contacts[contact]
    assert (here.topic, here.further) == ("afval", ("wmo",))


def test_facts_of_before_there_were_questions_are_still_read() -> None:
    old = decode(b'["ContactEnded",1,{"contact":"c-1","reason":"handled","topic":"afval","resolved":true}]')
    assert old == facts.ContactEnded("c-1", "handled", topic="afval", resolved=True)
    assert old.outcomes == (Question("afval", True),)


RULES = (
    ClassifyRule(("topic:algemeen", "keyword:hulpmiddel"), "wmo"),
    ClassifyRule(("topic:algemeen",), "algemeen"),
    ClassifyRule(("topic:afval",), "afval"),
    ClassifyRule(("keyword:belasting",), "belastingen"),
)


@pytest.mark.parametrize(
    ("hints", "topics"),
    [
        ((), ("anders",)),
        (("topic:afval",), ("afval",)),
        (("topic:afval", "topic:algemeen"), ("algemeen", "afval")),
        (("topic:afval", "topic:algemeen", "keyword:hulpmiddel"), ("wmo", "afval")),
        (("topic:afval", "keyword:belasting"), ("afval",)),
        (("topic:afval", "topic:onbekend", "keyword:belasting"), ("afval",)),
        (("topic:niets", "topic:onbekend"), ("anders",)),
    ],
)
def test_each_topic_that_was_chosen_is_a_question(hints: tuple[str, ...], topics: tuple[str, ...]) -> None:
    assert topics_of(RULES, "anders", hints) == topics


def test_where_it_came_in_says_what_it_is_about_on_every_channel() -> None:
    rules = (ClassifyRule(("entry:140592",), "afval"), ClassifyRule(("entry:wmo@here.example",), "wmo"))
    world = World(replace(small_centre(), classification=rules))
    call = world.receive("phone", hints=(), entry_point="140592", classify=False)
    mail = world.receive("email", hints=(), entry_point="wmo@here.example")
    chat = world.receive("chat", hints=())
    world.ask(commands.Classify(call, ("menu:3",)))
    assert [world.state.contacts[id].topic for id in (call, mail, chat)] == ["afval", "wmo", "burgerzaken"]
