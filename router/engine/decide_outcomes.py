"""Deciding about outcomes: what the citizen answers, and which estimates the matcher goes by."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decision import NOTHING, Decision, open_contact
from router.engine.state import State
from router.errors import InvalidInput, NotAllowed, UnknownThing, WrongState
from router.skills.estimates import allowed
from router.skills.policies import ONE

MARK_MAX = 10


def answer_citizen(state: State, command: commands.AnswerCitizen, now: int) -> Decision:
    if not 0 <= command.mark <= MARK_MAX:
        raise InvalidInput("a mark lies between 1 and 10; 0 = none")
    if command.contact not in state.ended and open_contact(state, command.contact).state != "wrap_up":
        raise WrongState("the conversation is not over yet")
    known = state.answers.get(command.contact)
    if known is not None:
        answered, mark = known
        if answered != command.answered or (mark and command.mark not in (0, mark)):
            raise WrongState("this was answered already")
        if mark or not command.mark:
            return NOTHING
    return Decision((facts.CitizenAnswered(command.contact, command.answered, command.mark),))


def publish_estimates(state: State, command: commands.PublishEstimates, now: int) -> Decision:
    if state.estimates is not None and state.estimates_version == command.version:
        return NOTHING
    if not allowed(state.config, command.estimates.basis):
        raise NotAllowed("the configuration does not allow estimates that rest on this")
    for topic in command.estimates.topics.values():
        if (
            not all(0 <= chance <= ONE for chance in topic.chance.values())
            or min(topic.seconds.values(), default=1) < 1
        ):
            raise InvalidInput("a chance lies between 0 and 10,000, a handling time above 0")
    return Decision((facts.EstimatesPublished(command.estimates, command.version),))


def switch_estimates(state: State, command: commands.SwitchEstimates, now: int) -> Decision:
    which = (command.topic, command.agent)
    if (which in state.estimates_off) != command.on:
        return NOTHING
    if command.agent and not command.topic:
        raise InvalidInput("an agent's estimate is one of a topic: say which")
    if not command.on:
        if command.topic and state.config.topic(command.topic) is None:
            raise UnknownThing("no such topic")
        if command.agent and state.config.agent(command.agent) is None:
            raise UnknownThing("no such agent")
    return Decision((facts.EstimatesSwitched(*which, command.on, command.by, command.why_ref),))
