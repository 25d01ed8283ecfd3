"""Many days in a row through the real engine, in one state: all channels, shifts with breaks, weeks and holidays."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from router.engine import commands, facts
from router.engine.decide import advance, due
from router.engine.state import State
from router.nouns import Centre, ChannelRules, Hours, QueueTarget
from router.simulation.calendar import Calendar, Shift, moment
from router.simulation.day import DayResult, centre_of
from router.simulation.visits import Visit, Visits
from router.simulation.workload import Person, Workload
from router.skills.capacity import from_slots
from router.skills.learner import Learner

BREAK = "break"
ALL = "all"
"""The name under which the channels together, and the agents, are reported."""

Week = dict[str, DayResult]
"""Channel -> what came of the contacts that came in that week; `ALL` holds the agents' time besides."""
Event = Callable[[int], None]


def period_centre(workload: Workload, people: tuple[Person, ...], policy: str, learning: str) -> Centre:
    """The configuration that the engine gets: one queue for all channels, a skill per topic."""
    centre = centre_of(workload, people, policy, learning)
    channels = {c.id: ChannelRules(120) for c in workload.channels}
    apart = {frozenset((c.id, other)) for c in workload.channels for other in c.not_with}
    combinations = from_slots({c.id: c.slots for c in workload.channels}, apart)
    targets = {c.id: QueueTarget(c.target_seconds, 0.8) for c in workload.channels}
    queue = replace(
        centre.queues[0],
        targets=targets,
        quiet_free=workload.quiet_free,
        quiet_seconds=workload.quiet_seconds,
    )
    here = replace(centre.municipalities[0], hours={c.id: Hours(always=True) for c in workload.channels})
    return replace(centre, channels=channels, combinations=combinations, queues=(queue,), municipalities=(here,))


def shifts_of(workload: Workload, people: tuple[Person, ...]) -> dict[str, Shift]:
    """Agent -> shift: dealt out by share, so that every shift has people of every kind."""
    shifts = workload.shifts or (Shift(1.0),)
    owed = [0.0] * len(shifts)
    dealt = {}
    for person in people:
        owed = [have + shift.share for have, shift in zip(owed, shifts, strict=True)]
        chosen = max(range(len(shifts)), key=lambda n: owed[n])
        owed[chosen] -= 1
        dealt[person.id] = shifts[chosen]
    return dealt


class Period:
    """Plays the days of a calendar. Make it, `run` it once."""

    def __init__(
        self,
        workload: Workload,
        calendar: Calendar,
        people: tuple[Person, ...],
        centre: Centre,
        seed: int,
        learner: Learner | None = None,
    ) -> None:
        """With a learner, what it has learned is published every week."""
        self.state = State()
        self._workload, self._calendar, self._seed = workload, calendar, seed
        self._centre, self._learner = centre, learner
        self._people = {p.id: p for p in people}
        self._shifts = shifts_of(workload, people)
        self._targets = {c.id: 1000 * c.target_seconds for c in workload.channels}
        self._visits = Visits(workload, calendar, seed)
        self._weeks: list[Week] = []
        self._open: dict[str, tuple[Visit, Week]] = {}
        """Contacts that wait, with the week they came in."""
        self._going: set[str] = set()
        """Agents whose shift is over, with something still in hand."""
        self._on: dict[str, int] = {}
        """Agent at work -> since when, breaks left out."""
        self._events: list[tuple[int, int, Event]] = []
        self._order = 0
        self._today = calendar.first_day

    def run(self, name: str = "", progress: Callable[[str], None] | None = None) -> list[Week]:
        """Week by week what came of it; `progress` is told of each day that is over."""
        self._do(commands.Configure(self._centre, "1"), moment(self._calendar.first_day, 0))
        for number, day in enumerate(self._calendar.dates()):
            self._today = day
            if number % 7 == 0:
                self._new_week(moment(day, 0))
            self._plan(day)
            self._play_until(moment(day + timedelta(days=1), 0))
            if progress is not None:
                progress(f"{name}, {day}")
        return self._weeks

    def _new_week(self, now: int) -> None:
        if self._learner is not None and self._weeks:
            if len(self._weeks) == 1:
                self._learner.policy_begins()
            estimates = self._learner.learn(self._centre.learning)
            self._do(commands.PublishEstimates(estimates, str(len(self._weeks))), now)
        self._weeks.append({name: DayResult() for name in (ALL, *self._targets)})

    def _plan(self, day: date) -> None:
        """What is known of a day beforehand: first attempts and shifts."""
        for visit in self._visits.first_attempts(day):
            self._at(visit.at, lambda now, v=visit: self._arrive(v, now))  # type: ignore[misc]
        if day in self._calendar.closed:
            return
        dice = random.Random(f"{self._seed} staff {day.isoformat()}")
        for id, shift in self._shifts.items():
            absent = dice.random() < shift.absent
            if absent or day.weekday() not in shift.weekdays or not shift.hours:
                continue
            for number, (begin, end) in enumerate(shift.hours, 1):
                self._at(moment(day, begin), lambda now, id=id: self._begin(id, now))  # type: ignore[misc]
                stop = self._end if number == len(shift.hours) else self._pause
                self._at(moment(day, end), lambda now, id=id, stop=stop: stop(id, now))  # type: ignore[misc]

    # -- time ---------------------------------------------------------------------------------------------------------

    def _at(self, at: int, event: Event) -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, event))

    def _play_until(self, end: int) -> None:
        while True:
            wake = due(self.state)
            coming = self._events[0][0] if self._events else end
            if wake is not None and wake <= coming and wake < end:
                self._do(commands.Tick(), max(wake, self.state.at))
            elif coming < end:
                at, _, event = heapq.heappop(self._events)
                event(at)
            else:
                return

    def _do(self, command: commands.Command, now: int) -> None:
        """Give the engine a command, and answer what it offers."""
        for fact in advance(self.state, command, now, explained=False).facts:
            if isinstance(fact, facts.ContactOffered):
                self._answer(fact, now)

    # -- agents -------------------------------------------------------------------------------------------------------

    def _begin(self, id: str, now: int) -> None:
        self._going.discard(id)
        self._on.setdefault(id, now)
        self._do(commands.SetPresence(id, "ready"), now)

    def _pause(self, id: str, now: int) -> None:
        self._count_time(id, now)
        self._do(commands.SetPresence(id, "paused", BREAK), now)

    def _end(self, id: str, now: int) -> None:
        self._do(commands.SetPresence(id, "paused", BREAK), now)
        self._going.add(id)
        self._leave_if_done(id, now)

    def _leave_if_done(self, id: str, now: int) -> None:
        if id in self._going and not self.state.agents[id].load:
            self._going.discard(id)
            self._count_time(id, now)
            agent = self.state.agents[id]
            result = self._weeks[-1][ALL]
            result.busy_ms[id] = result.busy_ms.get(id, 0) + agent.busy_ms
            self._do(commands.SetPresence(id, "signed_off"), now)

    def _count_time(self, id: str, now: int) -> None:
        """Time at work ends here, for now."""
        since = self._on.pop(id, now)
        result = self._weeks[-1][ALL]
        result.worked_ms[id] = result.worked_ms.get(id, 0) + now - since
        if self._learner is not None:
            self._learner.worked(id, (now - since) / 1000)

    # -- citizens -----------------------------------------------------------------------------------------------------

    def _arrive(self, visit: Visit, now: int) -> None:
        week = self._weeks[-1]
        for name in (ALL, visit.channel):
            week[name].offered += 1
        self._open[visit.id] = visit, week
        hints = (f"topic:{visit.topic}",)
        self._do(commands.Receive(visit.id, visit.channel, "here", visit.id, hints=hints), now)
        if visit.id in self._open and visit.patience_ms >= 0:
            self._at(now + visit.patience_ms, lambda at: self._leave(visit, at))

    def _leave(self, visit: Visit, now: int) -> None:
        found = self._open.pop(visit.id, None)
        if found is None:
            return
        for name in (ALL, visit.channel):
            found[1][name].abandoned += 1
        if self._learner is not None:
            self._learner.abandoned(visit.topic, (now - visit.at) / 1000)
        self._do(commands.EndContact(visit.id, "abandoned"), now)

    def _answer(self, offer: facts.ContactOffered, now: int) -> None:
        """The agent takes it at once."""
        visit, week = self._open.pop(offer.contact)
        person = self._people[offer.agent]
        waited, settled = now - visit.at, visit.luck < person.chance[visit.topic]
        for name in (ALL, visit.channel):
            result = week[name]
            result.answered += 1
            result.answered_first += visit.attempt == 0
            result.solved_first += visit.attempt == 0 and settled
            result.in_target += waited <= self._targets[visit.channel]
            result.waited_answered += waited
        taken = self._visits.handling_ms(visit, person.pace[visit.topic])
        if self._learner is not None:
            spent = taken / 1000, waited / 1000
            self._learner.answered(visit.topic, offer.agent, settled, *spent, visit.attempt > 0)
        self._at(now + taken, lambda at: self._finish(visit, offer.agent, settled, at))
        self._do(commands.Accept(offer.offer, offer.agent), now)

    def _finish(self, visit: Visit, agent: str, settled: bool, now: int) -> None:
        if not settled:
            again = self._visits.next_attempt(visit, now, self._today)
            if again is not None:
                self._at(again.at, lambda at: self._arrive(again, at))
        self._do(commands.FinishConversation(visit.id, agent), now)
        self._do(commands.CompleteWrapUp(visit.id, agent, settled), now)
        self._leave_if_done(agent, now)
