"""Deciding about the centre as a whole: configuration, start, census, and the passing of time."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.alarms import Alarm
from router.engine.decide_callbacks import called, cut_off, failed, telephones
from router.engine.decide_contacts import ending, home, queue_from_intake, returned, settled
from router.engine.decide_offers import adopted, ended, expire, talks
from router.engine.decide_openings import reopen_in_time
from router.engine.decide_outside import over, passed_on
from router.engine.decide_questions import outcomes
from router.engine.decide_staff import give_back, lost
from router.engine.decide_talk import after_work_ended
from router.engine.decide_waiting import widening
from router.engine.decision import NOTHING, Decision
from router.engine.state import ContactState, State
from router.nouns import LIVE_CHANNELS
from router.queues.order import rank_of
from router.queues.targets import reminder_ms, target_of

SETTLING_MS = 5_000
"""A regular census does not judge what changed this recently: reports of it may still be under way."""


def configure(state: State, command: commands.Configure, now: int) -> Decision:
    if state.centre is not None and state.version == command.version:
        return NOTHING
    return Decision((facts.CentreConfigured(command.centre, command.version),))


def start_centre(state: State, command: commands.StartCentre, now: int) -> Decision:
    """Calls of a PBX that is no longer there are over."""
    channels = {world.partition("@")[0] for world in command.census}
    lost_sight = [c for c in state.contacts.values() if c.channel in channels and c.world not in command.census]
    over = [ending(state, contact, "gone", now) for contact in lost_sight if contact.state != "wrap_up"]
    return Decision((facts.CentreStarted(command.census), *over))


def lose_channel(state: State, command: commands.LoseChannel, now: int) -> Decision:
    if command.channel in state.census_pending:
        return NOTHING
    return Decision((facts.ChannelLost(command.channel),))


# -- census -------------------------------------------------------------------------------------------------


def report_census(state: State, command: commands.ReportCensus, now: int) -> Decision:
    if command.channel == "desk":
        return Decision(_desk_census(state, set(command.alive), now))
    first = command.channel in state.census_pending
    reconciled: list[facts.Fact] = []
    alive = set(command.alive)
    began = 0 if command.up_seconds is None else now - command.up_seconds * 1000
    for contact in state.contacts.values():
        if contact.world != command.channel or contact.state == "wrap_up":
            continue
        if not first and contact.since > now - SETTLING_MS:
            continue
        if contact.id not in alive and contact.received_at < began:
            reconciled.extend(cut_off(state, contact, now))
        if contact.outside_state == "through" and contact.id in command.outside:
            reconciled.extend([passed_on(state, contact, now)] if command.outside[contact.id] else [])
            continue
        reconciled.extend(_reconcile(state, contact, alive, command.answered.get(contact.id, ""), first, now))
        if contact.participants and contact.id in command.answered and contact.joined_at <= now - SETTLING_MS:
            up = command.together.get(contact.id, ())
            reconciled.extend(facts.ParticipantLeft(contact.id, a, "left") for a in contact.participants if a not in up)
    if command.channel.partition("@")[0] == "phone":
        settled_at = now - SETTLING_MS
        reconciled.extend(telephones(state, command.channel, alive, command.answered, first, settled_at, now))
    if first:
        reconciled.append(facts.CensusTaken(command.channel))
    return Decision(tuple(reconciled))


def _reconcile(
    state: State, contact: ContactState, alive: set[str], with_agent: str, first: bool, now: int
) -> list[facts.Fact]:
    """Make one contact agree with the world: gone, in conversation with somebody, or on hold."""
    if contact.id not in alive:
        return [ending(state, contact, "gone", now)]
    if contact.state == "intake":
        cut_short = contact.since <= state.started_at
        return [queue_from_intake(state, contact, commands.Classify(contact.id), now)] if cut_short else []
    if with_agent in state.agents and with_agent != contact.owner:
        free = contact.state in ("waiting", "offered") and not talks(state, with_agent)
        return [*adopted(state, contact, with_agent)] if free else []
    if contact.state == "active" and not with_agent:
        return [returned(state, contact, "held", now)]
    if contact.offer and first:
        return [ended(state, state.offers[contact.offer], "withdrawn", "restart", now)]
    return []


def _desk_census(state: State, connected: set[str], now: int) -> tuple[facts.Fact, ...]:
    found: list[facts.Fact] = []
    for agent in state.agents.values():
        if agent.presence == "signed_off":
            continue
        if agent.id not in connected and agent.connection == "connected":
            found.extend(lost(state, agent, now))
        elif agent.id in connected and agent.connection == "lost":
            found.append(facts.AgentRegained(agent.id))
    if "desk" in state.census_pending:
        found.append(facts.CensusTaken("desk"))
    return tuple(found)


# -- time ---------------------------------------------------------------------------------------------------


def waits_for_census(state: State, alarm: Alarm) -> bool:
    """Whether the alarm concerns a channel whose world is not known yet: judging it now would be guessing."""
    _, kind, id = alarm
    offer = state.offers.get(id)
    contact = state.contacts.get(offer.contact if offer else id)
    return kind in ("offer", "intake", "outside") and contact is not None and state.unseen(contact)


def alarm(state: State, alarm: Alarm, now: int) -> tuple[facts.Fact, ...]:
    """What one alarm leads to; nothing when its reason no longer stands."""
    at, kind, id = alarm
    contact = state.contacts.get(id)
    offer = state.offers.get(id)
    if kind == "offer" and offer:
        return expire(state, offer, now)
    if kind == "intake" and contact and contact.state == "intake":
        return (queue_from_intake(state, contact, commands.Classify(id), now),)
    if kind == "outside" and contact and contact.state == "active" and contact.outside_until == at:
        return (over(state, contact, "no_report", now),)
    if kind == "wait" and contact and contact.state in ("waiting", "offered") and contact.remind_at == at:
        return (_wait_exceeded(state, contact, now),)
    if kind == "step" and contact and contact.state in ("waiting", "offered"):
        return widening(state, contact, now)
    if kind == "wrap_up" and contact and contact.state == "wrap_up" and contact.due_at == at:
        if state.agents[contact.owner].load[id] == "parked":
            return ()
        questions = outcomes(contact, contact.topic, None)[1]
        return (
            facts.ContactEnded(id, settled(contact), contact.owner, contact.topic, automatic=True, questions=questions),
        )
    if kind == "after_work" and id in state.agents:
        person = state.agents[id]
        return after_work_ended(person, automatic=True) if person.after_work_until == at else ()
    if kind == "return" and id in state.agents:
        agent = state.agents[id]
        return give_back(state, agent, now) if agent.connection == "lost" and agent.return_at == at else ()
    if kind == "follow_up" and id in state.follow_ups and state.follow_ups[id].state == "open":
        return (facts.FollowUpOverdue(id),)
    if kind == "callback" and id in state.follow_ups and state.follow_ups[id].call_at == at:
        return called(state, state.follow_ups[id], now)
    if kind == "dial" and contact and contact.dialling == "dialling" and contact.dial_lapses_at == at:
        return failed(state, contact, "no_report", now)
    if kind == "reopen":
        return reopen_in_time(state, id, at)
    if kind == "forget" and id in state.ended:
        return (facts.ContactForgotten(id),)
    return ()


def _wait_exceeded(state: State, contact: ContactState, now: int) -> facts.WaitExceeded:
    """Note the wait; written work past its target goes before what comes in from now on."""
    queue = home(state, contact)
    times = contact.reminders + 1
    overdue_now = contact.channel not in LIVE_CHANNELS and contact.tier != 0
    rank = rank_of(state.config, queue, now, contact.priority) if overdue_now else contact.rank
    target = target_of(state.config, queue, contact.channel, contact.municipality)
    remind_at = now + reminder_ms(target, times)
    return facts.WaitExceeded(contact.id, times, 0 if overdue_now else contact.tier, rank, remind_at)
