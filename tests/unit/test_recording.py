"""Recordings in the engine: announced, begun by an answer, paused, thrown away when asked, kept when they are over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.engine import commands, facts
from router.engine.decide import advance
from router.engine.effects import Effect, Record, Ring
from router.engine.react import effects_of
from router.engine.state import Unsaved, state_hash
from router.errors import NotAllowed, Refusal, UnknownThing, WrongState
from tests.properties.world import World, replayed, small_centre

PHONE = Unsaved("waterland", "phone", (1,))


@pytest.fixture
def world() -> World:
    """The queue `balie` of Waterland is recorded, `buiten` is not."""
    made = World(small_centre())
    made.ready("anna", "bert")
    return made


def announced(world: World, topic: str = "burgerzaken", *, refused: bool = False, **more: object) -> str:
    contact = world.receive("phone", topic, classify=False, **more)
    world.ask(commands.AnnounceRecording(contact, refused))
    world.ask(commands.Classify(contact))
    return contact


def recorded(world: World) -> str:
    contact = announced(world)
    world.ask(commands.Accept(*world.offer_of(contact)))
    return contact


def effects(world: World, *kinds: type[Effect]) -> list[Effect]:
    """Of the last command."""
    assert world.last is not None
    found = [effect for fact in world.last.facts for _, effect in effects_of(world.state, fact)]
    return [effect for effect in found if not kinds or isinstance(effect, kinds)]


def kinds(world: World) -> list[str]:
    assert world.last is not None
    return [type(fact).__name__ for fact in world.last.facts]


def refusal(world: World, command: commands.Command) -> Refusal:
    with pytest.raises(Refusal) as caught:
        advance(world.state, command, world.now)
    return caught.value


def test_what_was_announced_is_recorded_from_the_answer_of_an_agent(world: World) -> None:
    contact = announced(world)
    (ring,) = effects(world, Ring)
    assert isinstance(ring, Ring)
    assert ring.record == 1
    world.ask(commands.Accept(*world.offer_of(contact)))
    assert kinds(world) == ["OfferAccepted", "RecordingStarted"]
    assert effects(world) == [Record(contact, 1, "resume")]  # says so when it does not record
    assert world.state.contacts[contact].recording == "on"
    assert world.state.recordings == {contact: PHONE}


@pytest.mark.parametrize("why", ["not announced", "refused by a key", "another queue", "another municipality"])
def test_nothing_else_is_recorded(world: World, why: str) -> None:
    match why:
        case "not announced":
            contact = world.receive("phone", "burgerzaken")
        case "refused by a key":
            contact = announced(world, refused=True)
        case "another queue":
            contact = announced(world, "afval")
        case _:
            contact = announced(world, municipality="veenstede")
    (ring,) = effects(world, Ring)
    assert isinstance(ring, Ring)
    assert ring.record == 0
    world.ask(commands.Accept(*world.offer_of(contact)))
    assert kinds(world) == ["OfferAccepted"]
    assert not world.state.recordings
    assert isinstance(refusal(world, commands.PauseRecording(contact, "anna")), WrongState | NotAllowed)


def test_it_begins_with_the_answer_that_was_given_not_with_those_that_were_not(world: World) -> None:
    contact = announced(world)
    world.ask(commands.OfferFailed(world.offer_of(contact)[0], "busy"))
    (ring,) = effects(world, Ring)  # a colleague's phone
    assert isinstance(ring, Ring)
    assert ring.record == 1
    world.ask(commands.AdoptAnswer(contact, world.offer_of(contact)[1]))
    assert kinds(world) == ["AnswerAdopted", "RecordingStarted"]
    assert world.state.contacts[contact].recordings == 1


def test_pause_and_resume_are_for_who_talks_with_the_citizen(world: World) -> None:
    contact = recorded(world)
    owner = world.state.contacts[contact].owner
    other = {"anna": "bert", "bert": "anna"}[owner]
    assert isinstance(refusal(world, commands.PauseRecording(contact, other)), NotAllowed)
    world.ask(commands.PauseRecording(contact, owner))
    assert effects(world) == [Record(contact, 1, "pause")]
    world.ask(commands.PauseRecording(contact, owner))
    assert kinds(world) == []
    world.ask(commands.ResumeRecording(contact, owner))
    assert effects(world) == [Record(contact, 1, "resume")]
    world.ask(commands.ResumeRecording(contact, owner))
    assert kinds(world) == []


def test_when_the_citizen_asks_it_stops_is_thrown_away_and_does_not_begin_again(world: World) -> None:
    contact = recorded(world)
    world.ask(commands.DropRecording(contact, world.state.contacts[contact].owner))
    assert effects(world) == [Record(contact, 1, "drop")]
    assert not world.state.recordings
    assert isinstance(refusal(world, commands.StoreRecording(contact, 1, ("v-1",), 9, 1)), UnknownThing)
    world.ask(commands.ReportHeld(contact))
    world.pass_time(31_000)
    world.ask(commands.Accept(*world.offer_of(contact)))
    assert kinds(world) == ["OfferAccepted"]


def test_what_was_kept_of_the_contact_before_is_thrown_away_too(world: World) -> None:
    contact = recorded(world)
    world.ask(commands.ReportHeld(contact))
    world.pass_time(31_000)
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.StoreRecording(contact, 1, ("v-1", "v-2"), 9, 77))
    world.ask(commands.DropRecording(contact, world.state.contacts[contact].owner))
    assert effects(world) == [Record(contact, 2, "drop", refs=("v-1", "v-2"))]
    assert not world.state.recordings
    world.ask(commands.LoseChannel("phone"))
    world.ask(commands.ReportCensus("phone", (contact,), {contact: world.state.contacts[contact].owner}))
    assert effects(world, Record) == [Record(contact, 2, "drop", refs=("v-1", "v-2"))]


def test_what_the_pbx_could_not_pause_is_thrown_away(world: World) -> None:
    contact = recorded(world)
    world.ask(commands.PauseRecording(contact, world.state.contacts[contact].owner))
    world.ask(commands.DropRecording(contact))
    assert world.last is not None
    assert world.last.facts == (facts.RecordingDropped(contact, "technical"),)
    world.ask(commands.DropRecording(contact))
    assert kinds(world) == []


def test_over_with_the_conversation_it_is_kept_as_long_as_the_municipality_says(world: World) -> None:
    contact = recorded(world)
    assert isinstance(refusal(world, commands.StoreRecording(contact, 1, ("v-1",), 9, 77)), WrongState)
    world.ask(commands.EndContact(contact, "citizen_left"))
    assert effects(world, Record) == [Record(contact, 1, "keep", 30)]
    world.ask(commands.CompleteWrapUp(contact, world.state.contacts[contact].owner, True))
    assert world.state.recordings == {contact: PHONE}  # also after the contact
    world.ask(commands.StoreRecording(contact, 1, ("v-1",), 9, 77))
    assert world.last is not None
    assert world.last.facts == (facts.RecordingStored(contact, 1, ("v-1",), 9, 77),)
    assert not world.state.recordings
    assert isinstance(refusal(world, commands.StoreRecording(contact, 1, ("v-1",), 9, 77)), UnknownThing)


def test_each_stretch_with_agents_is_a_recording_and_an_unrecorded_queue_has_none(world: World) -> None:
    contact = recorded(world)
    world.ask(commands.HandOver(contact, world.state.contacts[contact].owner, queue="buiten"))
    assert effects(world, Record) == [Record(contact, 1, "keep", 30)]
    (ring,) = effects(world, Ring)
    assert isinstance(ring, Ring)
    assert ring.record == 0
    world.ask(commands.Accept(*world.offer_of(contact)))
    assert kinds(world) == ["OfferAccepted"]
    world.ask(commands.HandOver(contact, world.state.contacts[contact].owner, queue="balie"))
    world.pass_time(31_000)
    world.ask(commands.Accept(*world.offer_of(contact)))
    assert "RecordingStarted" in kinds(world)
    assert world.state.recordings[contact].numbers == (1, 2)
    assert state_hash(replayed(world.record)) == state_hash(world.state)


def test_a_colleague_who_is_consulted_hears_no_recording_begin_and_goes_on_with_it(world: World) -> None:
    contact = recorded(world)
    owner = world.state.contacts[contact].owner
    other = {"anna": "bert", "bert": "anna"}[owner]
    world.ask(commands.Consult(contact, owner, other))
    world.ask(commands.Accept(*world.offer_of(contact)))
    assert kinds(world) == ["OfferAccepted"]
    world.ask(commands.CompleteTransfer(contact, owner))
    assert world.state.contacts[contact].recording == "on"
    world.ask(commands.PauseRecording(contact, other))
    assert world.state.contacts[contact].recording == "paused"


def test_put_through_outside_it_is_over(world: World) -> None:
    contact = recorded(world)
    world.ask(commands.PassOutside(contact, world.state.contacts[contact].owner, "rijk"))
    assert effects(world, Record) == [Record(contact, 1, "keep", 30)]
    assert world.state.contacts[contact].recording == "announced"


def test_asked_outside_first_it_goes_on_with_the_agent_and_is_over_when_the_citizen_is_left_to_them(
    world: World,
) -> None:
    contact = recorded(world)
    owner = world.state.contacts[contact].owner
    world.ask(commands.HoldCall(contact, owner))
    world.ask(commands.PassOutside(contact, owner, "rijk", consult=True))
    assert effects(world, Record) == []
    world.ask(commands.CancelOutside(contact, owner))
    assert effects(world, Record) == [Record(contact, 1, "resume")]  # the hold ended with it
    world.ask(commands.PassOutside(contact, owner, "rijk", consult=True))
    world.ask(commands.ReportOutside(contact, answered=True))
    assert world.state.contacts[contact].recording == "on"
    world.ask(commands.CompleteTransfer(contact, owner))
    assert effects(world)[0] == Record(contact, 1, "keep", 30)  # before they are connected
    assert world.state.contacts[contact].recording == "announced"


def test_after_a_census_the_pbx_is_told_again_what_was_ordered(world: World) -> None:
    paused = recorded(world)
    world.ask(commands.PauseRecording(paused, world.state.contacts[paused].owner))
    dropped = recorded(world)
    world.ask(commands.DropRecording(dropped, world.state.contacts[dropped].owner))
    world.ask(commands.LoseChannel("phone"))
    owners = {id: world.state.contacts[id].owner for id in (paused, dropped)}
    world.ask(commands.ReportCensus("phone", (paused, dropped), owners))
    assert effects(world, Record) == [Record(paused, 1, "pause"), Record(dropped, 1, "drop")]
    world.ask(commands.LoseChannel("phone"))
    world.ask(commands.ReportCensus("phone", (dropped,), {dropped: owners[dropped]}))
    assert Record(paused, 1, "keep", 30) in effects(world, Record)


def test_a_queue_that_is_recorded_no_more_ends_no_recording_but_begins_none(world: World) -> None:
    contact = recorded(world)
    waterland, veenstede = world.centre.municipalities
    none = replace(waterland, recording=replace(waterland.recording, queues=()))
    world.ask(commands.Configure(replace(world.centre, municipalities=(none, veenstede)), "2"))
    assert world.state.contacts[contact].recording == "on"
    world.ask(commands.EndContact(contact, "citizen_left"))
    assert effects(world, Record) == [Record(contact, 1, "keep", 30)]
    second = announced(world)
    world.pass_time(120_000)
    assert world.state.contacts[second].recording == "announced"


def test_what_never_came_is_forgotten_with_its_contact(world: World) -> None:
    contact = recorded(world)
    world.ask(commands.EndContact(contact, "citizen_left"))
    world.pass_time(3 * 86_400_000)
    assert contact not in world.state.ended
    assert not world.state.recordings


def test_what_the_citizen_says_on_hold_is_not_recorded_and_a_colleague_who_takes_over_is(world: World) -> None:
    contact = recorded(world)
    owner = world.state.contacts[contact].owner
    other = {"anna": "bert", "bert": "anna"}[owner]
    world.ask(commands.HoldCall(contact, owner))
    assert effects(world) == [Record(contact, 1, "pause")]
    world.ask(commands.PauseRecording(contact, owner))
    world.ask(commands.RetrieveCall(contact, owner))
    assert effects(world) == [Record(contact, 1, "pause")]  # the agent's own pause lasts
    world.ask(commands.ResumeRecording(contact, owner))
    world.ask(commands.HoldCall(contact, owner))
    world.ask(commands.Consult(contact, owner, other))
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.CompleteTransfer(contact, owner))
    assert effects(world, Record) == [Record(contact, 1, "resume")]
