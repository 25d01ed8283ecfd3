"""Commands about the recording of telephone conversations. Part of the vocabulary in commands.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnnounceRecording:
    """The caller has heard that the conversation will be recorded; `refused`: and does not want that."""

    contact: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Somebody who has the call in hand pauses its recording."""

    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class DropRecording:
    """Record this contact no more, and throw away what there is: somebody who has it in hand says that the
    citizen asks for it, or, without an `agent`, the PBX could not do with it what was ordered."""

    contact: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class StoreRecording:
    """It is in the vault, in these parts; none when nothing had been recorded. Refused when it was stored before."""

    contact: str
    number: int
    refs: tuple[str, ...]
    seconds: int
    keep_until: int
