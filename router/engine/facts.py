"""What has happened. Facts are journalled, numbered from 1 without gaps, and never changed or pruned.

Each fact is one transition of one or more small state machines (tables.py). Facts hold ids, times and vault
references only, never a citizen's name, number, address or text. `VERSION` of a class grows when its fields change;
`wire.py` upcasts older ones when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.engine.facts_callback import CallbackDialled, CallbackFailed, CallbackPlanned, CallbackReached
from router.engine.facts_centre import (
    CalamityAnnounced,
    CalamityWithdrawn,
    CensusTaken,
    CentreConfigured,
    CentreStarted,
    ChannelClosed,
    ChannelLost,
    ChannelReopened,
)
from router.engine.facts_recording import (
    RecordingAnnounced,
    RecordingDropped,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RecordingStored,
)
from router.engine.facts_staff import (
    AgentLost,
    AgentRegained,
    FollowUpAssigned,
    FollowUpKept,
    FollowUpMade,
    FollowUpOverdue,
    PresenceChanged,
    TelephoneChanged,
)
from router.engine.facts_talk import (
    AfterWorkEnded,
    CallHeld,
    CallRejoined,
    CallRetrieved,
    ConferenceStarted,
    ContactTransferred,
    OutsideAnswered,
    OutsideConsulted,
    OutsideDialled,
    OutsideJoined,
    OutsideLeft,
    ParticipantLeft,
    SupervisionEnded,
    SupervisionSet,
)
from router.engine.facts_waiting import (
    LaneCleared,
    LaneStranded,
    NeedsWidened,
    PriorityChanged,
    WayOutTaken,
)
from router.nouns import Estimates, Question


@dataclass(frozen=True, slots=True)
class EstimatesPublished:
    """What the learner has found is what the matcher goes by from now on."""

    estimates: Estimates
    version: str


@dataclass(frozen=True, slots=True)
class EstimatesSwitched:
    """From now on the matcher goes by this estimate, or by the level's chance instead."""

    topic: str
    """Empty = all topics."""
    agent: str
    """Empty = everybody."""
    on: bool
    by: str
    why_ref: str


# -- contacts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactReceived:
    """-> intake"""

    contact: str
    channel: str
    municipality: str
    source_key: str
    entry_point: str
    citizen: str
    language: str
    content_ref: str
    hints: tuple[str, ...]
    linked_to: str
    promise: str = ""
    """The follow-up that a callback is to keep."""
    pbx: str = ""
    """On which of several PBXs the call is up."""


@dataclass(frozen=True, slots=True)
class ContactQueued:
    """intake -> waiting; waiting -> waiting when a supervisor moves it"""

    contact: str
    topic: str
    queue: str
    needs: dict[str, int]
    language: str
    tier: int
    """0 before 1: live channels and overdue written work go first."""
    rank: int
    """Order within the tier, lowest first: arrival in ms, earlier by the queue's priority."""
    remind_at: int
    """When the wait is noted as too long, in ms: at the norm, or after a while where there is none."""
    by: str = ""
    why_ref: str = ""
    further: tuple[str, ...] = ()
    """Topics of the questions besides the first."""
    due_at: int = 0
    """Until when it is answered within the norm that held when it was queued, in ms; 0 = it has none."""
    wanted_agent: str = ""
    """Who dealt with the matter before: asked first until `wanted_until` (ms), as long as they are there."""
    wanted_until: int = 0


@dataclass(frozen=True, slots=True)
class WaitExceeded:
    """waiting | offered: the target has passed (`times` = 1), then ever later reminders."""

    contact: str
    times: int
    tier: int
    rank: int
    remind_at: int


@dataclass(frozen=True, slots=True)
class ContactReserved:
    """waiting: kept for a better agent until `until` (ms) at the latest, though `agent` is free; once per contact."""

    contact: str
    until: int
    agent: str
    """The best of those who were free."""


@dataclass(frozen=True, slots=True)
class ContactReturned:
    """active -> waiting: handed over, agent or telephone lost, or put back on hold by the PBX. Keeps its arrival."""

    contact: str
    agent: str
    """Who had it."""
    reason: str
    """handed_over, not_passed_on (nobody answered outside), agent_lost, phone_lost or held"""
    topic: str
    queue: str
    needs: dict[str, int]
    tier: int
    rank: int
    remind_at: int
    wanted_agent: str = ""
    """For this agent alone until `wanted_until`."""
    wanted_until: int = 0
    again_at: int = 0
    """The former agent is not asked again for it before then, in ms."""
    note_ref: str = ""
    further: tuple[str, ...] = ()
    """Topics of the questions besides the one it is routed by."""


@dataclass(frozen=True, slots=True)
class QuestionAdded:
    """active | wrap_up: the citizen asks something else as well."""

    contact: str
    number: int
    """2, 3 …: the first question is the contact's own topic."""
    topic: str
    by: str


@dataclass(frozen=True, slots=True)
class WorkParked:
    """active | wrap_up: it lies still with its owner while a contact that goes before it is in hand."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class WorkResumed:
    """active | wrap_up: what it gave way to is over."""

    contact: str
    agent: str
    due_at: int
    """In wrap-up: it finishes by itself then, in ms; 0 = never, or no wrap-up."""


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """active -> wrap_up"""

    contact: str
    agent: str
    reason: str
    """agent (finished it), passed_on (somebody outside has answered), or the reason of `EndContact`"""
    due_at: int
    """Wrap-up finishes by itself then, in ms; 0 = never."""


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """Wrap-up finishes by itself at `due_at`, later than it would have."""

    contact: str
    due_at: int


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """any open state -> ended"""

    contact: str
    reason: str
    """handled, abandoned, citizen_left, gone, closed_hours, full, flood, calamity, technical, duplicate, robot, closed,
    callback (is called back), passed_on (to another contact centre, or put through to somebody outside), not_reached,
    voicemail, kept (the promise, otherwise)"""
    agent: str = ""
    """The owner at the end, or empty."""
    topic: str = ""
    resolved: bool | None = None
    """The agent's own answer to "in één keer goed", for all questions together; None when nobody said."""
    automatic: bool = False
    """Wrap-up ran out of time."""
    note_ref: str = ""
    by: str = ""
    why_ref: str = ""
    questions: tuple[Question, ...] = ()
    """Where there was more than one: each with its own answer, first the one of `topic`."""

    @property
    def outcomes(self) -> tuple[Question, ...]:
        """Every question of the contact with its answer."""
        return self.questions or (Question(self.topic, self.resolved),)


@dataclass(frozen=True, slots=True)
class CitizenAnswered:
    """wrap_up | ended: the citizen said whether the question was answered. A second time it only adds the mark."""

    contact: str
    answered: bool
    mark: int = 0
    """1 to 10; 0 = none given."""


@dataclass(frozen=True, slots=True)
class ContactForgotten:
    """An ended contact whose time of recognition is over leaves the state (never the journal)."""

    contact: str


@dataclass(frozen=True, slots=True)
class MessageAdded:
    contact: str
    number: int
    """1, 2, 3 … within the contact."""
    message: str
    author: str
    ref: str
    by: str
    deliver: bool


@dataclass(frozen=True, slots=True)
class DeliveryNoted:
    contact: str
    number: int
    status: str
    detail: str


# -- offers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactOffered:
    """waiting -> offered; active -> active for a consult. The agent is reserved by this same fact."""

    offer: str
    contact: str
    agent: str
    purpose: str
    """answer, or consult: the owner of a call asks a colleague"""
    expires_at: int
    lapses_at: int
    """When the engine itself ends it; later than `expires_at` where the PBX ends it first."""
    overtook: tuple[str, ...] = ()
    """Earlier contacts of the same queue that this agent could have taken: the first of each lane."""


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """offer: open -> accepted; contact: offered -> active, or a colleague comes in on an active one"""

    offer: str
    contact: str
    agent: str
    purpose: str = "answer"


@dataclass(frozen=True, slots=True)
class DeclineRequested:
    """The agent declined a ringing phone at the desk; the PBX is asked to stop and its report settles it."""

    offer: str
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """offer: open -> declined | expired | withdrawn | failed; contact: offered -> waiting, at its place"""

    offer: str
    contact: str
    agent: str
    how: str
    """declined, expired, withdrawn or failed"""
    reason: str
    again_at: int
    """This agent is not asked again for this contact before then, in ms."""


@dataclass(frozen=True, slots=True)
class AnswerAdopted:
    """waiting | offered -> active: the PBX had already connected them. Ends any open offer of the contact."""

    contact: str
    agent: str


Fact = (
    CentreConfigured
    | CentreStarted
    | CensusTaken
    | ChannelLost
    | ChannelClosed
    | ChannelReopened
    | CalamityAnnounced
    | CalamityWithdrawn
    | EstimatesPublished
    | EstimatesSwitched
    | ContactReceived
    | ContactQueued
    | WaitExceeded
    | NeedsWidened
    | WayOutTaken
    | PriorityChanged
    | LaneStranded
    | LaneCleared
    | ContactReserved
    | ContactReturned
    | QuestionAdded
    | WorkParked
    | WorkResumed
    | ConversationEnded
    | WrapUpExtended
    | ContactEnded
    | CitizenAnswered
    | ContactForgotten
    | MessageAdded
    | DeliveryNoted
    | ContactOffered
    | OfferAccepted
    | DeclineRequested
    | OfferEnded
    | AnswerAdopted
    | ContactTransferred
    | ConferenceStarted
    | OutsideConsulted
    | OutsideAnswered
    | OutsideLeft
    | OutsideJoined
    | OutsideDialled
    | ParticipantLeft
    | CallRejoined
    | CallHeld
    | CallRetrieved
    | SupervisionSet
    | SupervisionEnded
    | AfterWorkEnded
    | RecordingAnnounced
    | RecordingStarted
    | RecordingPaused
    | RecordingResumed
    | RecordingDropped
    | RecordingStored
    | PresenceChanged
    | AgentLost
    | AgentRegained
    | TelephoneChanged
    | FollowUpMade
    | FollowUpAssigned
    | FollowUpOverdue
    | FollowUpKept
    | CallbackPlanned
    | CallbackDialled
    | CallbackReached
    | CallbackFailed
)
