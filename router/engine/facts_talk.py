"""Facts about several agents, and supervisors, in one conversation. Part of the vocabulary in facts.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContactTransferred:
    """active -> active, with another owner: a colleague who took part already."""

    contact: str
    agent: str
    """Who had it."""
    to_agent: str
    after_work_until: int
    """The former owner is not asked before then, in ms, unless they say they are done; 0 = at once."""


@dataclass(frozen=True, slots=True)
class ConferenceStarted:
    """The colleague who was consulted now talks with the citizen and the owner."""

    contact: str
    agent: str
    """The colleague."""


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A colleague who was consulted or in the conference has left; the owner goes on."""

    contact: str
    agent: str
    reason: str
    """cancelled (by the owner) or left"""


@dataclass(frozen=True, slots=True)
class CallRejoined:
    """active: the owner's telephone lost the call and takes it up again; in a conference, anybody's of ours."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallHeld:
    """active: the owner's telephone has put the citizen on hold, with music."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallRetrieved:
    """active: and has taken them off it again."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class OutsideConsulted:
    """active: the owner rings somebody outside first, while the citizen waits on music."""

    contact: str
    agent: str
    destination: str
    """Empty = a number that was typed."""
    number_ref: str
    lapses_at: int
    """When the engine itself brings the owner back to the citizen, in ms, unless somebody has answered."""


@dataclass(frozen=True, slots=True)
class OutsideAnswered:
    """active: the owner talks with them."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class OutsideLeft:
    """active: they did not answer, have hung up, or the owner wants back: the owner goes on with the citizen."""

    contact: str
    agent: str
    how: str
    """not_answered, left, cancelled, or no_report"""


@dataclass(frozen=True, slots=True)
class OutsideJoined:
    """active: the owner leaves the citizen to them; until they are connected the contact stays its agent's."""

    contact: str
    agent: str
    lapses_at: int
    """When the engine itself takes it back, in ms."""


@dataclass(frozen=True, slots=True)
class OutsideDialled:
    """active: put through to somebody outside; the contact stays its agent's until they answer."""

    contact: str
    agent: str
    destination: str
    """Empty = a number that was typed."""
    number_ref: str
    lapses_at: int
    """When the engine itself takes it back, in ms."""


@dataclass(frozen=True, slots=True)
class SupervisionSet:
    """active: a supervisor takes part, or changes how. The audit record of it."""

    contact: str
    by: str
    mode: str
    """listen, whisper or barge"""
    endpoint: str


@dataclass(frozen=True, slots=True)
class SupervisionEnded:
    """active: a supervisor left while the call goes on; with the conversation it ends by itself."""

    contact: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AfterWorkEnded:
    """What a transferred call left to do is done, or its time is over."""

    agent: str
    automatic: bool
