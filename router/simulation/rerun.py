"""A recorded day through the same engine again, under another configuration: recorded acts while they fit, then models.

Every contact follows its recorded path as long as the engine does with it what was recorded: offered to the same agent
at the same moment, ended alike. Then the recorded acts about it are played as they were. Where the path parts, the
contact is *off its path* for good, and `Habits` says what citizen and agent do. Acts about staff and the centre are
played as recorded throughout.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from router.engine import commands, facts
from router.engine.decide import advance, due
from router.engine.state import ContactState, State
from router.errors import Refusal
from router.nouns import Centre
from router.simulation.habits import Habits
from router.simulation.tape import NOTICED, Act, Story, Tape, about, step_of

LAG_MS = 2_000
"""A recorded tick at most this much later than the engine's wish is that wish coming true."""
STOP_RINGING_MS = 200
"""A phone that is asked to stop ringing reports back after this."""
STILL_MEANT = (
    commands.Receive,
    commands.Classify,
    commands.AddMessage,
    commands.MoveContact,
    commands.CloseContact,
    commands.SetPriority,
    commands.TakeCallback,
    commands.LeaveVoicemail,
    commands.AnnounceRecording,
    commands.EndContact,
    commands.MakeFollowUp,
)
"""Recorded acts that may still be meant when the contact has left its path: they do not rest on who has it."""


Watch = Callable[[State, int, tuple[facts.Fact, ...]], None]
"""The state that the facts of one command led to, the moment, the facts."""


@dataclass(slots=True)
class Rerun:
    """What came of it."""

    record: list[tuple[int, facts.Fact]] = field(default_factory=list)
    off_path: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)
    """Recorded commands that no longer made sense, by name."""


class Player:
    """Plays the tape on a state that stands where the tape was marked. Make it, `run` it once."""

    def __init__(self, state: State, tape: Tape, habits: Habits, until: int, watch: Watch) -> None:
        """`until` (ms): what comes after it is not played. `watch` is told the facts of each command."""
        self.result = Rerun()
        self._state, self._tape, self._habits, self._until, self._watch = state, tape, habits, until, watch
        self._done: Counter[str] = Counter()
        """Contact -> steps of its path that have come true."""
        self._turns: Counter[str] = Counter()
        self._still: dict[str, int] = {}
        """Contact that gave way to another -> since when it lies still."""
        self._lay_still: Counter[str] = Counter()
        """Contact -> ms that it lay still, in conversation or wrap-up."""
        for contact in state.contacts.values():
            story = tape.stories.get(contact.id)
            if story is not None:
                self._turns[contact.id] = sum(turn.accepted_at <= state.at for turn in story.turns)
        self._coming: list[tuple[int, int, Callable[[], commands.Command | None]]] = []
        self._order = 0
        self._ticks = [act.at for act in tape.acts if isinstance(act.command, commands.Tick)]
        self._outages = _outages(tape.acts, state.at)
        self._leaving: dict[str, commands.SetPresence] = {}
        """Agents who wanted to sign off with something in hand: they go when it is done."""
        self._configured = False

    def run(self, centre: Centre | None = None, version: str = "", at: int = 0) -> Rerun:
        """Play to the end. `centre` takes the place of every recorded configuration, from `at` (ms) on."""
        if centre is not None:
            self._configured = True
            recorded = (act.command.centre for act in self._tape.acts if isinstance(act.command, commands.Configure))
            known = {agent.id for configured in recorded for agent in configured.agents} | self._state.agents.keys()
            self._do(commands.Configure(centre, version), max(at, self._state.at))
            self._staff_newcomers(centre, known)
        position = 0
        acts = self._tape.acts
        while True:
            act = acts[position] if position < len(acts) else None
            moment = self._next_wake()
            if act is not None and (moment is None or act.at <= moment):
                position += 1
                self._play(act)
            elif moment is None or moment > self._until:
                return self.result
            else:
                self._wake(moment)

    # -- time -----------------------------------------------------------------------------------------------------

    def _next_wake(self) -> int | None:
        """When the engine or somebody off the record acts next."""
        wishes = [self._coming[0][0]] if self._coming else []
        tick = due(self._state)
        if tick is not None:
            tick = self._up(max(tick, self._state.at))
            position = bisect_left(self._ticks, tick)
            if position == len(self._ticks) or self._ticks[position] > tick + LAG_MS:
                wishes.append(tick)
        return min(wishes, default=None)

    def _up(self, moment: int) -> int:
        """The moment itself, or the end of the outage in which it lies."""
        position = bisect_left(self._outages, (moment,))
        for down, up in self._outages[max(0, position - 1) : position + 1]:
            if down < moment < up:
                return up
        return moment

    def _wake(self, moment: int) -> None:
        if self._coming and self._coming[0][0] <= moment:
            _, _, wish = heapq.heappop(self._coming)
            command = wish()
            if command is not None and not self._do(command, moment) and isinstance(command, commands.HandOver):
                self._do(commands.FinishConversation(command.contact, command.agent), moment)
        else:
            self._do(commands.Tick(), moment)

    def _later(self, at: int, wish: Callable[[], commands.Command | None]) -> None:
        """Ask `wish` at that moment for a command; None when it no longer holds."""
        self._order += 1
        heapq.heappush(self._coming, (self._up(max(at, self._state.at)), self._order, wish))

    # -- recorded acts --------------------------------------------------------------------------------------------

    def _play(self, act: Act) -> None:
        command: commands.Command | None = act.command
        contact = about(act.command)
        if isinstance(command, commands.Configure) and self._configured:
            return
        if isinstance(command, commands.ReportCensus) and command.channel != "desk":
            command = self._census(command)
        elif isinstance(command, commands.PlanCallback) and self._state.config.agent(command.owner_agent) is None:
            command = replace(command, owner_agent="")  # whoever is on this roster calls
        elif contact and not self._on_path(contact, act):
            command = self._still_meant(contact, act.command)
        if command is None or not self._do(command, act.at):
            self.result.left_out[type(act.command).__name__] += 1
            if contact and contact not in self.result.off_path:
                self._leave_path(contact)

    def _on_path(self, contact: str, act: Act) -> bool:
        if contact in self.result.off_path:
            return False
        if self._done[contact] == self._tape.steps_before.get(act.number, 0):
            return True
        self._leave_path(contact)
        return False

    def _still_meant(self, contact: str, command: commands.Command) -> commands.Command | None:
        found = self._state.contacts.get(contact)
        if not isinstance(command, STILL_MEANT):
            return None
        if isinstance(command, commands.AddMessage) and command.author not in ("citizen", "system"):
            return None
        in_hand = found is not None and found.state in ("active", "wrap_up")
        if in_hand and isinstance(command, commands.EndContact | commands.CloseContact | commands.MoveContact):
            return None
        return command

    def _census(self, command: commands.ReportCensus) -> commands.ReportCensus:
        """What is up in this run: as recorded on the path; off it, whoever has not left."""
        alive, answered, together, known = [], {}, {}, set(command.alive)
        for contact in self._state.contacts.values():
            if contact.channel != command.channel:
                continue
            if contact.id not in self.result.off_path:
                if contact.id in known:
                    alive.append(contact.id)
                if contact.id in command.answered:
                    answered[contact.id] = command.answered[contact.id]
                if contact.id in command.together:
                    together[contact.id] = command.together[contact.id]
                continue
            story = self._tape.stories.get(contact.id)
            gone = story is not None and not story.turns and 0 < story.ended_at <= self._state.at
            if not gone or contact.owner:
                alive.append(contact.id)
            if contact.owner:
                answered[contact.id] = contact.owner
        return replace(command, alive=tuple(alive), answered=answered, together=together)

    def _staff_newcomers(self, centre: Centre, known: set[str]) -> None:
        """Agents the record does not know work from the first sign-on of the day to the last sign-off."""
        said = [(act.at, act.command) for act in self._tape.acts if isinstance(act.command, commands.SetPresence)]
        on = min((at for at, command in said if command.presence == "ready"), default=None)
        off = max((at for at, command in said if command.presence == "signed_off"), default=None)
        for id in [agent.id for agent in centre.agents if agent.id not in known]:
            for at, presence in ((on, "ready"), (off, "signed_off")):
                if at is not None:
                    self._later(at, partial(commands.SetPresence, id, presence))

    # -- the engine -----------------------------------------------------------------------------------------------

    def _do(self, command: commands.Command, now: int) -> bool:
        """Give the engine a command; False when it is refused."""
        try:
            decision = advance(self._state, command, max(now, self._state.at), explained=False)
        except Refusal:
            if isinstance(command, commands.SetPresence) and command.presence == "signed_off":
                self._leaving[command.agent] = command
            return False
        if isinstance(command, commands.SetPresence):
            self._leaving.pop(command.agent, None)
        if decision.facts:
            self.result.record.extend((self._state.at, fact) for fact in decision.facts)
            self._watch(self._state, self._state.at, decision.facts)
        for fact in decision.facts:
            if isinstance(fact, facts.WorkParked | facts.WorkResumed):
                self._give_way(fact, self._state.at)
            if isinstance(fact, NOTICED):
                self._notice(fact, self._state.at)
        return True

    def _notice(self, fact: facts.Fact, at: int) -> None:
        contact: str = fact.contact  # type: ignore[union-attr]
        if isinstance(fact, facts.ConversationEnded | facts.ContactReturned | facts.ContactEnded):
            del self._lay_still[contact]
            if isinstance(fact, facts.ConversationEnded) and contact in self._still:
                self._still[contact] = at
            else:
                self._still.pop(contact, None)
        if isinstance(fact, facts.ContactTransferred) or (
            isinstance(fact, facts.OfferAccepted | facts.AnswerAdopted)
            and contact in self._state.contacts
            and self._state.contacts[contact].owner == fact.agent
        ):
            self._turns[contact] += 1
        if contact not in self.result.off_path:
            story = self._tape.stories.get(contact)
            done = self._done[contact]
            if story is not None and story.path[done : done + 1] == [step_of(fact, at)]:
                self._done[contact] += 1
            else:
                self._leave_path(contact)
        elif contact in self._state.contacts:
            self._model(self._state.contacts[contact])
        if isinstance(fact, facts.ContactEnded | facts.ContactReturned) and fact.agent in self._leaving:
            self._later(at, lambda agent=fact.agent: self._leaving.get(agent))  # type: ignore[misc]

    def _give_way(self, fact: facts.WorkParked | facts.WorkResumed, at: int) -> None:
        """Whoever lies still takes as much longer."""
        if isinstance(fact, facts.WorkParked):
            self._still[fact.contact] = at
            return
        self._lay_still[fact.contact] += at - self._still.pop(fact.contact, at)
        if fact.contact in self.result.off_path and fact.contact in self._state.contacts:
            self._model(self._state.contacts[fact.contact])

    # -- off the path ---------------------------------------------------------------------------------------------

    def _leave_path(self, contact: str) -> None:
        """From here on citizen and agent do what `Habits` says."""
        self.result.off_path.add(contact)
        found = self._state.contacts.get(contact)
        if found is None:
            return
        leaves = self._habits.leaves_at(self._story(found))
        if leaves is not None:
            self._later(leaves, lambda: self._if_waiting(contact))
        self._model(found)

    def _model(self, contact: ContactState) -> None:
        """Who acts next on a contact off its path, and when."""
        id, turn, still = contact.id, self._turns[contact.id], self._lay_still[contact.id]
        if contact.state == "offered":
            self._react(contact)
        elif contact.state == "active":
            goes = self._habits.turn(self._story(contact), turn - 1, contact.topic, contact.owner)
            self._later(contact.since + goes.talk_ms + still, lambda: self._finish(id, turn, still))
        elif contact.state == "wrap_up":
            goes = self._habits.turn(self._story(contact), turn - 1, contact.topic, contact.owner)
            if goes.closed or not contact.due_at:
                self._later(contact.since + goes.wrap_ms + still, lambda: self._complete(id, turn, still))

    def _react(self, contact: ContactState) -> None:
        offer = self._state.offers[contact.offer]
        if offer.state == "declining":
            at = self._state.at + STOP_RINGING_MS
            self._later(at, lambda: commands.OfferFailed(offer.id, "cancelled") if self._stands(offer.id) else None)
            return
        seconds = self._state.config.channels[contact.channel].offer_seconds
        reaction = min(self._habits.reaction_ms(self._tape.reactions, offer.agent), 1000 * seconds - 1)
        accept = commands.Accept(offer.id, offer.agent)
        self._later(offer.offered_at + reaction, lambda: accept if self._stands(offer.id) else None)

    def _stands(self, offer: str) -> bool:
        return offer in self._state.offers

    def _if_waiting(self, id: str) -> commands.Command | None:
        found = self._state.contacts.get(id)
        waits = found is not None and found.state in ("intake", "waiting", "offered")
        return commands.EndContact(id, "abandoned") if waits else None

    def _goes_on(self, id: str, state: str, turn: int, still: int) -> ContactState | None:
        """The contact, if it is where it was when this was planned, and has not lain still since."""
        contact = self._state.contacts.get(id)
        if contact is None or contact.state != state or self._turns[id] != turn:
            return None
        return contact if id not in self._still and self._lay_still[id] == still else None

    def _finish(self, id: str, turn: int, still: int) -> commands.Command | None:
        contact = self._goes_on(id, "active", turn, still)
        if contact is None:
            return None
        over = self._habits.turn(self._story(contact), turn - 1, contact.topic, contact.owner).handed_over
        if over is None:
            return commands.FinishConversation(id, contact.owner)
        if over.to_agent and over.to_agent != contact.owner:
            return commands.HandOver(id, contact.owner, to_agent=over.to_agent, note_ref=over.note_ref)
        return commands.HandOver(id, contact.owner, queue=over.queue or contact.queue, note_ref=over.note_ref)

    def _complete(self, id: str, turn: int, still: int) -> commands.Command | None:
        contact = self._goes_on(id, "wrap_up", turn, still)
        if contact is None:
            return None
        goes = self._habits.turn(self._story(contact), turn - 1, contact.topic, contact.owner)
        topic = goes.topic if self._state.config.topic(goes.topic) else ""
        return commands.CompleteWrapUp(id, contact.owner, bool(goes.resolved), topic)

    def _story(self, contact: ContactState) -> Story:
        """What is recorded of it; of a contact that this run alone has, nothing but its arrival."""
        known = self._tape.stories.get(contact.id)
        return known or Story(contact.id, contact.channel, contact.received_at, contact.topic)


def _outages(acts: list[Act], since: int) -> list[tuple[int, int]]:
    """From the last act before each start of the process to that start: nothing was decided then."""
    found, last = [], since
    for act in acts:
        if isinstance(act.command, commands.StartCentre):
            found.append((last, act.at))
        last = act.at
    return found
