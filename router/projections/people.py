"""Read model: who of the staff is there, and what they are busy with."""

from __future__ import annotations

from dataclasses import dataclass, field

from router.engine import facts
from router.nouns import Centre
from router.port import Numbered
from router.projections.shapes import AgentCounts, Person


@dataclass(slots=True)
class Presence:
    """One agent as the facts have left them."""

    agent: str
    presence: str = "signed_off"
    reason: str = ""
    since: int = 0
    """When the presence last changed."""
    lost: bool = False
    telephone: str = "free"
    """free (or in a call of ours), elsewhere or unregistered"""
    active: dict[str, str] = field(default_factory=dict)
    """Contacts in conversation -> their channel."""
    wrap_up: dict[str, str] = field(default_factory=dict)
    after_work: bool = False
    """A transferred call left something to do."""
    listeners: dict[str, str] = field(default_factory=dict)
    """Supervisor -> how they take part in the call."""
    shown_since: int = 0
    """When `state` last changed."""

    @property
    def state(self) -> str:
        """What a supervisor sees: ready, busy, wrap_up, paused, signed_off."""
        if self.active:
            return "busy"
        if self.wrap_up or self.after_work:
            return "wrap_up"
        if self.presence == "ready" and self.telephone == "elsewhere":
            return "busy"
        return self.presence

    @property
    def contacts(self) -> dict[str, int]:
        """Channel -> how many in hand."""
        counts: dict[str, int] = {}
        for channel in (*self.active.values(), *self.wrap_up.values()):
            counts[channel] = counts.get(channel, 0) + 1
        return counts


class People:
    """Presence and load of every agent."""

    def __init__(self) -> None:
        self.position = 0
        self._of: dict[str, Presence] = {}
        self._channels: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._partners: dict[str, set[str]] = {}
        """Contact -> colleagues who take part in it beside its owner."""

    def get(self, agent: str) -> Presence:
        return self._of.get(agent) or Presence(agent)

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        fact, at = numbered.fact, numbered.at
        contact = getattr(fact, "contact", "")
        touched = {getattr(fact, "agent", ""), self._owners.get(contact, ""), *self._partners.get(contact, ())} - {""}
        before = {agent: self._known(agent).state for agent in touched}
        self._fold(fact, at)
        for agent, state in before.items():
            person = self._known(agent)
            if person.state != state:
                person.shown_since = at

    def _known(self, agent: str) -> Presence:
        return self._of.setdefault(agent, Presence(agent))

    def _fold(self, fact: facts.Fact, at: int) -> None:
        match fact:
            case facts.PresenceChanged():
                person = self._known(fact.agent)
                if (person.presence, person.reason) != (fact.presence, fact.reason):
                    person.since = at
                    person.shown_since = at
                person.presence, person.reason = fact.presence, fact.reason
            case facts.AgentLost():
                self._known(fact.agent).lost = True
            case facts.AgentRegained():
                self._known(fact.agent).lost = False
            case facts.TelephoneChanged():
                self._known(fact.agent).telephone = fact.telephone
            case facts.ContactReceived():
                self._channels[fact.contact] = fact.channel
            case facts.OfferAccepted(purpose="answer") | facts.AnswerAdopted():
                self._release(fact.contact)
                self._owners[fact.contact] = fact.agent
                self._known(fact.agent).active[fact.contact] = self._channels.get(fact.contact, "")
            case facts.ConversationEnded():
                self._release(fact.contact)
                self._owners[fact.contact] = fact.agent
                self._known(fact.agent).wrap_up[fact.contact] = self._channels.get(fact.contact, "")
            case facts.ContactReturned():
                self._release(fact.contact)
            case facts.ContactEnded():
                self._release(fact.contact)
                self._channels.pop(fact.contact, None)
            case _:
                self._fold_together(fact)

    def _fold_together(self, fact: facts.Fact) -> None:
        """Several agents in one conversation, and supervisors."""
        match fact:
            case facts.OfferAccepted(purpose="consult"):
                self._partners.setdefault(fact.contact, set()).add(fact.agent)
                self._known(fact.agent).active[fact.contact] = self._channels.get(fact.contact, "")
            case facts.ContactTransferred():
                self._known(fact.agent).active.pop(fact.contact, None)
                self._known(fact.agent).after_work = fact.after_work_until > 0
                self._owners[fact.contact] = fact.to_agent
                self._partners.get(fact.contact, set()).discard(fact.to_agent)
            case facts.SupervisionSet():
                owner = self._known(self._owners.get(fact.contact, ""))
                owner.listeners = {**owner.listeners, fact.by: fact.mode}
            case facts.SupervisionEnded():
                owner = self._known(self._owners.get(fact.contact, ""))
                owner.listeners = {by: mode for by, mode in owner.listeners.items() if by != fact.by}
            case facts.AfterWorkEnded():
                self._known(fact.agent).after_work = False
            case facts.ParticipantLeft():
                self._known(fact.agent).active.pop(fact.contact, None)
                self._partners.get(fact.contact, set()).discard(fact.agent)
            case _:
                pass

    def _release(self, contact: str) -> None:
        for agent in {self._owners.pop(contact, ""), *self._partners.pop(contact, ())} - {""}:
            self._of[agent].active.pop(contact, None)
            self._of[agent].listeners = {}
            self._of[agent].wrap_up.pop(contact, None)

    def counts(self, centre: Centre) -> AgentCounts:
        states = [self.get(agent.id).state for agent in centre.agents]
        return AgentCounts(**{state: states.count(state) for state in AgentCounts.__struct_fields__})

    def view(self, centre: Centre) -> list[Person]:
        """All agents of the configuration, by name."""
        people = [(agent, self.get(agent.id)) for agent in sorted(centre.agents, key=lambda a: (a.name, a.id))]
        return [
            Person(
                agent.id,
                agent.name,
                person.state,
                person.shown_since,
                person.reason,
                person.contacts,
                person.listeners,
                person.telephone,
            )
            for agent, person in people
        ]
