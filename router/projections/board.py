"""Read model: the figures of today that supervisors steer by, in the centre's time zone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from router.engine import facts
from router.nouns import CHANNELS, Agent, Centre, Queue
from router.port import Numbered
from router.projections import shapes
from router.projections.contacts import Contacts, Entry
from router.projections.days import day_of
from router.projections.follow_ups import FollowUps
from router.projections.openings import Openings
from router.projections.outcomes import Outcomes
from router.projections.people import People, Presence
from router.projections.transfers import NORMS, Transfers

RESOLVED_TARGET = 0.8
LATELY_DAYS = 30
"""Outcomes are shown of today and of so many days."""
LEFT = frozenset({"abandoned", "citizen_left", "gone"})
"""Reasons of an end without an answer that count against the service level."""


@dataclass(slots=True)
class Tally:
    """Counts of one queue and channel, today."""

    answered: int = 0
    answered_in_target: int = 0
    abandoned: int = 0
    abandoned_late: int = 0

    def add(self, other: Tally) -> None:
        self.answered += other.answered
        self.answered_in_target += other.answered_in_target
        self.abandoned += other.abandoned
        self.abandoned_late += other.abandoned_late


@dataclass(slots=True)
class Day:
    """All that is counted since midnight."""

    since: int
    until: int
    tallies: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    received: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Per channel, with what was still open at midnight: so the books balance at every moment."""
    ended: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Board:
    """Counts the facts of today; what is open now it takes from the other read models, folded before it."""

    def __init__(self, centre: Centre, contacts: Contacts, outcomes: Outcomes, transfers: Transfers) -> None:
        self.position = 0
        self.centre = centre
        self._contacts, self._outcomes, self._transfers = contacts, outcomes, transfers
        self._day = Day(0, 0)

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact, after `contacts` has. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        fact, at = numbered.fact, numbered.at
        if isinstance(fact, facts.CentreConfigured):
            moved = fact.centre.time_zone != self.centre.time_zone
            self.centre = fact.centre
            if moved:
                self._day = self._new_day(at)
        if at >= self._day.until:
            self._day = self._new_day(at, fact)
        entry = self._contacts.get(getattr(fact, "contact", ""))
        if entry is None:
            return
        match fact:
            case facts.ContactReceived():
                self._day.received[entry.channel] += 1
            case facts.OfferAccepted() | facts.AnswerAdopted() if entry.accepts == 1:
                self._answer(entry)
            case facts.ContactEnded():
                self._end(entry, fact)
            case _:
                pass

    def _new_day(self, at: int, fact: facts.Fact | None = None) -> Day:
        day = Day(*day_of(at, self.centre.time_zone))
        for entry in self._contacts.open.values():
            day.received[entry.channel] += 1
        # This fact is folded into the contacts already: what it opened or ended was not there at midnight, or was.
        if isinstance(fact, facts.ContactReceived):
            entry_channel = fact.channel
            day.received[entry_channel] -= 1
        elif isinstance(fact, facts.ContactEnded):
            ended = self._contacts.get(fact.contact)
            if ended is not None:
                day.received[ended.channel] += 1
        return day

    def _answer(self, entry: Entry) -> None:
        tally = self._day.tallies[entry.queue, entry.channel]
        tally.answered += 1
        tally.answered_in_target += not _beyond(entry, entry.answered_at)

    def _end(self, entry: Entry, fact: facts.ContactEnded) -> None:
        self._day.ended[entry.channel] += 1
        if not entry.answered_at and entry.queued_at and fact.reason in LEFT:
            tally = self._day.tallies[entry.queue, entry.channel]
            tally.abandoned += 1
            tally.abandoned_late += _beyond(entry, entry.ended_at)

    # -- what is shown ----------------------------------------------------------------------------------------

    def view(self, now: int, people: People, follow_ups: FollowUps, openings: Openings) -> shapes.Board:
        """The whole board at `now`; of a day on which nothing has happened yet, too."""
        day = self._day if now < self._day.until else self._new_day(now)
        open_now: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in self._contacts.open.values():
            open_now[entry.queue, entry.channel].append(entry)
        queues = [self._queue(queue, day, open_now, now, people) for queue in self.centre.queues]
        today = self._outcomes.measures(now)
        return shapes.Board(
            number=self.position,
            at=now,
            queues=queues,
            channels=[self._channel(channel, day, open_now, now) for channel in self._channels(day, open_now)],
            agents=people.counts(self.centre),
            people=people.view(self.centre),
            resolved=today.agent.share,
            resolved_of=today.agent.of,
            finished=today.finished,
            resolved_target=RESOLVED_TARGET,
            follow_ups=follow_ups.counts(),
            today_since=day.since,
            outcomes=today,
            outcomes_lately=self._outcomes.measures(now, LATELY_DAYS),
            outcomes_days=LATELY_DAYS,
            repeat_days=self.centre.repeat_days,
            transfers=self._transfers.figures(now),
            transfers_lately=self._transfers.figures(now, LATELY_DAYS),
            transfer_norms=NORMS,
            openings=openings.view(now),
        )

    def _channels(self, day: Day, open_now: dict[tuple[str, str], list[Entry]]) -> list[str]:
        used = {channel for _, channel in open_now} | set(day.received) | set(self.centre.channels)
        return [channel for channel in CHANNELS if channel in used]

    def _queue(
        self, queue: Queue, day: Day, open_now: dict[tuple[str, str], list[Entry]], now: int, people: People
    ) -> shapes.QueueBoard:
        used = {c for q, c in (*open_now, *day.tallies) if q == queue.id} | set(queue.targets)
        rows = [self._row(queue, channel, day, open_now, now) for channel in CHANNELS if channel in used]
        unanswered = [e for c in used for e in open_now.get((queue.id, c), ()) if e.state in {"waiting", "offered"}]
        settled = self._outcomes.measures(now, queue=queue.id)
        stranded = self._stranded(unanswered)
        return shapes.QueueBoard(
            queue=queue.id,
            waiting=sum(row.waiting for row in rows),
            longest_wait_seconds=max((row.longest_wait_seconds for row in rows), default=0),
            channels=rows,
            resolved=settled.agent.share,
            resolved_of=settled.agent.of,
            finished=settled.finished,
            ready=self._ready(queue, people),
            alarm=_alarm(unanswered, stranded, now),
            stranded=stranded,
        )

    def _row(
        self, queue: Queue, channel: str, day: Day, open_now: dict[tuple[str, str], list[Entry]], now: int
    ) -> shapes.ChannelBoard:
        entries = open_now.get((queue.id, channel), [])
        unanswered = [entry for entry in entries if entry.state in {"waiting", "offered"}]
        tally = day.tallies.get((queue.id, channel), Tally())
        late = sum(not entry.answered_at and _beyond(entry, now) for entry in unanswered)
        entered = tally.answered + tally.abandoned_late + late
        target = queue.targets.get(channel)
        return shapes.ChannelBoard(
            channel=channel,
            waiting=sum(entry.state == "waiting" for entry in entries),
            longest_wait_seconds=max((max(0, now - entry.queued_at) // 1000 for entry in unanswered), default=0),
            offered=sum(entry.state == "offered" for entry in entries),
            active=sum(entry.state == "active" for entry in entries),
            wrap_up=sum(entry.state == "wrap_up" for entry in entries),
            service_level=_share(tally.answered_in_target, entered),
            answered=tally.answered,
            entered=entered,
            abandoned=tally.abandoned,
            target_seconds=target.seconds if target is not None else 0,
            target_share=target.share if target is not None else 0.0,
            target_working_hours=target.working_hours if target is not None else 0,
            target_working_days=target.working_days if target is not None else 0,
        )

    def _channel(
        self, channel: str, day: Day, open_now: dict[tuple[str, str], list[Entry]], now: int
    ) -> shapes.ChannelTotals:
        entries = [entry for (_, c), found in open_now.items() if c == channel for entry in found]
        tally = Tally()
        for (_, of), one in day.tallies.items():
            if of == channel:
                tally.add(one)
        late = sum(
            entry.state in {"waiting", "offered"} and not entry.answered_at and _beyond(entry, now) for entry in entries
        )
        states = [entry.state for entry in entries]
        return shapes.ChannelTotals(
            channel=channel,
            received=day.received.get(channel, 0),
            intake=states.count("intake"),
            waiting=states.count("waiting"),
            offered=states.count("offered"),
            active=states.count("active"),
            wrap_up=states.count("wrap_up"),
            ended=day.ended.get(channel, 0),
            service_level=_share(tally.answered_in_target, tally.answered + tally.abandoned_late + late),
        )

    def _ready(self, queue: Queue, people: People) -> int:
        """Agents who are ready and could take at least one topic of the queue."""
        topics = [topic.needs for topic in self.centre.topics if topic.queue == queue.id]
        able = [agent for agent in self.centre.agents if any(has(agent, needs) for needs in topics)]
        return sum(_is_ready(people.get(agent.id)) for agent in able)

    def _stranded(self, unanswered: list[Entry]) -> dict[str, int]:
        """Why nobody is there -> for how many."""
        found = (self._contacts.stranded_for(entry) for entry in unanswered)
        return dict(sorted(Counter(reason for reason in found if reason).items()))


def _alarm(unanswered: list[Entry], stranded: dict[str, int], now: int) -> str:
    if stranded:
        return "nobody"
    return "late" if any(_beyond(entry, now) for entry in unanswered) else ""


def _beyond(entry: Entry, at: int) -> bool:
    """Whether the norm that was promised when it was queued has passed."""
    return 0 < entry.due_at < at


def has(agent: Agent, needs: dict[str, int]) -> bool:
    """Whether the agent has every skill at the level asked."""
    return all(agent.skills.get(skill, 0) >= level for skill, level in needs.items())


def _is_ready(person: Presence) -> bool:
    return (
        person.presence == "ready"
        and not person.lost
        and not person.active
        and not person.wrap_up
        and person.telephone != "elsewhere"
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
