"""What facts about a contact change: taken in, queued, written in, returned, ended, forgotten."""

from __future__ import annotations

from sys import intern
from typing import Any

from router.engine import facts
from router.engine.evolve_callbacks import called_back
from router.engine.index import INTAKE_SECONDS_MAX
from router.engine.moves import Handler, go, load, open_contact, owner_alone
from router.engine.state import (
    Books,
    ContactState,
    EndedContact,
    Matter,
    OutgoingState,
    State,
)
from router.engine.tables import (
    CONTACT,
    DELIVERY,
    Illegal,
    follow,
)

DAY_MS = 86_400_000
MATTERS_MAX = 100_000


def _received(state: State, fact: facts.ContactReceived, number: int, at: int) -> None:
    source = f"{fact.channel}|{fact.source_key}"
    known = state.sources.get(source, "")
    promised = bool(fact.promise) and known == fact.contact
    if fact.contact in state.contacts or fact.contact in state.ended or (known and not promised):
        raise Illegal(f"contact {fact.contact} or its source was received before")
    follow(CONTACT, "", "ContactReceived")
    state.contacts[fact.contact] = ContactState(
        fact.contact,
        number,
        intern(fact.channel),
        intern(fact.municipality),
        fact.source_key,
        fact.citizen,
        intern(fact.language),
        state.index.shared_hints(fact.hints),
        at,
        since=at,
        linked_to=fact.linked_to,
        promise=fact.promise,
        pbx=intern(fact.pbx),
    )
    if fact.promise:
        called_back(state, fact.promise, fact.contact)
    state.sources[source] = fact.contact
    books = state.books.setdefault(fact.channel, Books())
    books.received += 1
    books.move("", "intake")
    state.index.alarms.set(at + INTAKE_SECONDS_MAX * 1000, "intake", fact.contact)


def _queued(state: State, fact: facts.ContactQueued, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "ContactQueued")
    state.index.alarms.intake_is_over(contact.id)
    contact.topic, contact.queue, contact.needs = intern(fact.topic), intern(fact.queue), state.index.shared(fact.needs)
    contact.language, contact.tier, contact.rank = intern(fact.language), fact.tier, fact.rank
    contact.queued_at = contact.queued_at or at
    contact.remind_at, contact.reminders, contact.further = fact.remind_at, 0, fact.further
    contact.wanted_agent, contact.wanted_until = intern(fact.wanted_agent), fact.wanted_until
    contact.preferred, contact.step = bool(fact.wanted_agent), 0
    if fact.wanted_until:
        state.index.alarms.set(fact.wanted_until, "retry", contact.id)
    go(state, contact, "ContactQueued", at)
    _begin_waiting(state, contact, at)


def _begin_waiting(state: State, contact: ContactState, at: int) -> None:
    """In a queue, from now on: reminders, widening and ways out count from this moment."""
    contact.in_queue_since = at
    state.index.alarms.set(contact.remind_at, "wait", contact.id)
    state.index.plan(state, contact, at)


def _wait_exceeded(state: State, fact: facts.WaitExceeded, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "WaitExceeded")
    contact.reminders, contact.remind_at = fact.times, fact.remind_at
    contact.tier, contact.rank = fact.tier, fact.rank
    go(state, contact, "WaitExceeded", at)
    state.index.alarms.set(fact.remind_at, "wait", contact.id)


def _reserved(state: State, fact: facts.ContactReserved, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "ContactReserved")
    if contact.reserved_until or fact.until <= at:
        raise Illegal(f"contact {fact.contact} was reserved before, or for no time at all")
    contact.reserved_until = fact.until
    state.index.alarms.set(fact.until, "retry", contact.id)
    state.index.look_again(contact, at)


def _owned(state: State, fact: Any) -> ContactState:
    contact = open_contact(state, fact.contact)
    if contact.owner != fact.agent:
        raise Illegal(f"{fact.agent or 'nobody'} does not own contact {fact.contact}")
    return contact


def _returned(state: State, fact: facts.ContactReturned, number: int, at: int) -> None:
    contact = _owned(state, fact)
    follow(CONTACT, contact.state, "ContactReturned")
    contact.owner = ""
    contact.topic, contact.queue, contact.needs = fact.topic, fact.queue, state.index.shared(fact.needs)
    contact.further = fact.further
    contact.tier, contact.rank, contact.remind_at = fact.tier, fact.rank, fact.remind_at
    contact.wanted_agent, contact.wanted_until, contact.preferred = fact.wanted_agent, fact.wanted_until, False
    contact.step, contact.outside, contact.outside_state, contact.outside_until = 0, "", "", 0
    if fact.again_at:
        contact.again_at = {**contact.again_at, fact.agent: fact.again_at}
        state.index.alarms.set(fact.again_at, "retry", contact.id)
    if fact.wanted_until:
        state.index.alarms.set(fact.wanted_until, "retry", contact.id)
    go(state, contact, "ContactReturned", at)
    owner_alone(state, contact, "ContactReturned", at)
    load(state, fact.agent, contact.id, "ContactReturned", at)
    _begin_waiting(state, contact, at)


def _question_added(state: State, fact: facts.QuestionAdded, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    if fact.number != len(contact.further) + 2:
        raise Illegal(f"question {fact.number} of contact {fact.contact} is out of turn")
    go(state, contact, "QuestionAdded", at)
    contact.further = (*contact.further, fact.topic)


def _parked(state: State, fact: facts.WorkParked, number: int, at: int) -> None:
    contact = _owned(state, fact)
    go(state, contact, "WorkParked", at)
    load(state, fact.agent, contact.id, "WorkParked", at)


def _resumed(state: State, fact: facts.WorkResumed, number: int, at: int) -> None:
    contact = _owned(state, fact)
    go(state, contact, "WorkResumed", at)
    load(state, fact.agent, contact.id, "WorkResumed", at)
    contact.due_at = fact.due_at
    if fact.due_at:
        state.index.alarms.set(fact.due_at, "wrap_up", contact.id)


def _conversation_ended(state: State, fact: facts.ConversationEnded, number: int, at: int) -> None:
    contact = _owned(state, fact)
    go(state, contact, "ConversationEnded", at)
    contact.outside = contact.outside if fact.reason == "passed_on" else ""
    contact.outside_state, contact.outside_until = "", 0
    owner_alone(state, contact, "ConversationEnded", at)
    load(state, fact.agent, contact.id, "ConversationEnded", at)
    contact.due_at = fact.due_at
    if fact.due_at:
        state.index.alarms.set(fact.due_at, "wrap_up", contact.id)


def _wrap_up_extended(state: State, fact: facts.WrapUpExtended, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    go(state, contact, "WrapUpExtended", at)
    contact.due_at, contact.extensions = fact.due_at, contact.extensions + 1
    state.index.alarms.set(fact.due_at, "wrap_up", contact.id)


def _ended(state: State, fact: facts.ContactEnded, number: int, at: int) -> None:
    contact = _owned(state, fact)
    go(state, contact, "ContactEnded", at)
    owner_alone(state, contact, "ContactEnded", at)
    if contact.owner:
        load(state, contact.owner, contact.id, "ContactEnded", at)
    ended = state.books[contact.channel].ended
    ended[fact.reason] = ended.get(fact.reason, 0) + 1
    forget_at = at + state.config.remember_days * DAY_MS
    source = f"{contact.channel}|{contact.source_key}"
    state.ended[contact.id] = EndedContact(source, at, forget_at, intern(contact.owner))
    if fact.reason == "handled" and contact.citizen:
        _remember_matter(state, f"{contact.citizen}|{fact.topic}", contact.owner, at)
    state.index.alarms.set(forget_at, "forget", contact.id)
    del state.contacts[contact.id]


def _remember_matter(state: State, matter: str, agent: str, at: int) -> None:
    """Who dealt with it last; what is too old to be a repeat, and the oldest of too many, is forgotten."""
    matters = state.matters
    matters.pop(matter, None)
    matters[matter] = Matter(agent, at)
    repeat_ms = state.config.repeat_days * DAY_MS
    while matters:
        oldest = next(iter(matters))
        if len(matters) <= MATTERS_MAX and matters[oldest].at + repeat_ms > at:
            return
        del matters[oldest]


def _forgotten(state: State, fact: facts.ContactForgotten, number: int, at: int) -> None:
    ended = state.ended.pop(fact.contact, None)
    if ended is None:
        raise Illegal(f"contact {fact.contact} has not ended")
    del state.sources[ended.source_key]
    state.answers.pop(fact.contact, None)
    state.recordings.pop(fact.contact, None)


def _message_added(state: State, fact: facts.MessageAdded, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    if fact.number != len(contact.messages) + 1 or fact.message in contact.messages:
        raise Illegal(f"message {fact.number} of contact {fact.contact} is out of turn")
    follow(CONTACT, contact.state, "MessageAdded")
    if contact.messages:
        contact.messages[fact.message] = fact.number
    else:
        contact.messages = {fact.message: fact.number}
    if fact.deliver:
        key = f"{fact.contact}/{fact.number}"
        state.outgoing[key] = OutgoingState(fact.contact, fact.number, contact.channel, fact.ref, "due")


def _delivery_noted(state: State, fact: facts.DeliveryNoted, number: int, at: int) -> None:
    key = f"{fact.contact}/{fact.number}"
    outgoing = state.outgoing.get(key)
    if outgoing is None or fact.status not in DELIVERY[outgoing.status]:
        raise Illegal(f"delivery of {key} cannot become {fact.status}")
    outgoing.status = fact.status
    if not DELIVERY[fact.status]:
        del state.outgoing[key]


HANDLERS: dict[type, Handler] = {
    facts.ContactReceived: _received,
    facts.ContactQueued: _queued,
    facts.WaitExceeded: _wait_exceeded,
    facts.ContactReserved: _reserved,
    facts.ContactReturned: _returned,
    facts.QuestionAdded: _question_added,
    facts.WorkParked: _parked,
    facts.WorkResumed: _resumed,
    facts.ConversationEnded: _conversation_ended,
    facts.WrapUpExtended: _wrap_up_extended,
    facts.ContactEnded: _ended,
    facts.ContactForgotten: _forgotten,
    facts.MessageAdded: _message_added,
    facts.DeliveryNoted: _delivery_noted,
}
