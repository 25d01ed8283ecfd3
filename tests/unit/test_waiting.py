"""What changes while one waits: widening, ways out, preferred agents, priority, and nobody there. Failures of other
systems are named by their number in the list of failure cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.engine import commands, facts
from router.engine.alarms import Alarms
from router.engine.decide import explain
from router.engine.decide_offers import NOT_RESPONDING, PHONE_UNREACHABLE
from router.engine.decide_staff import CONNECTION_LOST
from router.engine.effects import Announce, OfferCallback, OfferVoicemail, PassOn
from router.engine.index import rebuild_index
from router.engine.reach import OUT_OF_REACH
from router.engine.react import effects_of
from router.engine.state import state_hash
from router.nouns import Agent, ChannelRules, Neighbour, WayOut, Widening
from router.skills.widening import widened
from tests.properties.world import World, replayed, small_centre


def world(**balie: Any) -> World:
    """The small centre with one queue, `balie`, changed."""
    centre = small_centre()
    queues = tuple(replace(q, **balie) if q.id == "balie" else q for q in centre.queues)
    return World(
        replace(
            centre,
            queues=queues,
            channels={**centre.channels, "callback": ChannelRules(60)},
            neighbours=(Neighbour("overkant", {}, "0201234567"), Neighbour("schriftelijk", {}, "")),
            messages={"druk": {"nl": "Het is druk."}},
        )
    )


def happened(here: World, kind: type) -> list[Any]:
    return [fact for _, fact in here.record if isinstance(fact, kind)]


# -- widening -----------------------------------------------------------------------------------------------------

STEPS = (Widening(30, lower={"wmo": 1}), Widening(60, lower={"wmo": 1}), Widening(90, lower={"wmo": 1}))


def test_one_step_lowers_drops_and_replaces_only_what_is_asked() -> None:
    step = Widening(1, {"wmo": 2, "afval": 1}, ("english",), {"first": "second"})
    assert widened({"wmo": 4, "english": 2, "first": 3}, step, {}) == {"wmo": 2, "second": 3}
    assert widened({"wmo": 2}, step, {}) == {"wmo": 1}, "one level is asked still"


@pytest.mark.parametrize(("asked", "floor", "left"), [(5, 4, 4), (3, 4, 3), (2, 0, 1)])
def test_a_floor_is_never_broken(asked: int, floor: int, left: int) -> None:
    """Failure case 34."""
    kept = {"wmo": floor} if floor else {}
    step = Widening(1, {"wmo": 5}, ("wmo",) if floor else (), {"wmo": "afval"} if floor else {})
    assert widened({"wmo": asked}, step, kept) == {"wmo": left}


def test_needs_widen_while_one_waits_and_the_place_is_kept() -> None:
    here = world(widening=STEPS, floor={"wmo": 2})
    first, second = here.receive("phone", "wmo"), here.receive("phone", "wmo")
    place = here.state.contacts[first].place
    here.pass_time(29_000)
    assert here.state.contacts[first].needs == {"wmo": 3}
    here.pass_time(1_000)
    assert here.state.contacts[first].needs == {"wmo": 2}
    assert explain(here.state, first, here.now).step == 1
    here.pass_time(100_000)
    assert here.state.contacts[first].needs == {"wmo": 2}, "the floor"
    assert here.state.contacts[first].place == place < here.state.contacts[second].place
    assert [f.step for f in happened(here, facts.NeedsWidened) if f.contact == first] == [1, 2, 3]


def test_widening_brings_in_who_could_not_before() -> None:
    here = world(widening=(Widening(30, {"wmo": 1}, replace={"wmo": "afval"}),))
    here.ready("cor")
    contact = here.receive("phone", "wmo")
    assert here.offer_of(contact) == ("", "")
    here.pass_time(30_000)
    assert here.offer_of(contact)[1] == "cor"


def test_widening_goes_on_while_it_is_offered() -> None:
    """Failure case 34: the next offer already sees it."""
    here = world(widening=(Widening(10, drop=("wmo",)),))
    here.ready("anna", "cor")
    contact = here.receive("phone", "wmo")
    offer, agent = here.offer_of(contact)
    assert agent == "anna"
    here.pass_time(15_000)
    assert here.offer_of(contact) == (offer, "anna")
    assert here.state.contacts[contact].needs == {}
    here.ask(commands.OfferFailed(offer, "busy"))
    assert here.offer_of(contact)[1] == "cor"


def test_alarms_that_no_longer_stand_change_nothing_in_the_order_of_steps() -> None:
    """A late tick meets them together with those that stand, an earlier one alone: the record is the same."""
    alarms = Alarms()
    for at, contact in ((30, "c-2"), (60, "c-1"), (60, "c-2")):
        alarms.set(at, "step", contact)
    assert alarms.take(60) == [(60, "step", "c-1"), (60, "step", "c-2")]


def test_widening_begins_again_in_another_queue_and_survives_a_restart() -> None:
    here = world(widening=STEPS)
    contact = here.receive("phone", "wmo")
    here.pass_time(45_000)
    rebuild_index(here.state)
    here.pass_time(15_000)
    assert here.state.contacts[contact].step == 2
    here.ask(commands.MoveContact(contact, "buiten", "sup", "v-1"))
    assert (here.state.contacts[contact].needs, here.state.contacts[contact].step) == ({"afval": 1}, 0)
    assert state_hash(replayed(here.record)) == state_hash(here.state)


def test_steps_of_a_new_configuration_count_at_its_fact() -> None:
    here = world()
    contact = here.receive("phone", "wmo")
    here.pass_time(40_000)
    queues = tuple(replace(q, widening=STEPS) for q in here.centre.queues)
    here.ask(commands.Configure(replace(here.centre, queues=queues), "2"))
    here.pass_time(1)
    assert here.state.contacts[contact].needs == {"wmo": 2}


# -- ways out -----------------------------------------------------------------------------------------------------


def test_overflow_to_another_queue_keeps_arrival_and_place() -> None:
    here = world(overflow=(WayOut("queue", "buiten", after_seconds=60),), priority=3)
    first = here.receive("phone", "wmo")
    before = here.state.contacts[first]
    place, received_at = before.place, before.received_at
    here.pass_time(60_000)
    contact = here.state.contacts[first]
    assert (contact.queue, contact.topic, contact.needs) == ("buiten", "afval", {"afval": 1})
    assert (contact.place, contact.received_at) == (place, received_at), "not behind where it stood"
    (taken,) = happened(here, facts.WayOutTaken)
    assert (taken.way, taken.reason) == ("balie>queue:buiten", "waited")


def test_going_round_ends_because_each_way_is_taken_once() -> None:
    here = world(overflow=(WayOut("queue", "buiten", after_seconds=60),))
    queues = tuple(
        replace(q, overflow=(WayOut("queue", "balie", after_seconds=60),)) if q.id == "buiten" else q
        for q in here.centre.queues
    )
    here.ask(commands.Configure(replace(here.centre, queues=queues), "2"))
    contact = here.receive("phone", "wmo")
    here.pass_time(3_600_000)
    assert here.state.contacts[contact].queue == "balie"
    assert len(happened(here, facts.WayOutTaken)) == 2


def test_offers_that_run_out_lead_to_a_named_way_out() -> None:
    """Failure case 19: never to silence."""
    here = world(
        overflow=(
            WayOut("message", "druk", after_seconds=30),
            WayOut("callback", after_seconds=45),
            WayOut("queue", "buiten", after_seconds=90),
        )
    )
    here.ready("anna", "bert")
    contact = here.receive("phone", "burgerzaken", citizen="z-1")
    for _ in range(10):
        offer, _ = here.offer_of(contact)
        if offer:
            here.ask(commands.OfferFailed(offer, "no_answer"))
        here.pass_time(10_000)
    assert [f.kind for f in happened(here, facts.WayOutTaken)] == ["message", "callback", "queue"]
    assert here.state.contacts[contact].state in ("waiting", "offered"), "and it is not ended"


def test_a_way_out_waits_until_an_offer_is_over() -> None:
    here = world(overflow=(WayOut("queue", "buiten", after_seconds=5),))
    here.ready("anna")
    contact = here.receive("phone", "wmo")
    here.pass_time(10_000)
    assert here.state.contacts[contact].queue == "balie"
    here.ask(commands.OfferFailed(here.offer_of(contact)[0], "busy"))
    here.pass_time(0)
    assert here.state.contacts[contact].queue == "buiten"


def test_when_the_queue_is_full_who_comes_in_goes_elsewhere_and_who_waits_stays() -> None:
    here = world(overflow=(WayOut("queue", "buiten", waiting_above=2),))
    contacts = [here.receive("chat", "wmo") for _ in range(4)]
    assert [here.state.contacts[c].queue for c in contacts] == ["balie", "balie", "buiten", "buiten"]
    here.pass_time(60_000)
    assert here.state.contacts[contacts[0]].queue == "balie"


def test_a_long_expected_wait_opens_a_way_out() -> None:
    here = world(overflow=(WayOut("queue", "buiten", expected_above_seconds=400),))
    here.ready("anna", "bert")
    for _ in range(2):
        contact = here.receive("phone")
        here.ask(commands.Accept(*here.offer_of(contact)))
    contacts = [here.receive("phone") for _ in range(3)]  # with two at work at 300 s each: 150, 300, 450 s
    assert [here.state.contacts[c].queue for c in contacts] == ["balie", "balie", "buiten"]


def test_written_work_is_passed_on_with_a_follow_up_that_keeps_watch() -> None:
    here = world(overflow=(WayOut("neighbour", "schriftelijk", nobody=True),))
    contact = here.receive("email", "wmo", citizen="z-1")
    assert contact in here.state.ended
    (made,) = happened(here, facts.FollowUpMade)
    assert (made.neighbour, made.owner_queue, made.contact) == ("schriftelijk", "balie", contact)
    assert made.due_at > here.now
    (ended,) = happened(here, facts.ContactEnded)
    assert ended.reason == "passed_on"


def test_what_the_channel_does_about_a_way_out() -> None:
    here = world(
        overflow=(
            WayOut("message", "druk", after_seconds=1),
            WayOut("callback", after_seconds=2),
            WayOut("neighbour", "schriftelijk", after_seconds=3),
            WayOut("neighbour", "overkant", after_seconds=4),
            WayOut("voicemail", after_seconds=5),
        )
    )
    contact = here.receive("phone", "wmo", citizen="z-1")
    here.pass_time(10_000)
    done = [effect for fact in happened(here, facts.WayOutTaken) for _, effect in effects_of(here.state, fact)]
    passed = PassOn(contact, "overkant", "0201234567")
    assert done == [Announce(contact, "druk"), OfferCallback(contact), passed, OfferVoicemail(contact)]
    assert here.state.contacts[contact].state == "waiting", "until the neighbour answers"
    here.ask(commands.EndContact(contact, "passed_on"))
    assert here.state.books["phone"].ended == {"passed_on": 1}


def test_a_callback_keeps_the_place_of_the_call() -> None:
    here = world()
    call = here.receive("phone", "wmo", citizen="z-1")
    here.pass_time(5_000)
    later = here.receive("phone", "wmo")
    place = here.state.contacts[call].place
    for _ in range(3):
        decision = here.ask(commands.TakeCallback(call, "c-back"))
        assert decision is not None
        assert decision.answer == "c-back"
    back = here.state.contacts["c-back"]
    assert (back.channel, back.linked_to, back.citizen) == ("callback", call, "z-1")
    assert back.place[:2] == place[:2] < here.state.contacts[later].place[:2]
    assert here.state.books["phone"].ended == {"callback": 1}


def test_a_caller_without_a_number_or_with_an_agent_is_not_called_back() -> None:
    here = world()
    anonymous = here.receive("phone", "wmo")
    assert here.ask(commands.TakeCallback(anonymous, "c-back")) is None
    here.ready("anna")
    here.ask(commands.Accept(*here.offer_of(anonymous)))
    assert here.ask(commands.TakeCallback(anonymous, "c-back")) is None


def test_a_caller_who_showed_no_number_is_who_has_the_one_they_entered_and_is_promised_one_callback() -> None:
    here = world()
    answers = []
    for n in (1, 2):
        decision = here.ask(commands.TakeCallback(here.receive("phone", "wmo"), f"c-back-{n}", citizen="z-1"))
        assert decision is not None
        answers.append(decision.answer)
    assert answers == ["c-back-1", "c-back-1"]
    assert here.state.contacts["c-back-1"].citizen == "z-1"
    other = here.ask(commands.TakeCallback(here.receive("phone", "wmo"), "c-other", citizen="z-2"))
    assert other is not None
    assert other.answer == "c-other"


# -- who dealt with it before -----------------------------------------------------------------------------------


def dealt_with(here: World, agent: str, **more: Any) -> str:
    """A contact that this agent settled."""
    here.ready(agent)
    contact = here.receive("phone", "burgerzaken", citizen="z-1", **more)
    here.ask(commands.Accept(*here.offer_of(contact)))
    here.ask(commands.FinishConversation(contact, agent))
    here.ask(commands.CompleteWrapUp(contact, agent, True))
    return contact


def test_who_dealt_with_the_matter_is_asked_first_for_a_while() -> None:
    here = world(preferred_seconds=20)
    dealt_with(here, "eef")
    here.ready("anna")
    other = here.receive("phone", "burgerzaken")
    assert here.offer_of(other)[1] == "anna", "the better level"
    here.ask(commands.OfferFailed(here.offer_of(other)[0], "no_answer"))
    here.ask(commands.EndContact(other, "abandoned"))
    here.ready("anna")
    again = here.receive("phone", "burgerzaken", citizen="z-1")
    assert here.offer_of(again)[1] == "eef"
    here.ask(commands.OfferFailed(here.offer_of(again)[0], "busy"))
    assert here.offer_of(again)[1] == "anna", "asked once, then anybody"


def test_a_busy_preferred_agent_is_waited_for_no_longer_than_configured() -> None:
    here = world(preferred_seconds=20)
    first = dealt_with(here, "eef")
    busy = here.receive("phone", "burgerzaken")
    here.ask(commands.Accept(*here.offer_of(busy)))
    here.ready("anna")
    again = here.receive("phone", "burgerzaken", linked_to=first)
    here.pass_time(19_999)
    assert here.state.contacts[again].state == "waiting"
    here.pass_time(1)
    assert here.offer_of(again)[1] == "anna"


@pytest.mark.parametrize("away", ["paused", "lost", "before"])
def test_a_preference_counts_only_for_an_agent_who_is_there(away: str) -> None:
    """Failure case 24."""
    here = world(preferred_seconds=600)
    first = dealt_with(here, "eef")
    busy = here.receive("chat", "burgerzaken")
    here.ask(commands.Accept(*here.offer_of(busy)))
    leaving = commands.LoseAgent("eef") if away == "lost" else commands.SetPresence("eef", "paused", "lunch")
    if away == "before":
        here.ask(leaving)
    here.ready("anna")
    again = here.receive("phone", "burgerzaken", linked_to=first)
    if away != "before":
        assert here.offer_of(again) == ("", ""), "kept for eef, who has a chat in hand"
        here.ask(leaving)
    assert here.offer_of(again)[1] == "anna"


def test_a_preference_that_is_over_replays_as_it_was_when_its_agent_goes_away() -> None:
    here = world(preferred_seconds=20)
    first = dealt_with(here, "eef")
    busy = here.receive("phone", "burgerzaken")
    here.ask(commands.Accept(*here.offer_of(busy)))
    again = here.receive("chat", "burgerzaken", linked_to=first)
    here.pass_time(21_000)
    assert here.state.contacts[again].state == "waiting"
    here.ask(commands.SetPresence("eef", "paused", "lunch"))
    assert state_hash(replayed(here.record)) == state_hash(here.state)


def test_a_matter_is_remembered_no_longer_than_a_repeat_counts() -> None:
    here = world(preferred_seconds=20)
    dealt_with(here, "eef")
    here.ready("anna")
    here.pass_time(here.centre.repeat_days * 86_400_000)
    here.ready("eef", "anna")
    again = here.receive("phone", "burgerzaken", citizen="z-1")
    assert here.offer_of(again)[1] == "anna"


# -- nobody there -------------------------------------------------------------------------------------------------


def stranded(here: World, contact: str) -> str:
    return explain(here.state, contact, here.now).stranded


def test_a_contact_for_which_nobody_exists_is_seen_at_once_until_somebody_comes() -> None:
    here = world()
    contact = here.receive("phone", "wmo")
    assert stranded(here, contact) == "nobody_signed_on"
    here.ask(commands.SetPresence("anna", "paused", "lunch"))
    assert stranded(here, contact) == "", "at lunch, but there"
    here.ask(commands.LoseAgent("anna"))
    assert stranded(here, contact) == "nobody_reachable"
    here.ask(commands.RegainAgent("anna"))
    assert stranded(here, contact) == ""
    here.ask(commands.SetPresence("anna", "signed_off"))
    assert stranded(here, contact) == "nobody_signed_on"
    here.ask(commands.EndContact(contact, "abandoned"))
    assert not here.state.stranded
    assert [type(f).__name__ for f in happened(here, facts.LaneStranded)] == ["LaneStranded"] * 3


def test_nobody_in_the_configuration_means_widened_as_far_as_it_goes() -> None:
    impossible = {"wmo": 5, "afval": 5}
    topics = tuple(replace(t, needs=impossible) if t.id == "wmo" else t for t in small_centre().topics)
    here = World(replace(small_centre(), topics=topics))
    assert stranded(here, here.receive("phone", "wmo")) == "nobody_has_skill"
    steps = (Widening(600, drop=("afval",)),)
    queues = tuple(replace(q, widening=steps) for q in here.centre.queues)
    here.ask(commands.Configure(replace(here.centre, queues=queues), "2"))
    assert stranded(here, "c-1") == "nobody_has_skill", "of dia and her wmo, no telephone"
    assert stranded(here, here.receive("chat", "wmo")) == "nobody_signed_on"


def test_reasons_that_put_an_agent_out_of_reach_are_those_the_centre_gives() -> None:
    assert {NOT_RESPONDING, PHONE_UNREACHABLE, CONNECTION_LOST} == OUT_OF_REACH


def test_contacts_of_a_queue_that_is_no_more_go_where_they_belong() -> None:
    here = world()
    here.ready("cor")
    offered, waiting = here.receive("chat", "afval"), here.receive("phone", "afval")
    place = here.state.contacts[waiting].place
    without = replace(
        here.centre,
        queues=tuple(q for q in here.centre.queues if q.id == "balie"),
        topics=tuple(t for t in here.centre.topics if t.id != "afval"),
    )
    here.ask(commands.Configure(without, "2"))
    moved = here.state.contacts[waiting]
    assert (moved.queue, moved.topic, moved.place[1] <= place[1]) == ("balie", "burgerzaken", True)
    offer, _ = here.offer_of(offered)
    here.ask(commands.Decline(offer, "cor"))
    assert here.state.contacts[offered].queue == "balie"
    here.pass_time(86_400_000)
    assert {c.queue for c in here.state.contacts.values() if c.state == "waiting"} <= {"balie"}


# -- priority -----------------------------------------------------------------------------------------------------


def test_a_supervisor_changes_the_order_of_those_who_wait() -> None:
    here = world()
    first, second = here.receive("phone", "wmo"), here.receive("phone", "wmo")
    for _ in range(2):
        here.ask(commands.SetPriority(second, 1, "sup", "v-1"))
    (changed,) = happened(here, facts.PriorityChanged)
    assert (changed.by, changed.why_ref, changed.priority) == ("sup", "v-1", 1)
    here.ready("anna")
    assert here.offer_of(second)[1] == "anna"
    assert here.state.contacts[first].state == "waiting"
    assert here.ask(commands.SetPriority(first, 0, "sup", "v-1")) is None
    assert here.ask(commands.SetPriority(first, 10, "sup", "v-1")) is None


def test_a_priority_of_its_own_goes_along_to_another_queue() -> None:
    here = world()
    contact = here.receive("phone", "wmo")
    here.ask(commands.SetPriority(contact, 9, "sup", "v-1"))
    here.ask(commands.MoveContact(contact, "buiten", "sup", "v-1"))
    assert here.state.contacts[contact].rank == here.state.contacts[contact].received_at


# -- other systems' failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", [1, 5, 9])
def test_joining_at_the_first_place_stops_nothing(priority: int) -> None:
    """Failure case 13."""
    here = world()
    others = [here.receive("phone", "burgerzaken") for _ in range(3)]
    joined = here.receive("phone", "burgerzaken")
    here.ask(commands.SetPriority(joined, priority, "sup", "v-1"))
    here.ready("anna", "bert", "eef")
    offered = {here.offer_of(c)[1] for c in (*others, joined)} - {""}
    assert offered == {"anna", "bert", "eef"}


def test_who_cannot_use_an_agent_never_keeps_another_from_them() -> None:
    """Failure case 14: whatever the priorities."""
    here = world()
    first = here.receive("phone", "wmo")
    here.ask(commands.SetPriority(first, 1, "sup", "v-1"))
    here.ready("cor")
    later = here.receive("phone", "afval")
    assert here.offer_of(later)[1] == "cor"
    assert here.state.contacts[first].state == "waiting"


def test_an_unavailable_agent_changes_nothing_for_the_next() -> None:
    """Failure case 15."""
    here = world()
    here.ready("anna", "bert")
    here.ask(commands.LoseAgent("anna"))
    assert here.offer_of(here.receive("phone", "burgerzaken"))[1] == "bert"


def test_a_refusal_never_ends_a_contact() -> None:
    """Failure case 16: it keeps its place."""
    here = world()
    here.ready("anna", "bert", "eef")
    contact = here.receive("chat", "burgerzaken")
    place = here.state.contacts[contact].place
    for _ in range(12):
        offer, agent = here.offer_of(contact)
        if offer:
            here.ask(commands.Decline(offer, agent))
        here.pass_time(10_000)
    assert here.state.contacts[contact].place == place
    assert happened(here, facts.ContactEnded) == []


def test_nobody_is_asked_again_while_somebody_else_has_not_been() -> None:
    """Failure case 28."""
    here = world()
    here.ready("anna", "bert", "eef")
    contact = here.receive("chat", "burgerzaken")
    asked = []
    for _ in range(3):
        offer, agent = here.offer_of(contact)
        asked.append(agent)
        here.ask(commands.Decline(offer, agent))
    assert sorted(asked) == ["anna", "bert", "eef"]


def test_more_agents_than_one_may_be_out_of_reach() -> None:
    """An agent who is not configured any more is nobody's hope."""
    here = world()
    contact = here.receive("phone", "wmo")
    here.ask(commands.SetPresence("anna", "paused", "lunch"))
    agents = tuple(a for a in here.centre.agents if a.id != "anna")
    here.ask(commands.Configure(replace(here.centre, agents=agents), "2"))
    assert stranded(here, contact) == "nobody_has_skill"
    more = (*agents, Agent("fay", "Fay", "Fay", {"wmo": 3}, "a9"))
    here.ask(commands.Configure(replace(here.centre, agents=more), "3"))
    assert stranded(here, contact) == "nobody_signed_on"


def test_a_message_on_the_voicemail_is_a_promise_of_the_queue_and_made_once() -> None:
    here = world()
    call = here.receive("phone", "wmo", citizen="z-1")
    for _ in range(3):
        decision = here.ask(commands.LeaveVoicemail(call, "v-1"))
        assert decision is not None
        assert decision.answer == f"f-voicemail-{call}"
    (promise,) = here.state.follow_ups.values()
    assert (promise.owner_queue, promise.contact) == (here.centre.topic("wmo").queue, call)  # type: ignore[union-attr]
    assert promise.due_at > here.now
    assert here.state.books["phone"].ended == {"voicemail": 1}
    mail = here.receive("email", "wmo")
    assert here.ask(commands.LeaveVoicemail(mail, "v-2")) is None
