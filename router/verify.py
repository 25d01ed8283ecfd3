"""Checking a journal from outside: fold it again, and hold every invariant a record can show against every prefix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from router.engine import facts
from router.engine.facts import Fact
from router.engine.state import State, state_hash
from router.engine.tables import OPEN_STATES, Illegal
from router.errors import JournalDamaged
from router.journal.interface import Entry
from router.replay import fold
from router.wire import Unreadable


@dataclass(slots=True)
class Report:
    """What was found. Balanced books and no violations: the record is sound."""

    facts: int = 0
    state: str = ""
    """Hash of the folded state."""
    channels: dict[str, dict[str, object]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.violations


VIOLATIONS_MAX = 50


class _Watch:
    """Looks at the state after each fact; cheap, because it only looks at what the fact touched."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._received: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()

    def violated(self, number: int, what: str) -> None:
        if len(self._report.violations) < VIOLATIONS_MAX:
            self._report.violations.append(f"fact {number}: {what}")

    def __call__(self, number: int, fact: Fact, state: State) -> None:
        self._report.facts = number
        match fact:
            case facts.ContactReceived():
                self._received[fact.contact] += 1
                if self._received[fact.contact] > 1:
                    self.violated(number, f"contact {fact.contact} was received twice")
            case facts.ContactEnded():
                self._ended[fact.contact] += 1
                if self._ended[fact.contact] > 1 or not self._received[fact.contact]:
                    self.violated(number, f"contact {fact.contact} ended without having been received once")
            case facts.ContactReserved():
                queue = state.config.queue(state.contacts[fact.contact].queue)
                if queue is None or fact.until > state.contacts[fact.contact].since + queue.reserve_seconds * 1000:
                    self.violated(number, f"contact {fact.contact} was kept longer than its queue allows")
            case facts.ContactOffered():
                self._capacity(number, fact.agent, state)
            case facts.OfferAccepted() | facts.AnswerAdopted():
                self._one_call(number, fact.agent, state)
        for channel, books in state.books.items():
            if not books.balanced:
                self.violated(number, f"the books of {channel} do not balance")

    def _one_call(self, number: int, agent: str, state: State) -> None:
        """The PBX cannot be refused an answer during wrap-up, but nobody talks with two citizens at once."""
        held = [state.contacts[c] for c in state.agents[agent].load]
        if sum(1 for c in held if c.channel == "phone" and c.state == "active") > 1:
            self.violated(number, f"agent {agent} talks on two calls")

    def _capacity(self, number: int, agent: str, state: State) -> None:
        configured = state.index.agents.get(agent)
        if configured is None:
            self.violated(number, f"agent {agent} is not configured")
            return
        held = sorted(state.contacts[c].channel for c in state.agents[agent].load)
        if not state.index.capacity(agent).carries(held):
            self.violated(number, f"agent {agent} has more than they may: {', '.join(held)}")


def verify(entries: Iterable[Entry]) -> Report:
    """Fold the entries and report. Never raises for what the record holds."""
    report = Report()
    state = State()
    watch = _Watch(report)
    try:
        fold(entries, state, watch)
    except JournalDamaged as error:
        report.violations.append(error.message)
    except (Illegal, Unreadable, KeyError) as error:
        watch.violated(state.number + 1, f"{type(error).__name__}: {error}")
    _check_whole(state, watch)
    for channel, books in sorted(state.books.items()):
        row: dict[str, object] = {"received": books.received}
        row.update({name: getattr(books, name) for name in OPEN_STATES})
        row["ended"] = dict(sorted(books.ended.items()))
        report.channels[channel] = row
    report.state = state_hash(state)
    return report


def _check_whole(state: State, watch: _Watch) -> None:
    """The counts against the contacts themselves, and owners, offers and loads against each other."""
    for channel, books in state.books.items():
        for name in OPEN_STATES:
            counted = sum(1 for c in state.contacts.values() if c.channel == channel and c.state == name)
            if counted != getattr(books, name):
                watch.violated(state.number, f"{counted} contacts on {channel} are {name}, the books say otherwise")
    for offer in state.offers.values():
        contact = state.contacts.get(offer.contact)
        state_then = "active" if offer.purpose == "consult" else "offered"
        if contact is None or contact.offer != offer.id or contact.state != state_then:
            watch.violated(state.number, f"offer {offer.id} is open for a contact that is not offered")
    for agent in state.agents.values():
        for id, load in agent.load.items():
            contact = state.contacts.get(id)
            if contact is None:
                holders = set()
            elif load != "reserved":
                holders = {contact.owner, *contact.participants}
            else:
                holders = {state.offers[contact.offer].agent}
            if agent.id not in holders:
                watch.violated(state.number, f"agent {agent.id} holds {id} without owning it")
