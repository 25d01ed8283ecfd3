"""Read model: every open contact, and those that ended in the last 30 days."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from router.engine import facts
from router.engine.facts import Fact
from router.nouns import TYPED, Question
from router.port import Numbered
from router.projections import shapes
from router.queues.lanes import lane_key, lane_name

KEPT_MS = 30 * 24 * 3_600_000
IN_HAND = frozenset({"active", "wrap_up"})


@dataclass(slots=True)
class Message:
    """One message of a contact; its text is in the vault."""

    number: int
    message: str
    author: str
    """citizen, agent, note or system"""
    ref: str
    by: str
    at: int
    status: str | None
    """due, started, delivered, failed, unknown; None when it is not sent out."""


@dataclass(slots=True)
class Offer:
    """The open offer of a contact."""

    offer: str
    agent: str
    purpose: str
    offered_at: int
    expires_at: int
    declining: bool = False


@dataclass(slots=True)
class Entry:
    """One contact as the facts have left it."""

    id: str
    channel: str
    municipality: str
    source_key: str
    citizen: str
    language: str
    content_ref: str
    linked_to: str
    received_at: int
    state_since: int
    number: int
    state: str = "intake"
    topic: str = ""
    queue: str = ""
    needs: dict[str, int] = field(default_factory=dict)
    step: int = 0
    """Steps of widening that it has had in its queue."""
    priority: int = 0
    """Its own, given by a supervisor; 0 = its queue's."""
    ways: list[str] = field(default_factory=list)
    """The ways out that it has taken, as `<queue>><kind>:<to>`."""
    queued_at: int = 0
    """When it first came into a queue; 0 = not yet."""
    due_at: int = 0
    """Until when an answer is within the norm; 0 = it has none."""
    agent: str = ""
    """The owner; at the end, the last one."""
    participants: dict[str, str] = field(default_factory=dict)
    """Colleague -> consulted or conferenced, beside the owner."""
    supervisors: dict[str, str] = field(default_factory=dict)
    """Who listens, whispers or barges -> how."""
    transfers: int = 0
    """How often it went to another agent or queue."""
    outside: str = ""
    outside_state: str = ""
    """ringing or talking (its agent asks first), through, or ""."""
    """The destination it is, or was, put through to; "number" = one that was typed."""
    wanted_agent: str = ""
    handed_by: str = ""
    """The colleague who handed it over last; empty when it came back otherwise."""
    offer: Offer | None = None
    offers: int = 0
    decisions: int = 0
    accepted_at: int = 0
    accepts: int = 0
    """How often an agent took it: more than once after a hand-over."""
    answered_at: int = 0
    """When an agent first took it; 0 = never."""
    wrap_up_due_at: int = 0
    extensions: int = 0
    """How often the wrap-up was extended."""
    citizen_left: bool = False
    messages: list[Message] = field(default_factory=list)
    ended_at: int = 0
    ended_reason: str = ""
    resolved: bool | None = None
    further: tuple[str, ...] = ()
    """Topics of the questions besides the first."""
    outcomes: tuple[Question, ...] = ()
    """At the end: every question with its answer."""
    parked: bool = False
    """It lies still beside what goes before it."""
    citizen_answered: bool | None = None
    mark: int = 0
    """The citizen's, 1 to 10; 0 = none given."""
    note_ref: str = ""
    promise: str = ""
    """The follow-up that this callback is to keep."""
    dialling: str = ""
    """dialling, reached, or "": no telephone is in it."""
    recording: str = ""
    """on, paused, dropped, or "": it is not being recorded."""
    held_since: int = 0
    """Since when the citizen is on hold in the conversation, in ms; 0 = they are not."""
    dial_failed: str = ""
    """What became of the last try, when nobody was reached."""

    @property
    def last_message_at(self) -> int:
        return self.messages[-1].at if self.messages else self.received_at

    @property
    def unanswered(self) -> bool:
        """Whether the citizen wrote last."""
        said = [m.author for m in self.messages if m.author in {"citizen", "agent"}]
        return bool(said) and said[-1] == "citizen"

    def with_agent(self, agent: str) -> bool:
        """Whether this agent has it in hand, takes part in it, or has it offered now."""
        if self.state in IN_HAND and (self.agent == agent or agent in self.participants):
            return True
        return self.offer is not None and self.offer.agent == agent

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question, the first one first."""
        return self.outcomes or tuple(Question(topic) for topic in (self.topic, *self.further) if topic)

    def view(self) -> shapes.Contact:
        return shapes.Contact(
            id=self.id,
            channel=self.channel,
            municipality=self.municipality,
            state=self.state,
            topic=self.topic,
            queue=self.queue,
            language=self.language,
            received_at=self.received_at,
            state_since=self.state_since,
            due_at=self.due_at or None,
            agent=self.agent or None,
            offers=self.offers,
            messages=len(self.messages),
            ended_reason=self.ended_reason or None,
            resolved=self.resolved,
            questions=[shapes.QuestionOutcome(one.topic, one.resolved) for one in self.questions],
            citizen_answered=self.citizen_answered,
            citizen_mark=self.mark or None,
            linked_to=self.linked_to or None,
            step=self.step,
            priority=self.priority or None,
            ways=self.ways,
            number=self.number,
        )


class Contacts:
    """Folds facts into entries, with the indexes the screens need."""

    def __init__(self) -> None:
        self.position = 0
        self.open: dict[str, Entry] = {}
        self.ended: dict[str, Entry] = {}
        self.offered: dict[str, set[str]] = defaultdict(set)
        """Agent -> contacts offered to them now."""
        self.in_hand: dict[str, set[str]] = defaultdict(set)
        """Agent -> contacts they own now (active or wrap-up), or take part in."""
        self.stranded: dict[str, str] = {}
        """Lane -> why nobody is there for those who wait in it."""
        self.waiting: dict[str, int] = defaultdict(int)
        """Queue -> contacts waiting or offered."""
        self._ends: deque[tuple[int, str]] = deque()

    def get(self, id: str) -> Entry | None:
        return self.open.get(id) or self.ended.get(id)

    def __iter__(self) -> Iterator[Entry]:
        yield from self.open.values()
        yield from self.ended.values()

    def of_agent(self, agent: str) -> list[Entry]:
        """What the agent has in hand, longest first."""
        mine = [self.open[id] for id in self.in_hand.get(agent, ())]
        return sorted(mine, key=lambda entry: (entry.accepted_at, entry.id))

    def offered_to(self, agent: str) -> list[Entry]:
        """What is offered to the agent now, oldest offer first."""
        mine = [self.open[id] for id in self.offered.get(agent, ())]
        return sorted(mine, key=lambda entry: (entry.offer.offered_at if entry.offer else 0, entry.id))

    def stranded_for(self, entry: Entry) -> str:
        """Why nobody is there for this contact, or ""."""
        if entry.state != "waiting" or not self.stranded:
            return ""
        return self.stranded.get(lane_name(lane_key(entry.channel, entry.needs, entry.topic, step=entry.step)), "")

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        fact, at = numbered.fact, numbered.at
        if isinstance(fact, facts.LaneStranded):
            self.stranded[fact.lane] = fact.reason
        elif isinstance(fact, facts.LaneCleared):
            self.stranded.pop(fact.lane, None)
        if isinstance(fact, facts.ContactReceived):
            self.open[fact.contact] = _received(fact, at)
        entry = self.open.get(_contact_of(fact)) or self.ended.get(_contact_of(fact))
        if entry is None:
            return
        before = self._unindex(entry)
        self._fold(entry, fact, at)
        entry.number = numbered.number
        if (entry.state, entry.agent) != before:
            entry.state_since = at
        self._index(entry)
        self._forget(at)

    def _unindex(self, entry: Entry) -> tuple[str, str]:
        for agent in (entry.agent, *entry.participants):
            self.in_hand[agent].discard(entry.id)
        if entry.offer is not None:
            self.offered[entry.offer.agent].discard(entry.id)
        if entry.state in {"waiting", "offered"}:
            self.waiting[entry.queue] -= 1
        return entry.state, entry.agent

    def _index(self, entry: Entry) -> None:
        if entry.state in IN_HAND:
            for agent in (entry.agent, *entry.participants):
                self.in_hand[agent].add(entry.id)
        if entry.offer is not None:
            self.offered[entry.offer.agent].add(entry.id)
        if entry.state in {"waiting", "offered"}:
            self.waiting[entry.queue] += 1

    def _fold(self, entry: Entry, fact: Fact, at: int) -> None:
        match fact:
            case facts.ContactQueued():
                entry.topic, entry.queue, entry.needs, entry.step = fact.topic, fact.queue, fact.needs, 0
                entry.language = fact.language or entry.language
                entry.queued_at = entry.queued_at or at
                entry.due_at, entry.further = fact.due_at, fact.further
                entry.state = "waiting"
            case facts.ContactReturned():
                entry.topic, entry.queue, entry.needs, entry.step = fact.topic, fact.queue, fact.needs, 0
                entry.further, entry.parked, entry.dialling = fact.further, False, ""
                entry.outside = entry.outside_state = ""
                entry.held_since = 0
                _recorded_no_more(entry)
                entry.state, entry.agent, entry.wanted_agent = "waiting", "", fact.wanted_agent
                entry.participants, entry.supervisors, entry.offer = {}, {}, None
                entry.transfers += fact.reason == "handed_over"
                entry.handed_by = fact.agent if fact.reason == "handed_over" else ""
                entry.note_ref = fact.note_ref or entry.note_ref
            case facts.ConversationEnded():
                entry.state, entry.wrap_up_due_at, entry.dialling, entry.recording = "wrap_up", fact.due_at, "", ""
                entry.participants, entry.supervisors, entry.offer = {}, {}, None
                entry.outside, entry.held_since = entry.outside if fact.reason == "passed_on" else "", 0
                entry.outside_state = ""
                entry.citizen_left = fact.reason != "agent"
            case facts.WrapUpExtended():
                entry.wrap_up_due_at = fact.due_at
                entry.extensions += 1
            case facts.ContactEnded():
                self._end(entry, fact, at)
            case facts.CitizenAnswered():
                entry.citizen_answered, entry.mark = fact.answered, fact.mark
            case facts.ContactForgotten():
                self.ended.pop(entry.id, None)
            case facts.MessageAdded():
                status = "due" if fact.deliver else None
                entry.messages.append(Message(fact.number, fact.message, fact.author, fact.ref, fact.by, at, status))
            case facts.DeliveryNoted():
                for message in entry.messages:
                    if message.number == fact.number:
                        message.status = fact.status
            case facts.NeedsWidened():
                entry.needs, entry.step = fact.needs, fact.step
            case facts.WayOutTaken():
                entry.ways.append(fact.way)
            case facts.PriorityChanged():
                entry.priority = fact.priority
            case _:
                _fold_offer(entry, fact, at)

    def _end(self, entry: Entry, fact: facts.ContactEnded, at: int) -> None:
        entry.state, entry.offer, entry.participants, entry.supervisors = "ended", None, {}, {}
        entry.ended_at, entry.ended_reason, entry.resolved = at, fact.reason, fact.resolved
        entry.outcomes, entry.parked = fact.outcomes, False
        entry.agent = fact.agent or entry.agent
        entry.topic = fact.topic or entry.topic
        entry.note_ref = fact.note_ref or entry.note_ref
        entry.citizen_left = True
        if self.open.pop(entry.id, None) is not None:
            self.ended[entry.id] = entry
            self._ends.append((at, entry.id))

    def _forget(self, at: int) -> None:
        while self._ends and self._ends[0][0] < at - KEPT_MS:
            self.ended.pop(self._ends.popleft()[1], None)


def _fold_offer(entry: Entry, fact: Fact, at: int) -> None:
    match fact:
        case facts.ContactOffered():
            entry.state = "offered" if fact.purpose == "answer" else entry.state
            entry.offers += 1
            entry.decisions += fact.purpose == "answer"
            entry.offer = Offer(fact.offer, fact.agent, fact.purpose, at, fact.expires_at)
        case facts.DeclineRequested():
            if entry.offer is not None:
                entry.offer.declining = True
        case facts.OfferEnded():
            entry.state, entry.offer = "waiting" if entry.state == "offered" else entry.state, None
        case facts.OfferAccepted(purpose="consult"):
            entry.offer, entry.participants = None, {**entry.participants, fact.agent: "consulted"}
        case facts.SupervisionSet():
            entry.supervisors = {**entry.supervisors, fact.by: fact.mode}
        case facts.SupervisionEnded():
            entry.supervisors = {by: mode for by, mode in entry.supervisors.items() if by != fact.by}
        case facts.ConferenceStarted():
            entry.participants = {**entry.participants, fact.agent: "conferenced"}
        case facts.ParticipantLeft():
            entry.participants = {id: role for id, role in entry.participants.items() if id != fact.agent}
        case (
            facts.OutsideConsulted()
            | facts.OutsideAnswered()
            | facts.OutsideLeft()
            | facts.OutsideJoined()
            | facts.OutsideDialled()
        ):
            _fold_outside(entry, fact)
        case facts.ContactTransferred():
            entry.participants = {id: role for id, role in entry.participants.items() if id != fact.to_agent}
            entry.agent, entry.handed_by = fact.to_agent, fact.agent
            entry.transfers += 1
            entry.accepted_at, entry.held_since = at, 0
        case facts.CallHeld():
            entry.held_since = at
        case facts.CallRetrieved() | facts.CallRejoined():
            entry.held_since = 0
        case facts.OfferAccepted() | facts.AnswerAdopted():
            entry.state, entry.agent, entry.offer = "active", fact.agent, None
            entry.wanted_agent = ""
            entry.accepted_at = at
            entry.accepts += 1
            entry.answered_at = entry.answered_at or at
        case _:
            _fold_work(entry, fact)


def _recorded_no_more(entry: Entry) -> None:
    """A recording is over; that the citizen does not want any stays so."""
    if entry.recording != "dropped":
        entry.recording = ""


def _fold_outside(entry: Entry, fact: Fact) -> None:
    match fact:
        case facts.OutsideConsulted():
            entry.outside, entry.outside_state, entry.held_since = fact.destination or TYPED, "ringing", 0
        case facts.OutsideAnswered():
            entry.outside_state = "talking"
        case facts.OutsideLeft():
            entry.outside = entry.outside_state = ""
        case facts.OutsideJoined():
            entry.outside_state, entry.held_since = "through", 0
            _recorded_no_more(entry)
        case facts.OutsideDialled():
            entry.outside, entry.outside_state, entry.held_since = fact.destination or TYPED, "through", 0
            _recorded_no_more(entry)
        case _:
            pass


def _fold_work(entry: Entry, fact: Fact) -> None:
    match fact:
        case facts.QuestionAdded():
            entry.further = (*entry.further, fact.topic)
        case facts.WorkParked():
            entry.parked = True
        case facts.CallbackDialled():
            entry.dialling, entry.dial_failed = "dialling", ""
        case facts.CallbackReached():
            entry.dialling = "reached"
        case facts.CallbackFailed():
            entry.dialling, entry.dial_failed = "", fact.how
        case facts.RecordingStarted() | facts.RecordingResumed():
            entry.recording = "on"
        case facts.RecordingPaused():
            entry.recording = "paused"
        case facts.RecordingDropped():
            entry.recording = "dropped"
        case facts.WorkResumed():
            entry.parked, entry.wrap_up_due_at = False, fact.due_at
        case _:
            pass


def _received(fact: facts.ContactReceived, at: int) -> Entry:
    return Entry(
        id=fact.contact,
        channel=fact.channel,
        municipality=fact.municipality,
        source_key=fact.source_key,
        citizen=fact.citizen,
        language=fact.language,
        content_ref=fact.content_ref,
        linked_to=fact.linked_to,
        promise=fact.promise,
        received_at=at,
        state_since=at,
        number=0,
    )


def _contact_of(fact: Fact) -> str:
    if isinstance(fact, facts.FollowUpMade):
        return ""
    contact = getattr(fact, "contact", "")
    return contact if isinstance(contact, str) else ""
