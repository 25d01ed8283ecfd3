"""The recordings that are kept: who talked, how long they are, until when; against the engine's own sequences."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.facts import Fact
from router.port import Numbered
from router.projections.contacts import Contacts
from router.projections.recordings import Recording, Recordings
from tests.properties.at_random import random_sequence
from tests.properties.world import World

DAY_MS = 86_400_000


def folded(record: list[tuple[int, Fact]]) -> Recordings:
    contacts = Contacts()
    recordings = Recordings(contacts)
    for number, (at, fact) in enumerate(record, 1):
        for model in (recordings, contacts, recordings):
            model.apply(Numbered(number, at, fact))
    return recordings


def recorded() -> tuple[World, str]:
    """A call that anna has answered; bert is there too."""
    world = World()
    world.ready("anna", "bert")
    contact = world.receive("phone", "wmo", classify=False)
    for command in (commands.AnnounceRecording(contact), commands.Classify(contact)):
        world.ask(command)
    world.ask(commands.Accept(*world.offer_of(contact)))
    return world, contact


def store(world: World, contact: str, refs: tuple[str, ...] = ("v-1", "v-2")) -> None:
    world.ask(commands.EndContact(contact, "citizen_left"))
    world.ask(commands.StoreRecording(contact, 1, refs, 61, world.now + DAY_MS))


def test_what_is_kept_says_who_talked_about_what_and_how_often_it_was_paused() -> None:
    world, contact = recorded()
    begun = world.now
    world.ask(commands.PauseRecording(contact, "anna"))
    world.ask(commands.Consult(contact, "anna", "bert"))
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.CompleteTransfer(contact, "anna"))
    world.ask(commands.ResumeRecording(contact, "bert"))
    world.ask(commands.PauseRecording(contact, "bert"))
    assert list(folded(world.record)) == []
    store(world, contact)
    assert list(folded(world.record)) == [
        Recording(
            contact, 1, "waterland", "balie", "wmo", begun, ["anna", "bert"], 2, ("v-1", "v-2"), 61, begun + DAY_MS
        )
    ]


def test_each_part_leads_to_it_until_its_time_is_over() -> None:
    world, contact = recorded()
    store(world, contact)
    kept = folded(world.record)
    for ref in ("v-1", "v-2"):
        found = kept.of_ref(ref)
        assert found is not None
        assert found.contact == contact
    assert kept.of_ref("v-3") is None
    world.now += DAY_MS
    world.receive("chat")
    gone = folded(world.record)
    assert list(gone) == []
    assert gone.of_ref("v-1") is None


def test_what_was_thrown_away_or_never_written_is_not_there() -> None:
    world, contact = recorded()
    world.ask(commands.DropRecording(contact, "anna"))
    store(world, contact)
    other, empty = recorded()
    store(other, empty, ())
    assert [list(folded(one.record)) for one in (world, other)] == [[], []]


def test_what_was_kept_of_the_contact_before_is_not_there_when_the_citizen_objects() -> None:
    world, contact = recorded()
    world.ask(commands.ReportHeld(contact))
    world.ask(commands.StoreRecording(contact, 1, ("v-1",), 61, world.now + DAY_MS))
    assert len(list(folded(world.record))) == 1
    world.pass_time(31_000)
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.DropRecording(contact, world.state.contacts[contact].owner))
    found = folded(world.record)
    assert (list(found), found.of_ref("v-1")) == ([], None)
    world.now += DAY_MS
    world.receive("chat")
    assert list(folded(world.record)) == []


def test_over_random_sequences_exactly_what_was_stored_and_lasts_is_there() -> None:
    for seed in range(40):
        record = random_sequence(seed, length=60).record
        stored: list[tuple[str, int]] = []
        for _, fact in record:
            if isinstance(fact, facts.RecordingStored) and fact.keep_until > record[-1][0]:
                stored.append((fact.contact, fact.number))
            elif isinstance(fact, facts.RecordingDropped):
                stored = [one for one in stored if one[0] != fact.contact]
        kept = folded(record)
        assert [(one.contact, one.number) for one in kept] == stored[::-1], f"seed {seed}"
        assert kept.kept_of.total() == len(stored)
