"""The index: what makes deciding cheap. Rebuilt from the state at any time; never part of what is true."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from router.engine.alarms import Alarms
from router.engine.crews import Crew
from router.engine.quiet import Quiet
from router.engine.reach import Reaches
from router.nouns import BY_TELEPHONE, Agent, Estimates, Queue
from router.queues.lanes import LaneKey, Lanes
from router.queues.overflow import next_moment
from router.skills.capacity import Capacity
from router.skills.estimates import in_force

if TYPE_CHECKING:
    from router.engine.state import AgentState, ContactState, State

CREWS_MAX = 4_096
"""Beyond this many crews, those of lanes in which nobody waits are let go."""

HINTS_MAX = 10_000
INTAKE_SECONDS_MAX = 120
"""A contact whose channel asks something first is queued as it is after this time."""
GONE = Queue("", {}, {})
"""For contacts of a topic that the configuration no longer has."""


def unavailable(person: AgentState) -> str:
    """Why the agent can take nothing at all now, or ""."""
    if person.presence != "ready":
        return person.presence
    if person.connection == "lost":
        return "lost"
    return "after_work" if person.after_work_until else ""


def lacks_phone(agent: Agent, person: AgentState, channel: str) -> bool:
    """Whether nothing rings when the agent is offered something of this channel. Callbacks may be dialled by hand."""
    if not agent.endpoint:
        return channel == "phone"
    return person.telephone == "unregistered" and channel in BY_TELEPHONE


class Index:
    """Alarms, lanes of contacts, crews of agents, and which lanes must be looked at again."""

    def __init__(self) -> None:
        self.alarms = Alarms()
        self.lanes = Lanes()
        self.reaches = Reaches()
        self.agents: dict[str, Agent] = {}
        """The configured agents by id."""
        self.estimates: Estimates | None = None
        """Those in force: allowed by the configuration, without what is switched off."""
        self.away: dict[str, int] = {}
        """Reason -> how many configured agents can take nothing at all for it."""
        self.dirty: set[LaneKey] = set()
        """Lanes in which something has changed since they were last looked at."""
        self.due: set[str] = set()
        """Contacts for whom the moment of a way out may have come."""
        self.hands: set[str] = set()
        """Agents of whom it may have changed what is parked."""
        self._capacities: dict[str, Capacity] = {}
        self._shared = Capacity((), {})
        self.quiet = Quiet()
        self._reasons: dict[str, str] = {}
        self._crews: dict[LaneKey, Crew] = {}
        self._crews_of: dict[str, list[Crew]] = {}
        self._kept: dict[str, set[LaneKey]] = {}
        """Colleague -> lanes of what is kept for them alone."""
        self._hints: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._needs: dict[tuple[tuple[str, int], ...], dict[str, int]] = {}

    # -- what has changed -----------------------------------------------------------------------------------

    def configured(self, state: State) -> None:
        """Another configuration, or other estimates: everything is looked at again."""
        self.agents = {a.id: a for a in state.centre.agents} if state.centre else {}
        self.estimates = in_force(state.centre, state.estimates, state.estimates_off) if state.centre else None
        self._reasons = {id: unavailable(state.agents[id]) for id in self.agents}
        self.away = {}
        for reason in self._reasons.values():
            if reason:
                self.away[reason] = self.away.get(reason, 0) + 1
        self._configure_capacity(state)
        self._crews.clear()
        self._crews_of = {id: [] for id in self.agents}
        self.reaches.configured(state)
        if state.centre is not None:
            self._configure_quiet(state)
        self.dirty.update(self.lanes.lanes())

    def _configure_capacity(self, state: State) -> None:
        if state.centre is None:
            return
        rules = state.config.channels
        self._shared = Capacity(state.config.combinations, rules)
        self._capacities = {a.id: Capacity(a.combinations, rules) for a in state.config.agents if a.combinations}
        self.hands.update(id for id, person in state.agents.items() if person.load)

    def _configure_quiet(self, state: State) -> None:
        self.quiet.configured(state)
        for id, reason in self._reasons.items():
            self.quiet.changed(id, not reason and not state.agents[id].load)

    def capacity(self, agent: str) -> Capacity:
        """What the agent may have at once."""
        return self._capacities.get(agent, self._shared)

    def shared(self, needs: dict[str, int]) -> dict[str, int]:
        """The same needs, kept once for all contacts that ask them."""
        return self._needs.setdefault(tuple(needs.items()), needs)

    def shared_hints(self, hints: tuple[str, ...]) -> tuple[str, ...]:
        """The same hints, kept once: many contacts come with the same."""
        if len(self._hints) > HINTS_MAX:
            self._hints.clear()
        return self._hints.setdefault(hints, hints)

    def waits(self, contact: ContactState, key: LaneKey) -> None:
        """The contact has come to wait."""
        if not self.lanes.count(key):
            self.reaches.came(key)
            self.quiet.came(key)
        until = self.quiet.until(contact)
        if until > contact.since:
            self.alarms.set(until, "retry", contact.id)
        self.lanes.add(contact.id, key, contact.place)
        self.dirty.add(key)
        if key[3]:
            self._kept.setdefault(key[3], set()).add(key)

    def waits_no_more(self, contact: str) -> LaneKey | None:
        """The contact has been taken out; gives the lane it stood in."""
        key = self.lanes.remove(contact)
        if key is not None and self.lanes.count(key):
            self.dirty.add(key)
        elif key is not None:
            self.reaches.went(key)
            self.quiet.went(key)
            if key[3]:
                self._kept[key[3]].discard(key)
        return key

    def plan(self, state: State, contact: ContactState, after: int) -> None:
        """Set the alarm for the first step of widening, or way out, that comes due later than `after` (ms)."""
        queue = state.config.queue(contact.queue)
        if queue and (queue.widening or queue.overflow):
            at = next_moment(queue, contact.channel, contact.in_queue_since, contact.step, contact.ways, after)
            if at:
                self.alarms.set(at, "step", contact.id)

    def steps_taken(self) -> list[str]:
        """The contacts in `due`, once, in order."""
        due, self.due = sorted(self.due), set()
        return due

    def kept_for(self, agent: str) -> list[str]:
        """Contacts that wait for this colleague alone."""
        return [id for key in self._kept.get(agent, ()) for id in self.lanes.contacts(key)]

    def look_again(self, contact: ContactState, now: int) -> None:
        """A moment has come after which somebody may take the contact who could not before."""
        if contact.state != "waiting":
            return
        key = self.lanes.lane(contact.id)
        if key[3] and contact.wanted_until <= now:
            self.waits_no_more(contact.id)
            key = contact.lane(now)
            self.waits(contact, key)
        self.dirty.add(key)

    def agent_changed(self, state: State, id: str, at: int) -> None:
        """The agent's presence, connection or load has changed at this moment (ms)."""
        agent = self.agents.get(id)
        if agent is None:
            return
        person = state.agents[id]
        if person.connection == "lost" and person.return_at <= at:  # gone too long: judged again
            self.alarms.set(person.return_at, "return", id)
        self.reaches.changed(id, person)
        self.hands.add(id)
        reason = unavailable(person)
        if reason != self._reasons[id]:
            self._moved(agent, person, reason)
        self.dirty.update(self._kept.get(id, ()))
        self.dirty.update(self.quiet.changed(id, not reason and not person.load))
        room = frozenset() if reason else self.room(state, agent, person)
        turn, occupancy = person.turn, person.occupancy
        for crew in self._crews_of[id]:
            news = self._put(crew, agent, turn, occupancy, crew.channel in room)
            if news and self.lanes.count(crew.key):
                self.dirty.add(crew.key)

    def _put(self, crew: Crew, agent: Agent, turn: int, occupancy: int, free: bool) -> bool:
        """Tell the crew whether its member is free; whether that is news."""
        if free:
            return crew.put(agent.id, turn, occupancy)
        there = not self._reasons[agent.id] and agent.id not in crew.no_phone
        return crew.drop(agent.id, occupancy, there)

    def telephone_changed(self, state: State, id: str, at: int) -> None:
        """The agent's telephone is busy elsewhere, cannot be reached, or is free again, at this moment (ms)."""
        agent = self.agents.get(id)
        if agent is None:
            return
        if not self._reasons[id]:
            for crew in self._crews_of[id]:
                crew.leave(agent)
                crew.arrive(agent, lacks_phone(agent, state.agents[id], crew.channel))
        self.agent_changed(state, id, at)

    def _moved(self, agent: Agent, person: AgentState, after: str) -> None:
        before, self._reasons[agent.id] = self._reasons[agent.id], after
        for reason, step in ((before, -1), (after, 1)):
            if reason:
                self.away[reason] = self.away.get(reason, 0) + step
        if bool(before) == bool(after):
            return
        for crew in self._crews.values():
            if after:
                crew.leave(agent)
            else:
                crew.arrive(agent, lacks_phone(agent, person, crew.channel))

    def room(self, state: State, agent: Agent, person: AgentState) -> frozenset[str]:
        """The channels of which one more contact fits beside what the agent has. A call elsewhere counts as a call."""
        held = [state.contacts[c].channel for c in person.load]
        if person.telephone == "elsewhere":
            held.append("phone")
        room = self.capacity(agent.id).room(held)
        if agent.endpoint and person.telephone != "unregistered":
            return room
        return frozenset(channel for channel in room if not lacks_phone(agent, person, channel))

    # -- crews ------------------------------------------------------------------------------------------------

    def crew(self, state: State, key: LaneKey) -> Crew:
        """The crew of a lane, made when it is first asked for."""
        found = self._crews.get(key)
        return found if found is not None else self._make(state, key)

    def crews(self) -> Iterable[Crew]:
        """The crews of all lanes that have been looked at."""
        return self._crews.values()

    def crews_of(self, agent: str) -> list[Crew]:
        """The crews the agent is in, of all lanes that have been looked at."""
        return self._crews_of[agent]

    def _make(self, state: State, key: LaneKey) -> Crew:
        if len(self._crews) >= CREWS_MAX:
            self._let_go()
        topic = state.config.topic(key[2])
        queue = state.config.queue(topic.queue) if topic else None
        crew = Crew(key, queue or GONE, self.agents.values(), self.estimates)
        crew.outside = self.quiet.outside(crew)
        self._crews[key] = crew
        for id, agent in self.agents.items():
            member = id in crew.ranks
            if member:
                self._crews_of[id].append(crew)
            if not self._reasons[id]:
                person = state.agents[id]
                crew.arrive(agent, lacks_phone(agent, person, crew.channel))
                if member:
                    free = crew.channel in self.room(state, agent, person)
                    self._put(crew, agent, person.turn, person.occupancy, free)
        return crew

    def _let_go(self) -> None:
        for key in [key for key in self._crews if not self.lanes.count(key)]:
            crew = self._crews.pop(key)
            for id in crew.ranks:
                self._crews_of[id].remove(crew)


def rebuild_index(state: State) -> None:
    """Make the derived part of the state anew; every lane in which somebody waits is looked at again."""
    state.index = index = Index()
    if state.centre is None:  # nothing has happened yet
        return
    index.configured(state)
    for contact in state.contacts.values():
        contact.needs = index.shared(contact.needs)
        if contact.state == "waiting":
            index.waits(contact, contact.lane(state.at))
            for again in (*contact.again_at.values(), contact.wanted_until, contact.reserved_until):
                if again > state.at:
                    index.alarms.set(again, "retry", contact.id)
        if contact.state in ("waiting", "offered"):
            index.alarms.set(contact.remind_at, "wait", contact.id)
            index.plan(state, contact, contact.in_queue_since)
        elif contact.state == "intake":
            index.alarms.set(contact.since + INTAKE_SECONDS_MAX * 1000, "intake", contact.id)
        elif contact.outside_until:
            index.alarms.set(contact.outside_until, "outside", contact.id)
        elif contact.state == "wrap_up" and contact.due_at:
            index.alarms.set(contact.due_at, "wrap_up", contact.id)
        if contact.dialling == "dialling":
            index.alarms.set(contact.dial_lapses_at, "dial", contact.id)
    _set_alarms(state)


def _set_alarms(state: State) -> None:
    """Those of everything that is no open contact."""
    alarms = state.index.alarms
    for offer in state.offers.values():
        alarms.set(offer.lapses_at, "offer", offer.id)
    for agent in state.agents.values():
        if agent.connection == "lost":
            alarms.set(agent.return_at, "return", agent.id)
        if agent.after_work_until:
            alarms.set(agent.after_work_until, "after_work", agent.id)
    for follow_up in state.follow_ups.values():
        alarms.set(follow_up.due_at, "follow_up", follow_up.id)
        if follow_up.call_at:
            alarms.set(follow_up.call_at, "callback", follow_up.id)
    for key, closing in state.closings.items():
        if closing.until:
            alarms.set(closing.until, "reopen", key)
    for id, ended in state.ended.items():
        alarms.set(ended.forget_at, "forget", id)
