"""The bodies of what the desk sends (protocol 4.2), with their limits."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from router.gateways.routes import Id, MaybeId, Note
from router.nouns import Question

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
MessageId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z_-]{0,40}$")]
Reason = Annotated[str, msgspec.Meta(max_length=100)]


class SetMyPresence(msgspec.Struct, frozen=True):
    """Ready, paused with a reason, or signed off."""

    presence: Literal["ready", "paused", "signed_off"]
    reason: Reason = ""


class OfOffer(msgspec.Struct, frozen=True):
    """Take or decline this offer. The reason is a code: it stands in the record, which says nothing about citizens."""

    offer: Id
    reason: Code = ""


class Nothing(msgspec.Struct, frozen=True):
    """The event says it all."""


class OfContact(msgspec.Struct, frozen=True):
    """About this contact."""

    contact: Id


class Write(msgspec.Struct, frozen=True):
    """A reply or an internal note."""

    contact: Id
    message: MessageId
    text: Text


class AskAlso(msgspec.Struct, frozen=True):
    """The citizen asks something else as well."""

    contact: Id
    topic: Id


class WrapUp(msgspec.Struct, frozen=True):
    """How it went: the first question, and each further one by its topic (None: it was not asked after all)."""

    contact: Id
    resolved: bool
    topic: MaybeId = ""
    note: Note = ""
    further: Annotated[dict[Id, bool | None], msgspec.Meta(max_length=20)] = {}

    @property
    def answers(self) -> tuple[Question, ...]:
        return tuple(Question(topic, resolved) for topic, resolved in self.further.items())


class GiveAway(msgspec.Struct, frozen=True):
    """To whom, and what they must know."""

    contact: Id
    queue: MaybeId = ""
    agent: MaybeId = ""
    note: Note = ""


class Ask(msgspec.Struct, frozen=True):
    """Which colleague to consult."""

    contact: Id
    agent: Id


class PutThrough(msgspec.Struct, frozen=True):
    """To which destination, or to which number that was typed; `consult`: to talk with them first."""

    contact: Id
    destination: MaybeId = ""
    number: Annotated[str, msgspec.Meta(max_length=40)] = ""
    consult: bool = False


class Promise(msgspec.Struct, frozen=True):
    """What was promised, by when, and who sees to it."""

    contact: Id
    text: Text
    due_at: int
    agent: MaybeId = ""
    queue: MaybeId = ""


class CallLater(msgspec.Struct, frozen=True):
    """Call the citizen of this contact back: from when until when, about what, and on which other number."""

    contact: Id
    request: MessageId
    """Made by the desk: the same again is the same promise."""
    call_from: int
    call_until: int
    text: Note = ""
    phone: Annotated[str, msgspec.Meta(max_length=60)] = ""
    agent: MaybeId = ""
    """Who calls, if they are there; empty = whoever of the queue."""


class OfPromise(msgspec.Struct, frozen=True):
    """One promise."""

    follow_up: Id


class ListPromises(msgspec.Struct, frozen=True):
    """Only my own, or all I may see."""

    mine: bool = True


class PromiseDone(msgspec.Struct, frozen=True):
    """The promise is kept."""

    follow_up: Id
    note: Note = ""


class PromiseAssign(msgspec.Struct, frozen=True):
    """The promise goes to another."""

    follow_up: Id
    agent: MaybeId = ""
    queue: MaybeId = ""


class Earlier(msgspec.Struct, frozen=True):
    """An earlier contact of the same citizen."""

    contact: Id
    of: Id


class Draft(msgspec.Struct, frozen=True):
    """What is being typed."""

    contact: Id
    text: Note = ""
