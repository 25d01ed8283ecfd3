"""Read model: the earlier contacts of a citizen over all channels, within one municipality."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from router.engine import facts
from router.port import Numbered

PER_CITIZEN_MAX = 20
CITIZENS_MAX = 500_000
KEPT_MS = 400 * 24 * 3_600_000


@dataclass(slots=True)
class Past:
    """One contact in a citizen's history."""

    contact: str
    channel: str
    municipality: str
    citizen: str
    content_ref: str
    received_at: int
    topic: str = ""
    state: str = "intake"
    agent: str = ""
    ended_at: int = 0
    reason: str = ""
    resolved: bool | None = None
    further: tuple[str, ...] = ()
    """Topics of the questions besides the first."""


class History:
    """Per (municipality, citizen) the newest contacts. Nothing crosses from one municipality to another."""

    def __init__(self) -> None:
        self.position = 0
        self._of: OrderedDict[tuple[str, str], list[Past]] = OrderedDict()
        self._open: dict[str, Past] = {}

    def earlier(self, municipality: str, citizen: str, *, but: str) -> list[Past]:
        """The citizen's other contacts with this municipality, newest first."""
        if not municipality or not citizen:
            return []
        return [past for past in reversed(self._of.get((municipality, citizen), [])) if past.contact != but]

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        fact = numbered.fact
        if isinstance(fact, facts.ContactReceived):
            self._receive(fact, numbered.at)
            return
        past = self._open.get(getattr(fact, "contact", ""))
        if past is None:
            return
        match fact:
            case facts.ContactQueued() | facts.ContactReturned():
                past.state, past.topic, past.further = "waiting", fact.topic, fact.further
            case facts.QuestionAdded():
                past.further = (*past.further, fact.topic)
            case facts.ContactOffered():
                past.state = "offered"
            case facts.OfferEnded():
                past.state = "waiting"
            case facts.OfferAccepted() | facts.AnswerAdopted():
                past.state, past.agent = "active", fact.agent
            case facts.ConversationEnded():
                past.state = "wrap_up"
            case facts.ContactEnded():
                past.state, past.ended_at, past.reason = "ended", numbered.at, fact.reason
                past.resolved, past.topic = fact.resolved, fact.topic or past.topic
                past.agent = fact.agent or past.agent
                del self._open[past.contact]
            case _:
                pass

    def _receive(self, fact: facts.ContactReceived, at: int) -> None:
        past = Past(fact.contact, fact.channel, fact.municipality, fact.citizen, fact.content_ref, at)
        if not fact.citizen:
            return
        self._open[fact.contact] = past
        key = (fact.municipality, fact.citizen)
        known = self._of.setdefault(key, [])
        self._of.move_to_end(key)
        known.append(past)
        while len(known) > PER_CITIZEN_MAX or (known and known[0].ended_at and known[0].ended_at < at - KEPT_MS):
            self._open.pop(known.pop(0).contact, None)
        if len(self._of) > CITIZENS_MAX:
            for gone in self._of.popitem(last=False)[1]:
                self._open.pop(gone.contact, None)
