"""A recorded day as a tape: the commands that came, in order, and per contact what citizen and agents did.

Commands are what went in and facts are what came of it. Of a contact, the facts that somebody at a telephone or a
screen notices make its *path*; as long as a rerun follows the path of a contact, its recorded commands still mean what
they meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from router.engine import commands, facts

NOTICED: tuple[type, ...] = (
    facts.ContactOffered,
    facts.OfferAccepted,
    facts.DeclineRequested,
    facts.OfferEnded,
    facts.AnswerAdopted,
    facts.ContactReturned,
    facts.ContactTransferred,
    facts.ConferenceStarted,
    facts.ParticipantLeft,
    facts.ConversationEnded,
    facts.ContactEnded,
)
"""Facts that citizen or agent notices."""

REACTIONS_KEPT = 100

Step = tuple[int, str, str]
"""When, which fact, which agent: one step of a path."""


@dataclass(frozen=True, slots=True)
class Act:
    """One command as it was recorded, and the facts that came of it."""

    number: int
    """Of its first fact."""
    at: int
    command: commands.Command
    facts: tuple[facts.Fact, ...]


@dataclass(frozen=True, slots=True)
class Onward:
    """To whom an agent gave a contact: a queue, or one colleague."""

    queue: str
    to_agent: str
    note_ref: str = ""


@dataclass(slots=True)
class Turn:
    """One time that an agent had the contact. Times in ms; 0 = not (yet) known."""

    agent: str
    topic: str
    accepted_at: int
    talk_ms: int = 0
    wrap_ms: int = 0
    handed_over: Onward | None = None
    resolved: bool | None = None
    closed: bool = False
    """The agent answered how it went; otherwise wrap-up ran out by itself, or the turn ended otherwise."""


@dataclass(slots=True)
class Story:
    """What the record says of one contact."""

    id: str
    channel: str
    received_at: int
    topic: str = ""
    turns: list[Turn] = field(default_factory=list)
    offered_at: int = 0
    consults: set[str] = field(default_factory=set)
    """Offers that asked a colleague in; they are no turns."""
    talked_until: int = 0
    parked_at: int = 0
    parked_ms: int = 0
    """Since when it lies still, and how long it did so in what it is in: conversation or wrap-up."""
    ended_at: int = 0
    path: list[Step] = field(default_factory=list)

    @property
    def answered_at(self) -> int:
        """When an agent first had it; 0 = never."""
        return self.turns[0].accepted_at if self.turns else 0


def _worked(story: Story, since: int, at: int) -> int:
    """How long somebody worked on it, what it lay still left out; it begins anew."""
    parked = story.parked_ms + (at - story.parked_at if story.parked_at else 0)
    story.parked_at, story.parked_ms = at if story.parked_at else 0, 0
    return max(0, at - since - parked)


def _turn_ends(story: Story, at: int, onward: Onward | None) -> None:
    turn = story.turns[-1]
    turn.talk_ms, turn.handed_over = _worked(story, turn.accepted_at, at), onward


def _ends(story: Story, fact: facts.ContactEnded, at: int) -> None:
    story.ended_at = at
    if story.turns and fact.agent:
        turn = story.turns[-1]
        turn.topic = fact.topic or turn.topic
        turn.resolved, turn.closed = fact.resolved, fact.reason == "handled" and not fact.automatic
        if story.talked_until >= turn.accepted_at:
            turn.wrap_ms = _worked(story, story.talked_until, at)
        else:
            turn.talk_ms = _worked(story, turn.accepted_at, at)


def step_of(fact: Any, at: int) -> Step:
    return at, type(fact).__name__, fact.agent


def about(command: commands.Command) -> str:
    """The contact that a command is about, or "" when it is about staff or the centre."""
    contact: str = getattr(command, "contact", "") or getattr(command, "offer", "").rpartition("-")[0]
    return contact


class Tape:
    """Fed with acts in order, it knows the stories of all contacts that are open, or have been since `mark`."""

    def __init__(self) -> None:
        self.stories: dict[str, Story] = {}
        self.acts: list[Act] = []
        """Since `mark`."""
        self.steps_before: dict[int, int] = {}
        """Number of an act about a contact -> how many steps of that contact's path came before it."""
        self.reactions: dict[str, list[int]] = {}
        """Agent -> ms from offer to acceptance, the most recent ones."""
        self._marked = False

    def mark(self) -> None:
        """The part that is run again begins here: acts are kept, paths start, ended contacts stay known."""
        self._marked = True

    def take(self, act: Act) -> list[Story]:
        """The next act; gives the stories that it brought to an end."""
        if self._marked:
            self.acts.append(act)
            story = self.stories.get(about(act.command))
            if story is not None:
                self.steps_before[act.number] = len(story.path)
        ended = []
        for fact in act.facts:
            story = self._take(fact, act)
            if story is not None and isinstance(fact, facts.ContactEnded):
                ended.append(story)
                if not self._marked:
                    del self.stories[story.id]
        return ended

    def _take(self, fact: Any, act: Act) -> Story | None:
        if isinstance(fact, facts.ContactReceived):
            self.stories[fact.contact] = Story(fact.contact, fact.channel, act.at)
        story = self.stories.get(getattr(fact, "contact", ""))
        if story is None:
            return None
        if isinstance(fact, NOTICED) and self._marked:
            story.path.append(step_of(fact, act.at))
        self._tell(story, fact, act.at)
        return story

    def _tell(self, story: Story, fact: Any, at: int) -> None:
        match fact:
            case facts.ContactQueued():
                story.topic = fact.topic
            case facts.ContactOffered(purpose="consult"):
                story.consults.add(fact.offer)
            case facts.ContactOffered():
                story.offered_at = at
            case facts.OfferAccepted() if fact.offer in story.consults:
                pass
            case facts.OfferAccepted() | facts.AnswerAdopted():
                if isinstance(fact, facts.OfferAccepted):
                    latest = self.reactions.setdefault(fact.agent, [])
                    latest.append(at - story.offered_at)
                    del latest[:-REACTIONS_KEPT]
                story.turns.append(Turn(fact.agent, story.topic, at))
            case facts.ContactReturned():
                onward = Onward(fact.queue, fact.wanted_agent, fact.note_ref)
                _turn_ends(story, at, onward if fact.reason == "handed_over" else None)
                story.topic = fact.topic
            case facts.ContactTransferred():
                _turn_ends(story, at, Onward("", fact.to_agent))
                story.turns.append(Turn(fact.to_agent, story.topic, at))
            case facts.ConversationEnded():
                _turn_ends(story, at, None)
                story.talked_until = at
            case facts.WorkParked():
                story.parked_at = at
            case facts.WorkResumed():
                story.parked_ms += at - story.parked_at
                story.parked_at = 0
            case facts.ContactEnded():
                _ends(story, fact, at)
