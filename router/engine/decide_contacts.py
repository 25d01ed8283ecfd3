"""Deciding what becomes of contacts: taken in, classified, written in, finished, handed over, moved, closed."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decide_questions import QUESTIONS_MAX, needs_together, outcomes, topics_in
from router.engine.decision import NOTHING, Decision, open_contact, owned_contact
from router.engine.limits import is_full
from router.engine.preferred import preferred
from router.engine.state import ContactState, State
from router.engine.tables import DELIVERY
from router.errors import InvalidInput, NotAllowed, QueueFull, TooMany, UnknownThing, WrongState
from router.nouns import CHANNELS, EXTENSIONS_MAX, Queue
from router.queues.order import rank_of, tier_of
from router.queues.targets import due_at, reminder_ms
from router.skills.classification import topics_of

MESSAGES_MAX = 2_000
EXTENSION_MS = 30_000
AUTHORS = ("citizen", "agent", "note", "system")


def receive(state: State, command: commands.Receive, now: int) -> Decision:
    known = state.sources.get(f"{command.channel}|{command.source_key}")
    if known is not None:
        return Decision(answer=known)
    if command.channel not in CHANNELS or command.channel not in state.config.channels:
        raise InvalidInput(f"channel {command.channel} is not served here")
    if state.config.municipality(command.municipality) is None:
        raise InvalidInput(f"municipality {command.municipality} is not served here")
    if not command.contact or not command.source_key:
        raise InvalidInput("a contact needs an id and a source key")
    if command.contact in state.contacts or command.contact in state.ended:
        raise InvalidInput("this contact id is in use")
    # By which number, address or form it came in is known for every channel, and says something about the topic.
    hints = (f"entry:{command.entry_point}", *command.hints) if command.entry_point else command.hints
    received = facts.ContactReceived(
        command.contact,
        command.channel,
        command.municipality,
        command.source_key,
        command.entry_point,
        command.citizen,
        command.language,
        command.content_ref,
        hints,
        command.linked_to,
        pbx=command.pbx,
    )
    if not command.classify:
        return Decision((received,), command.contact)
    queued = first_queued(state, received, command, hints, now, now)
    _check_limits(state, queued, command.channel, now)
    return Decision((received, queued), command.contact)


def _check_limits(state: State, queued: facts.ContactQueued, channel: str, now: int) -> None:
    """Raises QueueFull."""
    queue = state.config.queue(queued.queue)
    if queue is not None and is_full(state, queue, channel, now):
        raise QueueFull("the queue is full")


def first_queued(
    state: State,
    contact: facts.ContactReceived | ContactState,
    command: commands.Receive | commands.Classify,
    hints: tuple[str, ...],
    received_at: int,
    now: int,
) -> facts.ContactQueued:
    """Into the queue of its topic, at the place of somebody who came at `received_at`."""
    language, channel = command.language or contact.language, contact.channel
    topics = topics_of(state.config.classification, state.config.default_topic, hints)[:QUESTIONS_MAX]
    topic = state.config.topic(topics[0])
    queue = state.config.queue(topic.queue) if topic else None
    if topic is None or queue is None:
        raise AssertionError(f"topic {topics[0]} or its queue is not configured")
    due = due_at(state.config, queue, channel, contact.municipality, now)
    needs = needs_together(state, channel, topics, language, contact.municipality)
    wanted, until = preferred(state, queue, channel, contact.citizen, topic.id, contact.linked_to, needs, now)
    return facts.ContactQueued(
        command.contact,
        topic.id,
        queue.id,
        needs,
        language,
        tier_of(channel),
        rank_of(state.config, queue, received_at),
        due or now + reminder_ms(None, 0),
        due_at=due,
        further=topics[1:],
        wanted_agent=wanted,
        wanted_until=until,
    )


def classify_contact(state: State, command: commands.Classify, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    if contact.state != "intake":
        return NOTHING
    queued = queue_from_intake(state, contact, command, now)
    _check_limits(state, queued, contact.channel, now)
    return Decision((queued,))


def queue_from_intake(state: State, contact: ContactState, command: commands.Classify, now: int) -> facts.ContactQueued:
    return first_queued(state, contact, command, contact.hints + command.hints, contact.received_at, now)


def end_contact(state: State, command: commands.EndContact, now: int) -> Decision:
    if command.contact in state.ended:
        return NOTHING
    contact = open_contact(state, command.contact)
    if contact.state == "wrap_up":
        return NOTHING
    return Decision((ending(state, contact, command.reason, now),))


def ending(state: State, contact: ContactState, reason: str, now: int) -> facts.Fact:
    """What follows when the citizen's side of the contact is over: wrap-up for an owner, else the end."""
    if contact.state != "active":
        questions = outcomes(contact, contact.topic, None)[1]
        return facts.ContactEnded(contact.id, reason, topic=contact.topic, questions=questions)
    return facts.ConversationEnded(contact.id, contact.owner, reason, wrap_up_due(state, contact, now))


def wrap_up_due(state: State, contact: ContactState, now: int) -> int:
    """When the wrap-up that begins now finishes by itself, in ms; 0 = it waits for the agent."""
    queue = state.config.queue(contact.queue)
    seconds = queue.wrap_up_seconds if queue else 0
    return now + seconds * 1000 if seconds else 0


def add_message(state: State, command: commands.AddMessage, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    known = contact.messages.get(command.message)
    if known is not None:
        return Decision(answer=known)
    if command.author not in AUTHORS or not command.message or not command.ref:
        raise InvalidInput("a message needs an id, a known author and a reference")
    if command.author in ("agent", "note") and contact.owner != command.by:
        raise NotAllowed("only the owner of a contact writes in it")
    if contact.state == "wrap_up" and command.author in ("citizen", "agent"):
        raise WrongState("the conversation has ended")
    if len(contact.messages) >= MESSAGES_MAX:
        raise TooMany("the conversation has reached its limit")
    number = len(contact.messages) + 1
    fact = facts.MessageAdded(
        contact.id, number, command.message, command.author, command.ref, command.by, command.deliver
    )
    return Decision((fact,), number)


def note_delivery(state: State, command: commands.NoteDelivery, now: int) -> Decision:
    outgoing = state.outgoing.get(f"{command.contact}/{command.number}")
    if outgoing is None or outgoing.status == command.status:
        return NOTHING
    if command.status not in DELIVERY[outgoing.status]:
        raise WrongState(f"a delivery cannot go from {outgoing.status} to {command.status}")
    return Decision((facts.DeliveryNoted(command.contact, command.number, command.status, command.detail),))


def finish_conversation(state: State, command: commands.FinishConversation, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if contact.state == "wrap_up":
        return NOTHING
    if contact.outside:
        raise WrongState("it is being put through: wait for the answer, or take it back")
    due = wrap_up_due(state, contact, now)
    return Decision((facts.ConversationEnded(contact.id, command.agent, "agent", due),))


def extend_wrap_up(state: State, command: commands.ExtendWrapUp, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if contact.state != "wrap_up" or not contact.due_at:
        raise WrongState("no wrap-up with a time limit is going on")
    if contact.extensions >= EXTENSIONS_MAX:
        raise TooMany("the wrap-up cannot be extended any more")
    due_at = max(contact.due_at, now) + EXTENSION_MS
    return Decision((facts.WrapUpExtended(contact.id, due_at),), due_at)


def complete_wrap_up(state: State, command: commands.CompleteWrapUp, now: int) -> Decision:
    if command.contact in state.ended:
        return NOTHING
    contact = owned_contact(state, command.contact, command.agent)
    if contact.state != "wrap_up":
        raise WrongState("finish the conversation first")
    if command.topic and state.config.topic(command.topic) is None:
        raise InvalidInput("no such topic")
    topic = command.topic or contact.topic
    resolved, questions = outcomes(contact, topic, command.resolved, command.further)
    ended = facts.ContactEnded(
        contact.id, settled(contact), command.agent, topic, resolved, note_ref=command.note_ref, questions=questions
    )
    kept = (facts.FollowUpKept(contact.promise, command.agent, command.note_ref),)
    return Decision((ended, *(kept if command.resolved and contact.promise in state.follow_ups else ())))


def settled(contact: ContactState) -> str:
    """The reason of an end by its agent."""
    return "passed_on" if contact.outside else "handled"


def hand_over(state: State, command: commands.HandOver, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if contact.state != "active":
        raise WrongState("only a conversation can be handed over")
    if bool(command.queue) == bool(command.to_agent) or command.to_agent == command.agent:
        raise InvalidInput("hand over to one queue, or to one colleague")
    if command.to_agent:
        colleague = state.agents.get(command.to_agent)
        if colleague is None or state.config.agent(command.to_agent) is None:
            raise UnknownThing("no such agent")
        if colleague.presence == "signed_off":
            raise WrongState("this colleague is not signed on")
    return Decision((returned(state, contact, "handed_over", now, command),))


def returned(
    state: State,
    contact: ContactState,
    reason: str,
    now: int,
    over: commands.HandOver | None = None,
    to: str = "",
) -> facts.ContactReturned:
    """The contact back in a queue, at the place its arrival gives it; `over` says where else it should go, `to` to
    whom first."""
    queue = _queue(state, over.queue) if over and over.queue else home(state, contact)
    topics = topics_in(state, queue, contact)
    asked = topics[:1] if over else topics
    wanted = over.to_agent if over else to
    return facts.ContactReturned(
        contact.id,
        contact.owner,
        reason,
        topics[0],
        queue.id,
        needs_together(state, contact.channel, asked, contact.language, contact.municipality),
        tier_of(contact.channel),
        rank_of(state.config, queue, contact.received_at, contact.priority),
        due_at(state.config, queue, contact.channel, contact.municipality, now) or now + reminder_ms(None, 0),
        wanted,
        now + state.config.handover_seconds * 1000 if wanted else 0,
        now + state.config.retry_seconds * 1000 if over or reason == "held" else 0,
        over.note_ref if over else "",
        topics[1:],
    )


def home(state: State, contact: ContactState) -> Queue:
    """The contact's queue; if the configuration has it no longer, that of its topic, or of the default topic."""
    config = state.config
    for topic in (None, config.topic(contact.topic), config.topic(config.default_topic)):
        queue = config.queue(topic.queue if topic else contact.queue)
        if queue is not None:
            return queue
    raise AssertionError("the default topic or its queue is not configured")


def _queue(state: State, id: str) -> Queue:
    queue = state.config.queue(id)
    if queue is None:
        raise UnknownThing("no such queue")
    return queue


def requeued(
    state: State, contact: ContactState, queue: Queue, now: int, by: str, why_ref: str = ""
) -> facts.ContactQueued:
    """A contact that waits, in another queue, at the place its arrival gives it there."""
    topics = topics_in(state, queue, contact)
    due = due_at(state.config, queue, contact.channel, contact.municipality, contact.queued_at or now)
    return facts.ContactQueued(
        contact.id,
        topics[0],
        queue.id,
        needs_together(state, contact.channel, topics, contact.language, contact.municipality),
        contact.language,
        tier_of(contact.channel),
        rank_of(state.config, queue, contact.received_at, contact.priority),
        max(due, now) if due else now + reminder_ms(None, 0),
        by,
        why_ref,
        due_at=due,
        further=topics[1:],
    )


def move_contact(state: State, command: commands.MoveContact, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    if contact.state not in ("intake", "waiting", "offered"):
        raise WrongState("the contact is in an agent's hands")
    queue = _queue(state, command.queue)
    if contact.queue == queue.id:
        return NOTHING
    queued = requeued(state, contact, queue, now, command.by, command.why_ref)
    if contact.state != "offered":
        return Decision((queued,))
    offer = state.offers[contact.offer]
    withdrawn = facts.OfferEnded(offer.id, contact.id, offer.agent, "withdrawn", "moved", 0)
    return Decision((withdrawn, queued))


def close_contact(state: State, command: commands.CloseContact, now: int) -> Decision:
    if command.contact in state.ended:
        return NOTHING
    contact = open_contact(state, command.contact)
    ended = facts.ContactEnded(
        contact.id,
        "closed",
        contact.owner,
        contact.topic,
        by=command.by,
        why_ref=command.why_ref,
        questions=outcomes(contact, contact.topic, None)[1],
    )
    return Decision((ended,))
