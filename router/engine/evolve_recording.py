"""What facts about recordings change."""

from __future__ import annotations

from dataclasses import replace

from router.engine import facts
from router.engine.moves import Handler, open_contact
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
    state.recordings.pop(_moved(state, fact).id, None)


def _stored(state: State, fact: facts.RecordingStored, number: int, at: int) -> None:
    unsaved = state.recordings.get(fact.contact)
    if unsaved is None or fact.number not in unsaved.numbers:
        raise Illegal(f"there is no recording {fact.number} of contact {fact.contact} to be kept")
    left = tuple(number for number in unsaved.numbers if number != fact.number)
    if left:
        state.recordings[fact.contact] = replace(unsaved, numbers=left)
    else:
        del state.recordings[fact.contact]
    if (contact := state.contacts.get(fact.contact)) is not None:
        contact.recorded += fact.refs


HANDLERS: dict[type, Handler] = {
    facts.RecordingAnnounced: _said,
    facts.RecordingStarted: _started,
    facts.RecordingPaused: _said,
    facts.RecordingResumed: _said,
    facts.RecordingDropped: _dropped,
    facts.RecordingStored: _stored,
}
