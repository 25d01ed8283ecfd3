"""Frozen values about calling citizens back: the plan of a promise, the parts of the day to choose from, the rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallbackPlan:
    """When and about what a citizen is called back; part of the promise to do so."""

    contact: str
    """Id of the contact that calls, once it is made; later tries have its id with their number."""
    source_key: str
    """The request: one request is one promise."""
    topic: str
    language: str
    call_from: int
    """Not before then, in ms."""
    hints: tuple[str, ...] = ()
    number_ref: str = ""
    """Vault reference of another number than the citizen's own."""
    content_ref: str = ""
    linked_to: str = ""
    """The contact in which it was asked."""
    tier: int = 0
    rank: int = 0
    """The place of the caller who asked; 0 = that of somebody who came at `call_from`."""


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """A part of the day in which citizens may be called back, in minutes of the local day."""

    id: str
    title: dict[str, str]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """A part of one day in which a citizen may be called back: between two moments, in ms."""

    part: str
    days_ahead: int
    """0 = today."""
    weekday: int
    """0 = Monday."""
    call_from: int
    call_until: int


USUAL_PARTS: tuple[PartOfDay, ...] = (
    PartOfDay("morning", {"nl": "tussen negen en twaalf uur", "en": "between nine and twelve"}, 540, 720),
    PartOfDay("afternoon", {"nl": "tussen een en vijf uur", "en": "between one and five"}, 780, 1020),
)


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """How a centre calls back."""

    tries_max: int = 3
    again_seconds: int = 900
    """Between a try that did not reach the citizen and the next."""
    ring_seconds: int = 30
    """How long the citizen's telephone rings."""
    live_between_max: int = 0
    """So many callers and chats of the queue may go before a callback that came earlier, and never do two callbacks in
    a row go before one; 0 = all in order of their place."""
    parts_of_day: tuple[PartOfDay, ...] = USUAL_PARTS
    """When citizens may ask to be called, as far as it is open then; in order."""
