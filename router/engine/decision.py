"""What deciding gives: facts (with explanations beside them) and an answer for whoever asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from router.engine.explanation import Explanation
from router.engine.facts import Fact
from router.engine.state import ContactState, State
from router.errors import UnknownThing, WrongState


@dataclass(frozen=True, slots=True)
class Decision:
    """No facts: the command was a repetition, and nothing had to happen."""

    facts: tuple[Fact, ...] = ()
    answer: str | int | None = None
    explanations: dict[int, Explanation] = field(default_factory=dict)
    """Position in `facts` -> why."""


NOTHING = Decision()


def open_contact(state: State, id: str) -> ContactState:
    """The contact, if it is open. Raises WrongState when it has ended, UnknownThing when it never was."""
    contact = state.contacts.get(id)
    if contact is None:
        if id in state.ended:
            raise WrongState("the contact has ended")
        raise UnknownThing("no such contact")
    return contact


def owned_contact(state: State, id: str, agent: str) -> ContactState:
    """The same, for its owner. Raises WrongState for anybody else."""
    contact = open_contact(state, id)
    if contact.owner != agent:
        raise WrongState("the contact is not in this agent's hands")
    return contact
