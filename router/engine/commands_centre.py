"""Commands about the centre as a whole: its configuration, the census, and what a supervisor closes or announces."""

from __future__ import annotations

from dataclasses import dataclass, field

from router.nouns import Centre


@dataclass(frozen=True, slots=True)
class Configure:
    """Put this configuration in force."""

    centre: Centre
    version: str
    """Digest of the configuration; the same version again is no news."""


@dataclass(frozen=True, slots=True)
class StartCentre:
    """The process has (re)started: channels in `census` report what is up before anything of theirs is offered.

    Where there are several PBXs each reports for itself, as `phone@<pbx>`; so do ReportCensus and LoseChannel.
    """

    census: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """The moment `due` named has come."""


@dataclass(frozen=True, slots=True)
class ReportCensus:
    """What is up in the world for one channel after a start.

    `alive` are the contacts found up; `answered` says which of them talk with which agent. For the channel
    `desk` (staff), `alive` holds the agents who are connected.
    """

    channel: str
    alive: tuple[str, ...] = ()
    answered: dict[str, str] = field(default_factory=dict)
    """contact -> agent, of calls that are bridged to an agent's phone, or whose agent consults a colleague."""
    together: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """contact -> all agents whose phones are up for it, where there is more than one."""
    up_seconds: int | None = None
    """How long the PBX has been up: who called before that, and is not among `alive`, was cut off by it and is owed a
    call back. 0 = it has ended; None = not known."""
    outside: dict[str, bool] = field(default_factory=dict)
    """contact -> whether it was answered, of calls that are put through to somebody outside."""


@dataclass(frozen=True, slots=True)
class LoseChannel:
    """The channel has lost sight of its world (the PBX is out of reach): no offers until its next census."""

    channel: str


@dataclass(frozen=True, slots=True)
class CloseChannels:
    """A supervisor closes channels of a municipality at once. What waits there stays, and is served."""

    municipality: str
    channels: tuple[str, ...]
    """Of `CLOSABLE_CHANNELS`; empty = all of them."""
    reason: str
    by: str
    until: int = 0
    """They open again by themselves then (UTC ms), at most 31 days ahead; 0 = when somebody opens them."""


@dataclass(frozen=True, slots=True)
class ReopenChannels:
    """What was closed follows its opening hours again."""

    municipality: str
    channels: tuple[str, ...]
    """Empty = all of them."""
    by: str


@dataclass(frozen=True, slots=True)
class AnnounceCalamity:
    """Tell everybody who comes in, before anything else."""

    municipality: str
    by: str
    texts: dict[str, str] = field(default_factory=dict)
    """Per language, Dutch at least, for chat and screens; empty = the configured text, which the phone says as well."""


@dataclass(frozen=True, slots=True)
class WithdrawCalamity:
    """The calamity is over."""

    municipality: str
    by: str
