"""One day through the real engine: calls come, wait, hang up, are answered, handled, and come back when unsolved."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from router.engine import commands, facts
from router.engine.decide import advance, due
from router.engine.state import State
from router.nouns import (
    Agent,
    Centre,
    ChannelRules,
    ClassifyRule,
    Estimates,
    Hours,
    Municipality,
    Queue,
    QueueTarget,
    Topic,
)
from router.simulation.calls import Call, Calls
from router.simulation.workload import Person, Workload
from router.skills.learner import Learner

OPENING = 1_700_000_000_000
REASON = "simulation: nobody real"


@dataclass(slots=True)
class DayResult:
    """What came of one day. Times in ms."""

    offered: int = 0
    answered: int = 0
    answered_first: int = 0
    """First attempts answered, and of those solved."""
    solved_first: int = 0
    in_target: int = 0
    abandoned: int = 0
    turned_away: int = 0
    delayed: int = 0
    waited_answered: int = 0
    waited_all: int = 0
    in_half_minute: int = 0
    """Answered within 30 s."""
    reserved: int = 0
    reserved_ms: int = 0
    overtaken_most: int = 0
    facts: int = 0
    busy_ms: dict[str, int] = field(default_factory=dict)
    open_ms: int = 0
    worked_ms: dict[str, int] = field(default_factory=dict)
    """Where people work in shifts: agent -> time at work; else everybody works all of `open_ms`."""

    @property
    def fcr(self) -> float:
        return self.solved_first / max(1, self.answered_first)

    @property
    def service_level(self) -> float:
        return self.in_target / max(1, self.offered)

    @property
    def abandonment(self) -> float:
        return self.abandoned / max(1, self.offered)

    @property
    def wait_seconds(self) -> float:
        """Mean wait of the answered."""
        return self.waited_answered / 1000 / max(1, self.answered)

    @property
    def occupancies(self) -> list[float]:
        if self.worked_ms:
            return [self.busy_ms.get(id, 0) / worked for id, worked in self.worked_ms.items() if worked]
        return [busy / max(1, self.open_ms) for busy in self.busy_ms.values()]


def centre_of(workload: Workload, people: tuple[Person, ...], policy: str, learning: str) -> Centre:
    """The configuration that the engine gets: one queue, a skill per topic."""
    topics = tuple(Topic(t.id, {}, "kcc", {t.id: 1}) for t in workload.topics)
    queue = Queue(
        "kcc",
        {},
        {"phone": QueueTarget(workload.target_seconds, 0.8)},
        wrap_up_seconds=0,
        policy=policy,
        reserve_seconds=workload.reserve_seconds,
        overtaken_max=workload.overtaken_max,
        fairness_percent=workload.fairness_percent,
    )
    return Centre(
        id="simulation",
        name=workload.name,
        time_zone="Europe/Amsterdam",
        municipalities=(Municipality("here", "Here", ("14",), {}, {"phone": Hours(always=True)}),),
        topics=topics,
        queues=(queue,),
        agents=tuple(Agent(p.id, p.id, p.id, p.levels, p.id) for p in people),
        channels={"phone": ChannelRules()},
        combinations=({"phone": 1},),
        classification=tuple(ClassifyRule((f"topic:{t.id}",), t.id) for t in topics),
        default_topic=topics[0].id,
        skills=tuple(t.id for t in topics),
        learning=learning,
        learning_reason=REASON if learning == "person" else "",
        remember_days=1,
    )


class Day:
    """Plays one day. Make it, `run` it once."""

    def __init__(
        self,
        workload: Workload,
        people: tuple[Person, ...],
        centre: Centre,
        seed: int,
        estimates: Estimates | None = None,
        learner: Learner | None = None,
    ) -> None:
        self.result = DayResult(busy_ms={p.id: 0 for p in people}, open_ms=round(workload.hours * 3_600_000))
        self.state = State()
        self._workload = workload
        self._people = {p.id: p for p in people}
        self._calls = Calls(workload, seed)
        self._learner = learner
        self._open: dict[str, Call] = {}
        """Calls that wait or are being answered."""
        self._kept: dict[str, tuple[int, int]] = {}
        """Reserved calls: since, until."""
        self._numbers: dict[str, int] = {}
        self._overtaken: dict[str, int] = {}
        """Call -> its number of arrival, and how many later ones went before it though its own agent was there."""
        self._events: list[tuple[int, int, str, Call, str]] = []
        self._order = 0
        self._counted_from = OPENING + round(workload.skip_hours * 3_600_000)
        self._do(commands.Configure(centre, "1"), OPENING)
        if estimates is not None:
            self._do(commands.PublishEstimates(estimates, "1"), OPENING)
        for person in people:
            self._do(commands.SetPresence(person.id, "ready"), OPENING)

    def run(self) -> DayResult:
        """Until the last call of the day has ended."""
        coming = self._calls.first_attempts()
        self._expect(coming)
        while self._events:
            moment = due(self.state)
            if moment is not None and moment <= self._events[0][0]:
                self._do(commands.Tick(), max(moment, self.state.at))
                continue
            at, _, kind, call, agent = heapq.heappop(self._events)
            if kind == "first":
                self._expect(coming)
            if kind in ("first", "again"):
                self._arrive(call, at)
            elif kind == "leave":
                self._leave(call, at)
            else:
                self._finish(call, agent, at)
        if self._learner is not None:
            for id in self._people:
                self._learner.worked(id, self.result.open_ms / 1000)
        self.result.facts = self.state.number
        return self.result

    def _expect(self, coming: Iterator[Call]) -> None:
        call = next(coming, None)
        if call is not None:
            self._at(OPENING + call.at, "first", call)

    def _at(self, at: int, kind: str, call: Call, agent: str = "") -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, kind, call, agent))

    def _counts(self, call: Call) -> bool:
        return OPENING + call.at >= self._counted_from

    def _do(self, command: commands.Command, now: int) -> None:
        """Give the engine a command, and answer what it offers."""
        for fact in advance(self.state, command, now, explained=False).facts:
            match fact:
                case facts.ContactOffered():
                    self._answer(fact, now)
                    if fact.overtook:
                        self._count_overtaken(fact, now)
                case facts.ContactReserved():
                    self._kept[fact.contact] = (now, fact.until)

    # -- what callers and agents do -----------------------------------------------------------------------------

    def _arrive(self, call: Call, at: int) -> None:
        result = self.result
        counts = self._counts(call)
        result.offered += counts
        places = self._workload.places
        if places and len(self.state.index.lanes) >= places:
            result.turned_away += counts
            return
        self._open[call.id] = call
        self._numbers[call.id] = len(self._numbers)
        hints = (f"topic:{call.topic}",)
        self._do(commands.Receive(call.id, "phone", "here", call.id, hints=hints), at)
        if call.id in self._open:
            result.delayed += counts
            if call.patience_ms >= 0:
                self._at(at + call.patience_ms, "leave", call)

    def _answer(self, offer: facts.ContactOffered, now: int) -> None:
        """The agent picks up at once."""
        call = self._open.pop(offer.contact)
        person = self._people[offer.agent]
        waited = now - OPENING - call.at
        self._let_go(call, now)
        taken = self._calls.handling_ms(call, person.pace[call.topic])
        self._at(now + taken, "finish", call, offer.agent)
        result = self.result
        close = OPENING + result.open_ms
        result.busy_ms[offer.agent] += max(0, min(now + taken, close) - max(now, self._counted_from))
        if self._counts(call):
            solved = call.luck < person.chance[call.topic]
            result.answered += 1
            result.answered_first += call.attempt == 0
            result.solved_first += call.attempt == 0 and solved
            # Within 20 s is within 20 s: the engine may use the target's last moment but one.
            result.in_target += waited <= self._workload.target_seconds * 1000
            result.in_half_minute += waited <= 30_000
            result.waited_answered += waited
            result.waited_all += waited
        if self._learner is not None:
            solved = call.luck < person.chance[call.topic]
            self._learner.answered(call.topic, offer.agent, solved, taken / 1000, waited / 1000, call.attempt > 0)
        self._do(commands.Accept(offer.offer, offer.agent), now)

    def _count_overtaken(self, offer: facts.ContactOffered, now: int) -> None:
        """Who came earlier, still waits, and could have been helped by the same agent."""
        number = self._numbers[offer.contact]
        topics = self._people[offer.agent].levels
        for id, call in self._open.items():
            if self._numbers[id] < number and call.topic in topics:
                times = self._overtaken.get(id, 0) + 1
                self._overtaken[id] = times
                self.result.overtaken_most = max(self.result.overtaken_most, times)

    def _leave(self, call: Call, at: int) -> None:
        if self._open.pop(call.id, None) is None:
            return
        self._let_go(call, at)
        waited = at - OPENING - call.at
        if self._counts(call):
            self.result.abandoned += 1
            self.result.waited_all += waited
        if self._learner is not None:
            self._learner.abandoned(call.topic, waited / 1000)
        self._do(commands.EndContact(call.id, "abandoned"), at)

    def _let_go(self, call: Call, now: int) -> None:
        """A reservation, if there was one, is over."""
        kept = self._kept.pop(call.id, None)
        if kept is not None:
            lasted = min(now, kept[1]) - kept[0]
            self.result.reserved += 1
            self.result.reserved_ms += lasted
            if self._learner is not None:
                self._learner.reserved(lasted / 1000)

    def _finish(self, call: Call, agent: str, at: int) -> None:
        solved = call.luck < self._people[agent].chance[call.topic]
        if not solved:
            again = self._calls.next_attempt(call, at - OPENING)
            if again is not None:
                self._at(OPENING + again.at, "again", again)
        self._do(commands.FinishConversation(call.id, agent), at)
        self._do(commands.CompleteWrapUp(call.id, agent, solved), at)
