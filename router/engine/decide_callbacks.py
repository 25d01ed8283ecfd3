"""Deciding about callbacks: promised, made when their time has come, dialled, tried again."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

from router.engine import commands, facts
from router.engine.decide_contacts import ending, first_queued, home
from router.engine.decide_questions import outcomes
from router.engine.decision import NOTHING, Decision, open_contact, owned_contact
from router.engine.state import ContactState, FollowUpState, State
from router.errors import InvalidInput, TooMany, UnknownThing, WrongState
from router.nouns import Queue
from router.nouns_callbacks import CallbackPlan
from router.queues.order import rank_of, tier_of
from router.queues.targets import due_at, reminder_ms
from router.queues.windows import called_from
from router.skills.classification import topics_of

CENTRE = "centre"
"""Who promises when no person does."""
NOT_REACHED = frozenset({"busy", "no_answer", "unreachable"})
"""Ends of dialling in which the agent was there and the citizen was not."""
AHEAD_MS_MAX = 366 * 86_400_000
LONGEST_MS = 86_400_000
"""Of a promise without a norm."""
DIALS_MAX = 10
DIAL_GRACE_MS = 10_000


# -- the promise ----------------------------------------------------------------------------------------------


def take_callback(state: State, command: commands.TakeCallback, now: int) -> Decision:
    known = state.sources.get(f"callback|{_source(command.contact)}")
    if known is not None:
        return Decision(answer=known)
    contact = open_contact(state, command.contact)
    if contact.channel != "phone" or contact.state != "waiting":
        raise WrongState("only a caller who waits, and whom nobody is asked to help now, can be called back")
    questions = outcomes(contact, contact.topic, None)[1]
    ended = facts.ContactEnded(contact.id, "callback", topic=contact.topic, questions=questions)
    citizen = command.citizen or contact.citizen
    promised = _promised(state, citizen, contact.topic) if not command.number_ref else None
    if promised is not None:
        return Decision((ended,), promised)
    later = command.call_from > now
    plan = CallbackPlan(
        command.callback,
        _source(contact.id),
        contact.topic,
        contact.language,
        max(command.call_from, now),
        tuple(f"topic:{topic}" for topic in (contact.topic, *contact.further)),
        command.number_ref,
        "",
        contact.id,
        0 if later else contact.tier,
        0 if later else contact.rank,
    )
    made = facts.FollowUpMade(
        f"f-back-{contact.id}",
        contact.id,
        citizen,
        contact.municipality,
        CENTRE,
        _deadline(state, home(state, contact), contact.municipality, plan.call_from, command.due_at),
        "",
        "",
        contact.queue,
        callback=plan,
    )
    _check(state, made, plan, now)
    return Decision((made, ended, *_at_once(state, made, plan, now)), plan.contact)


def plan_callback(state: State, command: commands.PlanCallback, now: int) -> Decision:
    known = state.sources.get(f"callback|{command.source_key}")
    if known is not None:
        return Decision(answer=known)
    if not command.source_key or not command.follow_up:
        raise InvalidInput("a promise needs an id and a source key")
    topic, queue = _topic(state, command.hints)
    promised = _promised(state, command.citizen, topic) if not command.number_ref else None
    if promised is not None:
        return Decision(answer=promised)
    later = command.call_from > now
    plan = CallbackPlan(
        command.callback,
        command.source_key,
        topic,
        command.language,
        max(command.call_from, now),
        command.hints,
        command.number_ref,
        command.content_ref,
        command.linked_to,
        0 if later else tier_of("callback"),
    )
    made = facts.FollowUpMade(
        command.follow_up,
        command.linked_to or command.callback,
        command.citizen,
        command.municipality,
        command.by,
        _deadline(state, queue, command.municipality, plan.call_from, command.due_at),
        command.text_ref,
        command.owner_agent,
        "" if command.owner_agent else queue.id,
        callback=plan,
    )
    _check(state, made, plan, now)
    return Decision((made, *_at_once(state, made, plan, now)), plan.contact)


def call_now(state: State, command: commands.CallNow, now: int) -> Decision:
    promise, agent = state.follow_ups.get(command.follow_up), state.agents.get(command.agent)
    if promise is None or promise.plan is None:
        raise UnknownThing("no such promise to call back")
    if promise.calling in state.contacts:
        return Decision(answer=promise.calling)
    if agent is None or agent.presence == "signed_off":
        raise WrongState("sign on first")
    made = _contact(state, promise, promise.plan, promise.tries, now, agent.id)
    if made[0].contact in state.ended:
        raise WrongState("the citizen has been called about this: complete the promise")
    again = () if promise.call_at else (facts.CallbackPlanned(promise.id, now, promise.tries),)
    return Decision((*again, *made), made[0].contact)


def cut_off(state: State, contact: ContactState, now: int) -> tuple[facts.Fact, ...]:
    """The promise to a citizen whose call ended with the PBX under it. Most call again by themselves: it comes a while
    later. Without a number nobody can be called."""
    follow_up, queue = f"f-{contact.id}", home(state, contact)
    if not contact.citizen or follow_up in state.follow_ups:
        return ()
    call_from = _again_at(state, contact.municipality, now)
    due = due_at(state.config, queue, "callback", contact.municipality, now) or now + reminder_ms(None, 0)
    topic = contact.topic or state.config.default_topic
    plan = CallbackPlan(
        f"{contact.id}-b", f"cut off {contact.id}", topic, contact.language, call_from,
        tuple(f"topic:{one}" for one in (topic, *contact.further)), linked_to=contact.id,
    )  # fmt: skip
    made = facts.FollowUpMade(
        follow_up, contact.id, contact.citizen, contact.municipality, CENTRE,
        due if due > call_from else _deadline(state, queue, contact.municipality, call_from, 0), "", "", queue.id,
        reason="cut_off", callback=plan if "callback" in state.config.channels else None,
    )  # fmt: skip
    return (made,)


def _check(state: State, made: facts.FollowUpMade, plan: CallbackPlan, now: int) -> None:
    """Raises a Refusal for a promise that cannot be kept, or with an id in use."""
    if "callback" not in state.config.channels:
        raise WrongState("nobody is called back here")
    if not made.citizen and not plan.number_ref:
        raise WrongState("there is no number to call back")
    if state.config.municipality(made.municipality) is None:
        raise InvalidInput(f"municipality {made.municipality} is not served here")
    if made.owner_agent and state.config.agent(made.owner_agent) is None:
        raise UnknownThing("no such agent")
    used = plan.contact in state.contacts or plan.contact in state.ended or made.follow_up in state.follow_ups
    if used or not plan.contact or any(f.plan and f.plan.contact == plan.contact for f in state.follow_ups.values()):
        raise InvalidInput("this id is in use")
    if plan.call_from > now + AHEAD_MS_MAX:
        raise InvalidInput("the moment lies more than a year ahead")
    if made.due_at <= plan.call_from:
        raise InvalidInput("the promise would be over before it begins")


def _promised(state: State, citizen: str, topic: str) -> str | None:
    """The contact of a callback that this citizen has been promised about this topic, and still is to get."""
    for follow_up in state.follow_ups.values():
        plan = follow_up.plan
        if plan is None or not citizen or (follow_up.citizen, plan.topic) != (citizen, topic) or plan.number_ref:
            continue
        if follow_up.call_at:
            return plan.contact
        if follow_up.calling in state.contacts:
            return follow_up.calling
    return None


def _deadline(state: State, queue: Queue, municipality: str, call_from: int, asked: int) -> int:
    return asked or due_at(state.config, queue, "callback", municipality, call_from) or call_from + LONGEST_MS


def _topic(state: State, hints: tuple[str, ...]) -> tuple[str, Queue]:
    topic = state.config.topic(topics_of(state.config.classification, state.config.default_topic, hints)[0])
    queue = state.config.queue(topic.queue) if topic else None
    if topic is None or queue is None:
        raise AssertionError("a topic or its queue is not configured")
    return topic.id, queue


def _source(contact: str) -> str:
    return f"callback of {contact}"


# -- the contact that keeps it ----------------------------------------------------------------------------------


def _at_once(state: State, made: facts.FollowUpMade, plan: CallbackPlan, now: int) -> tuple[facts.Fact, ...]:
    if plan.call_from > now:
        return ()
    return _contact(state, made, plan, 0, now)


def called(state: State, follow_up: FollowUpState, now: int) -> tuple[facts.Fact, ...]:
    """The time of a callback has come: it is a contact from now on, the same one however often this is asked."""
    plan = follow_up.plan
    return () if plan is None else _contact(state, follow_up, plan, follow_up.tries, now)


def _contact(
    state: State, promise: facts.FollowUpMade | FollowUpState, plan: CallbackPlan, tries: int, now: int, agent: str = ""
) -> tuple[facts.ContactReceived, facts.ContactQueued]:
    """Received, and queued at the place of the caller who asked, or of somebody who came when its time had come; for a
    while for `agent` alone, else for the promise's owner."""
    id = promise.follow_up if isinstance(promise, facts.FollowUpMade) else promise.id
    again = f"r{tries + 1}" if tries else ""
    received = facts.ContactReceived(
        plan.contact + again,
        "callback",
        promise.municipality,
        plan.source_key + again,
        "",
        promise.citizen,
        plan.language,
        plan.content_ref,
        plan.hints,
        plan.linked_to,
        id,
    )
    queued = first_queued(state, received, commands.Classify(received.contact), plan.hints, now, now)
    queue = state.config.queue(queued.queue)
    rank = plan.rank or (rank_of(state.config, queue, plan.call_from) if queue else queued.rank)
    queued = dataclasses.replace(queued, tier=plan.tier, rank=rank)
    owner = state.agents.get(agent or promise.owner_agent)
    if owner is not None and owner.presence != "signed_off":
        until = now + state.config.handover_seconds * 1000
        queued = dataclasses.replace(queued, wanted_agent=owner.id, wanted_until=until)
    return received, queued


# -- dialling ---------------------------------------------------------------------------------------------------


def dial_citizen(state: State, command: commands.DialCitizen, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    if contact.channel != "callback" or contact.state != "active":
        raise WrongState("only a callback in hand is dialled")
    if contact.dialling:
        return Decision(answer=contact.dials)
    agent = state.config.agent(command.agent)
    if agent is None or not agent.endpoint:
        raise WrongState("you have no telephone")
    if contact.dials >= DIALS_MAX:
        raise TooMany("this callback was dialled often enough")
    rules = state.config.channels
    seconds = rules.get("phone", rules["callback"]).offer_seconds + state.config.callbacks.ring_seconds
    number, lapses_at = contact.dials + 1, now + seconds * 1000 + DIAL_GRACE_MS
    return Decision((facts.CallbackDialled(contact.id, number, command.agent, lapses_at, _pbx(state)),), number)


def _pbx(state: State) -> str:
    """Over which PBX citizens are called back: the first that is in sight, else the first."""
    pbxs = [world for world in state.worlds if world.partition("@")[0] == "phone"]
    in_sight = [world for world in pbxs if world not in state.census_pending]
    return next(iter(in_sight or pbxs), "").partition("@")[2]


def report_dial(state: State, command: commands.ReportDial, now: int) -> Decision:
    contact = state.contacts.get(command.contact)
    if contact is None or contact.dials != command.number or contact.dialling != "dialling":
        return NOTHING
    if command.how == "answered":
        return Decision((facts.CallbackReached(contact.id, command.number),))
    return Decision(failed(state, contact, command.how, now))


def failed(state: State, contact: ContactState, how: str, now: int) -> tuple[facts.Fact, ...]:
    """They were not connected. Where the citizen was not reached this try is over, and another may follow."""
    end = facts.CallbackFailed(contact.id, contact.dials, how)
    promise = state.follow_ups.get(contact.promise)
    if how not in NOT_REACHED or promise is None:
        return (end,)
    rules, tries = state.config.callbacks, promise.tries + 1
    again_at = _again_at(state, contact.municipality, now) if tries < rules.tries_max else 0
    questions = outcomes(contact, contact.topic, None)[1]
    return (
        end,
        facts.ContactEnded(contact.id, "not_reached", contact.owner, contact.topic, questions=questions),
        facts.CallbackPlanned(promise.id, again_at, tries),
    )


def _again_at(state: State, municipality: str, now: int) -> int:
    """When the citizen is tried again: after a while, and when it is open."""
    then, found = now + state.config.callbacks.again_seconds * 1000, state.config.municipality(municipality)
    return called_from(found, state.config.time_zone, then) if found is not None else then


def telephones(
    state: State, world: str, alive: Collection[str], answered: Collection[str], first: bool, settled_at: int, now: int
) -> Iterator[facts.Fact]:
    """Make the telephones of callbacks agree with what is up in the world of one PBX: contacts with a telephone, and
    those who talk."""
    for contact in list(state.contacts.values()):
        if (
            not contact.dialling
            or world.partition("@")[2] != contact.pbx
            or (not first and max(contact.dialled_at, contact.since) > settled_at)
        ):
            continue
        if contact.id in answered and contact.dialling == "dialling":
            yield facts.CallbackReached(contact.id, contact.dials)
        elif contact.id not in alive and contact.dialling == "dialling":
            yield from failed(state, contact, "lost", now)
        elif contact.id not in alive:
            yield ending(state, contact, "citizen_left", now)
