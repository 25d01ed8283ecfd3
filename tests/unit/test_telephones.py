"""A telephone that is in somebody else's call, or cannot be reached: its agent is not asked for calls meanwhile."""

from __future__ import annotations

import pytest

from router.engine import commands, facts
from router.engine.decide import decide, explain
from router.engine.state import state_hash
from router.errors import InvalidInput
from tests.properties.world import World, replayed


@pytest.fixture
def world() -> World:
    return World()


def report(world: World, **telephones: str) -> None:
    world.ask(commands.ReportTelephones(telephones))


def asked(world: World, contact: str) -> str:
    return world.offer_of(contact)[1]


@pytest.mark.parametrize("telephone", ["elsewhere", "unregistered"])
def test_no_call_is_offered_until_the_telephone_is_free_and_then_at_once(world: World, telephone: str) -> None:
    world.ready("anna")
    report(world, anna=telephone)
    call = world.receive("phone")
    assert asked(world, call) == ""
    report(world, anna="free")
    assert asked(world, call) == "anna"


def test_a_call_elsewhere_is_a_call_and_leaves_no_room_beside_it(world: World) -> None:
    world.ready("anna")
    report(world, anna="elsewhere")
    assert asked(world, world.receive("chat")) == ""
    report(world, anna="free")
    assert world.state.agents["anna"].load


def test_an_agent_without_a_line_takes_what_needs_none(world: World) -> None:
    world.ready("anna")
    report(world, anna="unregistered")
    assert asked(world, world.receive("chat")) == "anna"


def test_our_own_call_is_not_a_call_elsewhere(world: World) -> None:
    world.ready("anna")
    call = world.receive("phone")
    report(world, anna="elsewhere")  # it rings
    world.ask(commands.Accept(world.offer_of(call)[0], "anna"))
    report(world, anna="elsewhere")  # they talk
    assert world.state.agents["anna"].telephone == "free"
    world.ask(commands.FinishConversation(call, "anna"))
    report(world, anna="elsewhere")  # while wrapping up, the agent rings a colleague
    assert world.state.agents["anna"].telephone == "elsewhere"


@pytest.mark.parametrize("telephone", ["elsewhere", "unregistered"])
def test_a_colleague_whose_telephone_would_not_ring_is_not_asked(world: World, telephone: str) -> None:
    world.ready("anna")
    call = world.receive("phone")
    world.ask(commands.Accept(world.offer_of(call)[0], "anna"))
    world.ready("bert")
    report(world, bert=telephone)
    assert world.ask(commands.Consult(call, "anna", "bert")) is None
    report(world, bert="free")
    assert world.ask(commands.Consult(call, "anna", "bert")) is not None


def test_it_is_told_again_and_of_strangers_without_a_trace(world: World) -> None:
    report(world, anna="elsewhere")
    count = world.state.number
    for _ in range(4):
        report(world, anna="elsewhere", nobody="elsewhere")
    assert world.state.number == count
    with pytest.raises(InvalidInput):
        decide(world.state, commands.ReportTelephones({"anna": "melting"}), world.now)


def test_those_who_wait_are_told_that_nobody_can_be_reached(world: World) -> None:
    world.ready("anna")
    call = world.receive("phone", "wmo")
    world.ask(commands.Decline(world.offer_of(call)[0], "anna"))
    world.ask(commands.OfferFailed(world.offer_of(call)[0], "busy"))
    report(world, anna="unregistered")
    stranded = [fact for _, fact in world.record if isinstance(fact, facts.LaneStranded)]
    assert stranded[-1].reason == "nobody_reachable"
    assert explain(world.state, call, world.now).excluded["no_phone"] == 1
    assert not [lane for lane in world.state.stranded if lane.startswith("chat")]
    report(world, anna="free")
    assert world.state.stranded == {}


def test_the_facts_alone_say_it_again(world: World) -> None:
    world.ready("anna", "bert")
    report(world, anna="elsewhere", bert="unregistered")
    assert state_hash(replayed(world.record)) == state_hash(world.state)


# -- on hold -----------------------------------------------------------------------------------------------------------


def talking(world: World) -> str:
    world.ready("anna")
    call = world.receive("phone", "wmo")
    world.ask(commands.Accept(world.offer_of(call)[0], "anna"))
    return call


def test_on_hold_and_off_again_is_recorded_once_however_often_it_is_told(world: World) -> None:
    call = talking(world)
    for command in (commands.HoldCall, commands.RetrieveCall):
        before = len(world.record)
        for _ in range(3):
            world.ask(command(call, "anna"))
            world.ask(command(call, "bert"))  # who has no part in it
        assert len(world.record) == before + 1
        assert bool(world.state.contacts[call].held_since) == (command is commands.HoldCall)
    assert [type(fact) for _, fact in world.record[-2:]] == [facts.CallHeld, facts.CallRetrieved]


def test_nobody_is_on_hold_after_the_conversation_or_at_another_telephone(world: World) -> None:
    call = talking(world)
    world.ask(commands.HoldCall(call, "anna"))
    world.ask(commands.RejoinCall(call, "anna"))
    assert world.state.contacts[call].held_since == 0
    world.ask(commands.HoldCall(call, "anna"))
    world.ask(commands.FinishConversation(call, "anna"))
    assert world.state.contacts[call].held_since == 0
    world.ask(commands.HoldCall(call, "anna"))
    world.ask(commands.RetrieveCall(call, "anna"))
    assert [fact for _, fact in world.record if isinstance(fact, facts.CallRetrieved)] == []


def test_with_a_colleague_in_the_call_a_telephone_on_hold_is_no_music_for_the_citizen(world: World) -> None:
    call = talking(world)
    world.ready("bert")
    world.ask(commands.Consult(call, "anna", "bert"))
    world.ask(commands.Accept(world.offer_of(call)[0], "bert"))
    world.ask(commands.HoldCall(call, "anna"))
    assert world.state.contacts[call].held_since == 0
