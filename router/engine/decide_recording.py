"""Deciding about recordings: whether a conversation is recorded, pauses, objections, and what is kept how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router.engine import commands, facts
from router.engine.decision import NOTHING, Decision, open_contact
from router.engine.state import RECORDED, ContactState, State
from router.errors import NotAllowed, UnknownThing, WrongState


def next_recording(state: State, contact: ContactState) -> int:
    """The number of the recording that begins when an agent answers now; 0 = it is not recorded."""
    municipality = state.config.municipality(contact.municipality)
    if municipality is None or contact.queue not in municipality.recording.queues:
        return 0
    return contact.recordings + 1 if contact.recording == "announced" else 0


def begun(state: State, recent: Sequence[facts.Fact]) -> Iterator[facts.RecordingStarted]:
    """What is recorded because an agent has answered."""
    for fact in recent:
        if isinstance(fact, facts.OfferAccepted | facts.AnswerAdopted):
            contact = state.contacts.get(fact.contact)
            number = next_recording(state, contact) if contact and contact.state == "active" else 0
            if number and getattr(fact, "purpose", "answer") == "answer":
                yield facts.RecordingStarted(fact.contact, number)


def announce_recording(state: State, command: commands.AnnounceRecording, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    if contact.recording or contact.channel != "phone" or contact.state not in ("intake", "waiting", "offered"):
        return NOTHING
    if command.refused:
        return Decision((facts.RecordingDropped(contact.id, "citizen"),))
    return Decision((facts.RecordingAnnounced(contact.id),))


def _recorded(state: State, id: str, agent: str) -> ContactState:
    """A conversation that is recorded, for whoever talks in it. Raises WrongState, NotAllowed."""
    contact = open_contact(state, id)
    if agent != contact.owner and agent not in contact.participants:
        raise NotAllowed("only who talks with the citizen decides about the recording")
    if contact.recording not in RECORDED:
        raise WrongState("this conversation is not being recorded")
    return contact


def pause_recording(state: State, command: commands.PauseRecording, now: int) -> Decision:
    contact = _recorded(state, command.contact, command.agent)
    if contact.recording == "paused":
        return NOTHING
    return Decision((facts.RecordingPaused(contact.id, command.agent),))


def resume_recording(state: State, command: commands.ResumeRecording, now: int) -> Decision:
    contact = _recorded(state, command.contact, command.agent)
    if contact.recording == "on":
        return NOTHING
    return Decision((facts.RecordingResumed(contact.id, command.agent),))


def drop_recording(state: State, command: commands.DropRecording, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    if contact.recording == "dropped":
        return NOTHING
    if command.agent:
        _recorded(state, contact.id, command.agent)
        return Decision((facts.RecordingDropped(contact.id, "asked", command.agent),))
    if contact.recording not in RECORDED:
        return NOTHING
    return Decision((facts.RecordingDropped(contact.id, "technical"),))


def store_recording(state: State, command: commands.StoreRecording, now: int) -> Decision:
    unsaved = state.recordings.get(command.contact)
    if unsaved is None or command.number not in unsaved.numbers:
        raise UnknownThing("there is no recording of that number to be kept")
    contact = state.contacts.get(command.contact)
    if contact is not None and contact.recording in RECORDED and contact.recordings == command.number:
        raise WrongState("it is not over")
    stored = facts.RecordingStored(command.contact, command.number, command.refs, command.seconds, command.keep_until)
    return Decision((stored,))
