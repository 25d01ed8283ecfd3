"""Read model: the place of each caller who waits, and how long it may take."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from router.engine import facts
from router.nouns import Standing
from router.port import Numbered
from router.queues.expected import expected_seconds

LATELY_MS = 2 * 3_600_000
HANDLED_MAX = 50
"""Calls of a queue that are looked back on."""

Place = tuple[int, int, int]
"""Tier, rank, number: the order in which callers are helped."""


@dataclass(frozen=True, slots=True)
class _Handled:
    agent: str
    queue: str
    seconds: int
    at: int


class Standings:
    """Callers who wait, and the calls that were handled lately."""

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}
        """Open call -> number of the fact by which it came in."""
        self._waiting: dict[str, tuple[str, Place]] = {}
        """Call -> queue, place; also while it is offered."""
        self._offered: set[str] = set()
        self._taken: dict[str, tuple[str, str, int]] = {}
        """Call -> agent, queue, when."""
        self._handled: dict[str, deque[_Handled]] = {}
        self._lately: dict[str, deque[_Handled]] = {}
        """By agent."""
        self._on: set[str] = set()

    def of(self, contact: str, now: int) -> Standing | None:
        """None when the call does not wait: it rings at somebody's, or is over."""
        if contact not in self._waiting or contact in self._offered:
            return None
        queue, own = self._waiting[contact]
        place = 1 + sum(other < own for theirs, other in self._waiting.values() if theirs == queue)
        lately = [h for h in self._handled.get(queue, ()) if h.at > now - LATELY_MS]
        shares = [self._share(agent, queue) for agent in {h.agent for h in lately} & self._on]
        return Standing(place, expected_seconds(place, [h.seconds for h in lately], shares))

    def _share(self, agent: str, queue: str) -> float:
        calls = self._lately[agent]
        return sum(h.queue == queue for h in calls) / len(calls)

    def apply(self, numbered: Numbered) -> None:
        match numbered.fact:
            case facts.ContactReceived(contact=contact, channel="phone"):
                self._calls[contact] = numbered.number
            case facts.PresenceChanged(agent=agent, presence=presence):
                (self._on.add if presence == "ready" else self._on.discard)(agent)
            case facts.ContactQueued() | facts.ContactReturned() as fact if fact.contact in self._calls:
                place = (fact.tier, fact.rank, self._calls[fact.contact])
                self._waiting[fact.contact] = fact.queue, place
                self._offered.discard(fact.contact)
            case facts.PriorityChanged() as fact if fact.contact in self._waiting:
                queue, (_, _, number) = self._waiting[fact.contact]
                self._waiting[fact.contact] = queue, (fact.tier, fact.rank, number)
            case facts.ContactOffered(contact=contact, purpose="answer") if contact in self._waiting:
                self._offered.add(contact)
            case facts.OfferEnded(contact=contact):
                self._offered.discard(contact)
            case facts.OfferAccepted(purpose="answer") | facts.AnswerAdopted() as fact if fact.contact in self._waiting:
                queue, _ = self._waiting.pop(fact.contact)
                self._offered.discard(fact.contact)
                self._taken[fact.contact] = fact.agent, queue, numbered.at
            case facts.ContactEnded(contact=contact) if self._calls.pop(contact, None) is not None:
                self._end(contact, numbered.at)

    def _end(self, contact: str, at: int) -> None:
        self._waiting.pop(contact, None)
        self._offered.discard(contact)
        if contact in self._taken:
            agent, queue, since = self._taken.pop(contact)
            handled = _Handled(agent, queue, (at - since) // 1000, at)
            self._handled.setdefault(queue, deque(maxlen=HANDLED_MAX)).append(handled)
            self._lately.setdefault(agent, deque(maxlen=HANDLED_MAX)).append(handled)
