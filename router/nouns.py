"""Ids and frozen values that everybody may use: channel, municipality, topic, queue, agent, centre.

Ids are plain strings: a contact is `c-…`, made by the shell that takes it in; an offer is
`<contact>-<n>`, a follow-up `f-…`. Times are UTC milliseconds since 1970; durations are seconds,
and say so in their names. A *reference* (`…_ref`) points into the vault and says nothing by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from router.nouns_callbacks import CallbackRules
from router.nouns_telephone import Recording, Telephone

CHANNELS: tuple[str, ...] = ("phone", "email", "chat", "post", "counter", "callback")
LIVE_CHANNELS: frozenset[str] = frozenset({"phone", "chat", "counter"})
"""Channels with a person waiting at the other end; the rest is written work."""
BY_TELEPHONE: frozenset[str] = frozenset({"phone", "callback"})
"""Channels for which an agent's telephone rings."""
WRITTEN_CHANNELS: frozenset[str] = frozenset({"email", "post"})
"""Channels of which the work can lie still, and fills quiet minutes."""

CLOSABLE_CHANNELS: tuple[str, ...] = ("phone", "chat", "counter")
"""What a supervisor can close at once; what is written is always taken."""
CLOSING_REASONS: tuple[str, ...] = ("outage", "staffing", "incident", "evacuation", "other")

EXTENSIONS_MAX = 10
"""How often a wrap-up can be extended: a time limit that people can move (WCAG 2.2.1)."""

DESTINATIONS: tuple[str, ...] = ("government", "organisation", "colleague")
"""Whom a call may be put through to outside the centre."""
TYPED = "number"
"""Instead of a destination: a number that was typed."""

SUPERVISION: tuple[str, ...] = ("listen", "whisper", "barge")
"""How a supervisor takes part in a call: heard by nobody, by the agent alone, or by both."""

LANGUAGES: tuple[str, ...] = ("nl", "en")

OFFICE = "office"
"""Among the hours of a municipality: when its staff work, for channels that never close."""

POLICIES: tuple[str, ...] = ("longest-idle", "skill-level", "resolution")
"""How a queue chooses who is asked."""
LEARNING: tuple[str, ...] = ("off", "team", "person")
"""What estimates may rest on: levels set by people; outcomes per level of the team; outcomes per person."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours of one channel: per weekday (0 = Monday) a list of (from, to) in minutes of the local day."""

    open: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    always: bool = False
    """Open at every moment: digital channels take contacts in at any time."""
    special: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """ISO date -> the intervals of that day, instead of all else: special days with other hours."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller who waits stands."""

    place: int
    """1 = next."""
    wait_seconds: int | None
    """Expected still; None = not known."""


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality of the shared contact centre."""

    id: str
    name: str
    entry_points: tuple[str, ...]
    """14+ numbers and other public numbers, digits only, as citizens dial them: `140591`."""
    greeting: dict[str, str]
    """Spoken greeting per language."""
    hours: dict[str, Hours]
    """Per channel, and for `OFFICE`; a channel that is absent is always open."""
    calamity: dict[str, str] = field(default_factory=dict)
    """Message per language that stands ready; a supervisor switches it on and off."""
    holidays: tuple[str, ...] = ()
    """Closed days, ISO dates, expanded when the configuration is read."""
    email_from: str = ""
    supervision_shown: bool = True
    """Whether agents see it at their desk when a supervisor listens to their call."""
    needs: dict[str, int] = field(default_factory=dict)
    """Skills (and levels) that every contact of this municipality asks of an agent."""
    targets: dict[str, dict[str, QueueTarget]] = field(default_factory=dict)
    """Queue -> channel -> its own norm, where it differs from the queue's."""
    telephone: Telephone = field(default_factory=Telephone)
    recording: Recording = field(default_factory=Recording)


@dataclass(frozen=True, slots=True)
class Closing:
    """A channel of a municipality that a supervisor has closed, whatever its opening hours say."""

    municipality: str
    channel: str
    reason: str
    """One of `CLOSING_REASONS`."""
    by: str
    since: int
    until: int
    """In ms; 0 = until somebody opens it."""


@dataclass(frozen=True, slots=True)
class Calamity:
    """The message that a municipality gives before anything else."""

    texts: dict[str, str]
    """Per language; empty = the configured text."""
    by: str
    since: int


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject of the products and services catalogue, and what an agent needs to settle it."""

    id: str
    title: dict[str, str]
    queue: str
    needs: dict[str, int]
    """Skill -> lowest level (1 to 5) that may be offered the contact."""


@dataclass(frozen=True, slots=True)
class Question:
    """One of the questions of a contact: a topic, and whether it was settled."""

    topic: str
    resolved: bool | None = None
    """None: nobody said, or it was not asked after all."""


@dataclass(frozen=True, slots=True)
class QueueTarget:
    """A published norm for one channel of a queue: one of `seconds`, `working_hours` and `working_days` is above 0."""

    seconds: int
    """Answer (or first reply) within this time."""
    share: float
    """Share of contacts for which that must hold, 0 to 1."""
    working_hours: int = 0
    """Within so many hours in which the municipality works on what is written."""
    working_days: int = 0
    """Before the doors close on this working day after the day of arrival."""


@dataclass(frozen=True, slots=True)
class QueueLimit:
    """When one channel of a queue is full: nobody is put in it any more, and whoever comes is told so at once."""

    waiting_max: int = 0
    """So many wait already; 0 = no limit."""
    wait_seconds_max: int = 0
    """The one who came first has waited this long; 0 = no limit."""


@dataclass(frozen=True, slots=True)
class Widening:
    """One step by which needs are relaxed; it says nothing about skills that a contact does not ask."""

    after_seconds: int
    """Of waiting in the queue."""
    lower: dict[str, int] = field(default_factory=dict)
    """Skill -> levels taken off what is asked; at least 1 is asked still."""
    drop: tuple[str, ...] = ()
    """Skills not asked any more."""
    replace: dict[str, str] = field(default_factory=dict)
    """Skill -> the skill asked in its place, at the same level: the second line for the first."""


WAYS_OUT: tuple[str, ...] = ("queue", "neighbour", "callback", "voicemail", "message")
"""Where overflow leads: another queue, another contact centre, a callback that keeps the place, a message that the
caller leaves, a message that they are told."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """One way out of a queue, for a contact that waits there when its condition holds. Exactly one condition is set."""

    kind: str
    """One of `WAYS_OUT`."""
    to: str = ""
    """Queue, neighbour or message; empty for a callback and for voicemail."""
    channels: tuple[str, ...] = ()
    """Only for these; empty = for all that can go this way."""
    after_seconds: int = 0
    """It has waited this long in the queue; 0 = no condition."""
    nobody: bool = False
    """Nobody who is signed on could take it, and be reached."""
    waiting_above: int = 0
    """When it came in, more than this many waited in the queue; 0 = no condition."""
    expected_above_seconds: int = 0
    """When it came in, a longer wait than this was expected; 0 = no condition."""

    @property
    def on_arrival(self) -> bool:
        """Whether it is judged once, when the contact comes into the queue."""
        return bool(self.waiting_above or self.expected_above_seconds)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another contact centre that takes over what this one cannot answer."""

    id: str
    title: dict[str, str]
    number: str
    """To dial, digits only; empty = it takes no calls."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Somebody outside the centre to whom an agent may put a call through: another government body, say."""

    id: str
    title: dict[str, str]
    number: str
    """To dial, digits only."""
    kind: str = "government"
    """One of `DESTINATIONS`."""
    shows: str = "municipality"
    """Whose number the other side sees: the municipality's, or the citizen's where the carrier allows it."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A line in which contacts of any channel wait together."""

    id: str
    title: dict[str, str]
    targets: dict[str, QueueTarget]
    """Per channel."""
    priority: int = 5
    """1 is most urgent, 9 least; each step is worth `Centre.priority_step_seconds` of waiting."""
    wrap_up_seconds: int = 60
    """Wrap-up ends by itself after this time, marked as such; 0 = it waits for the agent."""
    policy: str = "skill-level"
    """One of `POLICIES`."""
    reserve_seconds: int = 0
    """`resolution` may keep a contact this long, once, for a better agent while another is free; 0 = never."""
    overtaken_max: int = 10
    """`resolution` lets at most this many later contacts of the queue go before one whom the agent could have taken."""
    fairness_percent: int = 85
    """`resolution` takes this share of an agent's own occupancy off the score: 0 = work goes where it is best done."""
    limits: dict[str, QueueLimit] = field(default_factory=dict)
    """Per live channel."""
    widening: tuple[Widening, ...] = ()
    """In the order in which they come."""
    floor: dict[str, int] = field(default_factory=dict)
    """Skill -> level that widening leaves alone: never lower (if it was not), never dropped, never replaced."""
    overflow: tuple[WayOut, ...] = ()
    """In the order in which they are tried; each is taken at most once by a contact."""
    preferred_seconds: int = 0
    """Who dealt with the citizen's matter before is asked first for this long, if there and reachable; 0 = not."""
    citizen_first: bool = False
    """A callback rings the citizen first, and the agent's phone once they have answered; else the other way round."""
    quiet_free: int = 0
    """Written work is held back while no more than this many who could take its live contacts have nothing in hand."""
    quiet_seconds: int = 14_400
    """It is held back at most this long after it came in, and never past its target."""


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """How long an offer of one channel stands, and what its work gives way to."""

    offer_seconds: int = 20
    interrupted_by: tuple[str, ...] = ()
    """Channels that may be offered over work of this one: it is parked while such a contact is in hand."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of staff who takes contacts."""

    id: str
    name: str
    """Shown to colleagues; citizens see `first_name`."""
    first_name: str
    skills: dict[str, int]
    """Skill -> level, 1 (learning) to 5 (expert)."""
    endpoint: str = ""
    """Telephone at the PBX, `a1`; empty = no phone, no calls."""
    combinations: tuple[dict[str, int], ...] = ()
    """What this agent may have at once, where it differs from the centre's."""


@dataclass(frozen=True, slots=True)
class ClassifyRule:
    """`when` all hints are present, the contact is about `topic`. The first rule that fits decides."""

    when: tuple[str, ...]
    topic: str


@dataclass(frozen=True, slots=True)
class Centre:
    """The whole configuration in force of one contact centre; it enters the journal as one fact."""

    id: str
    name: str
    time_zone: str
    municipalities: tuple[Municipality, ...]
    topics: tuple[Topic, ...]
    queues: tuple[Queue, ...]
    agents: tuple[Agent, ...]
    channels: dict[str, ChannelRules]
    classification: tuple[ClassifyRule, ...]
    default_topic: str
    skills: tuple[str, ...]
    language_needs: dict[str, dict[str, int]] = field(default_factory=dict)
    """Language -> needs added for a contact in that language."""
    pause_reasons: dict[str, dict[str, str]] = field(default_factory=dict)
    """Reason -> title per language."""
    priority_step_seconds: int = 120
    retry_seconds: int = 30
    """Who declined or missed a contact is not asked again for it within this time."""
    handover_seconds: int = 60
    """How long a contact handed to one agent waits for that agent alone."""
    absence_seconds: int = 120
    """Written and chat contacts of an agent whose connection is lost go back to their queue after this."""
    learning: str = "off"
    """One of `LEARNING`: estimates that rest on more are refused."""
    learning_reason: str = ""
    """Why `person` is on; without it, it is not."""
    learning_hour: int = 3
    """Local hour of the day, 0 to 23, at which estimates are made anew: a quiet one."""
    remember_days: int = 30
    """Ended contacts are recognised when the same source offers them again for this long."""
    repeat_days: int = 7
    """The same citizen with the same topic within this time comes back with the same matter."""
    neighbours: tuple[Neighbour, ...] = ()
    destinations: tuple[Destination, ...] = ()
    outside_prefixes: tuple[str, ...] = ()
    """With what a number that an agent types may begin, `+31…`; empty = none may be typed."""
    outside_seconds: int = 30
    """How long it rings there before the call comes back."""
    messages: dict[str, dict[str, str]] = field(default_factory=dict)
    """Message -> text per language: shown in a chat; on the telephone the recording of that name is played."""
    combinations: tuple[dict[str, int], ...] = ()
    """What an agent may have at once: each says how many of each channel go together."""
    callbacks: CallbackRules = field(default_factory=CallbackRules)

    def municipality(self, id: str) -> Municipality | None:
        return next((m for m in self.municipalities if m.id == id), None)

    def topic(self, id: str) -> Topic | None:
        return next((t for t in self.topics if t.id == id), None)

    def queue(self, id: str) -> Queue | None:
        return next((q for q in self.queues if q.id == id), None)

    def neighbour(self, id: str) -> Neighbour | None:
        return next((n for n in self.neighbours if n.id == id), None)

    def destination(self, id: str) -> Destination | None:
        return next((d for d in self.destinations if d.id == id), None)

    def agent(self, id: str) -> Agent | None:
        return next((a for a in self.agents if a.id == id), None)


@dataclass(frozen=True, slots=True)
class TopicEstimate:
    """What is expected of one topic, per agent who may take it; chances in 1/10,000."""

    chance: dict[str, int]
    """Agent -> chance that the contact is settled in one go."""
    seconds: dict[str, int]
    """Agent -> handling time, wrap-up included."""
    answered: dict[str, int] = field(default_factory=dict)
    """Agent -> number of contacts the chance rests on; empty where no person is looked at."""
    price: int = 0
    """What one more contact of this topic would add with everybody's time at its price, in 1/10,000."""
    reserve: bool = False
    """The chances are measured and differ enough that waiting for a better agent can pay."""
    margin: dict[str, int] = field(default_factory=dict)
    """Agent -> half the width of the chance's 80% interval, in 1/10,000; empty where nothing was measured."""
    level_answered: dict[str, int] = field(default_factory=dict)
    """Level -> number of contacts that its mean rests on; empty where nothing was measured."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the learner has found; it enters the journal as one fact and replaces what was there."""

    basis: str
    """One of `LEARNING`."""
    topics: dict[str, TopicEstimate]
    prices: dict[str, int] = field(default_factory=dict)
    """Agent -> what a second of theirs is worth elsewhere, in millionths of a settled contact."""
    patience_seconds: int = 180
    """Mean time after which a waiting citizen gives up."""
    abandon_cost: int = 5_000
    """What a lost citizen weighs against a settled contact, in 1/10,000."""
