"""The three measures of first contact resolution: by hand, corrected afterwards, and against a naive recomputation."""

from __future__ import annotations

from dataclasses import replace

from router.engine import facts
from router.engine.facts import Fact
from router.nouns import Question
from router.port import Numbered
from router.projections import shapes
from router.projections.contacts import Contacts
from router.projections.days import DAY_MS
from router.projections.outcomes import Judged, Outcomes
from tests.properties.at_random import random_sequence
from tests.properties.world import World
from tests.unit.doubles import START, accepted, offered, queued, received, small_centre


class Fold:
    """Contacts and outcomes, folded fact by fact; `heard` is what a learner would be told."""

    def __init__(self) -> None:
        self.centre = small_centre()
        self.contacts = Contacts()
        self.outcomes = Outcomes(self.centre, self.contacts)
        self.at, self.number = START, 0
        self.heard: list[tuple[str, bool | None, bool | None]] = []

    def add(self, *new: Fact, days: float = 0) -> Fold:
        self.at += int(days * DAY_MS)
        for fact in new:
            self.number += 1
            numbered = Numbered(self.number, self.at, fact)
            self.contacts.apply(numbered)
            self.outcomes.apply(numbered)
            self.heard.extend((j.contact, before, j.settled) for j, before in self.outcomes.changes)
        return self

    def contact(self, id: str, resolved: bool | None = True, *, days: float = 0, **more: str) -> Fold:
        """One that is handled from beginning to end a minute later."""
        topic, channel = more.pop("topic", "burgerzaken"), more.pop("channel", "phone")
        came = replace(received(id, channel), **({"citizen": "z-1"} | more))  # type: ignore[arg-type]
        self.add(came, replace(queued(id), topic=topic), offered(id, "ada"), accepted(id, "ada"), days=days)
        self.add(facts.ConversationEnded(id, "ada", "agent", 0), days=60_000 / DAY_MS)
        return self.add(facts.ContactEnded(id, "handled", "ada", topic, resolved))

    def today(self, days: int = 1) -> shapes.Measures:
        return self.outcomes.measures(self.at, days)


def test_the_agents_answer_counts_per_question_and_silence_does_not_count() -> None:
    fold = Fold().contact("c-1", True).contact("c-2", None, citizen="z-2")
    questions = (Question("burgerzaken", True), Question("afval", False))
    fold.contact("c-3", citizen="z-3")
    several = replace(received("c-4"), citizen="z-4")
    fold.add(several, queued("c-4"), offered("c-4", "ada"), accepted("c-4", "ada"))
    fold.add(facts.ContactEnded("c-4", "handled", "ada", "burgerzaken", False, questions=questions))
    today = fold.today()
    assert today.finished == 5
    assert today.agent == shapes.Measure(0.75, 4)
    assert fold.outcomes.report(fold.at, 1).topics["afval"].agent == shapes.Measure(0.0, 1)


def test_what_no_agent_finished_is_not_measured() -> None:
    fold = Fold().add(received("c-1"), queued("c-1"), facts.ContactEnded("c-1", "abandoned", topic="burgerzaken"))
    fold.add(received("c-2"), queued("c-2"), offered("c-2", "ada"), accepted("c-2", "ada"))
    fold.add(facts.ContactEnded("c-2", "closed", "ada", "burgerzaken"))
    assert fold.today().finished == 0
    assert fold.today().agent == shapes.Measure(None, 0)


def test_citizens_answer_before_the_end_or_after_and_once() -> None:
    fold = Fold()
    fold.add(received("c-1", "chat"), queued("c-1"), offered("c-1", "ada"), accepted("c-1", "ada"))
    fold.add(facts.ConversationEnded("c-1", "ada", "citizen_left", 0), facts.CitizenAnswered("c-1", False))
    assert fold.today().citizen == shapes.Measure(None, 0), "its day is that of its end"
    fold.add(facts.ContactEnded("c-1", "handled", "ada", "burgerzaken", True))
    fold.contact("c-2").contact("c-3", days=1).add(facts.CitizenAnswered("c-2", True))
    fold.add(facts.CitizenAnswered("c-2", True, 8))
    assert fold.outcomes.measures(fold.at, 2).citizen == shapes.Measure(0.5, 2)
    assert (fold.outcomes.measures(fold.at, 2).mark, fold.outcomes.measures(fold.at, 2).mark_of) == (8.0, 1)
    assert fold.today().citizen == shapes.Measure(None, 0), "c-2 ended yesterday"
    entry = fold.contacts.get("c-2")
    assert entry is not None
    assert (entry.view().citizen_answered, entry.view().citizen_mark) == (True, 8)


def test_who_comes_back_corrects_the_day_of_the_earlier_contact() -> None:
    fold = Fold().contact("c-1")
    assert fold.today().no_repeat == shapes.Measure(1.0, 1)
    fold.contact("c-2", channel="chat", days=3)
    assert fold.today().no_repeat == shapes.Measure(1.0, 1)
    assert fold.outcomes.measures(fold.at, 4).no_repeat == shapes.Measure(0.5, 2)
    assert fold.heard == [("c-1", None, True), ("c-1", True, False), ("c-2", None, True)]


def test_another_topic_citizen_municipality_or_a_week_later_is_no_return() -> None:
    fold = Fold().contact("c-1")
    fold.contact("c-2", topic="afval").contact("c-3", citizen="z-2").contact("c-4", municipality="zeevang")
    fold.contact("c-5", citizen="").contact("c-6", citizen="").contact("c-7", days=8)
    assert fold.outcomes.measures(fold.at, 9).no_repeat == shapes.Measure(1.0, 5)


def test_what_was_agreed_is_no_return() -> None:
    fold = Fold()
    fold.contact("c-1").contact("c-2", channel="callback", days=1)
    assert fold.outcomes.measures(fold.at, 3).no_repeat == shapes.Measure(1.0, 2)
    promise = facts.FollowUpMade("f-1", "c-3", "z-9", "waterland", "ada", START + 9 * DAY_MS, "v-1", "ada", "")
    fold.add(
        replace(received("c-3"), citizen="z-9"), queued("c-3"), offered("c-3", "ada"), accepted("c-3", "ada"), promise
    )
    fold.add(facts.ContactEnded("c-3", "handled", "ada", "burgerzaken", False))
    fold.contact("c-4", citizen="z-9", linked_to="c-3", days=0.1)
    assert fold.outcomes.measures(fold.at, 3).no_repeat == shapes.Measure(1.0, 4)
    fold.contact("c-5", citizen="z-9", days=0.1)
    assert fold.outcomes.measures(fold.at, 3).no_repeat == shapes.Measure(0.6, 5), (
        "not agreed: c-3 and c-4 are repeated"
    )


def test_a_return_counts_while_it_waits_and_is_taken_back_when_it_was_none() -> None:
    fold = Fold().contact("c-1")
    fold.add(replace(received("c-2"), citizen="z-1"), queued("c-2"), days=0.01)
    assert fold.today().no_repeat == shapes.Measure(0.0, 1)
    fold.add(facts.ContactEnded("c-2", "duplicate", topic="burgerzaken"))
    assert fold.today().no_repeat == shapes.Measure(1.0, 1)
    fold.add(
        replace(received("c-3"), citizen="z-1"), queued("c-3"), offered("c-3", "ada"), accepted("c-3", "ada"), days=0.01
    )
    fold.add(facts.ContactEnded("c-3", "handled", "ada", "afval", True))
    assert fold.today().no_repeat == shapes.Measure(1.0, 2), "it was about something else, as the agent found"
    assert fold.heard[-2:] == [("c-1", False, True), ("c-3", None, True)]


def test_the_citizens_word_goes_before_the_agents_and_a_return_before_both() -> None:
    fold = Fold().contact("c-1", False).add(facts.CitizenAnswered("c-1", True))
    assert fold.heard == [("c-1", None, False), ("c-1", False, True)]
    fold.contact("c-2", None, days=1)
    assert fold.heard[2:] == [("c-1", True, False), ("c-2", None, None)]
    fold.contact("c-3", True, days=1)
    assert ("c-2", None, False) not in fold.heard, "nobody ever said anything about c-2"


def test_a_year_of_days_is_kept_and_judgments_only_while_they_can_change() -> None:
    fold = Fold()
    for number in range(500):
        fold.contact(f"c-{number}", days=1, citizen=f"z-{number % 3}")
    assert len(fold.outcomes._days) == 366
    assert len(fold.outcomes._judged) == 30
    assert sum(len(of) for of in fold.outcomes._of.values()) == 30


def test_somebody_who_never_stops_asking_takes_no_more_room_than_others() -> None:
    fold = Fold()
    for number in range(200):
        fold.contact(f"c-{number}", days=0.001)
    assert [len(of) for of in fold.outcomes._of.values()] == [50]
    assert max(len(judged.returns) for of in fold.outcomes._judged.values() for judged in of) == 50
    assert fold.outcomes.measures(fold.at, 2).no_repeat == shapes.Measure(round(1 / 200, 4), 200)


# -- against a naive recomputation ------------------------------------------------------------------------------


FINISHED = ("handled", "passed_on")
"""Reasons of an end by an agent, who says then whether the questions were settled."""


def finished(found: tuple[int, facts.ContactEnded] | None) -> bool:
    return found is not None and found[1].reason in FINISHED and bool(found[1].agent)


def naive(world: World, days: int) -> tuple[int, int, int, int, int, int]:
    """agent, of, citizen, of, not returned, of: by looking through the whole record for every question."""
    came: dict[str, tuple[int, facts.ContactReceived]] = {}
    topics: dict[str, tuple[str, ...]] = {}
    ended: dict[str, tuple[int, facts.ContactEnded]] = {}
    said: dict[str, bool] = {}
    promised = set()
    for at, fact in world.record:
        match fact:
            case facts.ContactReceived():
                came[fact.contact] = (at, fact)
            case facts.ContactQueued() if fact.contact not in topics:
                topics[fact.contact] = (fact.topic, *fact.further)
            case facts.ContactEnded():
                ended[fact.contact] = (at, fact)
            case facts.CitizenAnswered():
                said[fact.contact] = fact.answered
            case facts.FollowUpMade():
                promised.add(fact.contact)
    found = [0, 0, 0, 0, 0, 0]
    for id, (ended_at, end) in ended.items():
        if not finished((ended_at, end)):
            continue
        if id in said:
            found[2] += said[id]
            found[3] += 1
        for question in end.outcomes:
            found[0] += question.resolved is True
            found[1] += question.resolved is not None
            who = came[id][1].citizen
            if not who:
                continue
            back = False
            for other, (other_at, other_came) in came.items():
                asked = topics.get(other, ())
                if other in ended and ended[other][1].reason in FINISHED:
                    asked = tuple(question.topic for question in ended[other][1].outcomes)
                excused = other_came.channel == "callback" or (
                    other_came.linked_to in promised and finished(ended.get(other_came.linked_to))
                )
                same = (other_came.citizen, other_came.municipality) == (who, came[id][1].municipality)
                if same and question.topic in asked and other in topics and not excused:
                    back = back or ended_at < other_at <= ended_at + days * DAY_MS
            found[4] += not back
            found[5] += 1
    return tuple(found)  # type: ignore[return-value]


def test_random_sequences_give_what_a_naive_count_gives() -> None:
    returns = 0
    for seed in range(500):
        world = random_sequence(seed, length=60)
        contacts = Contacts()
        outcomes = Outcomes(world.centre, contacts)
        for number, (at, fact) in enumerate(world.record, 1):
            contacts.apply(Numbered(number, at, fact))
            outcomes.apply(Numbered(number, at, fact))
        shown = outcomes.measures(world.now, 366)
        wanted = naive(world, world.centre.repeat_days)
        measured = (shown.agent, shown.citizen, shown.no_repeat)
        assert measured == tuple(
            shapes.Measure(round(part / of, 4) if of else None, of)
            for part, of in (wanted[0:2], wanted[2:4], wanted[4:6])
        ), f"seed {seed}"
        returns += wanted[5] - wanted[4]
    assert returns > 4, "or this would prove little"


def test_settled_takes_the_three_together() -> None:
    one = Judged("c-1", "wmo", "balie", "anna", ("w", "z"), 0, 0, True, True, 60, 5)
    assert one.settled is True
    assert replace(one, citizen=False).settled is False
    assert replace(one, citizen=False, alone=False).settled is True, "which of several questions was meant is not known"
    assert replace(one, returns={"c-2"}).settled is False
