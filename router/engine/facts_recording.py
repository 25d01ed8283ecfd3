"""Facts about the recording of telephone conversations. Part of the vocabulary in facts.py.

A recording covers one stretch of a contact with agents: from an answer until it goes back to a queue, outside, or ends.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingAnnounced:
    """The citizen has been told that the conversation will be recorded, and did not object."""

    contact: str


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """active: an agent has answered, and from now on it is recorded."""

    contact: str
    number: int
    """1, 2 … within the contact."""


@dataclass(frozen=True, slots=True)
class RecordingPaused:
    """What is said is not recorded, until it is resumed: silence takes its place."""

    contact: str
    by: str


@dataclass(frozen=True, slots=True)
class RecordingResumed:
    contact: str
    by: str


@dataclass(frozen=True, slots=True)
class RecordingDropped:
    """This contact is not recorded from now on, and what there is of it is thrown away."""

    contact: str
    reason: str
    """citizen (by a key, when it was announced), asked (the citizen asked an agent), technical (no pause came)"""
    by: str = ""


@dataclass(frozen=True, slots=True)
class RecordingStored:
    """It is in the vault, also after the end of the contact."""

    contact: str
    number: int
    refs: tuple[str, ...]
    """Vault references of its parts, in order."""
    seconds: int
    keep_until: int
    """The vault gives it until then, in ms, and destroys it after that."""
