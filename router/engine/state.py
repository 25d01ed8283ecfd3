"""What is true in one contact centre: plain data, folded from its facts, with derived indexes beside it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from router.engine.index import Index
from router.nouns import Calamity, Centre, Closing, Estimates
from router.nouns_callbacks import CallbackPlan
from router.queues.lanes import LaneKey, lane_key
from router.queues.order import Place
from router.skills.policies import occupancy

AT_WORK = 1 << 50
"""Later than any moment in ms."""
NOTHING_YET: dict[str, int] = {}
"""Shared by all contacts that have nothing there, and so never written into: 128 bytes less a contact."""
NO_PARTICIPANTS: dict[str, str] = {}
"""The same, for those whom nobody else takes part in."""
RECORDED = frozenset({"on", "paused"})
"""A recording is going on, perhaps with a pause in it."""


@dataclass(slots=True)
class ContactState:
    """One open contact."""

    id: str
    number: int
    """Of the fact by which it was received: ties in order are broken by it."""
    channel: str
    municipality: str
    source_key: str
    citizen: str
    language: str
    hints: tuple[str, ...]
    received_at: int
    state: str = "intake"
    since: int = 0
    queued_at: int = 0
    """When it first came into a queue, in ms: norms count from then."""
    topic: str = ""
    further: tuple[str, ...] = ()
    """Topics of the questions besides the one it is routed by."""
    queue: str = ""
    needs: dict[str, int] = field(default_factory=dict)
    tier: int = 0
    rank: int = 0
    priority: int = 0
    """Its own, given by a supervisor; 0 = its queue's."""
    in_queue_since: int = 0
    """When it came into its queue, in ms: widening and ways out count from then."""
    step: int = 0
    """How many steps of widening it has had in its queue."""
    ways: tuple[str, ...] = ()
    """The ways out that it has taken."""
    owner: str = ""
    offer: str = ""
    offers: int = 0
    remind_at: int = 0
    reminders: int = 0
    wanted_agent: str = ""
    wanted_until: int = 0
    preferred: bool = False
    """Wanted because of what went before, and so only as long as that agent is there."""
    linked_to: str = ""
    again_at: dict[str, int] = field(default_factory=lambda: NOTHING_YET)
    """Agent -> not asked again before this moment."""
    participants: dict[str, str] = field(default_factory=lambda: NO_PARTICIPANTS)
    """Colleague -> consulted or conferenced, beside the owner."""
    supervisors: dict[str, str] = field(default_factory=lambda: NO_PARTICIPANTS)
    """Who listens, whispers or barges -> how."""
    joined_at: int = 0
    """When the last of them came in, in ms."""
    reserved_until: int = 0
    """Kept for a better agent until then; 0 = never was."""
    held_since: int = 0
    """Since when its owner has the citizen on hold, in ms; 0 = they have not."""
    outside: str = ""
    """The destination it is, or was, put through to; "number" = one that was typed."""
    outside_state: str = ""
    """ringing or talking (the owner asks first), through, or "": it is not."""
    outside_until: int = 0
    """When it is taken back unless somebody has answered there, in ms."""
    due_at: int = 0
    extensions: int = 0
    """How often the wrap-up was extended."""
    messages: dict[str, int] = field(default_factory=lambda: NOTHING_YET)
    """Message id -> its number."""
    promise: str = ""
    """The follow-up that this callback is to keep."""
    dials: int = 0
    """How often its owner and the citizen were to be connected."""
    dialling: str = ""
    """dialling, reached, or "": no telephone is in it."""
    dialled_at: int = 0
    dial_lapses_at: int = 0
    pbx: str = ""
    """On which of several PBXs the call is up."""
    recording: str = ""
    """announced, on, paused, dropped, or "": the citizen has not been told of any."""
    recordings: int = 0
    """How many have been started."""
    recorded: tuple[str, ...] = ()
    """What of them is in the vault: references of their parts."""

    @property
    def world(self) -> str:
        """Whose census tells of it: its channel's, or that of one PBX."""
        return f"{self.channel}@{self.pbx}" if self.pbx else self.channel

    @property
    def place(self) -> Place:
        return self.tier, self.rank, self.number

    def lane(self, at: int) -> LaneKey:
        """Where it waits from `at` (ms) on; look again when it is no longer kept for one colleague."""
        wanted = self.wanted_agent if self.wanted_until > at else ""
        return lane_key(self.channel, self.needs, self.topic, wanted, self.step)


@dataclass(slots=True)
class EndedContact:
    """What is remembered of a contact that has ended, so that its source is recognised."""

    source_key: str
    ended_at: int
    forget_at: int
    agent: str = ""
    """Who dealt with it."""


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Recordings of one contact that have begun, and are not in the vault."""

    municipality: str
    world: str
    """Of the PBX that records."""
    numbers: tuple[int, ...] = ()


@dataclass(slots=True)
class Matter:
    """Who dealt with a citizen's topic last, and when (ms)."""

    agent: str
    at: int


@dataclass(slots=True)
class OfferState:
    id: str
    contact: str
    agent: str
    state: str
    offered_at: int
    lapses_at: int
    purpose: str = "answer"


@dataclass(slots=True)
class AgentState:
    id: str
    presence: str = "signed_off"
    reason: str = ""
    connection: str = "connected"
    return_at: int = 0
    idle_since: int = 0
    """Since when the agent has nothing in hand, in ms."""
    load: dict[str, str] = field(default_factory=dict)
    """Contact -> reserved or in_hand."""
    on_since: int = 0
    """When the agent signed on, in ms."""
    busy_since: int = 0
    """Since when there is something in hand or offered, in ms; 0 = there is nothing."""
    busy_ms: int = 0
    """How long there was, since signing on, up to `busy_since`."""
    after_work_until: int = 0
    """Until when a transferred call keeps the agent from being asked, in ms; 0 = it does not."""
    telephone: str = "free"
    """free (also in a call of ours, or without any), elsewhere or unregistered."""

    @property
    def turn(self) -> int:
        """Order among equals, lowest first: idle longest, and whoever has something in hand after all who have not."""
        return AT_WORK + self.busy_since if self.busy_since else self.idle_since

    @property
    def occupancy(self) -> int:
        """Share of the time since signing on with something in hand, in 1/10,000, when that last began or ended."""
        return occupancy(self.busy_ms, (self.busy_since or self.idle_since) - self.on_since)


@dataclass(slots=True)
class FollowUpState:
    id: str
    contact: str
    state: str
    due_at: int
    owner_agent: str
    owner_queue: str
    citizen: str = ""
    municipality: str = ""
    plan: CallbackPlan | None = None
    call_at: int = 0
    """When its callback is made, in ms; 0 = it was, or there is none to come."""
    tries: int = 0
    """How often the citizen was not reached."""
    calling: str = ""
    """The callback that was made last."""


@dataclass(slots=True)
class OutgoingState:
    """A message that must go out and is not settled yet."""

    contact: str
    number: int
    channel: str
    ref: str
    status: str


@dataclass(slots=True)
class Books:
    """The balance of one channel: received = the five open states + ended."""

    received: int = 0
    intake: int = 0
    waiting: int = 0
    offered: int = 0
    active: int = 0
    wrap_up: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    """Reason -> how many."""

    @property
    def balanced(self) -> bool:
        open_now = self.intake + self.waiting + self.offered + self.active + self.wrap_up
        return self.received == open_now + sum(self.ended.values())

    def move(self, before: str, after: str) -> None:
        """Count a contact out of one open state and into another ("" = not an open state)."""
        for state, step in ((before, -1), (after, 1)):
            if state:
                setattr(self, state, getattr(self, state) + step)


@dataclass
class State:
    """The whole of one centre. `index` is derived and outside the hash."""

    number: int = 0
    at: int = 0
    version: str = ""
    started_at: int = 0
    """When the process that runs the centre began."""
    centre: Centre | None = None
    worlds: list[str] = field(default_factory=list)
    """What tells by censuses what is up: the desks, the chat, each PBX."""
    census_pending: list[str] = field(default_factory=list)
    """Those whose census is still to come."""
    contacts: dict[str, ContactState] = field(default_factory=dict)
    ended: dict[str, EndedContact] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    offers: dict[str, OfferState] = field(default_factory=dict)
    agents: dict[str, AgentState] = field(default_factory=dict)
    follow_ups: dict[str, FollowUpState] = field(default_factory=dict)
    """Open and overdue ones."""
    closings: dict[str, Closing] = field(default_factory=dict)
    """`<municipality>|<channel>` -> what a supervisor has closed."""
    calamities: dict[str, Calamity] = field(default_factory=dict)
    """Municipality -> the message that is on."""
    outgoing: dict[str, OutgoingState] = field(default_factory=dict)
    """`<contact>/<number>` -> a message under way."""
    recordings: dict[str, Unsaved] = field(default_factory=dict)
    """By contact, open or ended."""
    books: dict[str, Books] = field(default_factory=dict)
    estimates: Estimates | None = None
    estimates_version: str = ""
    estimates_off: list[tuple[str, str]] = field(default_factory=list)
    """(topic, agent) that are switched off, in order; ("", "") = all, (topic, "") = everybody's on that topic."""
    answers: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """Contact -> what its citizen said (answered, mark), until the contact is forgotten."""
    overtakers: dict[str, list[Place]] = field(default_factory=dict)
    """Lane -> places of those who went before somebody still waiting in it, in order."""

    live_since: dict[str, int] = field(default_factory=dict)
    """Queue -> offers of live contacts since the last callback, as far as they are counted."""
    matters: dict[str, Matter] = field(default_factory=dict)
    """`<citizen>|<topic>` -> who dealt with it, oldest first; as long as a repeat counts as one."""
    stranded: dict[str, str] = field(default_factory=dict)
    """Lane -> why nobody is there for those who wait in it."""

    def __post_init__(self) -> None:
        self.index: Index = Index()

    def unseen(self, contact: ContactState) -> bool:
        """Whether it is not known now what has become of it: its world's census is still to come."""
        return bool(self.census_pending) and contact.world in self.census_pending

    @property
    def config(self) -> Centre:
        """The configuration in force; there must be one."""
        if self.centre is None:
            raise AssertionError("no configuration is in force")
        return self.centre


def canonical(state: State) -> bytes:
    """The state as bytes: the same facts always give the same."""

    def fold(value: Any) -> Any:
        if dataclasses.is_dataclass(value):
            return {f.name: fold(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if isinstance(value, dict):
            return {str(k): fold(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [fold(v) for v in value]
        return value

    return json.dumps(fold(state), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def state_hash(state: State) -> str:
    return sha256(canonical(state)).hexdigest()
