"""What is known of outcomes changes by these facts: estimates published and switched, and what a citizen answered."""

from __future__ import annotations

from bisect import insort

from router.engine import facts
from router.engine.moves import Handler
from router.engine.state import State
from router.engine.tables import CONTACT, Illegal, follow


def _published(state: State, fact: facts.EstimatesPublished, number: int, at: int) -> None:
    state.estimates, state.estimates_version = fact.estimates, fact.version
    state.index.configured(state)


def _switched(state: State, fact: facts.EstimatesSwitched, number: int, at: int) -> None:
    which = (fact.topic, fact.agent)
    if (which in state.estimates_off) != fact.on:
        raise Illegal(f"the estimate {which} is switched {'on' if fact.on else 'off'} already")
    if fact.on:
        state.estimates_off.remove(which)
    else:
        insort(state.estimates_off, which)
    state.index.configured(state)


def _citizen_answered(state: State, fact: facts.CitizenAnswered, number: int, at: int) -> None:
    contact = state.contacts.get(fact.contact)
    if contact is None and fact.contact not in state.ended:
        raise Illegal(f"contact {fact.contact} is not known")
    follow(CONTACT, contact.state if contact else "ended", "CitizenAnswered")
    known = state.answers.get(fact.contact)
    if known is not None and (known[0] != fact.answered or known[1]):
        raise Illegal(f"the citizen of contact {fact.contact} has answered already")
    state.answers[fact.contact] = (fact.answered, fact.mark)


HANDLERS: dict[type, Handler] = {
    facts.EstimatesPublished: _published,
    facts.EstimatesSwitched: _switched,
    facts.CitizenAnswered: _citizen_answered,
}
