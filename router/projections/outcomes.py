"""Read model: what became of the questions that agents finished, by three measures kept apart: per day, queue, topic.

1. *Agent*: the agent's own answer to "in één keer goed", of the questions for which one was given.
2. *Citizen*: the answer to "is uw vraag beantwoord?", of the contacts whose citizen answered.
3. *No repeat*: the citizen did not come back, through any channel, about the same topic within `repeat_days`, of the
   questions whose citizen is known. A callback is agreed and does not count, nor does a contact that continues one
   in which a follow-up was promised.

A contact counts on the day it ended; what is learned later (an answer, a citizen who comes back) corrects that day.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from router.engine import facts
from router.nouns import LIVE_CHANNELS, Centre
from router.port import Numbered
from router.projections import shapes
from router.projections.contacts import Contacts, Entry
from router.projections.days import DAY_MS, day_of, first_day

DAYS_MAX = 366
"""So many days are kept."""
CORRECTED_MS = 30 * DAY_MS
"""So long after its end a contact can still get the citizen's answer, or longer where `repeat_days` is longer."""
PER_CITIZEN_MAX = 50
"""So many questions of one citizen about one topic can still be corrected, and so many returns are told apart."""
NOT_A_RETURN = frozenset({"duplicate", "robot"})
"""Reasons of an end that tell that no citizen came back."""


FINISHED = frozenset({"handled", "passed_on"})
"""Reasons of an end by an agent, who says then whether the questions were settled."""
DEFINITIONS = {
    "agent": "Questions that the agent marked as settled in this contact, of the questions so marked either way.",
    "citizen": "Contacts whose citizen said that the question was answered, of the contacts whose citizen answered.",
    "no_repeat": "Questions about which the same citizen did not come back, through any channel, within repeat_days, "
    "of the questions whose citizen is known. Agreed callbacks do not count. Corrected until the days are over.",
}


@dataclass(slots=True)
class Counts:
    """What is added up for one day, queue and topic."""

    finished: int = 0
    agent: int = 0
    agent_of: int = 0
    citizen: int = 0
    citizen_of: int = 0
    marks: int = 0
    marks_of: int = 0
    returned: int = 0
    known: int = 0
    """Questions whose citizen is known: of these it can be seen whether they come back."""

    def add(self, other: Counts) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Judged:
    """One question of a finished contact, and what is known of its outcome by now."""

    contact: str
    topic: str
    queue: str
    agent: str
    who: tuple[str, str]
    """Municipality and citizen; the citizen is empty when nobody knows who it was."""
    day: int
    """Local midnight before its end, in ms."""
    ended_at: int
    said: bool | None
    """The agent's own answer."""
    alone: bool
    """The contact had this one question: what the citizen answers is about it."""
    handling_seconds: float
    waited_seconds: float
    """0 for written work, which nobody waits for at the other end."""
    citizen: bool | None = None
    marked: bool = False
    promised: bool = False
    """A follow-up was agreed in this contact."""
    returns: set[str] = field(default_factory=set)
    """Contacts with which the citizen came back about it."""
    repeat: bool = False
    """It is itself such a return."""

    @property
    def settled(self) -> bool | None:
        """All taken together: who came back was not helped; else the citizen's word goes before the agent's."""
        word = self.said if self.citizen is None or not self.alone else self.citizen
        return False if word is not None and self.returns else word


Change = tuple[Judged, bool | None]
"""A judgment as it is now, and whether it counted as settled before."""


class Outcomes:
    """Folds facts, after `contacts` has folded them. `changes` holds what the last fact changed, for the learner."""

    def __init__(self, centre: Centre, contacts: Contacts) -> None:
        self.position = 0
        self.changes: list[Change] = []
        self._centre, self._contacts = centre, contacts
        self._days: dict[int, dict[tuple[str, str], Counts]] = {}
        self._judged: OrderedDict[str, list[Judged]] = OrderedDict()
        """Contact -> its questions, oldest end first."""
        self._of: dict[tuple[str, str, str], list[Judged]] = {}
        """(municipality, citizen, topic) -> judgments that a return would change."""
        self._returned: dict[str, set[str]] = {}
        """Open contact -> the topics about which it counts as a return, if there was anything before."""
        self._promised: set[str] = set()
        """Open contacts in which a follow-up was made."""
        self._today = (0, 0)

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        self.changes = []
        fact, at = numbered.fact, numbered.at
        match fact:
            case facts.CentreConfigured():
                self._centre, self._today = fact.centre, (0, 0)
            case facts.FollowUpMade():
                self._promised.add(fact.contact)
            case facts.ContactQueued():
                self._came(fact)
            case facts.ContactEnded():
                self._end(fact, at)
            case facts.CitizenAnswered():
                for judged in self._judged.get(fact.contact, ()):
                    self._answer(judged, fact.answered, fact.mark)
            case _:
                pass

    # -- one contact --------------------------------------------------------------------------------------------

    def _end(self, fact: facts.ContactEnded, at: int) -> None:
        entry = self._contacts.get(fact.contact)
        promised = fact.contact in self._promised
        self._promised.discard(fact.contact)
        before = self._returned.pop(fact.contact, None)
        if entry is None:
            return
        if before is not None:
            after = {question.topic for question in fact.outcomes} if fact.reason in FINISHED else before
            self._change_return(entry, before, set() if fact.reason in NOT_A_RETURN else after)
        self._forget(at)
        if fact.reason in FINISHED and fact.agent:
            self._judge(entry, fact, at, promised)

    def _judge(self, entry: Entry, fact: facts.ContactEnded, at: int, promised: bool) -> None:
        if not self._today[0] <= at < self._today[1]:
            self._today = day_of(at, self._centre.time_zone)
        questions = fact.outcomes
        waited = entry.answered_at - entry.queued_at if entry.channel in LIVE_CHANNELS else 0
        made = []
        for question in questions:
            judged = Judged(
                contact=entry.id,
                topic=question.topic,
                queue=entry.queue,
                agent=fact.agent,
                who=(entry.municipality, entry.citizen),
                day=self._today[0],
                ended_at=at,
                said=question.resolved,
                alone=len(questions) == 1,
                handling_seconds=max(0, at - entry.accepted_at) / 1000 / len(questions),
                waited_seconds=max(0, waited) / 1000,
                promised=promised,
                repeat=bool(self._before(entry, question.topic)),
            )
            made.append(judged)
            counts = self._counts(judged)
            counts.finished += 1
            counts.agent_of += judged.said is not None
            counts.agent += judged.said is True
            if entry.citizen:
                counts.known += 1
                of = self._of.setdefault((*judged.who, judged.topic), [])
                of.append(judged)
                del of[:-PER_CITIZEN_MAX]
            self.changes.append((judged, None))
        self._judged[entry.id] = made
        if entry.citizen_answered is not None:
            for judged in made:
                self._answer(judged, entry.citizen_answered, entry.mark)

    def _answer(self, judged: Judged, answered: bool, mark: int) -> None:
        """The citizen's answer counts once a contact, with its first question."""
        before = judged.settled
        if self._judged[judged.contact][0] is judged:
            counts = self._counts(judged)
            if judged.citizen is None:
                counts.citizen_of += 1
                counts.citizen += answered
            if mark and not judged.marked:
                judged.marked = True
                counts.marks_of += 1
                counts.marks += mark
        judged.citizen = answered
        self._note(judged, before)

    def _note(self, judged: Judged, before: bool | None) -> None:
        known = next((i for i, (one, _) in enumerate(self.changes) if one is judged), -1)
        if known < 0 and judged.settled != before:
            self.changes.append((judged, before))

    # -- coming back --------------------------------------------------------------------------------------------

    def _came(self, fact: facts.ContactQueued) -> None:
        entry = self._contacts.get(fact.contact)
        if entry is None or not entry.citizen or fact.contact in self._returned or self._agreed(entry):
            return
        self._returned[fact.contact] = {fact.topic, *fact.further}
        self._change_return(entry, set(), self._returned[fact.contact])

    def _change_return(self, entry: Entry, before: set[str], after: set[str]) -> None:
        for topic in sorted(before - after):
            self._return(entry, topic, False)
        for topic in sorted(after - before):
            self._return(entry, topic, True)

    def _agreed(self, entry: Entry) -> bool:
        """Whether it was the centre's own promise that brought this contact about."""
        earlier = self._judged.get(entry.linked_to, ())
        return entry.channel == "callback" or any(judged.promised for judged in earlier)

    def _before(self, entry: Entry, topic: str) -> list[Judged]:
        """What the citizen had asked about the topic, and was finished, in the days before this contact came in."""
        since = entry.received_at - self._centre.repeat_days * DAY_MS
        known = self._of.get((entry.municipality, entry.citizen, topic), ())
        return [judged for judged in known if since <= judged.ended_at < entry.received_at]

    def _return(self, entry: Entry, topic: str, came: bool) -> None:
        """The contact is (or is not, after all) a return about the topic."""
        for judged in self._before(entry, topic):
            before, had = judged.settled, bool(judged.returns)
            if came and len(judged.returns) >= PER_CITIZEN_MAX:
                continue
            judged.returns = judged.returns | {entry.id} if came else judged.returns - {entry.id}
            self._counts(judged).returned += bool(judged.returns) - had
            self._note(judged, before)

    def _forget(self, at: int) -> None:
        """Let go of what cannot be corrected any more."""
        kept = max(CORRECTED_MS, self._centre.repeat_days * DAY_MS)
        while self._judged and next(iter(self._judged.values()))[0].ended_at < at - kept:
            for judged in self._judged.popitem(last=False)[1]:
                key = (*judged.who, judged.topic)
                left = [one for one in self._of.get(key, ()) if one is not judged]
                if left:
                    self._of[key] = left
                else:
                    self._of.pop(key, None)

    def _counts(self, judged: Judged) -> Counts:
        if judged.day not in self._days:
            self._days[judged.day] = {}
            if len(self._days) > DAYS_MAX:
                del self._days[min(self._days)]
        return self._days[judged.day].setdefault((judged.queue, judged.topic), Counts())

    # -- what is shown ------------------------------------------------------------------------------------------

    def measures(self, now: int, days: int = 1, queue: str = "") -> shapes.Measures:
        """The three measures over the last `days` local days, today's included; of one queue, or of all."""
        total = Counts()
        for (of, _), counts in self._rows(now, days):
            if not queue or of == queue:
                total.add(counts)
        return _shown(total)

    def report(self, now: int, days: int) -> shapes.OutcomeReport:
        """The same in total, per queue and per topic."""
        total, queues, topics = Counts(), defaultdict[str, Counts](Counts), defaultdict[str, Counts](Counts)
        for (queue, topic), counts in self._rows(now, days):
            for one in (total, queues[queue], topics[topic]):
                one.add(counts)
        return shapes.OutcomeReport(
            at=now,
            since=first_day(now, days, self._centre.time_zone),
            days=days,
            repeat_days=self._centre.repeat_days,
            total=_shown(total),
            queues={id: _shown(counts) for id, counts in sorted(queues.items())},
            topics={id: _shown(counts) for id, counts in sorted(topics.items())},
            definitions=DEFINITIONS,
        )

    def _rows(self, now: int, days: int) -> Iterator[tuple[tuple[str, str], Counts]]:
        since = first_day(now, days, self._centre.time_zone)
        for day, rows in self._days.items():
            if day >= since:
                yield from rows.items()


def _shown(counts: Counts) -> shapes.Measures:
    return shapes.Measures(
        finished=counts.finished,
        agent=_measure(counts.agent, counts.agent_of),
        citizen=_measure(counts.citizen, counts.citizen_of),
        no_repeat=_measure(counts.known - counts.returned, counts.known),
        mark=round(counts.marks / counts.marks_of, 2) if counts.marks_of else None,
        mark_of=counts.marks_of,
    )


def _measure(part: int, of: int) -> shapes.Measure:
    return shapes.Measure(round(part / of, 4) if of else None, of)
