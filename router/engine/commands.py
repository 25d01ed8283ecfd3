"""What anybody may ask of a contact centre. A command is a wish: `decide` turns it into facts or refuses it.

Every command may arrive more than once or late; deciding it again changes nothing that has happened
(it gives no facts, or a refusal with a stable code). `by` is an agent or supervisor id.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.engine.commands_callback import (
    CallNow,
    DialCitizen,
    LeaveVoicemail,
    PlanCallback,
    ReportDial,
    TakeCallback,
)
from router.engine.commands_centre import (
    AnnounceCalamity,
    CloseChannels,
    Configure,
    LoseChannel,
    ReopenChannels,
    ReportCensus,
    StartCentre,
    Tick,
    WithdrawCalamity,
)
from router.engine.commands_recording import (
    AnnounceRecording,
    DropRecording,
    PauseRecording,
    ResumeRecording,
    StoreRecording,
)
from router.engine.commands_staff import (
    AssignFollowUp,
    CompleteFollowUp,
    LoseAgent,
    MakeFollowUp,
    RegainAgent,
    ReportTelephones,
    SetPresence,
)
from router.engine.commands_talk import (
    CancelConsult,
    CancelOutside,
    CompleteTransfer,
    Consult,
    EndSupervision,
    FinishAfterWork,
    HoldCall,
    LeaveConversation,
    LosePhone,
    PassOutside,
    RejoinCall,
    ReportOutside,
    RetrieveCall,
    StartConference,
    Supervise,
)
from router.nouns import Estimates, Question


@dataclass(frozen=True, slots=True)
class PublishEstimates:
    """Go by these estimates from now on. Refused when they rest on more than the configuration allows."""

    estimates: Estimates
    version: str
    """Digest of the estimates; the same version again is no news."""


# -- contacts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receive:
    """A contact has come in. The same `source_key` again is the same contact and gives no new one.

    Refused with QueueFull where a limit of its queue is reached, and so is `Classify`: whoever sent it tells the
    citizen. What is still in intake after its time is queued all the same.
    """

    contact: str
    channel: str
    municipality: str
    source_key: str
    """Unique at the source: Linkedid of a call, mailbox + UID, SHA-256 of a scan, client's idempotency key."""
    entry_point: str = ""
    """The number, address or form by which it came in; a public name, never the citizen's."""
    citizen: str = ""
    """The vault's reference for who it is, or empty when anonymous."""
    language: str = "nl"
    content_ref: str = ""
    """Vault reference of the raw mail, scan, or form."""
    hints: tuple[str, ...] = ()
    """What is known for classification, as `kind:value`: `menu:2`, `form:afval`, `keyword:belastingen`, `topic:wmo`."""
    classify: bool = True
    """False: the channel still asks something (a menu) and sends `Classify` when it knows."""
    linked_to: str = ""
    """An earlier contact that this one continues."""
    pbx: str = ""
    """On which of several PBXs the call is up."""


@dataclass(frozen=True, slots=True)
class Classify:
    """The intake is done: the contact goes to a queue by its hints (added to those of `Receive`)."""

    contact: str
    hints: tuple[str, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class EndContact:
    """The citizen has left, or the channel has ended it, in whatever state it is.

    Waiting or offered it ends with `reason`; in conversation it goes to wrap-up.
    """

    contact: str
    reason: str
    """abandoned, citizen_left, gone, closed_hours, full, flood, passed_on, calamity, technical, duplicate, robot"""


@dataclass(frozen=True, slots=True)
class AddMessage:
    """One message in a chat or mail conversation. The same `message` id again gives the same number."""

    contact: str
    message: str
    """Made by the sender's client; unique within the contact."""
    author: str
    """citizen, agent, note (internal, never sent) or system"""
    ref: str
    by: str = ""
    """The agent's id when an agent wrote it."""
    deliver: bool = False
    """True: it must go out through the channel (a mail reply), and its delivery is followed."""


@dataclass(frozen=True, slots=True)
class NoteDelivery:
    """What became of sending message `number`: started (the point of no return), delivered, failed or unknown."""

    contact: str
    number: int
    status: str
    detail: str = ""
    """A code, never content."""


# -- offers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accept:
    """The agent takes the offered contact (a click, or the phone picked up)."""

    offer: str
    agent: str


@dataclass(frozen=True, slots=True)
class Decline:
    """The agent does not take it; it goes back to its place. For a ringing phone this is a request to the PBX."""

    offer: str
    agent: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """The channel could not put the offer before the agent, or it was refused there.

    reason: busy, no_answer, unreachable, cancelled, technical
    """

    offer: str
    reason: str


@dataclass(frozen=True, slots=True)
class AdoptAnswer:
    """The PBX reports that this agent talks with this citizen, whatever we thought."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ReportHeld:
    """The PBX reports the call on hold (again) with nobody on the other side: it waits."""

    contact: str


# -- handling -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddQuestion:
    """The citizen asks something else as well. One question a topic: the same topic again gives the same number."""

    contact: str
    agent: str
    topic: str


@dataclass(frozen=True, slots=True)
class FinishConversation:
    """The owner has done with the conversation and goes to wrap-up (the citizen's side is ended too)."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ExtendWrapUp:
    """The owner needs longer for the wrap-up: it finishes by itself later than it would have."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class CompleteWrapUp:
    """The owner's answer to how it went. Ends the contact."""

    contact: str
    agent: str
    resolved: bool
    """In één keer goed: the first question was settled in this contact."""
    topic: str = ""
    """The topic of the first question as the agent knows it now; empty = as classified."""
    note_ref: str = ""
    further: tuple[Question, ...] = ()
    """The answer for each of the further questions; one that is not named stays without."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The owner gives the contact to a queue or (first) to one colleague; the citizen keeps their place in time."""

    contact: str
    agent: str
    queue: str = ""
    to_agent: str = ""
    note_ref: str = ""


@dataclass(frozen=True, slots=True)
class MoveContact:
    """A supervisor moves a waiting or offered contact to another queue."""

    contact: str
    queue: str
    by: str
    why_ref: str


@dataclass(frozen=True, slots=True)
class CloseContact:
    """A supervisor ends a contact in any state."""

    contact: str
    by: str
    why_ref: str


# -- outcome ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerCitizen:
    """The citizen's answer to "is uw vraag beantwoord?", once the conversation is over.

    The first answer stands: the same again is no news (but may bring the mark), another is refused.
    """

    contact: str
    answered: bool
    mark: int = 0
    """1 to 10, as Dutch schools mark; 0 = none given."""


@dataclass(frozen=True, slots=True)
class SwitchEstimates:
    """A supervisor switches an estimate off or on: of a topic, of one agent on it, or (both empty) all of them."""

    on: bool
    by: str
    why_ref: str
    topic: str = ""
    agent: str = ""
    """Only with a topic."""


@dataclass(frozen=True, slots=True)
class SetPriority:
    """A supervisor gives a waiting or offered contact a priority of its own, 1 (most urgent) to 9."""

    contact: str
    priority: int
    by: str
    why_ref: str


Command = (
    Configure
    | StartCentre
    | PublishEstimates
    | Tick
    | Receive
    | Classify
    | EndContact
    | AddMessage
    | NoteDelivery
    | Accept
    | Decline
    | OfferFailed
    | AdoptAnswer
    | ReportHeld
    | AddQuestion
    | FinishConversation
    | ExtendWrapUp
    | CompleteWrapUp
    | HandOver
    | Consult
    | CancelConsult
    | PassOutside
    | CancelOutside
    | ReportOutside
    | CompleteTransfer
    | StartConference
    | LeaveConversation
    | RejoinCall
    | HoldCall
    | RetrieveCall
    | LosePhone
    | FinishAfterWork
    | Supervise
    | EndSupervision
    | AnnounceRecording
    | PauseRecording
    | ResumeRecording
    | DropRecording
    | StoreRecording
    | MoveContact
    | SetPriority
    | CallNow
    | TakeCallback
    | LeaveVoicemail
    | PlanCallback
    | DialCitizen
    | ReportDial
    | CloseContact
    | AnswerCitizen
    | SwitchEstimates
    | SetPresence
    | LoseAgent
    | RegainAgent
    | ReportTelephones
    | MakeFollowUp
    | AssignFollowUp
    | CompleteFollowUp
    | ReportCensus
    | LoseChannel
    | CloseChannels
    | ReopenChannels
    | AnnounceCalamity
    | WithdrawCalamity
)
