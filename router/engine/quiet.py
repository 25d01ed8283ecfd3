"""Quiet minutes: written work of a queue waits while too few who could take its calls and chats have nothing in hand.

Derived, and kept up agent by agent. It is held back for a bounded time: until `Queue.quiet_seconds` after it came in,
or until it is past its target, whichever comes first. Who could take no call or chat of the queue is asked at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.engine.crews import Crew
from router.nouns import LIVE_CHANNELS, WRITTEN_CHANNELS, Agent, Queue
from router.queues.lanes import LaneKey
from router.skills.matching import missing_skill

if TYPE_CHECKING:
    from router.engine.state import ContactState, State

NOBODY: frozenset[str] = frozenset()


class Quiet:
    """Per queue that holds written work back: who could take its live contacts, and who of them has nothing in hand."""

    def __init__(self) -> None:
        self.takers: dict[str, frozenset[str]] = {}
        """Queue -> who could ever take a live contact of it."""
        self._idle: dict[str, set[str]] = {}
        self._queues: dict[str, Queue] = {}
        self._of_topic: dict[str, Queue] = {}
        self._of_agent: dict[str, list[str]] = {}
        self._lanes: dict[str, set[LaneKey]] = {}

    def configured(self, state: State) -> None:
        """Other queues, topics or agents; each agent's change is told after."""
        topics = state.config.topics
        self._queues = {queue.id: queue for queue in state.config.queues if queue.quiet_free}
        self._of_topic = {topic.id: self._queues[topic.queue] for topic in topics if topic.queue in self._queues}
        self.takers = {
            id: frozenset(
                agent.id
                for agent in state.config.agents
                if _live(state, agent)
                and any(topic.queue == id and not missing_skill(agent, topic.needs) for topic in topics)
            )
            for id in self._queues
        }
        self._idle = {id: set() for id in self._queues}
        self._of_agent = {
            agent.id: [id for id in self._queues if agent.id in self.takers[id]] for agent in state.config.agents
        }
        self._lanes = {id: set() for id in self._queues}
        for key in state.index.lanes.lanes():
            self.came(key)

    def came(self, key: LaneKey) -> None:
        """Somebody waits in this lane now."""
        if key[0] in WRITTEN_CHANNELS and key[2] in self._of_topic:
            self._lanes[self._of_topic[key[2]].id].add(key)

    def went(self, key: LaneKey) -> None:
        """Nobody waits there any more."""
        if key[0] in WRITTEN_CHANNELS and key[2] in self._of_topic:
            self._lanes[self._of_topic[key[2]].id].discard(key)

    def changed(self, agent: str, idle: bool) -> set[LaneKey]:
        """The agent has nothing in hand, or has; gives the lanes of which work may go its way now."""
        again: set[LaneKey] = set()
        for id in self._of_agent[agent]:
            free = self._idle[id]
            if not idle:
                free.discard(agent)
            elif agent not in free:
                free.add(agent)
                if len(free) == self._queues[id].quiet_free + 1:
                    again |= self._lanes[id]
        return again

    def until(self, contact: ContactState) -> int:
        """Until when the contact can be held back, in ms; 0 = it cannot."""
        queue = self._of_topic.get(contact.topic)
        if queue is None or contact.channel not in WRITTEN_CHANNELS or contact.tier == 0:
            return 0
        return contact.received_at + queue.quiet_seconds * 1000

    def kept_from(self, contact: ContactState, now: int) -> frozenset[str]:
        """Those who are not asked for the contact now, because too few would be left for calls and chats."""
        if not self._of_topic or now >= self.until(contact):
            return NOBODY
        queue = self._of_topic[contact.topic]
        return self.takers[queue.id] if len(self._idle[queue.id]) <= queue.quiet_free else NOBODY

    def outside(self, crew: Crew) -> frozenset[str]:
        """The members of the crew who could take no live contact of the queue."""
        return frozenset(crew.ranks) - self.takers[crew.queue.id] if crew.queue.id in self.takers else NOBODY


def _live(state: State, agent: Agent) -> bool:
    room = state.index.capacity(agent.id).room(())
    return not LIVE_CHANNELS.isdisjoint(room if agent.endpoint else room - {"phone"})
