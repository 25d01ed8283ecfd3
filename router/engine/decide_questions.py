"""Deciding about the questions of a contact: what they ask of an agent together, another one, and how each ended."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decision import Decision, owned_contact
from router.engine.state import ContactState, State
from router.errors import InvalidInput, TooMany, WrongState
from router.nouns import LIVE_CHANNELS, Question, Queue
from router.queues.lanes import lane_key

QUESTIONS_MAX = 9


def _needs_of(state: State, topic: str, language: str, municipality: str) -> dict[str, int]:
    """Skill -> level that topic, language and municipality ask together."""
    found_topic, found_municipality = state.config.topic(topic), state.config.municipality(municipality)
    return _highest(
        found_topic.needs if found_topic else {},
        state.config.language_needs.get(language, {}),
        found_municipality.needs if found_municipality else {},
    )


def needs_together(
    state: State, channel: str, topics: tuple[str, ...], language: str, municipality: str
) -> dict[str, int]:
    """What all the questions ask, where there is somebody who can take them all; else what the first asks.

    Somebody is: signed on and ready, for a person who is waiting; on the roster, for written work.
    """
    first = _needs_of(state, topics[0], language, municipality)
    if len(topics) == 1:
        return first
    together = _highest(first, *(_needs_of(state, topic, language, municipality) for topic in topics[1:]))
    crew = state.index.crew(state, lane_key(channel, together, topics[0]))
    return together if (crew.present if channel in LIVE_CHANNELS else crew.ranks) else first


def _highest(*several: dict[str, int]) -> dict[str, int]:
    needs: dict[str, int] = {}
    for more in several:
        for skill, level in more.items():
            needs[skill] = max(level, needs.get(skill, 0))
    return needs


def topics_in(state: State, queue: Queue, contact: ContactState) -> tuple[str, ...]:
    """The contact's topics for this queue, the one it is routed by first: the first that the queue serves.

    When it serves none of them, the queue's first topic takes the place of the one it was routed by.
    """
    served = [topic.id for topic in state.config.topics if topic.queue == queue.id]
    if not served:
        raise WrongState("this queue serves no topic")
    asked = (contact.topic, *contact.further)
    routed = next((topic for topic in asked if topic in served), "")
    if not routed:
        return (served[0], *contact.further)
    return (routed, *(topic for topic in asked if topic != routed))


def add_question(state: State, command: commands.AddQuestion, now: int) -> Decision:
    contact = owned_contact(state, command.contact, command.agent)
    asked = (contact.topic, *contact.further)
    if command.topic in asked:
        return Decision(answer=asked.index(command.topic) + 1)
    if state.config.topic(command.topic) is None:
        raise InvalidInput("no such topic")
    if len(asked) >= QUESTIONS_MAX:
        raise TooMany("the contact has as many questions as it may have")
    number = len(asked) + 1
    return Decision((facts.QuestionAdded(contact.id, number, command.topic, command.agent),), number)


def outcomes(
    contact: ContactState, topic: str, resolved: bool | None, answers: tuple[Question, ...] = ()
) -> tuple[bool | None, tuple[Question, ...]]:
    """Whether all was settled, and each question with its answer where there is more than one.

    `resolved` answers the first question, of which the topic is `topic`. Raises InvalidInput for answers to what was
    not asked.
    """
    if not contact.further:
        if answers:
            raise InvalidInput("the contact has one question")
        return resolved, ()
    said = {answer.topic: answer.resolved for answer in answers}
    if len(said) != len(answers) or not said.keys() <= set(contact.further):
        raise InvalidInput("an answer for each further question, once")
    if topic in contact.further:
        raise InvalidInput("two questions of one topic")
    questions = (Question(topic, resolved), *(Question(other, said.get(other)) for other in contact.further))
    answered = [question.resolved for question in questions if question.resolved is not None]
    return all(answered) if answered else None, questions
