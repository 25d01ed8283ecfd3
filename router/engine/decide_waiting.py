"""Deciding about those who wait: needs widened, ways out of a queue, priority, and the alarm that nobody is there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from router.engine import commands, facts
from router.engine.decide_contacts import home, requeued
from router.engine.decide_questions import outcomes
from router.engine.decision import NOTHING, Decision, open_contact
from router.engine.state import ContactState, State
from router.errors import InvalidInput, WrongState
from router.nouns import Queue, WayOut
from router.queues.lanes import LaneKey, lane_name
from router.queues.order import LOWEST_PRIORITY, rank_of
from router.queues.overflow import expected_wait_seconds, open_ways, steps_due, way_name
from router.queues.targets import due_at, reminder_ms
from router.skills.estimates import USUAL_SECONDS, of_topic
from router.skills.widening import widened

CENTRE = "centre"
"""Who acts when no person does."""


# -- priority -------------------------------------------------------------------------------------------------


def set_priority(state: State, command: commands.SetPriority, now: int) -> Decision:
    contact = open_contact(state, command.contact)
    if contact.state not in ("waiting", "offered"):
        raise WrongState("the contact is not waiting")
    if not 1 <= command.priority <= LOWEST_PRIORITY:
        raise InvalidInput("a priority lies between 1 (most urgent) and 9")
    if contact.priority == command.priority:
        return NOTHING
    before = rank_of(state.config, home(state, contact), 0, contact.priority)
    rank = contact.rank - before + rank_of(state.config, home(state, contact), 0, command.priority)
    changed = facts.PriorityChanged(contact.id, command.priority, contact.tier, rank, command.by, command.why_ref)
    return Decision((changed,))


# -- widening -------------------------------------------------------------------------------------------------


def widening(state: State, contact: ContactState, now: int) -> tuple[facts.NeedsWidened, ...]:
    """The steps that are due, also while it is being offered."""
    queue, needs, step = home(state, contact), contact.needs, contact.step
    steps = []
    while steps_due(queue, contact.in_queue_since, step, now):
        needs = widened(needs, queue.widening[step], queue.floor)
        step += 1
        steps.append(facts.NeedsWidened(contact.id, step, needs))
    return tuple(steps)


# -- what follows from a change -------------------------------------------------------------------------------


def consequences(state: State, recent: Sequence[facts.Fact], now: int) -> Iterator[facts.Fact]:
    """What is due for those who still wait after `recent` and the offers it led to; each is evolved before the next."""
    if any(isinstance(fact, facts.CentreConfigured) for fact in recent):
        yield from _rehoused(state, list(state.contacts), now)
    else:
        yield from _rehoused(state, [f.contact for f in recent if isinstance(f, facts.OfferEnded)], now)
    stranded: list[LaneKey] = []
    yield from _judge_lanes(state, stranded)
    left = [(id, key) for key in stranded for id in state.index.lanes.contacts(key)]
    for fact in recent:
        if isinstance(fact, facts.ContactQueued | facts.ContactReturned):
            yield from _way_out(state, fact.contact, now, arrived=True)
        elif isinstance(fact, facts.NeedsWidened | facts.OfferEnded):
            yield from _way_out(state, fact.contact, now)
    for id in state.index.steps_taken():
        yield from _way_out(state, id, now)
    for id, key in left:
        if id in state.contacts and state.contacts[id].lane(now) == key:  # else it is judged where it is now
            yield from _way_out(state, id, now)


def _rehoused(state: State, ids: Iterable[str], now: int) -> Iterator[facts.Fact]:
    """Those whose queue or topic the configuration has no longer go where they belong now."""
    for id in ids:
        contact = state.contacts.get(id)
        if contact is None or contact.state != "waiting":
            continue
        queue = home(state, contact)
        if queue.id != contact.queue or state.config.topic(contact.topic) is None:
            yield requeued(state, contact, queue, now, CENTRE)


def _judge_lanes(state: State, stranded: list[LaneKey]) -> Iterator[facts.Fact]:
    """Say of every lane that has changed whether somebody is there; collects those from which `nobody` leads out."""
    reaches, lanes = state.index.reaches, state.index.lanes
    for name, key in sorted((lane_name(key), key) for key in reaches.take_unjudged()):
        reason = reaches.reason(state, key) if lanes.count(key) else ""
        if reason:
            topic = state.config.topic(key[2])
            queue = state.config.queue(topic.queue) if topic else None
            if queue and any(way.nobody for way in queue.overflow):
                stranded.append(key)
        if reason == state.stranded.get(name, ""):
            continue
        if reason:
            yield facts.LaneStranded(name, key[0], key[2], dict(key[1]), key[4], reason)
        else:
            yield facts.LaneCleared(name)


# -- ways out -------------------------------------------------------------------------------------------------


def _way_out(state: State, id: str, now: int, arrived: bool = False) -> Iterator[facts.Fact]:
    """Send the contact the first way out of its queue that is due and possible."""
    contact = state.contacts.get(id)
    queue = state.config.queue(contact.queue) if contact else None
    if contact is None or queue is None or contact.state != "waiting" or not queue.overflow:
        return
    for way in open_ways(queue, contact.channel, contact.ways):
        reason = _due(state, contact, queue, way, now, arrived)
        if reason and _possible(state, contact, queue, way):
            yield facts.WayOutTaken(id, way_name(queue.id, way), way.kind, way.to, reason)
            yield from _follow(state, contact, way, now)
            if way.kind in ("queue", "neighbour"):
                return


def _due(state: State, contact: ContactState, queue: Queue, way: WayOut, now: int, arrived: bool) -> str:
    """Why this way is open to the contact now, or ""."""
    if way.after_seconds:
        return "waited" if contact.in_queue_since + way.after_seconds * 1000 <= now else ""
    if way.nobody:
        return "nobody" if lane_name(state.index.lanes.lane(contact.id)) in state.stranded else ""
    if not arrived:
        return ""
    topics = {topic.id for topic in state.config.topics if topic.queue == queue.id}
    lanes = state.index.lanes
    waiting = sum(lanes.count(key) for key in lanes.lanes() if key[2] in topics)
    if way.waiting_above:
        return "full" if waiting > way.waiting_above else ""
    expected = expected_wait_seconds(waiting, *_staffing(state, contact))
    return "expected" if expected is None or expected > way.expected_above_seconds else ""


def _staffing(state: State, contact: ContactState) -> tuple[int, int]:
    """How many are at work for the contact's lane, and the seconds one contact takes."""
    known = of_topic(state.index.estimates, contact.topic)
    seconds = sum(known.seconds.values()) // len(known.seconds) if known and known.seconds else USUAL_SECONDS
    return len(state.index.crew(state, contact.lane(0)).present), seconds


def _possible(state: State, contact: ContactState, queue: Queue, way: WayOut) -> bool:
    if way.kind == "queue":
        return way.to != queue.id and any(topic.queue == way.to for topic in state.config.topics)
    if way.kind == "neighbour":
        neighbour = state.config.neighbour(way.to)
        return neighbour is not None and (contact.channel != "phone" or bool(neighbour.number))
    if way.kind == "callback":
        return bool(contact.citizen) and "callback" in state.config.channels
    return way.kind == "voicemail" or way.to in state.config.messages


def _follow(state: State, contact: ContactState, way: WayOut, now: int) -> Iterator[facts.Fact]:
    """What taking the way leads to in the record; the rest is for the channel (react.py)."""
    if way.kind == "queue":
        target = state.config.queue(way.to)
        if target is not None:
            yield moved_on(state, contact, target, now)
    elif way.kind == "neighbour" and contact.channel != "phone":
        queue = home(state, contact)
        until = due_at(state.config, queue, contact.channel, contact.municipality, now)
        yield facts.FollowUpMade(
            f"f-{contact.id}",
            contact.id,
            contact.citizen,
            contact.municipality,
            CENTRE,
            until or now + reminder_ms(None, 0),
            "",
            "",
            contact.queue,
            way.to,
        )
        questions = outcomes(contact, contact.topic, None)[1]
        yield facts.ContactEnded(contact.id, "passed_on", topic=contact.topic, by=CENTRE, questions=questions)


def moved_on(state: State, contact: ContactState, queue: Queue, now: int) -> facts.ContactQueued:
    """Into another queue by overflow: never behind the place it had."""
    queued = requeued(state, contact, queue, now, CENTRE)
    tier, rank = min((queued.tier, queued.rank), (contact.tier, contact.rank))
    return dataclasses.replace(queued, tier=tier, rank=rank)


# -- voicemail ------------------------------------------------------------------------------------------------


def leave_voicemail(state: State, command: commands.LeaveVoicemail, now: int) -> Decision:
    follow_up = f"f-voicemail-{command.contact}"
    if follow_up in state.follow_ups:
        return Decision(answer=follow_up)
    contact = open_contact(state, command.contact)
    if contact.channel != "phone" or contact.state != "waiting":
        raise WrongState("only a caller who waits, and whom nobody is asked to help now, leaves a message")
    queue = home(state, contact)
    due = due_at(state.config, queue, "callback", contact.municipality, now) or now + reminder_ms(None, 0)
    made = facts.FollowUpMade(
        follow_up, contact.id, contact.citizen, contact.municipality, CENTRE, due, command.recording_ref, "", queue.id,
        reason="voicemail",
    )  # fmt: skip
    questions = outcomes(contact, contact.topic, None)[1]
    ended = facts.ContactEnded(contact.id, "voicemail", topic=contact.topic, questions=questions)
    return Decision((made, ended), follow_up)
