"""The policies: order of agents, scores, reservations and overtaking, through the engine and by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.engine import commands, facts
from router.engine.decide import advance, explain
from router.engine.state import canonical
from router.errors import NotAllowed
from router.nouns import Centre, Estimates, TopicEstimate
from router.skills.estimates import allowed, level_chance
from router.skills.policies import OCCUPANCY_FLOOR_MS, occupancy, static_score, waiting_pays
from router.skills.rivals import Rivals
from tests.properties.at_random import random_sequence
from tests.properties.invariants import RESERVE_SECONDS
from tests.properties.world import OVERTAKEN_MAX, World, small_centre


def estimates(anna: int, bert: int, eef: int, *, reserve: bool = False, basis: str = "team") -> Estimates:
    """Chances on burgerzaken of three agents with a telephone."""
    chance = {"anna": anna, "bert": bert, "eef": eef}
    return Estimates(basis, {"burgerzaken": TopicEstimate(chance, dict.fromkeys(chance, 240), {}, 0, reserve)})


def world(policy: str, found: Estimates | None = None) -> World:
    made = World(small_centre(policy, policy))
    if found is not None:
        made.ask(commands.PublishEstimates(found, "1"))
    return made


def test_longest_idle_looks_at_nothing_else() -> None:
    here = world("longest-idle")
    here.ready("eef")
    here.pass_time(1)
    here.ready("anna", "bert")
    assert [here.offer_of(here.receive("phone"))[1] for _ in range(3)] == ["eef", "anna", "bert"]


def test_resolution_asks_who_settles_it_most_likely() -> None:
    here = world("resolution", estimates(6_000, 7_000, 9_000))
    here.ready("anna", "bert", "eef")
    contact = here.receive("phone")
    assert here.offer_of(contact)[1] == "eef"
    found = next(iter(here.last.explanations.values())) if here.last else None
    assert found is not None
    assert [(c.agent, c.chance) for c in found.candidates] == [("eef", 9_000), ("bert", 7_000), ("anna", 6_000)]
    assert found.candidates[0].score >= found.candidates[1].score
    assert found.rule.startswith("chance")


def test_without_estimates_levels_give_the_chance() -> None:
    here = world("resolution")
    here.ready("anna", "bert")
    assert here.offer_of(here.receive("phone"))[1] == "anna"
    anna = here.state.index.agents["anna"]
    assert level_chance(anna, {"burgerzaken": 1}) > level_chance(anna, {"wmo": 1})


def test_a_better_agent_is_waited_for_no_longer_than_configured_and_only_once() -> None:
    here = world("resolution", replace(estimates(9_500, 3_000, 3_000, reserve=True), abandon_cost=10))
    here.ready("anna")
    first = here.receive("phone")
    assert here.offer_of(first)[1] == "anna"
    here.ask(commands.Accept(*here.offer_of(first)))
    here.ready("bert")
    contact = here.receive("phone")
    assert here.offer_of(contact) == ("", ""), "bert is free, anna will be and settles it three times as often"
    until = here.state.contacts[contact].reserved_until
    assert until == here.now + RESERVE_SECONDS * 1000
    waiting = explain(here.state, contact, here.now)
    assert waiting.excluded["reserved"] == 1
    assert waiting.details["bert"] == "reserved"
    here.pass_time(RESERVE_SECONDS * 1000)
    offer, agent = here.offer_of(contact)
    assert agent == "bert"
    here.ask(commands.Decline(offer, agent))
    here.ask(commands.OfferFailed(offer, "cancelled"))
    reserved = [f for _, f in here.record if isinstance(f, facts.ContactReserved)]
    assert [f.contact for f in reserved] == [contact]


def test_the_better_agent_comes_free_in_time() -> None:
    here = world("resolution", replace(estimates(9_500, 3_000, 3_000, reserve=True), abandon_cost=10))
    here.ready("anna")
    first = here.receive("phone")
    here.ask(commands.Accept(*here.offer_of(first)))
    here.ready("bert")
    contact = here.receive("phone")
    here.pass_time(5_000)
    here.ask(commands.FinishConversation(first, "anna"))
    here.ask(commands.CompleteWrapUp(first, "anna", True))
    assert here.offer_of(contact)[1] == "anna"


def test_nobody_is_waited_for_who_has_gone() -> None:
    here = world("resolution", replace(estimates(9_500, 3_000, 3_000, reserve=True), abandon_cost=10))
    here.ready("anna")
    here.ask(commands.Accept(*here.offer_of(here.receive("phone"))))
    here.ready("bert")
    contact = here.receive("phone")
    assert here.offer_of(contact) == ("", ""), "kept for anna"
    here.ask(commands.LoseAgent("anna"))
    assert here.offer_of(contact)[1] == "bert"


@pytest.mark.parametrize("change", ["not measured", "not configured"])
def test_nobody_is_waited_for_where_it_is_not_earned(change: str) -> None:
    centre = small_centre("resolution", "resolution")
    if change == "not configured":
        centre = replace(centre, queues=tuple(replace(q, reserve_seconds=0) for q in centre.queues))
    here = World(centre)
    here.ask(commands.PublishEstimates(estimates(9_500, 3_000, 3_000, reserve=change != "not measured"), "1"))
    here.ready("anna")
    here.ask(commands.Accept(*here.offer_of(here.receive("phone"))))
    here.ready("bert")
    assert here.offer_of(here.receive("phone"))[1] == "bert"


def test_estimates_that_rest_on_more_than_is_allowed_are_refused() -> None:
    here = world("resolution")
    before = canonical(here.state)
    assert here.ask(commands.PublishEstimates(estimates(1, 2, 3, basis="person"), "1")) is None
    assert canonical(here.state) == before
    centre = here.centre
    with pytest.raises(NotAllowed):
        advance(here.state, commands.PublishEstimates(estimates(1, 2, 3, basis="person"), "1"), here.now)
    assert not allowed(replace(centre, learning="person"), "person"), "person needs a reason"
    assert allowed(replace(centre, learning="person", learning_reason="agreed with the works council"), "person")
    assert allowed(replace(centre, learning="off"), "off")
    assert not allowed(replace(centre, learning="off"), "team")


def test_switching_learning_off_switches_the_estimates_off() -> None:
    here = world("resolution", estimates(1_000, 9_000, 9_000))
    off: Centre = replace(here.centre, learning="off")
    here.ask(commands.Configure(off, "2"))
    here.ready("anna", "bert")
    contact = here.receive("phone")
    assert here.offer_of(contact)[1] == "anna", "by level again"


def test_the_same_estimates_again_are_no_news() -> None:
    here = world("resolution", estimates(1, 2, 3))
    again = here.ask(commands.PublishEstimates(estimates(1, 2, 3), "1"))
    assert again is not None
    assert not again.facts


def test_a_price_of_time_saves_the_scarce_for_where_they_are_needed() -> None:
    assert static_score(8_000, 0, 300) == 8_000
    assert static_score(8_000, 1_000, 300) < 8_000
    assert static_score(8_000, -1_000, 300) > 8_000


def test_occupancy_is_judged_over_some_hours_at_least() -> None:
    assert occupancy(600_000, 600_000) < 1_000
    assert occupancy(OCCUPANCY_FLOOR_MS, 2 * OCCUPANCY_FLOOR_MS) == 5_000


def test_waiting_pays_when_the_better_come_free_often_enough() -> None:
    def gain(better: int, score: int) -> int:
        rivals = Rivals()
        rivals.put("worse", 6_000, 300)
        for n in range(better):
            rivals.put(f"a{n}", 8_600, 300)
        return rivals.gain(score)

    ten, five = gain(10, 7_000), gain(5, 7_000)
    assert waiting_pays(ten, 1, 5_000, 180), "each adds 1,600, once in 300 s"
    assert not waiting_pays(five, 1, 5_000, 180), "half as many"
    assert not waiting_pays(ten, 5, 5_000, 180), "five of them share who comes free"
    assert not waiting_pays(ten, 1, 50_000, 180)
    assert not waiting_pays(gain(10, 9_000), 1, 0, 180)


@pytest.mark.parametrize("batch", range(4))
def test_nobody_is_overtaken_more_often_than_configured(batch: int) -> None:
    """Per time of waiting: later contacts of the queue that went to an agent who could have taken this one."""
    most = 0
    for seed in range(batch * 100, batch * 100 + 100):
        here = random_sequence(seed, length=60)
        most = max(most, _most_overtaken(here))
    assert most <= OVERTAKEN_MAX


def test_overtaking_does_occur_in_random_sequences() -> None:
    """Or the bound above would prove nothing."""
    assert any(_most_overtaken(random_sequence(seed, length=60)) for seed in range(2_000))


def _most_overtaken(here: World) -> int:
    """Counted from the record alone."""
    waiting: dict[str, tuple[tuple[int, int, int], str, dict[str, int], str]] = {}
    contacts: dict[str, tuple[int, str]] = {}
    active: set[str] = set()
    """In an agent's hands: an offer of it is a consultation, and no matter of order."""
    counts: dict[str, int] = {}
    most = 0
    skills = {a.id: a.skills for a in here.centre.agents}
    policies: dict[str, str] = {}
    known: dict[str, tuple[tuple[int, int, int], str, dict[str, int], str]] = {}
    for number, (_, fact) in enumerate(here.record, 1):
        match fact:
            case facts.CentreConfigured(centre=centre):
                policies = {q.id: q.policy for q in centre.queues}
            case facts.ContactReceived(contact=id, channel=channel):
                contacts[id] = (number, channel)
            case facts.ContactQueued(contact=id) | facts.ContactReturned(contact=id):
                place = (fact.tier, fact.rank, contacts[id][0])
                known[id] = waiting[id] = (place, fact.queue, fact.needs, contacts[id][1])
                counts[id] = 0
                active.discard(id)
            case facts.NeedsWidened(contact=id, needs=needs):
                place, queue, _, channel = known[id]
                known[id] = (place, queue, needs, channel)
                if id in waiting:
                    waiting[id] = known[id]
            case facts.WaitExceeded(contact=id) | facts.PriorityChanged(contact=id):
                _, queue, needs, channel = known[id]
                known[id] = ((fact.tier, fact.rank, contacts[id][0]), queue, needs, channel)
                if id in waiting:
                    waiting[id] = known[id]
            case facts.OfferEnded(contact=id) if id not in active:
                waiting[id] = known[id]
                counts[id] = 0
            case facts.OfferAccepted(contact=id):
                active.add(id)
            case facts.ContactOffered(contact=id, agent=agent, purpose="answer"):
                place, queue, _, channel = waiting.pop(id)
                for other in fact.overtook:
                    assert waiting[other][0] < place
                    assert all(skills[agent].get(s, 0) >= level for s, level in waiting[other][2].items())
                    if policies[queue] == "resolution":
                        counts[other] += 1
                        most = max(most, counts[other])
            case facts.ContactEnded(contact=id) | facts.AnswerAdopted(contact=id):
                waiting.pop(id, None)
                active.add(id)
    return most
