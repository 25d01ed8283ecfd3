"""For whom somebody is there at all: per lane in which somebody waits, kept up as agents come and go. Derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.nouns import BY_TELEPHONE, Agent, Queue
from router.queues.lanes import LaneKey
from router.skills.matching import missing_skill
from router.skills.widening import widest

if TYPE_CHECKING:
    from router.engine.state import AgentState, State

OUT_OF_REACH = frozenset({"connection_lost", "not_responding", "phone_unreachable"})
"""Reasons of a pause that the centre gave: the agent is signed on, but cannot be asked."""
SIGNED_OFF, UNREACHABLE, THERE = 0, 1, 2
UNUSED_MAX = 1_000

Ask = tuple[str, tuple[tuple[str, int], ...]]
"""Channel and needs, as widened as they can become."""


def standing(person: AgentState) -> int:
    """Whether the agent is signed on, and can be reached; being busy or at lunch does not matter here."""
    if person.presence == "signed_off":
        return SIGNED_OFF
    lost = person.connection == "lost" or (person.presence == "paused" and person.reason in OUT_OF_REACH)
    return UNREACHABLE if lost else THERE


def standings(person: AgentState) -> tuple[int, int]:
    """Where the agent stands for what is written or visits, and for what comes by telephone."""
    where = standing(person)
    return where, UNREACHABLE if where == THERE and person.telephone == "unregistered" else where


class Reach:
    """Who could ever take what asks this much, and how many of them are where."""

    __slots__ = ("able", "by_telephone", "counts", "lanes")

    def __init__(self, able: dict[str, int], by_telephone: bool) -> None:
        self.able = frozenset(able)
        self.by_telephone = by_telephone
        self.counts = [list(able.values()).count(where) for where in (SIGNED_OFF, UNREACHABLE, THERE)]
        self.lanes: set[LaneKey] = set()

    @property
    def reason(self) -> str:
        """Why nobody is there, or ""."""
        if not self.able:
            return "nobody_has_skill"
        if self.counts[THERE]:
            return ""
        return "nobody_reachable" if self.counts[UNREACHABLE] else "nobody_signed_on"


class Reaches:
    """The reach of every lane in which somebody waits, and which lanes must be judged again."""

    def __init__(self) -> None:
        self.unjudged: set[LaneKey] = set()
        self._standing: dict[str, tuple[int, int]] = {}
        self._reaches: dict[Ask, Reach] = {}
        self._of_lane: dict[LaneKey, Ask] = {}

    def configured(self, state: State) -> None:
        """Other agents, needs or steps: everything is judged again."""
        self._standing = {id: standings(state.agents[id]) for id in state.index.agents}
        self._reaches.clear()
        self.unjudged.update(self._of_lane, state.index.lanes.lanes())
        self._of_lane.clear()

    def take_unjudged(self) -> set[LaneKey]:
        """The lanes that have changed since they were last judged; those kept for a colleague are not among them."""
        unjudged, self.unjudged = self.unjudged, set()
        return {key for key in unjudged if not key[3]}

    def changed(self, agent: str, person: AgentState) -> None:
        """The agent has come, gone, or got out of reach."""
        before, after = self._standing[agent], standings(person)
        if before == after:
            return
        self._standing[agent] = after
        for reach in self._reaches.values():
            if agent in reach.able:
                was = reach.reason
                reach.counts[before[reach.by_telephone]] -= 1
                reach.counts[after[reach.by_telephone]] += 1
                if reach.reason != was:
                    self.unjudged.update(reach.lanes)

    def came(self, key: LaneKey) -> None:
        """Somebody waits in this lane now."""
        if not key[3]:
            self.unjudged.add(key)

    def went(self, key: LaneKey) -> None:
        """Nobody waits there any more."""
        if not key[3]:
            self.unjudged.add(key)
            ask = self._of_lane.pop(key, None)
            if ask is not None:
                self._reaches[ask].lanes.discard(key)
                if len(self._reaches) > UNUSED_MAX:
                    self._reaches = {a: r for a, r in self._reaches.items() if r.lanes}

    def reason(self, state: State, key: LaneKey) -> str:
        """Why nobody is there for those who wait in the lane, or ""."""
        ask = self._of_lane.get(key)
        if ask is None:
            ask = self._of_lane[key] = self._ask(state, key)
        reach = self._reaches.get(ask)
        if reach is None:
            agents = state.index.agents.values()
            by_telephone = ask[0] in BY_TELEPHONE
            able = {a.id: self._standing[a.id][by_telephone] for a in agents if self._could(state, a, ask)}
            reach = self._reaches[ask] = Reach(able, by_telephone)
        reach.lanes.add(key)
        return reach.reason

    def _ask(self, state: State, key: LaneKey) -> Ask:
        topic = state.config.topic(key[2])
        queue = state.config.queue(topic.queue) if topic else None
        return key[0], tuple(sorted(_widest(queue, key).items()))

    def _could(self, state: State, agent: Agent, ask: Ask) -> bool:
        channel, needs = ask
        if channel == "phone" and not agent.endpoint:
            return False
        return channel in state.index.capacity(agent.id).room(()) and not missing_skill(agent, dict(needs))


def _widest(queue: Queue | None, key: LaneKey) -> dict[str, int]:
    needs = dict(key[1])
    return widest(needs, queue.widening[key[4] :], queue.floor) if queue else needs
