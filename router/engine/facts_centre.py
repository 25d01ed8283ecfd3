"""Facts about the centre as a whole: its configuration, what is up in the world, and what a supervisor has closed."""

from __future__ import annotations

from dataclasses import dataclass

from router.nouns import Centre


@dataclass(frozen=True, slots=True)
class CentreConfigured:
    centre: Centre
    version: str


@dataclass(frozen=True, slots=True)
class CentreStarted:
    census: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CensusTaken:
    channel: str


@dataclass(frozen=True, slots=True)
class ChannelLost:
    """Nothing of this channel is offered until its census is taken again."""

    channel: str


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """-> closed, whatever the opening hours say; closed -> closed with another reason or end"""

    municipality: str
    channel: str
    reason: str
    """One of `CLOSING_REASONS`."""
    by: str
    until: int
    """It opens again by itself then, in ms; 0 = when somebody opens it."""


@dataclass(frozen=True, slots=True)
class ChannelReopened:
    """closed -> as the opening hours say"""

    municipality: str
    channel: str
    by: str
    """Empty: its time was up."""


@dataclass(frozen=True, slots=True)
class CalamityAnnounced:
    """-> on; on -> on with another text"""

    municipality: str
    texts: dict[str, str]
    """Public announcement per language; empty = the text that stands ready in the configuration."""
    by: str


@dataclass(frozen=True, slots=True)
class CalamityWithdrawn:
    """on -> off"""

    municipality: str
    by: str
