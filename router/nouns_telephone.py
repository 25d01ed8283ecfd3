"""What a municipality has chosen for its telephone: keys, what who waits is told, and which calls are recorded."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Telephone:
    """What callers of a municipality can do with the keys of their telephone, besides the menu."""

    language_keys: dict[str, str] = field(default_factory=dict)
    """Key -> language in which the call goes on."""
    wait_spoken: bool = False
    """Who waits is told once how long it may take; key 2 tells it again."""
    voicemail: bool = False
    """Key 3 while waiting: a recorded message, which somebody answers."""
    survey_marks: int = 0
    """The highest mark that callers can give afterwards, 5 or 10; 0 = they are asked nothing."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Which conversations of a municipality are recorded, how long that is kept, and who may listen to it."""

    queues: tuple[str, ...] = ()
    """Calls in these queues; empty = none."""
    days: int = 30
    """After so many days a recording is destroyed."""
    listeners: tuple[str, ...] = ()
    """Agents who may listen, besides supervisors."""
