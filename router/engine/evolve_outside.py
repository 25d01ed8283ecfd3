"""What facts about somebody outside the centre change: asked first, answered, left again, or put through to."""

from __future__ import annotations

from router.engine import facts
from router.engine.moves import Handler, open_contact, recording_over
from router.engine.state import ContactState, State
from router.engine.tables import CONTACT, OUTSIDE, Illegal, follow
from router.nouns import TYPED

Fact = facts.OutsideConsulted | facts.OutsideAnswered | facts.OutsideLeft | facts.OutsideJoined | facts.OutsideDialled


def _moved(state: State, fact: Fact) -> ContactState:
    contact, name = open_contact(state, fact.contact), type(fact).__name__
    follow(CONTACT, contact.state, name)
    if contact.owner != fact.agent or contact.offer or contact.participants:
        raise Illegal(f"contact {fact.contact} cannot be put through by {fact.agent}")
    contact.outside_state, contact.held_since = follow(OUTSIDE, contact.outside_state, name), 0
    return contact


def _dialled(state: State, fact: facts.OutsideConsulted | facts.OutsideDialled, number: int, at: int) -> None:
    contact = _moved(state, fact)
    contact.outside = fact.destination or TYPED
    _until(state, contact, fact.lapses_at)
    if isinstance(fact, facts.OutsideDialled):
        recording_over(contact, "OutsideDialled")


def _until(state: State, contact: ContactState, lapses_at: int) -> None:
    contact.outside_until = lapses_at
    state.index.alarms.set(lapses_at, "outside", contact.id)


def _answered(state: State, fact: facts.OutsideAnswered, number: int, at: int) -> None:
    _moved(state, fact).outside_until = 0


def _left(state: State, fact: facts.OutsideLeft, number: int, at: int) -> None:
    contact = _moved(state, fact)
    contact.outside, contact.outside_until = "", 0


def _joined(state: State, fact: facts.OutsideJoined, number: int, at: int) -> None:
    contact = _moved(state, fact)
    _until(state, contact, fact.lapses_at)
    recording_over(contact, "OutsideJoined")


HANDLERS: dict[type, Handler] = {
    facts.OutsideConsulted: _dialled,
    facts.OutsideAnswered: _answered,
    facts.OutsideLeft: _left,
    facts.OutsideJoined: _joined,
    facts.OutsideDialled: _dialled,
}
