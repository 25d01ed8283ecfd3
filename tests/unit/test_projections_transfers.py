"""The transfer norms: each way a transfer can end, by hand, and against a naive count over random sequences."""

from __future__ import annotations

from collections import Counter
from statistics import mean

import pytest

from router.engine import commands, facts
from router.engine.facts import Fact
from router.port import Numbered
from router.projections import shapes
from router.projections.contacts import Contacts
from router.projections.days import DAY_MS
from router.projections.transfers import NORMS, Transfers
from tests.properties.at_random import random_sequence
from tests.properties.world import World
from tests.unit.doubles import small_centre


def folded(record: list[tuple[int, Fact]]) -> Transfers:
    contacts = Contacts()
    transfers = Transfers(small_centre(), contacts)
    for number, (at, fact) in enumerate(record, 1):
        for model in (transfers, contacts, transfers):
            model.apply(Numbered(number, at, fact))
    return transfers


def of(world: World, days: int = 1) -> shapes.Transfers:
    return folded(world.record).figures(world.now, days)


def talking() -> tuple[World, str]:
    """A call about care that anna has answered; bert is ready too."""
    world = World()
    world.ready("anna", "bert")
    contact = world.receive("phone", "wmo")
    world.ask(commands.Accept(*world.offer_of(contact)))
    return world, contact


def test_handed_to_a_queue_it_is_helped_by_anybody_but_who_handed_it_over() -> None:
    world, contact = talking()
    world.ask(commands.HandOver(contact, "anna", queue="buiten"))
    assert of(world).of == 0, "not known yet"
    world.pass_time(4_000)
    offer, agent = world.offer_of(contact)
    assert agent == "bert"
    world.ask(commands.Accept(offer, agent))
    assert of(world) == shapes.Transfers(1, 1.0, 0.0, 0.0, 4.0)


def test_a_colleague_who_does_not_take_it_is_a_fall_back() -> None:
    world, contact = talking()
    world.ask(commands.HandOver(contact, "anna", to_agent="bert"))
    world.ask(commands.OfferFailed(world.offer_of(contact)[0], "no_answer"))
    while not world.offer_of(contact)[0]:
        world.pass_time(1_000)
    offer, agent = world.offer_of(contact)
    assert agent == "anna"
    world.ask(commands.Accept(offer, agent))
    assert of(world) == shapes.Transfers(1, 0.0, 1.0, 0.0, None)


def test_a_caller_who_gives_up_was_neither_helped_nor_sent_back() -> None:
    world, contact = talking()
    world.ask(commands.HandOver(contact, "anna", queue="buiten"))
    world.ask(commands.EndContact(contact, "abandoned"))
    assert of(world) == shapes.Transfers(1, 0.0, 0.0, 1.0, None)


def test_a_warm_transfer_is_waited_for_from_the_music_on() -> None:
    world, contact = talking()
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.pass_time(3_000)
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.pass_time(20_000)
    world.ask(commands.CompleteTransfer(contact, "anna"))
    assert of(world) == shapes.Transfers(1, 1.0, 0.0, 0.0, 23.0)


def test_in_a_conference_the_wait_ends_when_all_talk() -> None:
    world, contact = talking()
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.pass_time(2_000)
    world.ask(commands.StartConference(contact, "anna"))
    world.pass_time(60_000)
    world.ask(commands.LeaveConversation(contact, "anna"))
    assert of(world) == shapes.Transfers(1, 1.0, 0.0, 0.0, 2.0)


def test_a_colleague_who_does_not_answer_a_consult_is_a_fall_back_and_advice_is_no_transfer() -> None:
    world, contact = talking()
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.OfferFailed(world.offer_of(contact)[0], "busy"))
    assert of(world) == shapes.Transfers(1, 0.0, 1.0, 0.0, None)
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.CancelConsult(contact, "anna"))
    assert of(world).of == 1


def test_somebody_outside_who_is_asked_first_is_waited_for_from_the_music_on() -> None:
    world, contact = talking()
    world.ask(commands.PassOutside(contact, "anna", "rijk", consult=True))
    world.pass_time(4_000)
    world.ask(commands.ReportOutside(contact, answered=True))
    world.pass_time(20_000)
    world.ask(commands.CompleteTransfer(contact, "anna"))
    world.ask(commands.ReportOutside(contact, answered=True))
    assert of(world) == shapes.Transfers(1, 1.0, 0.0, 0.0, 24.0)


@pytest.mark.parametrize(
    ("answered", "cancelled", "counted"), [(False, False, 1), (False, True, 0), (True, True, 0), (True, False, 0)]
)
def test_who_does_not_answer_outside_is_a_fall_back_and_advice_is_no_transfer(
    answered: bool, cancelled: bool, counted: int
) -> None:
    world, contact = talking()
    world.ask(commands.PassOutside(contact, "anna", "rijk", consult=True))
    if answered:
        world.ask(commands.ReportOutside(contact, answered=True))
    world.ask(commands.CancelOutside(contact, "anna") if cancelled else commands.ReportOutside(contact, answered=False))
    assert of(world).of == counted


def test_who_hangs_up_on_hold_during_a_consult_has_left() -> None:
    world, contact = talking()
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.EndContact(contact, "citizen_left"))
    assert of(world) == shapes.Transfers(1, 0.0, 0.0, 1.0, None)


def test_written_work_and_an_agent_who_is_lost_are_no_transfers() -> None:
    world = World()
    world.ready("anna", "bert")
    chat = world.receive("chat", "wmo")
    world.ask(commands.Accept(*world.offer_of(chat)))
    world.ask(commands.HandOver(chat, "anna", queue="buiten"))
    world.ask(commands.EndContact(chat, "abandoned"))
    call = world.receive("phone", "wmo")
    world.ask(commands.Accept(*world.offer_of(call)))
    world.ask(commands.ReportHeld(call))
    world.ask(commands.EndContact(call, "abandoned"))
    assert of(world).of == 0


def test_a_day_counts_what_became_known_on_it() -> None:
    world, contact = talking()
    world.ask(commands.HandOver(contact, "anna", queue="buiten"))
    world.ask(commands.EndContact(contact, "abandoned"))
    world.now += DAY_MS
    assert (of(world).of, of(world, 2).of) == (0, 1)
    report = folded(world.record).report(world.now, 2)
    assert {kind: one.of for kind, one in report.kinds.items()} == {"queue": 1}
    assert {queue: one.of for queue, one in report.queues.items()} == {"balie": 1}, "where it came from"
    assert (report.norms.helped, report.norms.wait_seconds, report.norms.fell_back) == (1.0, 15, 0.05)
    assert report.norms is NORMS


# -- against a naive count --------------------------------------------------------------------------------------


def naive(record: list[tuple[int, Fact]]) -> tuple[Counter[tuple[str, str]], list[float]]:
    """(kind, outcome) -> how many, and the waits of the helped: each start looked up forward, one call at a time."""
    calls = {f.contact for _, f in record if isinstance(f, facts.ContactReceived) and f.channel == "phone"}
    counts, waits = Counter[tuple[str, str]](), list[float]()
    for call in sorted(calls):
        story = [(at, fact) for at, fact in record if getattr(fact, "contact", "") == call]
        for index, (since, fact) in enumerate(story):
            rest = story[index + 1 :]
            if isinstance(fact, facts.ContactReturned) and fact.reason == "handed_over":
                kind, found = "colleague" if fact.wanted_agent else "queue", _handed(fact, since, rest)
            elif isinstance(fact, facts.OutsideDialled | facts.OutsideConsulted):
                kind, found = "outside", _outside(since, rest)
            elif isinstance(fact, facts.ContactOffered) and fact.purpose == "consult":
                kind, found = "warm", _consulted(since, rest)
            else:
                continue
            if found is not None:
                counts[kind, found[0]] += 1
                waits.extend([found[1]] if found[0] == "helped" else [])
    return counts, waits


def _handed(over: facts.ContactReturned, since: int, rest: list[tuple[int, Fact]]) -> tuple[str, float] | None:
    for at, fact in rest:
        if isinstance(fact, facts.OfferAccepted | facts.AnswerAdopted):
            meant = {over.wanted_agent} if over.wanted_agent else {fact.agent} - {over.agent}
            return "helped" if fact.agent in meant else "fell_back", (at - since) / 1000
        if isinstance(fact, facts.ContactEnded):
            return ("helped" if fact.reason == "passed_on" else "left"), (at - since) / 1000
    return None


def _outside(since: int, rest: list[tuple[int, Fact]]) -> tuple[str, float] | None:
    answered = False
    for at, fact in rest:
        answered = answered or isinstance(fact, facts.OutsideAnswered)
        if isinstance(fact, facts.ConversationEnded):
            return ("helped" if fact.reason == "passed_on" else "left"), (at - since) / 1000
        if isinstance(fact, facts.OutsideLeft):
            return None if answered or fact.how == "cancelled" else ("fell_back", 0)
        if isinstance(fact, facts.ContactReturned):
            return None if answered and fact.reason == "handed_over" else ("fell_back", 0)
        if isinstance(fact, facts.ContactEnded):
            return "left", 0
    return None


def _consulted(since: int, rest: list[tuple[int, Fact]]) -> tuple[str, float] | None:
    answered, together = False, 0
    for at, fact in rest:
        answered = answered or isinstance(fact, facts.OfferAccepted)
        if isinstance(fact, facts.ConferenceStarted):
            together = at
        elif isinstance(fact, facts.ContactTransferred):
            return "helped", ((together or at) - since) / 1000
        elif isinstance(fact, facts.ParticipantLeft):
            return None
        elif isinstance(fact, facts.OfferEnded):
            return "fell_back", 0
        elif isinstance(fact, facts.ContactReturned):
            return None if answered and fact.reason == "handed_over" else ("fell_back", 0)
        elif isinstance(fact, facts.ConversationEnded):
            return None if together else ("left", 0)
        elif isinstance(fact, facts.ContactEnded):
            return "left", 0
    return None


def test_random_sequences_give_the_figures_that_a_naive_count_gives() -> None:
    seen = Counter[tuple[str, str]]()
    for seed in range(150):
        world = random_sequence(seed, 60)
        counts, waits = naive(world.record)
        seen += counts
        report = folded(world.record).report(world.now, 30)
        assert report.total.of == sum(counts.values()), seed
        for kind, shown in report.kinds.items():
            for how, share in (("helped", shown.helped), ("fell_back", shown.fell_back), ("left", shown.left)):
                assert share == round(counts[kind, how] / shown.of, 4), (seed, kind, how)
        assert report.total.wait_seconds == (round(mean(waits), 1) if waits else None), seed
    assert {how for _, how in seen} == {"helped", "fell_back", "left"}
    assert {kind for kind, _ in seen} == {"queue", "colleague", "warm", "outside"}
