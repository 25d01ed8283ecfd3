"""Several agents in one conversation, in the engine: consult, warm transfer, conference, and who leaves."""

from __future__ import annotations

import pytest

from router.engine import commands, facts
from router.engine.decide import advance
from router.engine.effects import Confer, Connect, Effect, Hold, Reconnect, Rejoin, RingColleague
from router.engine.react import effects_of
from router.errors import Refusal, WrongState
from tests.properties.world import World, replayed


@pytest.fixture
def world() -> World:
    made = World()
    made.ready("anna", "bert")
    return made


def talking(world: World) -> str:
    """A call that anna has answered."""
    contact = world.receive("phone", "wmo")
    offer, agent = world.offer_of(contact)
    assert agent == "anna"
    world.ask(commands.Accept(offer, agent))
    return contact


def consulted(world: World, colleague: str = "bert") -> str:
    """The same, with a colleague who was asked and has answered."""
    contact = talking(world)
    world.ask(commands.Consult(contact, "anna", colleague))
    world.ask(commands.Accept(*world.offer_of(contact)))
    return contact


def effects(world: World) -> list[Effect]:
    assert world.last is not None
    return [effect for fact in world.last.facts for _, effect in effects_of(world.state, fact)]


def refused(world: World, command: commands.Command) -> Refusal:
    with pytest.raises(Refusal) as caught:
        advance(world.state, command, world.now)
    return caught.value


def test_a_consult_rings_the_colleague_and_the_contact_stays_active_with_its_owner(world: World) -> None:
    contact = talking(world)
    world.ask(commands.Consult(contact, "anna", "bert"))
    offer, agent = world.offer_of(contact)
    assert (agent, world.state.contacts[contact].state, world.state.contacts[contact].owner) == (
        "bert",
        "active",
        "anna",
    )
    assert effects(world) == [RingColleague(contact, offer, "bert", "a2", 20)]
    world.ask(commands.Accept(offer, "bert"))
    found = world.state.contacts[contact]
    assert (found.owner, found.participants, found.offer) == ("anna", {"bert": "consulted"}, "")
    assert world.state.agents["bert"].load == {contact: "in_hand"}


def test_a_consulted_colleague_is_not_offered_another_call(world: World) -> None:
    consulted(world)
    other = world.receive("phone", "afval")
    assert world.state.contacts[other].state == "waiting"


def test_the_owner_leaves_the_citizen_to_the_colleague_and_has_time_for_what_it_left_to_do(world: World) -> None:
    """Wrap-up ended early after an attended transfer (peers 35); idle after a transfer, never called (peers 9)."""
    contact = consulted(world)
    world.ask(commands.CompleteTransfer(contact, "anna"))
    assert effects(world) == [Connect(contact, "bert")]
    found = world.state.contacts[contact]
    assert (found.owner, found.participants, found.state) == ("bert", {}, "active")
    assert world.state.agents["anna"].load == {}
    waiting = world.receive("phone", "wmo")
    world.pass_time(59_000)
    assert world.state.contacts[waiting].state == "waiting"
    world.pass_time(1_000)
    assert world.offer_of(waiting)[1] == "anna"
    world.ask(commands.FinishConversation(contact, "bert"))
    world.ask(commands.CompleteWrapUp(contact, "bert", True))
    assert contact not in world.state.contacts


def test_after_a_transfer_the_agent_may_say_they_are_done(world: World) -> None:
    contact = consulted(world)
    world.ask(commands.CompleteTransfer(contact, "anna"))
    waiting = world.receive("phone", "wmo")
    assert world.offer_of(waiting) == ("", "")
    world.ask(commands.FinishAfterWork("anna"))
    assert world.offer_of(waiting)[1] == "anna"


def test_going_back_to_the_citizen_ends_the_consult_before_and_after_the_answer(world: World) -> None:
    contact = talking(world)
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.CancelConsult(contact, "anna"))
    assert effects(world) == [Reconnect(contact)]
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.CancelConsult(contact, "anna"))
    assert effects(world) == [Reconnect(contact)]
    assert world.state.agents["bert"].load == {}
    assert world.state.contacts[contact].owner == "anna"


@pytest.mark.parametrize("reason", ["busy", "no_answer", "unreachable"])
def test_a_colleague_who_does_not_answer_is_not_paused_and_the_owner_is_connected_again(
    world: World, reason: str
) -> None:
    contact = talking(world)
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.OfferFailed(world.offer_of(contact)[0], reason))
    assert effects(world) == [Reconnect(contact)]
    assert world.state.agents["bert"].presence == "ready"
    assert world.state.contacts[contact].state == "active"


def test_a_consult_that_nobody_reports_on_ends_by_itself(world: World) -> None:
    contact = talking(world)
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.pass_time(23_000)
    assert world.state.contacts[contact].offer == ""
    assert world.state.agents["bert"].load == {}


def test_three_talk_together_and_whoever_leaves_the_others_go_on(world: World) -> None:
    contact = consulted(world)
    world.ask(commands.StartConference(contact, "anna"))
    assert effects(world) == [Confer(contact)]
    world.ask(commands.LeaveConversation(contact, "bert"))
    assert (world.state.contacts[contact].owner, world.state.contacts[contact].participants) == ("anna", {})


def test_when_the_owner_leaves_a_conference_the_colleague_owns_the_contact(world: World) -> None:
    contact = consulted(world)
    world.ask(commands.StartConference(contact, "anna"))
    world.ask(commands.LeaveConversation(contact, "anna"))
    assert (world.state.contacts[contact].owner, world.state.contacts[contact].participants) == ("bert", {})


def test_an_owner_who_hangs_up_during_a_consult_leaves_the_citizen_at_their_place(world: World) -> None:
    contact = consulted(world)
    world.ready("eef")
    place = world.state.contacts[contact].rank
    world.ask(commands.LeaveConversation(contact, "anna"))
    found = world.state.contacts[contact]
    assert (found.state, found.rank, found.participants) == ("waiting", place, {})
    assert world.state.agents["bert"].load == {}


def test_a_citizen_on_hold_for_a_consult_does_not_wait_again(world: World) -> None:
    contact = talking(world)
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.ReportHeld(contact))
    assert world.state.contacts[contact].state == "active"
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.ReportHeld(contact))
    assert world.state.contacts[contact].owner == "anna"


def test_a_citizen_who_leaves_during_a_consult_frees_the_colleague(world: World) -> None:
    contact = consulted(world)
    world.ask(commands.EndContact(contact, "citizen_left"))
    assert world.state.agents["bert"].load == {}
    assert world.state.contacts[contact].state == "wrap_up"


def test_a_supervisor_who_closes_the_contact_frees_everybody(world: World) -> None:
    contact = talking(world)
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.CloseContact(contact, "sup", "v-1"))
    assert world.state.agents["bert"].load == world.state.agents["anna"].load == {}


def test_whom_one_cannot_consult(world: World) -> None:
    contact = talking(world)
    world.ready("dia")
    assert "no telephone" in refused(world, commands.Consult(contact, "anna", "dia")).message
    assert "not there" in refused(world, commands.Consult(contact, "anna", "cor")).message
    assert isinstance(refused(world, commands.Consult(contact, "bert", "anna")), WrongState)
    busy = world.receive("phone", "afval")
    assert world.offer_of(busy)[1] == "bert"
    assert "somebody else" in refused(world, commands.Consult(contact, "anna", "bert")).message


def test_a_census_frees_a_colleague_whose_phone_is_no_longer_in_it(world: World) -> None:
    """An agent "in call" for ever after a lost hang-up (peers 5)."""
    contact = consulted(world)
    seen = commands.ReportCensus("phone", (contact,), {contact: "anna"}, {contact: ("anna", "bert")})
    world.pass_time(6_000)
    world.ask(seen)
    assert world.state.contacts[contact].participants == {"bert": "consulted"}
    world.ask(commands.ReportCensus("phone", (contact,), {contact: "anna"}))
    assert world.state.contacts[contact].participants == {}
    assert world.state.contacts[contact].owner == "anna"


def test_a_start_in_the_middle_of_a_consult_keeps_what_is_up(world: World) -> None:
    contact = consulted(world)
    world.pass_time(6_000)
    world.ask(commands.StartCentre(("phone",)))
    world.ask(commands.ReportCensus("phone", (contact,), {contact: "anna"}, {contact: ("anna", "bert")}))
    found = world.state.contacts[contact]
    assert (found.owner, found.participants) == ("anna", {"bert": "consulted"})
    assert replayed(world.record).contacts[contact].participants == {"bert": "consulted"}


def test_every_event_twice_changes_nothing(world: World) -> None:
    contact = talking(world)
    for command in (
        commands.Consult(contact, "anna", "bert"),
        commands.Accept(f"{contact}-2", "bert"),
        commands.StartConference(contact, "anna"),
        commands.LeaveConversation(contact, "bert"),
    ):
        world.ask(command)
        before = world.state.number
        world.ask(command)
        assert world.state.number == before, command
    assert not any(isinstance(fact, facts.ContactReturned) for _, fact in world.record)


def test_a_phone_that_is_back_without_its_call_is_rung_again_and_its_answer_changes_nothing(world: World) -> None:
    contact = talking(world)
    for _ in range(2):
        world.ask(commands.RejoinCall(contact, "anna"))
        assert effects(world) == [Rejoin(contact, f"{contact}-1", "a1")]
    before = world.state.contacts[contact].state, world.state.contacts[contact].owner
    world.ask(commands.Accept(f"{contact}-1", "anna"))
    assert (world.state.contacts[contact].state, world.state.contacts[contact].owner) == before == ("active", "anna")
    assert isinstance(refused(world, commands.RejoinCall(contact, "bert")), WrongState)


def test_a_consult_ends_with_the_phone_that_is_back_without_its_call(world: World) -> None:
    contact = consulted(world)
    world.ask(commands.RejoinCall(contact, "anna"))
    assert effects(world) == [Reconnect(contact), Rejoin(contact, f"{contact}-2", "a1")]
    assert not world.state.contacts[contact].participants
    assert not world.state.agents["bert"].load


def test_a_phone_that_is_back_comes_into_the_conference_again_whosever_it_is(world: World) -> None:
    contact = consulted(world)
    assert isinstance(refused(world, commands.RejoinCall(contact, "bert")), WrongState)  # who is only asked
    world.ask(commands.StartConference(contact, "anna"))
    for agent, endpoint in (("anna", "a1"), ("bert", "a2")):
        world.ask(commands.RejoinCall(contact, agent))
        assert effects(world) == [Rejoin(contact, f"{contact}-2", endpoint)]
    found = world.state.contacts[contact]
    assert (found.owner, found.participants) == ("anna", {"bert": "conferenced"})
    assert isinstance(refused(world, commands.RejoinCall(contact, "cor")), WrongState)


def test_a_phone_that_fell_silent_gives_the_citizen_back_and_pauses_its_agent(world: World) -> None:
    contact = talking(world)
    for _ in range(2):
        world.ask(commands.LosePhone(contact, "anna"))
    assert world.state.contacts[contact].owner != "anna"
    assert world.state.contacts[contact].state in ("waiting", "offered")
    assert (world.state.agents["anna"].presence, world.state.agents["anna"].reason) == ("paused", "phone_unreachable")
    assert replayed(world.record).agents["anna"].reason == "phone_unreachable"


def test_a_phone_that_fell_silent_puts_the_citizen_on_hold(world: World) -> None:
    contact = talking(world)
    world.ask(commands.LosePhone(contact, "anna"))
    assert Hold(contact) in effects(world)
