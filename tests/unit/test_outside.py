"""Calls put through to somebody outside, in the engine: dialled, answered, not answered, taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.engine import commands, facts
from router.engine.decide import advance, due
from router.engine.effects import ConsultOutside, DialOutside, Effect, HangUp, Hold, JoinOutside, Reconnect
from router.engine.react import effects_of
from router.engine.state import state_hash
from router.errors import InvalidInput, NotAllowed, Refusal, UnknownThing, WrongState
from router.nouns import Centre, Destination
from tests.properties.world import World, replayed, small_centre


def centre() -> Centre:
    rijk, own = Destination("rijk", {}, "1400"), Destination("svb", {}, "0201112222", shows="citizen")
    return replace(small_centre(), destinations=(rijk, own), outside_prefixes=("+31",))


@pytest.fixture
def world() -> World:
    made = World(centre())
    made.ready("anna", "bert")
    return made


def talking(world: World) -> str:
    contact = world.receive("phone", "wmo")
    world.ask(commands.Accept(*world.offer_of(contact)))
    return contact


def dialled(world: World, destination: str = "rijk") -> str:
    contact = talking(world)
    world.ask(commands.PassOutside(contact, "anna", destination))
    return contact


def effects(world: World) -> list[Effect]:
    assert world.last is not None
    return [effect for fact in world.last.facts for _, effect in effects_of(world.state, fact)]


def refused(world: World, command: commands.Command) -> Refusal:
    with pytest.raises(Refusal) as caught:
        advance(world.state, command, world.now)
    return caught.value


def test_while_it_rings_the_contact_stays_its_agents_and_nobody_else_is_offered_to_them(world: World) -> None:
    contact = dialled(world)
    assert effects(world) == [DialOutside(contact, "1400", "", "140591", 30)]
    found = world.state.contacts[contact]
    assert (found.state, found.owner, found.outside) == ("active", "anna", "rijk")
    other = world.receive("phone", "wmo")
    assert world.state.contacts[other].state == "waiting"
    for command in (
        commands.FinishConversation(contact, "anna"), commands.Consult(contact, "anna", "bert"),
        commands.Supervise(contact, "sup", "listen", "s1"), commands.RejoinCall(contact, "anna"),
    ):  # fmt: skip
        assert isinstance(refused(world, command), WrongState)
    for report in (commands.LeaveConversation(contact, "anna"), commands.LosePhone(contact, "anna")):
        world.ask(report)
        assert world.state.contacts[contact].state == "active"


def test_answered_it_is_passed_on_and_the_agent_wraps_up(world: World) -> None:
    contact = dialled(world)
    for _ in range(3):
        world.ask(commands.ReportOutside(contact, answered=True))
    assert [f for _, f in world.record if isinstance(f, facts.ConversationEnded)] == [
        facts.ConversationEnded(contact, "anna", "passed_on", world.now + 60_000)
    ]
    assert not any(isinstance(effect, HangUp) for effect in effects(world)), "they talk on elsewhere"
    world.ask(commands.EndContact(contact, "citizen_left"))
    world.ask(commands.CompleteWrapUp(contact, "anna", True))
    ended = world.record[-1][1]
    assert isinstance(ended, facts.ContactEnded)
    assert (ended.reason, ended.agent, ended.resolved) == ("passed_on", "anna", True)
    assert not effects(world)
    assert world.state.books["phone"].ended == {"passed_on": 1}
    assert state_hash(replayed(world.record)) == state_hash(world.state)


def test_a_wrap_up_that_ends_by_itself_is_passed_on_too(world: World) -> None:
    contact = dialled(world)
    world.ask(commands.ReportOutside(contact, answered=True))
    world.pass_time(61_000)
    assert world.state.books["phone"].ended == {"passed_on": 1}


def test_not_answered_it_comes_back_to_its_agent_at_its_place(world: World) -> None:
    contact = dialled(world)
    world.now += 10_000
    for _ in range(3):
        world.ask(commands.ReportOutside(contact, answered=False))
    found = world.state.contacts[contact]
    assert (world.offer_of(contact)[1], found.outside, found.wanted_agent) == ("anna", "", "anna")
    back = [f for _, f in world.record if isinstance(f, facts.ContactReturned)]
    assert [(f.reason, f.again_at) for f in back] == [("not_passed_on", 0)]
    assert found.received_at == world.record[3][0]


def test_an_agent_who_is_gone_meanwhile_does_not_get_it_back(world: World) -> None:
    contact = dialled(world)
    world.ask(commands.SetPresence("anna", "paused", "lunch"))
    world.ask(commands.ReportOutside(contact, answered=False))
    assert world.state.contacts[contact].wanted_agent == ""


def test_taken_back_while_it_rings(world: World) -> None:
    contact = dialled(world)
    world.ask(commands.CancelOutside(contact, "anna"))
    assert Hold(contact) in effects(world)
    assert world.offer_of(contact)[1] == "anna"
    assert isinstance(refused(world, commands.CancelOutside(contact, "anna")), WrongState)
    world.ask(commands.ReportOutside(contact, answered=True))
    assert world.state.contacts[contact].state == "offered", "too late"


def test_without_any_report_it_is_taken_back_in_time(world: World) -> None:
    contact = dialled(world)
    world.pass_time(34_999)
    assert world.state.contacts[contact].outside == "rijk"
    world.pass_time(1)
    assert world.offer_of(contact)[1] == "anna"
    assert due(world.state) is not None


def test_on_hold_again_is_not_answered(world: World) -> None:
    contact = dialled(world)
    world.ask(commands.ReportHeld(contact))
    assert world.offer_of(contact)[1] == "anna"


def test_who_hangs_up_while_it_rings_has_left(world: World) -> None:
    contact = dialled(world)
    world.ask(commands.EndContact(contact, "abandoned"))
    world.ask(commands.CompleteWrapUp(contact, "anna", False))
    assert world.state.books["phone"].ended == {"handled": 1}


def test_a_census_tells_whether_it_rings_or_was_answered(world: World) -> None:
    ringing, answered = dialled(world), world.receive("phone", "afval")
    world.ask(commands.Accept(*world.offer_of(answered)))
    world.ask(commands.PassOutside(answered, "bert", "rijk"))
    world.ask(commands.StartCentre(("phone",)))
    world.ask(commands.ReportCensus("phone", (ringing, answered), outside={ringing: False, answered: True}))
    states = world.state.contacts
    assert (states[ringing].outside, states[ringing].state) == ("rijk", "active")
    assert (states[answered].outside, states[answered].state) == ("rijk", "wrap_up")


def test_whose_number_is_shown_and_a_typed_one(world: World) -> None:
    contact = dialled(world, "svb")
    assert effects(world) == [DialOutside(contact, "0201112222", "", "", 30)]
    world.ask(commands.CancelOutside(contact, "anna"))
    world.ask(commands.Accept(*world.offer_of(contact)))
    for _ in range(2):
        world.ask(commands.PassOutside(contact, "anna", number_ref="v-1"))
    assert [f for _, f in world.record if isinstance(f, facts.OutsideDialled)][1:] == [
        facts.OutsideDialled(contact, "anna", "", "v-1", world.now + 35_000)
    ]
    assert isinstance(refused(world, commands.PassOutside(contact, "anna", "rijk")), WrongState)


def test_what_cannot_be_put_through(world: World) -> None:
    contact = talking(world)
    assert isinstance(refused(world, commands.PassOutside(contact, "anna", "nergens")), UnknownThing)
    assert isinstance(refused(world, commands.PassOutside(contact, "anna")), InvalidInput)
    assert isinstance(refused(world, commands.PassOutside(contact, "bert", "rijk")), WrongState)
    world.ask(commands.Configure(replace(centre(), outside_prefixes=()), "2"))
    assert isinstance(refused(world, commands.PassOutside(contact, "anna", number_ref="v-1")), NotAllowed)
    world.ask(commands.Consult(contact, "anna", "bert"))
    assert isinstance(refused(world, commands.PassOutside(contact, "anna", "rijk")), WrongState)


# -- asked first ------------------------------------------------------------------------------------------------


def asked(world: World, *, answered: bool = True) -> str:
    contact = talking(world)
    world.ask(commands.PassOutside(contact, "anna", "rijk", consult=True))
    if answered:
        world.ask(commands.ReportOutside(contact, answered=True))
    return contact


def test_the_owner_asks_first_and_then_leaves_the_citizen_to_them(world: World) -> None:
    contact = asked(world, answered=False)
    assert effects(world) == [ConsultOutside(contact, "1400", "", "140591", 30)]
    found = world.state.contacts[contact]
    assert (found.state, found.owner, found.outside_state) == ("active", "anna", "ringing")
    assert isinstance(refused(world, commands.CompleteTransfer(contact, "anna")), WrongState)
    world.ask(commands.ReportHeld(contact))
    for _ in range(2):
        world.ask(commands.ReportOutside(contact, answered=True))
    assert found.outside_state == "talking"
    world.pass_time(3_600_000)
    assert found.outside_state == "talking", "they talk as long as they like"
    for _ in range(2):
        world.ask(commands.CompleteTransfer(contact, "anna"))
    assert found.outside_state == "through"
    world.ask(commands.ReportOutside(contact, answered=True))
    assert world.state.contacts[contact].state == "wrap_up"
    world.ask(commands.CompleteTransfer(contact, "anna"))
    world.ask(commands.CompleteWrapUp(contact, "anna", True))
    assert world.state.books["phone"].ended == {"passed_on": 1}
    assert state_hash(replayed(world.record)) == state_hash(world.state)


def test_leaving_the_citizen_to_them_is_one_order(world: World) -> None:
    contact = asked(world)
    world.ask(commands.CompleteTransfer(contact, "anna"))
    assert effects(world) == [JoinOutside(contact)]


@pytest.mark.parametrize("answered", [False, True])
def test_who_does_not_answer_or_leaves_brings_the_owner_back_to_the_citizen(world: World, answered: bool) -> None:
    contact = asked(world, answered=answered)
    for _ in range(2):
        world.ask(commands.ReportOutside(contact, answered=False))
    left = [fact for _, fact in world.record if isinstance(fact, facts.OutsideLeft)]
    assert [fact.how for fact in left] == ["left" if answered else "not_answered"]
    found = world.state.contacts[contact]
    assert (found.state, found.owner, found.outside, found.outside_state) == ("active", "anna", "", "")
    world.ask(commands.PassOutside(contact, "anna", "rijk", consult=True))
    assert found.outside_state == "ringing", "and may try again"


@pytest.mark.parametrize("answered", [False, True])
def test_the_owner_goes_back_to_the_citizen(world: World, answered: bool) -> None:
    contact = asked(world, answered=answered)
    world.ask(commands.CancelOutside(contact, "anna"))
    assert effects(world) == [Reconnect(contact)]
    world.ask(commands.ReportOutside(contact, answered=True))
    assert world.state.contacts[contact].outside_state == "", "too late"


def test_nothing_is_heard_and_the_owner_is_back_in_time(world: World) -> None:
    contact = asked(world, answered=False)
    world.pass_time(35_000)
    assert effects(world) == [Reconnect(contact)]
    assert world.state.contacts[contact].owner == "anna"


@pytest.mark.parametrize("answered", [False, True])
def test_the_owner_hangs_up_while_asking_and_the_citizen_waits_again(world: World, answered: bool) -> None:
    contact = asked(world, answered=answered)
    world.ask(commands.LeaveConversation(contact, "anna"))
    found = world.state.contacts[contact]
    assert (found.state, found.outside, found.outside_state) == ("waiting", "", "")


@pytest.mark.parametrize("answered", [False, True])
def test_the_citizen_leaves_while_the_owner_asks(world: World, answered: bool) -> None:
    contact = asked(world, answered=answered)
    world.ask(commands.EndContact(contact, "citizen_left"))
    found = world.state.contacts[contact]
    assert (found.state, found.outside, found.outside_state) == ("wrap_up", "", "")
    world.ask(commands.CompleteWrapUp(contact, "anna", True))
    assert world.state.books["phone"].ended == {"handled": 1}


def test_they_cannot_be_connected_and_the_citizen_comes_back_to_the_owner(world: World) -> None:
    contact = asked(world)
    world.ask(commands.CompleteTransfer(contact, "anna"))
    world.ask(commands.ReportOutside(contact, answered=False))
    assert (world.offer_of(contact)[1], world.state.contacts[contact].outside_state) == ("anna", "")


def test_a_census_finds_who_is_asked_and_who_is_connected(world: World) -> None:
    contact = asked(world)
    world.ask(commands.StartCentre(("phone",)))
    world.ask(commands.ReportCensus("phone", (contact,), {contact: "anna"}))
    assert world.state.contacts[contact].outside_state == "talking"
    world.ask(commands.CompleteTransfer(contact, "anna"))
    world.ask(commands.StartCentre(("phone",)))
    world.ask(commands.ReportCensus("phone", (contact,), outside={contact: True}))
    assert world.state.contacts[contact].state == "wrap_up"


def test_after_a_restart_without_the_owners_phone_the_citizen_waits_again(world: World) -> None:
    contact = asked(world)
    world.ask(commands.StartCentre(("phone",)))
    world.ask(commands.ReportCensus("phone", (contact,)))
    assert world.state.contacts[contact].state in ("waiting", "offered")
