"""What happens to staff and their promises: presence, connections, follow-ups."""

from __future__ import annotations

from dataclasses import dataclass

from router.nouns_callbacks import CallbackPlan

# -- agents -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    agent: str
    presence: str
    """signed_off, ready or paused"""
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class AgentLost:
    """The desk connection is gone; what the agent owns in writing goes back at `return_at` (ms)."""

    agent: str
    return_at: int


@dataclass(frozen=True, slots=True)
class AgentRegained:
    agent: str


@dataclass(frozen=True, slots=True)
class TelephoneChanged:
    """The agent's telephone is free, elsewhere (in a call that is none of ours) or unregistered from now on."""

    agent: str
    telephone: str


# -- follow-ups ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FollowUpMade:
    """-> open"""

    follow_up: str
    contact: str
    citizen: str
    municipality: str
    by: str
    due_at: int
    text_ref: str
    owner_agent: str
    owner_queue: str
    neighbour: str = ""
    """The contact centre that it is passed on to."""
    reason: str = ""
    """Why the centre made it: cut_off (a call ended with the PBX under it, and is owed a call back),
    voicemail (the text is a recording); else ""."""
    callback: CallbackPlan | None = None
    """The promise is to call the citizen back."""


@dataclass(frozen=True, slots=True)
class FollowUpAssigned:
    follow_up: str
    by: str
    owner_agent: str
    owner_queue: str


@dataclass(frozen=True, slots=True)
class FollowUpOverdue:
    """open -> overdue"""

    follow_up: str


@dataclass(frozen=True, slots=True)
class FollowUpKept:
    """open | overdue -> kept"""

    follow_up: str
    by: str
    note_ref: str
