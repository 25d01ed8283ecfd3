"""What happens to a promise to call back, and to each try to keep it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallbackPlanned:
    """The citizen was not reached: the promise stands, and is tried again at `call_at` (ms), or (0) by its owner."""

    follow_up: str
    call_at: int
    tries: int
    """How often the citizen was not reached."""


@dataclass(frozen=True, slots=True)
class CallbackDialled:
    """The owner of the callback and the citizen are being connected."""

    contact: str
    number: int
    """1, 2, 3 … within the contact."""
    agent: str
    lapses_at: int
    """When it has failed if nothing was reported, in ms."""
    pbx: str = ""
    """Over which of several PBXs."""


@dataclass(frozen=True, slots=True)
class CallbackReached:
    """They talk."""

    contact: str
    number: int


@dataclass(frozen=True, slots=True)
class CallbackFailed:
    """They do not."""

    contact: str
    number: int
    how: str
    """Of `ReportDial`, or no_report, lost (it was not up any more after a restart)."""
