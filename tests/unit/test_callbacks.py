"""Promises to call back: made once, kept when their time has come, dialled, tried again, never starving anybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.engine import commands, facts
from router.engine.effects import DialBack, EndDial
from router.engine.index import rebuild_index
from router.engine.react import effects_of
from router.engine.state import state_hash
from router.nouns import ChannelRules, Hours
from router.nouns_callbacks import CallbackRules
from router.queues.windows import called_from
from router.telephone_numbers import dialable
from tests.properties.world import World, replayed, small_centre

HOUR = 3_600_000


USUAL = CallbackRules()


def world(rules: CallbackRules = USUAL, **queue: Any) -> World:
    centre = small_centre()
    return World(
        replace(
            centre,
            queues=tuple(replace(q, **queue) for q in centre.queues),
            channels={**centre.channels, "callback": ChannelRules(60)},
            callbacks=rules,
        )
    )


def planned(here: World, name: str = "1", **more: Any) -> str:
    """The contact that calls; it may be another's, or still to come."""
    fields: dict[str, Any] = {"citizen": f"z-{name}", "hints": ("topic:burgerzaken",), **more}
    decision = here.ask(
        commands.PlanCallback(f"f-{name}", f"c-b{name}", f"request {name}", "sup", "waterland", **fields)
    )
    assert decision is not None
    return str(decision.answer)


def in_hand(here: World, **more: Any) -> str:
    """A callback in anna's hands."""
    contact = planned(here, **more)
    here.ready("anna")
    here.ask(commands.Accept(*here.offer_of(contact)))
    assert here.state.contacts[contact].owner == "anna"
    return contact


def happened(here: World, kind: type) -> list[Any]:
    return [fact for _, fact in here.record if isinstance(fact, kind)]


# -- the promise ------------------------------------------------------------------------------------------------


def test_a_planned_callback_comes_when_its_window_opens_once() -> None:
    here = world()
    call_from = here.now + 2 * HOUR
    contact = planned(here, call_from=call_from, due_at=call_from + HOUR)
    assert contact not in here.state.contacts
    here.pass_time(2 * HOUR - 1)
    assert contact not in here.state.contacts
    here.pass_time(1)
    assert here.state.contacts[contact].promise == "f-1"
    assert here.state.contacts[contact].rank == call_from - (9 - 4) * 120_000
    here.pass_time(2 * HOUR)
    assert len(happened(here, facts.ContactReceived)) == 1
    assert here.state.follow_ups["f-1"].state == "overdue"


def test_the_window_opens_after_a_restart_too() -> None:
    here = world()
    contact = planned(here, call_from=here.now + HOUR)
    again = replayed(here.record)
    rebuild_index(again)
    here.state = again
    here.pass_time(HOUR)
    assert here.state.contacts[contact].state == "waiting"
    assert state_hash(replayed(here.record)) == state_hash(here.state)


@pytest.mark.parametrize("later", [0, HOUR])
def test_the_same_request_and_the_same_question_are_one_callback(later: int) -> None:
    here = world()
    call_from = here.now + later if later else 0
    first = planned(here, call_from=call_from)
    assert planned(here, call_from=call_from) == first
    assert planned(here, "2", citizen="z-1", call_from=here.now + 2 * HOUR) == first
    assert planned(here, "3", citizen="z-1", hints=("topic:afval",)) != first, "another question"
    call = here.receive("phone", citizen="z-1")
    decision = here.ask(commands.TakeCallback(call, "c-more"))
    assert decision is not None
    assert decision.answer == first
    assert call in here.state.ended
    here.pass_time(3 * HOUR)
    assert len(happened(here, facts.FollowUpMade)) == 2


def test_a_caller_on_hold_is_called_back_later_and_keeps_a_place_only_when_called_at_once() -> None:
    here = world()
    calls = [here.receive("phone", citizen=f"z-{n}") for n in (1, 2)]
    rank = here.state.contacts[calls[0]].rank
    here.pass_time(5_000)
    here.ask(commands.TakeCallback(calls[0], "c-now"))
    here.ask(commands.TakeCallback(calls[1], "c-later", here.now + HOUR, here.now + 2 * HOUR, "v-1"))
    assert here.state.contacts["c-now"].rank == rank
    assert "c-later" not in here.state.contacts
    here.pass_time(HOUR)
    assert here.state.contacts["c-later"].rank > rank
    assert here.state.contacts["c-later"].tier == 0
    assert here.state.books["phone"].ended == {"callback": 2}


def test_a_promise_with_an_owner_is_offered_to_them_first() -> None:
    here = world()
    here.ready("anna", "dia")
    contact = planned(here, owner_agent="dia")
    assert here.offer_of(contact)[1] == "dia"


@pytest.mark.parametrize(
    "wrong",
    [
        {"citizen": ""},
        {"call_from": 4_000_000_000_000},
        {"due_at": 1},
        {"owner_agent": "nobody"},
    ],
)
def test_what_cannot_be_kept_is_not_promised(wrong: dict[str, Any]) -> None:
    here = world()
    fields: dict[str, Any] = {"citizen": "z-1", **wrong}
    assert here.ask(commands.PlanCallback("f-1", "c-b1", "request", "sup", "waterland", **fields)) is None
    assert not here.state.follow_ups


def test_a_promise_that_is_kept_otherwise_takes_its_callback_away() -> None:
    here = world()
    waits = planned(here)
    comes = planned(here, "2", call_from=here.now + HOUR)
    for id in ("f-1", "f-2"):
        here.ask(commands.CompleteFollowUp(id, "sup"))
    here.pass_time(2 * HOUR)
    assert not here.state.contacts
    assert here.state.books["callback"].ended == {"kept": 1}
    assert waits in here.state.ended
    assert comes not in here.state.ended


# -- dialling -----------------------------------------------------------------------------------------------------


def test_dialling_twice_is_dialling_once_and_both_answer() -> None:
    here = world(citizen_first=True)
    contact = in_hand(here, number_ref="v-7")
    for _ in range(3):
        decision = here.ask(commands.DialCitizen(contact, "anna"))
        assert decision is not None
        assert decision.answer == 1
    (dialled,) = happened(here, facts.CallbackDialled)
    assert effects_of(here.state, dialled) == [
        ("callback", DialBack(contact, 1, "anna", "a1", "z-1", "v-7", "waterland", True, 20, 30))
    ]
    for _ in range(2):
        here.ask(commands.ReportDial(contact, 1, "answered"))
    assert len(happened(here, facts.CallbackReached)) == 1
    here.ask(commands.EndContact(contact, "citizen_left"))
    (over,) = happened(here, facts.ConversationEnded)
    assert effects_of(here.state, over) == [("callback", EndDial(contact))]
    here.ask(commands.CompleteWrapUp(contact, "anna", True))
    assert not here.state.follow_ups
    assert here.state.books["callback"].ended == {"handled": 1}


def test_an_unresolved_callback_leaves_the_promise_open() -> None:
    here = world()
    contact = in_hand(here)
    here.ask(commands.FinishConversation(contact, "anna"))
    here.ask(commands.CompleteWrapUp(contact, "anna", False))
    assert list(here.state.follow_ups) == ["f-1"]


@pytest.mark.parametrize("how", ["busy", "no_answer", "unreachable"])
def test_who_is_not_reached_is_tried_again_and_then_left_to_the_owner_of_the_promise(how: str) -> None:
    here = world(CallbackRules(tries_max=2, again_seconds=600))
    contact = in_hand(here)
    here.ask(commands.DialCitizen(contact, "anna"))
    for _ in range(3):
        here.ask(commands.ReportDial(contact, 1, how))
    assert contact in here.state.ended
    assert not here.state.agents["anna"].load
    here.pass_time(600_000)
    again = f"{contact}r2"
    here.ask(commands.Accept(*here.offer_of(again)))
    here.ask(commands.DialCitizen(again, "anna"))
    here.ask(commands.ReportDial(again, 1, how))
    here.pass_time(HOUR)
    assert [(f.tries, bool(f.call_at)) for f in happened(here, facts.CallbackPlanned)] == [(1, True), (2, False)]
    assert here.state.books["callback"].ended == {"not_reached": 2}
    assert here.state.follow_ups["f-1"].state == "open"
    here.pass_time(24 * HOUR)
    assert here.state.follow_ups["f-1"].state == "overdue"


@pytest.mark.parametrize("how", ["agent_busy", "agent_no_answer", "cancelled", "refused", ""])
def test_when_the_agents_own_phone_fails_or_nothing_is_heard_it_stays_in_hand(how: str) -> None:
    here = world()
    contact = in_hand(here)
    here.ask(commands.DialCitizen(contact, "anna"))
    here.ask(commands.ReportDial(contact, 1, how)) if how else here.pass_time(60_000)
    (failed,) = happened(here, facts.CallbackFailed)
    assert failed.how == (how or "no_report")
    assert here.state.contacts[contact].owner == "anna"
    decision = here.ask(commands.DialCitizen(contact, "anna"))
    assert decision is not None
    assert decision.answer == 2


def test_a_report_that_is_late_or_of_another_try_changes_nothing() -> None:
    here = world()
    contact = in_hand(here)
    here.ask(commands.DialCitizen(contact, "anna"))
    here.ask(commands.ReportDial(contact, 2, "busy"))
    here.ask(commands.FinishConversation(contact, "anna"))
    here.ask(commands.ReportDial(contact, 1, "busy"))
    assert not happened(here, facts.CallbackFailed)
    assert here.ask(commands.DialCitizen(contact, "anna")) is None, "the conversation is over"


@pytest.mark.parametrize(
    ("up", "talks", "left"),
    [(True, False, "dialling"), (True, True, "reached"), (False, False, "")],
)
def test_after_a_restart_the_telephones_are_what_asterisk_says(up: bool, talks: bool, left: str) -> None:
    here = world()
    contact = in_hand(here)
    here.ask(commands.DialCitizen(contact, "anna"))
    here.ask(commands.StartCentre(("phone",)))
    here.ask(commands.ReportCensus("phone", (contact,) if up else (), {contact: "anna"} if talks else {}))
    assert here.state.contacts[contact].state == "active"
    assert here.state.contacts[contact].dialling == left


def test_a_conversation_that_ended_while_nobody_looked_is_wrapped_up() -> None:
    here = world()
    contact = in_hand(here)
    here.ask(commands.DialCitizen(contact, "anna"))
    here.ask(commands.ReportDial(contact, 1, "answered"))
    here.ask(commands.StartCentre(("phone",)))
    here.ask(commands.ReportCensus("phone"))
    assert here.state.contacts[contact].state == "wrap_up"


# -- callbacks and those on the line ----------------------------------------------------------------------------


def served(here: World, many: int) -> list[str]:
    """Channels in the order in which anna gets them, each done at once."""
    order = []
    for _ in range(many):
        offer, agent = next((o.id, o.agent) for o in here.state.offers.values())
        contact = here.state.offers[offer].contact
        order.append(here.state.contacts[contact].channel)
        here.ask(commands.Accept(offer, agent))
        here.ask(commands.FinishConversation(contact, agent))
        here.ask(commands.CompleteWrapUp(contact, agent, True))
    return order


def test_all_in_order_of_place_unless_the_centre_says_otherwise() -> None:
    here = world()
    for n in range(3):
        planned(here, str(n), call_from=here.now + 1_000)
    here.pass_time(2_000)
    for _ in range(3):
        here.receive("phone")
    here.ready("anna")
    assert served(here, 6) == ["callback"] * 3 + ["phone"] * 3


def test_many_callbacks_at_once_do_not_keep_callers_waiting() -> None:
    here = world(CallbackRules(live_between_max=3))
    for n in range(4):
        planned(here, str(n), call_from=here.now + 1_000)
    here.pass_time(2_000)
    for _ in range(3):
        here.receive("phone")
    here.ready("anna")
    assert served(here, 7) == ["callback", "phone"] * 3 + ["callback"]


def test_a_callback_waits_for_so_many_callers_and_no_more() -> None:
    here = world(CallbackRules(live_between_max=2))
    for _ in range(6):
        here.receive("phone")
    here.pass_time(1_000)
    planned(here, "1")
    planned(here, "2")
    here.ready("anna")
    assert served(here, 8) == ["phone", "phone", "callback"] * 2 + ["phone", "phone"]


# -- numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ("06 1234 5678", "+31612345678"),
        ("0031201234567", "+31201234567"),
        ("112", ""),
        ("0900 1234567", ""),
        ("0909-0567", ""),
        ("14020", ""),
        ("+12125550100", ""),
        ("06123", ""),
        ("sip:evil@example", ""),
        ("", ""),
    ],
)
def test_which_numbers_are_called_back(given: str, called: str) -> None:
    assert dialable(given, ("+31",)) == called


def test_a_next_try_waits_until_it_is_open() -> None:
    here = world()
    opens = 9 * 60
    weekdays = Hours(dict.fromkeys(range(5), ((opens, 17 * 60),)))
    centre = here.centre
    here.ask(
        commands.Configure(
            replace(
                centre, municipalities=tuple(replace(m, hours={"callback": weekdays}) for m in centre.municipalities)
            ),
            "2",
        )
    )
    contact = in_hand(here)
    here.ask(commands.DialCitizen(contact, "anna"))
    here.ask(commands.ReportDial(contact, 1, "no_answer"))
    (planned_again,) = happened(here, facts.CallbackPlanned)
    first = called_from(
        replace(centre.municipalities[0], hours={"callback": weekdays}), centre.time_zone, here.now + 900_000
    )
    assert planned_again.call_at == first >= here.now + 900_000


def test_nobody_is_called_back_instead_while_an_agent_is_asked() -> None:
    here = world()
    here.ready("anna")
    call = here.receive("phone", citizen="z-1")
    assert here.state.contacts[call].state == "offered"
    assert here.ask(commands.TakeCallback(call, "c-back")) is None
    assert here.state.contacts[call].state == "offered"


# -- now, and after a PBX that ended ------------------------------------------------------------------------------


def test_a_promise_is_kept_now_by_who_clicks_and_once() -> None:
    here = world()
    here.ready("anna")
    here.ready("bert")
    contact = planned(here, call_from=here.now + 2 * HOUR)
    for _ in range(3):
        decision = here.ask(commands.CallNow("f-1", "bert"))
        assert decision is not None
        assert decision.answer == contact
    offer, agent = here.offer_of(contact)
    assert agent == "bert"
    here.ask(commands.Accept(offer, agent))
    assert here.state.follow_ups["f-1"].call_at == 0
    here.pass_time(3 * HOUR)
    assert len(happened(here, facts.ContactReceived)) == 1


def test_a_promise_whose_tries_are_used_up_is_tried_once_more_by_a_click() -> None:
    here = world(CallbackRules(tries_max=1))
    contact = in_hand(here)
    here.ask(commands.DialCitizen(contact, "anna"))
    here.ask(commands.ReportDial(contact, 1, "busy"))
    assert here.state.follow_ups["f-1"].call_at == 0
    decision = here.ask(commands.CallNow("f-1", "anna"))
    assert decision is not None
    assert decision.answer == f"{contact}r2"
    assert here.state.contacts[f"{contact}r2"].promise == "f-1"


def test_what_cannot_be_called_now() -> None:
    here = world()
    here.ready("anna")
    contact = here.receive("phone", citizen="z-1")
    here.ask(commands.Accept(*here.offer_of(contact)))
    here.ask(commands.MakeFollowUp("f-plain", contact, "anna", here.now + HOUR, "v-1", "anna"))
    planned(here, call_from=here.now + HOUR)
    for follow_up, agent in (("f-plain", "anna"), ("f-none", "anna"), ("f-1", "cor"), ("f-1", "nobody")):
        assert here.ask(commands.CallNow(follow_up, agent)) is None


def test_who_was_cut_off_is_called_back_a_while_later_or_by_a_click() -> None:
    here = world()
    contact = here.receive("phone", citizen="z-1")
    anonymous = here.receive("phone")
    here.pass_time(20_000)
    here.ask(commands.ReportCensus("phone", up_seconds=0))
    assert {contact, anonymous} <= set(here.state.ended)
    (promise,) = here.state.follow_ups.values()
    assert promise.plan is not None
    assert promise.call_at == here.now + 900_000 < promise.due_at
    here.ready("anna")
    here.ask(commands.CallNow(promise.id, "anna"))
    assert here.state.contacts[promise.plan.contact].linked_to == contact
    assert here.offer_of(promise.plan.contact)[1] == "anna"


def test_callbacks_are_dialled_over_a_pbx_in_sight_and_its_census_alone_tells_of_them() -> None:
    here = world()
    here.ask(commands.StartCentre(("desk", "phone@left", "phone@right")))
    here.ask(commands.ReportCensus("phone@left", up_seconds=600))
    here.ask(commands.ReportCensus("phone@right", up_seconds=600))
    here.ask(commands.ReportCensus("desk", ("anna",)))
    contact = in_hand(here)
    here.ask(commands.LoseChannel("phone@left"))
    here.ask(commands.DialCitizen(contact, "anna"))
    (dialled,) = happened(here, facts.CallbackDialled)
    assert dialled.pbx == "right"
    assert effects_of(here.state, dialled)[0][1].pbx == "right"  # type: ignore[union-attr]
    here.pass_time(6_000)
    here.ask(commands.ReportCensus("phone@left", up_seconds=1))
    assert here.state.contacts[contact].dialling == "dialling"
    here.ask(commands.ReportCensus("phone@right", (contact,), {contact: "anna"}))
    assert here.state.contacts[contact].dialling == "reached"
    here.pass_time(6_000)
    here.ask(commands.ReportCensus("phone@right"))
    assert here.state.contacts[contact].state == "wrap_up"
