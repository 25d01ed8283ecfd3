"""PURE  What visitors may know, folded from the facts: their chat, its messages, their place, and who can help."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from router.engine import facts
from router.nouns import Centre, Municipality

KEEP_ENDED_MS = 3_600_000
"""An ended chat can be read back by its visitor for this long."""
ENDED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One message as the visitor may see it. `number` counts what the visitor sees: internal notes have none."""

    number: int
    message: str
    author: str
    ref: str
    by: str
    at: int


@dataclass(slots=True)
class Chat:
    """One chat. `state` is the visitor's: waiting, active or ended."""

    contact: str
    fact: int
    """Number of its first fact: breaks ties in the queue."""
    municipality: str
    source_key: str
    received_at: int
    state: str = "waiting"
    language: str = "nl"
    queue: str = ""
    tier: int = 0
    rank: int = 0
    position: int = 0
    """1 = next; 0 = not in a queue (yet)."""
    agent: str = ""
    helped: bool = False
    """An agent took it: whether the question was answered can be asked."""
    answered: bool | None = None
    """What the visitor said to that."""
    lines: list[Line] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    """Message id -> number."""

    def place(self) -> tuple[int, int, int]:
        return self.tier, self.rank, self.fact


class OpenChats:
    """The fold. `apply` each fact once, in order; `settle` after each batch gives the chats that look different now."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.number = 0
        self.chats: dict[str, Chat] = {}
        """Open ones, and those that ended less than an hour ago."""
        self.census_pending = False
        self._sources: dict[str, str] = {}
        self._ended: OrderedDict[str, int] = OrderedDict()
        self._queues: dict[str, set[str]] = {}
        self._shuffled: set[str] = set()
        self._changed: set[str] = set()
        self._presence: dict[str, str] = {}
        self._lost: set[str] = set()

    # -- questions --------------------------------------------------------------------------------------------

    def open(self) -> list[Chat]:
        return [chat for chat in self.chats.values() if chat.state != "ended"]

    def started_with(self, source_key: str) -> Chat | None:
        """The chat that was started with this key."""
        return self.chats.get(self._sources.get(source_key, ""))

    def waiting(self) -> int:
        """How many visitors wait, in all queues together."""
        return sum(len(members) for members in self._queues.values())

    def agents_ready(self, municipality: Municipality) -> bool:
        """Whether somebody who may take this municipality's contacts is ready and connected."""
        return any(
            self._presence.get(agent.id) == "ready"
            and agent.id not in self._lost
            and all(agent.skills.get(skill, 0) >= level for skill, level in municipality.needs.items())
            for agent in self.centre.agents
        )

    def first_name(self, agent: str) -> str:
        """What citizens call an agent; empty for one who has left the roster."""
        found = self.centre.agent(agent)
        return found.first_name if found else ""

    # -- folding ----------------------------------------------------------------------------------------------

    def apply(self, number: int, at: int, fact: facts.Fact) -> None:
        self.number = number
        handler = _HANDLERS.get(type(fact))
        if handler is not None:
            handler(self, fact, number, at)
        while self._ended and (len(self._ended) > ENDED_MAX or next(iter(self._ended.values())) < at - KEEP_ENDED_MS):
            self._drop(next(iter(self._ended)))

    def settle(self) -> set[str]:
        """Work out places again; gives the contacts whose visitors have something new to see since the last time."""
        for queue in self._shuffled:
            members = self._queues.get(queue, set())
            for position, contact in enumerate(sorted(members, key=lambda c: self.chats[c].place()), 1):
                if self.chats[contact].position != position:
                    self.chats[contact].position = position
                    self._changed.add(contact)
        self._shuffled.clear()
        changed, self._changed = self._changed, set()
        return changed

    def close(self, contact: str) -> None:
        """The chat is over for its visitor, whatever the agent still does with it."""
        chat = self.chats.get(contact)
        if chat is not None:
            self._leave_queue(chat)
            chat.state = "ended"
            self._changed.add(contact)

    def _leave_queue(self, chat: Chat) -> None:
        members = self._queues.get(chat.queue)
        if members is not None and chat.contact in members:
            members.remove(chat.contact)
            self._shuffled.add(chat.queue)
            if not members:
                del self._queues[chat.queue]
        chat.position = 0

    def _join_queue(self, chat: Chat, fact: Any) -> None:
        self._leave_queue(chat)
        chat.queue, chat.tier, chat.rank = fact.queue, fact.tier, fact.rank
        chat.state, chat.agent = "waiting", ""
        self._queues.setdefault(chat.queue, set()).add(chat.contact)
        self._shuffled.add(chat.queue)
        self._changed.add(chat.contact)

    def _drop(self, contact: str) -> None:
        self._ended.pop(contact, None)
        chat = self.chats.pop(contact, None)
        if chat is not None:
            self._leave_queue(chat)
            self._sources.pop(chat.source_key, None)

    # -- one method a fact ------------------------------------------------------------------------------------

    def _configured(self, fact: facts.CentreConfigured, number: int, at: int) -> None:
        self.centre = fact.centre

    def _started(self, fact: facts.CentreStarted, number: int, at: int) -> None:
        self.census_pending = "chat" in fact.census

    def _census_taken(self, fact: facts.CensusTaken, number: int, at: int) -> None:
        if fact.channel == "chat":
            self.census_pending = False

    def _received(self, fact: facts.ContactReceived, number: int, at: int) -> None:
        if fact.channel == "chat":
            self.chats[fact.contact] = Chat(fact.contact, number, fact.municipality, fact.source_key, at)
            self.chats[fact.contact].language = fact.language
            self._sources[fact.source_key] = fact.contact
            self._changed.add(fact.contact)

    def _queued(self, fact: facts.ContactQueued | facts.ContactReturned, number: int, at: int) -> None:
        chat = self.chats.get(fact.contact)
        if chat is not None and chat.state != "ended":
            self._join_queue(chat, fact)

    def _replaced(self, fact: facts.WaitExceeded | facts.PriorityChanged, number: int, at: int) -> None:
        chat = self.chats.get(fact.contact)
        if chat is not None and (chat.tier, chat.rank) != (fact.tier, fact.rank):
            chat.tier, chat.rank = fact.tier, fact.rank
            self._shuffled.add(chat.queue)

    def _answered(self, fact: facts.OfferAccepted | facts.AnswerAdopted, number: int, at: int) -> None:
        chat = self.chats.get(fact.contact)
        if chat is not None and chat.state != "ended":
            self._leave_queue(chat)
            chat.state, chat.agent, chat.helped = "active", fact.agent, True
            self._changed.add(chat.contact)

    def _over(self, fact: facts.ConversationEnded | facts.ContactEnded, number: int, at: int) -> None:
        if fact.contact in self.chats:
            self.close(fact.contact)
            self._ended[fact.contact] = at
            self._ended.move_to_end(fact.contact)

    def _citizen_answered(self, fact: facts.CitizenAnswered, number: int, at: int) -> None:
        chat = self.chats.get(fact.contact)
        if chat is not None:
            chat.answered = fact.answered
            self._changed.add(chat.contact)

    def _forgotten(self, fact: facts.ContactForgotten, number: int, at: int) -> None:
        self._drop(fact.contact)

    def _message(self, fact: facts.MessageAdded, number: int, at: int) -> None:
        chat = self.chats.get(fact.contact)
        if chat is not None and fact.author != "note":
            line = Line(len(chat.lines) + 1, fact.message, fact.author, fact.ref, fact.by, at)
            chat.lines.append(line)
            chat.numbers[fact.message] = line.number
            self._changed.add(chat.contact)

    def _presence_changed(self, fact: facts.PresenceChanged, number: int, at: int) -> None:
        self._presence[fact.agent] = fact.presence

    def _agent_lost(self, fact: facts.AgentLost, number: int, at: int) -> None:
        self._lost.add(fact.agent)

    def _agent_regained(self, fact: facts.AgentRegained, number: int, at: int) -> None:
        self._lost.discard(fact.agent)


_HANDLERS: dict[type, Callable[[OpenChats, Any, int, int], None]] = {
    facts.CentreConfigured: OpenChats._configured,
    facts.CentreStarted: OpenChats._started,
    facts.CensusTaken: OpenChats._census_taken,
    facts.ContactReceived: OpenChats._received,
    facts.ContactQueued: OpenChats._queued,
    facts.ContactReturned: OpenChats._queued,
    facts.WaitExceeded: OpenChats._replaced,
    facts.PriorityChanged: OpenChats._replaced,
    facts.OfferAccepted: OpenChats._answered,
    facts.AnswerAdopted: OpenChats._answered,
    facts.ConversationEnded: OpenChats._over,
    facts.ContactEnded: OpenChats._over,
    facts.CitizenAnswered: OpenChats._citizen_answered,
    facts.ContactForgotten: OpenChats._forgotten,
    facts.MessageAdded: OpenChats._message,
    facts.PresenceChanged: OpenChats._presence_changed,
    facts.AgentLost: OpenChats._agent_lost,
    facts.AgentRegained: OpenChats._agent_regained,
}
