"""What may be asked of staff, and of the promises they make: presence, connections, follow-ups."""

from __future__ import annotations

from dataclasses import dataclass

# -- agents -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetPresence:
    """An agent (or a supervisor for an agent) becomes ready, paused (with a reason), or signed_off."""

    agent: str
    presence: str
    reason: str = ""
    by: str = ""
    """Who asked, when it is not the agent."""


@dataclass(frozen=True, slots=True)
class LoseAgent:
    """The agent's last desk connection has been gone longer than its lease."""

    agent: str


@dataclass(frozen=True, slots=True)
class RegainAgent:
    """The agent's desk is connected again."""

    agent: str


@dataclass(frozen=True, slots=True)
class ReportTelephones:
    """What the PBXs say of agents' telephones: agent -> free, elsewhere or unregistered. Who is not named stays so.

    `elsewhere` of an agent who is being called, or in a call, by us is that call, and changes nothing.
    """

    telephones: dict[str, str]


# -- follow-ups ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MakeFollowUp:
    """A promise to the citizen, with an owner (an agent or a queue) and a deadline."""

    follow_up: str
    contact: str
    by: str
    due_at: int
    text_ref: str
    owner_agent: str = ""
    owner_queue: str = ""


@dataclass(frozen=True, slots=True)
class AssignFollowUp:
    """Give the promise to another agent or queue."""

    follow_up: str
    by: str
    owner_agent: str = ""
    owner_queue: str = ""


@dataclass(frozen=True, slots=True)
class CompleteFollowUp:
    """The promise is kept."""

    follow_up: str
    by: str
    note_ref: str = ""
