"""What may be asked about calling citizens back: a promise with its moment, a try, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakeCallback:
    """The citizen on hold wants to be called back: the call ends, and a promise is made.

    At once, the callback goes on at the caller's place; later, it comes when its time has. Who has been promised a
    callback about the same topic gets no second one. Answers with the id of the callback's contact.
    """

    contact: str
    callback: str
    """Id of the contact that goes on."""
    call_from: int = 0
    """Not before then, in ms; 0 = as soon as possible."""
    due_at: int = 0
    """The end of what was promised, in ms; 0 = within the norm."""
    number_ref: str = ""
    """Vault reference of another number than the one shown."""
    citizen: str = ""
    """Whose number a caller who showed none has entered."""


@dataclass(frozen=True, slots=True)
class LeaveVoicemail:
    """The caller who waited has spoken a message: the call ends, and its queue promises to deal with it."""

    contact: str
    recording_ref: str


@dataclass(frozen=True, slots=True)
class PlanCallback:
    """Promise to call somebody back. The same `source_key` again is the same promise.

    Who has been promised a callback about the same topic gets no second one. Answers with the id of its contact.
    """

    follow_up: str
    callback: str
    """Id of the contact that calls."""
    source_key: str
    by: str
    municipality: str
    citizen: str
    call_from: int = 0
    """Not before then, in ms; 0 = as soon as possible."""
    due_at: int = 0
    """The end of what was promised, in ms; 0 = within the norm."""
    language: str = "nl"
    hints: tuple[str, ...] = ()
    text_ref: str = ""
    content_ref: str = ""
    number_ref: str = ""
    linked_to: str = ""
    owner_agent: str = ""
    """Who calls, if they are there; empty = whoever of the topic's queue."""


@dataclass(frozen=True, slots=True)
class CallNow:
    """An agent wants to keep a promise to call back now, before its time or after its tries: the callback is made, and
    is theirs first. Answers with the id of its contact; the same one while that is under way."""

    follow_up: str
    agent: str


@dataclass(frozen=True, slots=True)
class DialCitizen:
    """The owner of a callback wants to be connected with the citizen now. Nothing while that is under way."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ReportDial:
    """What became of the dialling with this number.

    how: answered; busy, no_answer, unreachable (the citizen was not reached); agent_busy, agent_no_answer, cancelled,
    refused (a number that is not dialled), technical
    """

    contact: str
    number: int
    how: str
