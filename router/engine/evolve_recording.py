"""What facts about recordings change."""

from __future__ import annotations

from router.engine import facts
from router.engine.moves import Handler, forget_recording, open_contact
from router.engine.state import ContactState, State, Unsaved
from router.engine.tables import CONTACT, RECORDING, Illegal, follow

Fact = (
    facts.RecordingAnnounced
    | facts.RecordingStarted
    | facts.RecordingPaused
    | facts.RecordingResumed
    | facts.RecordingDropped
)


def _moved(state: State, fact: Fact) -> ContactState:
    contact = open_contact(state, fact.contact)
    name = type(fact).__name__
    follow(CONTACT, contact.state, name)
    contact.recording = follow(RECORDING, contact.recording, name)
    return contact


def _said(state: State, fact: Fact, number: int, at: int) -> None:
    _moved(state, fact)


def _started(state: State, fact: facts.RecordingStarted, number: int, at: int) -> None:
    contact = _moved(state, fact)
    contact.recordings += 1
    if fact.number != contact.recordings:
        raise Illegal(f"recording {fact.number} of contact {fact.contact} is out of turn")
    before = state.recordings.get(contact.id)
    numbers = (*(before.numbers if before else ()), fact.number)
    state.recordings[contact.id] = Unsaved(contact.municipality, contact.world, numbers)


def _dropped(state: State, fact: facts.RecordingDropped, number: int, at: int) -> None:
    before = open_contact(state, fact.contact).recording
    contact = _moved(state, fact)
    unsaved = state.recordings.get(contact.id)
    if before in ("on", "paused") and unsaved is not None and contact.recordings in unsaved.numbers:
        forget_recording(state, contact.id, contact.recordings)


def _stored(state: State, fact: facts.RecordingStored, number: int, at: int) -> None:
    unsaved = state.recordings.get(fact.contact)
    if unsaved is None or fact.number not in unsaved.numbers:
        raise Illegal(f"there is no recording {fact.number} of contact {fact.contact} to be kept")
    forget_recording(state, fact.contact, fact.number)


HANDLERS: dict[type, Handler] = {
    facts.RecordingAnnounced: _said,
    facts.RecordingStarted: _started,
    facts.RecordingPaused: _said,
    facts.RecordingResumed: _said,
    facts.RecordingDropped: _dropped,
    facts.RecordingStored: _stored,
}
