"""What the outside must do about a fact. Shells carry effects out; each ends in a command that reports how.

The key of an effect is (contact, fact number). *Steering* effects (ring, connect, hold, hang up) are never
repeated after a restart but derived again after the census; *delivery* effects (a mail) are sent again with the same
key.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring the agent's phone for a held call. Ends in Accept, OfferFailed or EndContact."""

    contact: str
    offer: str
    agent: str
    endpoint: str
    seconds: int
    record: int = 0
    """The number of the recording that begins when it is answered; 0 = it is not recorded."""


@dataclass(frozen=True, slots=True)
class RingColleague:
    """Put the citizen on hold and ring the colleague's phone for the owner. Ends in Accept or OfferFailed."""

    contact: str
    offer: str
    agent: str
    endpoint: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Reconnect:
    """End the consult: the owner talks with the citizen again. Done when there is none."""

    contact: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect the colleague, who owns the contact now, with the citizen; the former owner's phone is done."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class Confer:
    """Owner, colleague and citizen talk together."""

    contact: str


@dataclass(frozen=True, slots=True)
class Rejoin:
    """Ring a phone that has lost the call, and connect it with the citizen again. Ends in ReportHeld when it does not
    answer, in a conference in LeaveConversation; `offer` is the contact's last."""

    contact: str
    offer: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Spy:
    """Ring the supervisor's phone and let it hear the call, or change how it takes part. Ends in EndSupervision."""

    contact: str
    by: str
    mode: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class EndSpy:
    """The supervisor's phone leaves the call."""

    contact: str
    by: str


@dataclass(frozen=True, slots=True)
class Record:
    """Do this with recording `number`; `keep` and `drop` also when the call has ended.

    `keep` ends in StoreRecording; a pause that does not come about, in DropRecording. `drop` is for all of the contact.
    """

    contact: str
    number: int
    how: str
    """pause, resume, drop (stop it and throw all away) or keep (stop it, and put it into the vault)"""
    days: int = 0
    """How long it is kept."""
    refs: tuple[str, ...] = ()
    """What the vault has of those to be thrown away."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop ringing or talking: the call goes back to its music. Ends in ReportHeld."""

    contact: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the citizen's side of a call or chat."""

    contact: str
    reason: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send message `number` of the contact out through its channel. Ends in NoteDelivery."""

    contact: str
    number: int
    ref: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell somebody who waits: a recording, or a line in the chat. Not repeated after a restart."""

    contact: str
    message: str
    """Name in the configuration: text per language, and the name of the recording."""


@dataclass(frozen=True, slots=True)
class OfferCallback:
    """Tell a caller on hold that a callback keeps their place. Ends in TakeCallback, or in nothing."""

    contact: str


@dataclass(frozen=True, slots=True)
class OfferVoicemail:
    """The wait has reached its limit: ask a caller on hold for a message. Ends in LeaveVoicemail, or in nothing."""

    contact: str


@dataclass(frozen=True, slots=True)
class PassOn:
    """Dial another contact centre for a caller on hold. Ends in EndContact (passed_on), or the caller is held again."""

    contact: str
    neighbour: str
    number: str


@dataclass(frozen=True, slots=True)
class DialBack:
    """Connect the agent's phone with the citizen's. Ends in ReportDial, and then as a call does."""

    contact: str
    number: int
    agent: str
    endpoint: str
    citizen: str
    number_ref: str
    """Vault reference of the number to dial; empty = the citizen's own."""
    municipality: str
    """In whose name it is: its number is shown to the citizen."""
    citizen_first: bool
    agent_seconds: int
    citizen_seconds: int
    pbx: str = ""
    """Over which of several PBXs."""


@dataclass(frozen=True, slots=True)
class EndDial:
    """Hang up all telephones of a callback, if there are any."""

    contact: str


@dataclass(frozen=True, slots=True)
class DialOutside:
    """Put the citizen through to somebody outside. Ends in ReportOutside, EndContact or ReportHeld."""

    contact: str
    number: str
    """To dial; empty = the one typed is in the vault, under `number_ref`."""
    number_ref: str
    shows: str
    """The number the other side sees; empty = the citizen's own."""
    seconds: int


@dataclass(frozen=True, slots=True)
class ConsultOutside:
    """Put the citizen on hold, and ring somebody outside for the owner. Ends in ReportOutside."""

    contact: str
    number: str
    """To dial; empty = the one typed is in the vault, under `number_ref`."""
    number_ref: str
    shows: str
    """The number the other side sees."""
    seconds: int


@dataclass(frozen=True, slots=True)
class JoinOutside:
    """Connect the citizen with them; the owner's phone is done. Ends in ReportOutside."""

    contact: str


Effect = (
    Ring
    | RingColleague
    | Reconnect
    | Connect
    | Confer
    | Rejoin
    | Spy
    | EndSpy
    | Record
    | Hold
    | HangUp
    | Deliver
    | Announce
    | OfferCallback
    | OfferVoicemail
    | PassOn
    | DialBack
    | EndDial
    | DialOutside
    | ConsultOutside
    | JoinOutside
)
