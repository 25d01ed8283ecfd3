"""Commands about several agents, and supervisors, in one conversation. Part of the vocabulary in commands.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consult:
    """The owner of a call asks a colleague on the telephone; the citizen waits on music meanwhile."""

    contact: str
    agent: str
    to_agent: str


@dataclass(frozen=True, slots=True)
class CancelConsult:
    """The owner goes back to the citizen, and the colleague, whether they have answered or not, leaves."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class CompleteTransfer:
    """The owner leaves the citizen to the colleague who was consulted, or who is in the conference."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class StartConference:
    """The owner, the colleague who was consulted and the citizen talk together."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class LeaveConversation:
    """The PBX reports that this agent's telephone is no longer in the conversation, and the citizen's still is."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class HoldCall:
    """The owner's telephone has put the citizen on hold. With a colleague in the call it means nothing."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class RetrieveCall:
    """The owner's telephone has taken the citizen off hold."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class RejoinCall:
    """The owner's telephone (a page that was loaded again) is back without its call: ring it, and go on."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class LosePhone:
    """The PBX reports that the owner's telephone fell silent without hanging up; the citizen is still there."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class FinishAfterWork:
    """The agent has done with what a transferred call left to do, and can be asked again."""

    agent: str


@dataclass(frozen=True, slots=True)
class PassOutside:
    """The owner of a call puts it through to somebody outside the centre: at once, or (`consult`) to talk with them
    first. Then `CompleteTransfer` leaves the citizen to them."""

    contact: str
    agent: str
    destination: str = ""
    number_ref: str = ""
    """Or a number that was typed, in the vault, checked by whoever took it in."""
    consult: bool = False


@dataclass(frozen=True, slots=True)
class CancelOutside:
    """The owner takes the call back while it rings there, or goes back to the citizen."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ReportOutside:
    """The PBX reports whether the other side answered; False also when they have, and leave the owner again."""

    contact: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Supervise:
    """A supervisor takes part in a call by their own telephone, or changes how."""

    contact: str
    by: str
    mode: str
    """One of `nouns.SUPERVISION`."""
    endpoint: str
    """The supervisor's telephone at the PBX."""


@dataclass(frozen=True, slots=True)
class EndSupervision:
    """The supervisor leaves the call; also reported by the PBX."""

    contact: str
    by: str
    reason: str = "ended"
    """ended, or failed (their telephone did not answer)"""
