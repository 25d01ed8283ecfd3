"""Read model: what became of the calls that agents passed to somebody else, per day, queue and kind.

A transfer is *helped* when somebody it was meant for talks with the citizen, *fell back* when nobody of those took it
and it came back, and *left* when the call was over before that: each transfer is exactly one of the three, on the day
on which that was seen. Source of the norms: Antwoord 2007, table 4.3 (Zaanstad).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from router.engine import facts
from router.nouns import Centre
from router.port import Numbered
from router.projections import shapes
from router.projections.contacts import Contacts
from router.projections.days import day_of, first_day

DAYS_MAX = 366
"""So many days are kept."""
NORMS = shapes.TransferNorms(helped=1.0, wait_seconds=15, fell_back=0.05)
DEFINITIONS = {
    "of": "Transfers of calls of which the outcome is known: handed over to a queue or a colleague, put through to "
    "somebody outside, and colleagues who were rung to take the call over. Who only gave advice is none.",
    "helped": "Of these: somebody it was meant for talked with the citizen. Of a queue that is anybody but who handed "
    "it over.",
    "fell_back": "Of these: nobody it was meant for took it, and it came back to who transferred it or to others.",
    "left": "Of these: the call was over before either.",
    "wait_seconds": "Mean over the helped, from the citizen being put on hold until somebody talked with them.",
}


@dataclass(slots=True)
class Counts:
    """What is added up for one day, queue and kind."""

    helped: int = 0
    fell_back: int = 0
    left: int = 0
    waited_ms: int = 0
    """Of the helped."""

    def add(self, other: Counts) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Pending:
    """A transfer whose outcome is not known yet; a call has one at most."""

    kind: str
    """queue, colleague, warm or outside"""
    queue: str
    """From which queue it was transferred."""
    by: str
    to: str
    """The colleague it is meant for; empty = whoever serves the queue."""
    since: int
    talks_at: int = 0
    """When the colleague came into the conversation as a third; 0 = not."""
    answered: bool = False
    """The colleague, or whoever outside, talks with the agent, and the citizen is on hold."""


class Transfers:
    """Folds facts, each before `contacts` folds it: of a contact that comes back, the queue it came from counts."""

    def __init__(self, centre: Centre, contacts: Contacts) -> None:
        self.position = 0
        self._time_zone, self._contacts = centre.time_zone, contacts
        self._pending: dict[str, Pending] = {}
        self._days: dict[int, dict[tuple[str, str], Counts]] = {}
        self._today = (0, 0)

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        fact, at = numbered.fact, numbered.at
        match fact:
            case facts.CentreConfigured():
                self._time_zone, self._today = fact.centre.time_zone, (0, 0)
            case facts.ContactReturned():
                self._returned(fact, at)
            case facts.OutsideDialled() | facts.OutsideConsulted():
                self._begin(fact.contact, "outside", "", at)
            case facts.ContactOffered(purpose="consult"):
                self._begin(fact.contact, "warm", fact.agent, at)
            case facts.ContactEnded():
                self._settle(fact.contact, "helped" if fact.reason == "passed_on" else "left", at)
            case _:
                pending = self._pending.get(getattr(fact, "contact", ""))
                if pending is not None:
                    self._go_on(pending, fact, at)

    def _begin(self, contact: str, kind: str, to: str, at: int) -> None:
        entry = self._contacts.get(contact)
        if entry is not None and entry.channel == "phone":
            self._pending[contact] = Pending(kind, entry.queue, entry.agent, to, at)

    def _returned(self, fact: facts.ContactReturned, at: int) -> None:
        pending = self._pending.get(fact.contact)
        if fact.reason != "handed_over":
            self._settle(fact.contact, "fell_back", at)
            return
        if pending is not None and pending.answered:
            del self._pending[fact.contact]  # it was advice
        self._settle(fact.contact, "fell_back", at)
        self._begin(fact.contact, "colleague" if fact.wanted_agent else "queue", fact.wanted_agent, at)

    def _go_on(self, pending: Pending, fact: facts.Fact, at: int) -> None:
        match fact:
            case facts.OfferAccepted(purpose="consult") | facts.OutsideAnswered():
                pending.answered = True
            case facts.OutsideLeft() if pending.answered or fact.how == "cancelled":
                del self._pending[fact.contact]  # it was advice, or nothing
            case facts.OutsideLeft():
                self._settle(fact.contact, "fell_back", at)
            case facts.OfferAccepted() | facts.AnswerAdopted():
                meant = pending.to == fact.agent if pending.to else pending.by != fact.agent
                self._settle(fact.contact, "helped" if meant else "fell_back", at)
            case facts.OfferEnded() if pending.kind == "warm":
                self._settle(fact.contact, "fell_back", at)
            case facts.ConferenceStarted():
                pending.talks_at = at
            case facts.ContactTransferred():
                self._settle(fact.contact, "helped", at)
            case facts.ParticipantLeft():
                del self._pending[fact.contact]
            case facts.ConversationEnded() if pending.talks_at:
                del self._pending[fact.contact]
            case facts.ConversationEnded():
                self._settle(fact.contact, "helped" if fact.reason == "passed_on" else "left", at)
            case _:
                pass

    def _settle(self, contact: str, how: str, at: int) -> None:
        pending = self._pending.pop(contact, None)
        if pending is None:
            return
        counts = self._counts(at, pending)
        setattr(counts, how, getattr(counts, how) + 1)
        if how == "helped":
            counts.waited_ms += max(0, (pending.talks_at or at) - pending.since)

    def _counts(self, at: int, pending: Pending) -> Counts:
        if not self._today[0] <= at < self._today[1]:
            self._today = day_of(at, self._time_zone)
        if self._today[0] not in self._days:
            self._days[self._today[0]] = {}
            if len(self._days) > DAYS_MAX:
                del self._days[min(self._days)]
        return self._days[self._today[0]].setdefault((pending.queue, pending.kind), Counts())

    # -- what is shown ------------------------------------------------------------------------------------------

    def figures(self, now: int, days: int = 1) -> shapes.Transfers:
        """Over the last `days` local days, today's included."""
        total = Counts()
        for _, counts in self._rows(now, days):
            total.add(counts)
        return _shown(total)

    def report(self, now: int, days: int) -> shapes.TransferReport:
        """The same in total, per kind, and per queue from which it was transferred."""
        total, kinds, queues = Counts(), defaultdict[str, Counts](Counts), defaultdict[str, Counts](Counts)
        for (queue, kind), counts in self._rows(now, days):
            for one in (total, kinds[kind], queues[queue]):
                one.add(counts)
        return shapes.TransferReport(
            at=now,
            since=first_day(now, days, self._time_zone),
            days=days,
            total=_shown(total),
            kinds={kind: _shown(counts) for kind, counts in sorted(kinds.items())},
            queues={id: _shown(counts) for id, counts in sorted(queues.items())},
            norms=NORMS,
            definitions=DEFINITIONS,
        )

    def _rows(self, now: int, days: int) -> Iterator[tuple[tuple[str, str], Counts]]:
        since = first_day(now, days, self._time_zone)
        for day, rows in self._days.items():
            if day >= since:
                yield from rows.items()


def _shown(counts: Counts) -> shapes.Transfers:
    of = counts.helped + counts.fell_back + counts.left
    return shapes.Transfers(
        of=of,
        helped=round(counts.helped / of, 4) if of else None,
        fell_back=round(counts.fell_back / of, 4) if of else None,
        left=round(counts.left / of, 4) if of else None,
        wait_seconds=round(counts.waited_ms / 1000 / counts.helped, 1) if counts.helped else None,
    )
