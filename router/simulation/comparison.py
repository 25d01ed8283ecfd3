"""Two runs of one day side by side: figures per queue, who handled what, and what had to be assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from router.engine import facts
from router.engine.state import State
from router.nouns import Centre
from router.skills.matching import missing_skill

UNREACHED = frozenset({"abandoned", "citizen_left", "gone"})
"""Ends of a contact that nobody answered by which the citizen gave up."""


NO_QUEUE = "(intake)"
"""Contacts whose channel never said what they were about."""


@dataclass(slots=True)
class Figures:
    """One queue on one day. Times in ms."""

    received: int = 0
    answered: int = 0
    normed: int = 0
    in_target: int = 0
    """Received under a norm, and of those answered within it."""
    abandoned: int = 0
    waited: int = 0
    """Sum over the answered."""
    judged: int = 0
    """Ended with an answer to "in één keer goed"."""
    resolved: int = 0
    returned: int = 0
    """Handed over, or come back otherwise."""
    busy: int = 0
    there: int = 0
    """Time of the agents who can take something of this queue: with something in hand, and that or ready for it."""

    def shown(self) -> dict[str, float | int | None]:
        """Shares in percent, wait in seconds; None where there is nothing to divide by."""
        return {
            "received": self.received,
            "answered": self.answered,
            "service_level": _percent(self.in_target, self.normed),
            "abandonment": _percent(self.abandoned, self.received),
            "wait_seconds": round(self.waited / 1000 / self.answered, 1) if self.answered else None,
            "resolution": _percent(self.resolved, self.judged),
            "returned": self.returned,
            "occupancy": _percent(self.busy, self.there),
        }


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


@dataclass(slots=True)
class _Open:
    queue: str
    received_at: int
    counts: bool
    """Received within the day."""
    due_at: int = 0
    """Until when it is answered within its norm; 0 = it has none."""
    answered: bool = False
    agents: set[str] = field(default_factory=set)
    """To whom it was offered, and who had it."""


@dataclass(slots=True)
class Account:
    """The figures of one run, fact by fact. Contacts that were open before the day count in nobody's figures."""

    queues: dict[str, Figures] = field(default_factory=dict)
    """The queue "" holds those that never came to a queue."""
    handled_by: dict[str, str] = field(default_factory=dict)
    """Contact -> who answered it first."""
    _open: dict[str, _Open] = field(default_factory=dict)
    _queue_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Agent -> queues of which they can take something."""
    _since: dict[str, tuple[int, bool, bool]] = field(default_factory=dict)
    """Agent -> since when: ready, with something in hand."""

    def begin(self, state: State) -> None:
        """The day begins in this state."""
        if state.centre is None:
            return
        self.configured(state.config)
        for contact in state.contacts.values():
            self._open[contact.id] = _Open(contact.queue, contact.received_at, False)
        for id, agent in state.agents.items():
            for held in agent.load:
                self._open[held].agents.add(id)
            self._look(state, id, state.at)

    def configured(self, centre: Centre) -> None:
        """Another configuration is in force: who can take something of which queue."""
        for queue in centre.queues:
            self.queues.setdefault(queue.id, Figures())
        for agent in centre.agents:
            able = {t.queue for t in centre.topics if not missing_skill(agent, t.needs)}
            self._queue_of[agent.id] = tuple(sorted(able))

    def take(self, state: State, at: int, came: tuple[facts.Fact, ...]) -> None:
        """Count the facts of one command, which led to this state."""
        touched: set[str] = set()
        for fact in came:
            if isinstance(fact, facts.CentreConfigured):
                self.configured(fact.centre)
                touched.update(state.agents)
            contact = self._open.get(getattr(fact, "contact", ""))
            agents = {getattr(fact, "agent", ""), getattr(fact, "to_agent", "")}
            if contact is not None:
                contact.agents |= agents
                agents = contact.agents
            touched |= agents
            self._count(fact, at)
        for agent in touched:
            if agent in state.agents:
                self._look(state, agent, at)

    def close(self, at: int) -> None:
        """The day is over."""
        for agent in list(self._since):
            self._pass(agent, at)

    # -- agents -----------------------------------------------------------------------------------------------------

    def _look(self, state: State, id: str, at: int) -> None:
        self._pass(id, at)
        agent = state.agents[id]
        ready = agent.presence == "ready" and agent.connection == "connected"
        self._since[id] = (at, ready, bool(agent.load))

    def _pass(self, id: str, at: int) -> None:
        since, ready, busy = self._since.get(id, (at, False, False))
        for queue in self._queue_of.get(id, ()) if ready or busy else ():
            self.queues[queue].there += at - since
            self.queues[queue].busy += (at - since) * busy
        self._since[id] = (at, ready, busy)

    # -- contacts ---------------------------------------------------------------------------------------------------

    def _count(self, fact: facts.Fact, at: int) -> None:
        match fact:
            case facts.ContactReceived():
                contact = self._open[fact.contact] = _Open("", at, True)
                self._figures(contact).received += 1
            case facts.ContactQueued():
                self._queued(self._open[fact.contact], fact)
            case facts.OfferAccepted() | facts.AnswerAdopted():
                self._answered(self._open[fact.contact], fact, at)
            case facts.ContactReturned():
                contact = self._open[fact.contact]
                self._figures(contact).returned += contact.counts
                contact.queue = fact.queue
            case facts.ContactEnded():
                self._ended(self._open.pop(fact.contact), fact)

    def _figures(self, contact: _Open) -> Figures:
        return self.queues.setdefault(contact.queue, Figures())

    def _queued(self, contact: _Open, fact: facts.ContactQueued) -> None:
        before = self._figures(contact)
        before.received -= contact.counts
        before.normed -= contact.counts and contact.due_at > 0
        contact.queue, contact.due_at = fact.queue, fact.due_at
        after = self._figures(contact)
        after.received += contact.counts
        after.normed += contact.counts and contact.due_at > 0

    def _answered(self, contact: _Open, fact: facts.OfferAccepted | facts.AnswerAdopted, at: int) -> None:
        if not contact.counts or contact.answered:
            return
        contact.answered = True
        self.handled_by[fact.contact] = fact.agent
        figures = self._figures(contact)
        figures.answered += 1
        figures.in_target += at <= contact.due_at
        figures.waited += at - contact.received_at

    def _ended(self, contact: _Open, fact: facts.ContactEnded) -> None:
        if not contact.counts:
            return
        figures = self._figures(contact)
        figures.abandoned += not contact.answered and fact.reason in UNREACHED
        if fact.resolved is not None:
            figures.judged += 1
            figures.resolved += fact.resolved


@dataclass(frozen=True, slots=True)
class Change:
    """A contact that changes hands; "" = nobody answered it."""

    contact: str
    then: str
    now: str


def changed_hands(then: Account, now: Account) -> list[Change]:
    """In order of contact id."""
    contacts = sorted(then.handled_by.keys() | now.handled_by.keys())
    changes = (Change(c, then.handled_by.get(c, ""), now.handled_by.get(c, "")) for c in contacts)
    return [change for change in changes if change.then != change.now]


def assumptions(off_path: int, left_out: Mapping[str, int], patience: Mapping[str, float], learning: str) -> list[str]:
    """What had to be supposed, in words; nothing when every contact went its recorded way."""
    if not off_path:
        return []
    said = [
        f"{off_path} contact(s) went another way than recorded; what follows holds for those alone",
        "agents are present as recorded; who is new works from the first sign-on of the day to the last sign-off",
        "who is offered a contact otherwise than recorded accepts it, after their own usual time",
        f"handling time is the recorded one, scaled by the estimates of the two agents (learning: {learning})",
        "a contact that nobody answered in the record takes as long as another of its topic did",
        "whether another agent settles it: by chance from level or estimates, the same luck per contact each time",
        "citizens who came back in the record come back here too",
    ]
    for channel, seconds in sorted(patience.items()):
        said.append(f"{channel}: who was answered in the record would have waited {seconds:.0f} s more on average")
    if left_out:
        counted = ", ".join(f"{name} {count}" for name, count in sorted(Counter(left_out).items()))
        said.append(f"recorded acts left out, because they no longer made sense: {counted}")
    return said


COLUMNS = {
    "received": "received",
    "service_level": "SL %",
    "abandonment": "AB %",
    "wait_seconds": "wait s",
    "resolution": "resolved %",
    "returned": "returned",
    "occupancy": "occ %",
}


def table(then: Account, now: Account) -> str:
    """Three lines a queue: then, now, and the difference."""
    queues = [id for id in now.queues if now.queues[id].received or then.queues.get(id, Figures()).received]
    width = max((len(id or NO_QUEUE) for id in queues), default=0) + 2
    lines = [" " * (width + 7) + "".join(f"{title:>12}" for title in COLUMNS.values())]
    for id in queues:
        rows = then.queues.get(id, Figures()).shown(), now.queues[id].shown()
        for name, row in zip(("then", "now"), rows, strict=True):
            cells = "".join(f"{'-' if row[key] is None else row[key]:>12}" for key in COLUMNS)
            lines.append(f"{(id or NO_QUEUE) if name == 'then' else '':<{width}}{name:<7}{cells}")
        lines.append(" " * width + f"{'change':<7}" + "".join(_difference(*rows, key) for key in COLUMNS))
    return "\n".join(lines)


def _difference(then: Mapping[str, float | None], now: Mapping[str, float | None], key: str) -> str:
    before, after = then[key], now[key]
    if before is None or after is None:
        return f"{'-':>12}"
    return f"{round(after - before, 1):>+12}"
