"""A simulated working day: citizens on all channels, agents with habits, and a server that is killed now and then."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from router.engine import commands, facts
from router.engine.index import rebuild_index
from tests.properties.world import CHANNELS, World, replayed

HOUR_MS = 3_600_000
SHARES = (("phone", 0.5), ("chat", 0.2), ("email", 0.15), ("post", 0.1), ("counter", 0.05))


@dataclass
class Day:
    """One seeded day; `ledger` is what the citizens' side was told, kept apart from the engine."""

    seed: int
    contacts: int = 60
    world: World = field(default_factory=World)
    ledger: dict[str, str] = field(default_factory=dict)
    """Source key -> the contact that was acknowledged for it."""
    crashes: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.coming: list[tuple[int, int, Callable[[], object]]] = []
        self.order = 0
        self.seen = 0

    def at(self, seconds: float, event: Callable[[], object]) -> None:
        self.order += 1
        heapq.heappush(self.coming, (self.world.now + int(seconds * 1000), self.order, event))

    def run(self) -> World:
        """Play the day to its end."""
        for agent in self.world.centre.agents:
            self.at(self.dice.uniform(0, 600), lambda id=agent.id: self.world.ready(id))  # type: ignore[misc]
        for number in range(self.contacts):
            self.at(self.dice.uniform(0, 8 * 3600), lambda n=number: self.arrive(n))  # type: ignore[misc]
        for _ in range(self.dice.randint(0, 3)):
            self.at(self.dice.uniform(0, 8 * 3600), self.crash)
        while self.coming:
            moment, _, event = heapq.heappop(self.coming)
            self.world.pass_time(max(0, moment - self.world.now))
            event()
            self.react()
        return self.world

    def arrive(self, number: int) -> None:
        channel = self.dice.choices([c for c, _ in SHARES], [s for _, s in SHARES])[0]
        topic = self.dice.choice(["burgerzaken", "afval", "wmo"])
        key, contact = f"source-{number}", f"c-{number}"
        receive = commands.Receive(contact, channel, "waterland", key, hints=(f"topic:{topic}",))
        for _ in range(self.dice.choice([1, 1, 1, 2])):
            decision = self.world.ask(receive)
            assert decision is not None
            assert self.ledger.setdefault(key, str(decision.answer)) == decision.answer
        if channel in ("phone", "chat"):
            self.at(self.dice.expovariate(1 / 300), lambda: self.leave(contact))

    def leave(self, contact: str) -> None:
        """The citizen's patience is over, if they still wait."""
        found = self.world.state.contacts.get(contact)
        if found is not None and found.state in ("waiting", "offered"):
            self.world.ask(commands.EndContact(contact, "abandoned"))

    def crash(self) -> None:
        """SIGKILL and a start: only what was recorded is left, and the world is asked what is up."""
        self.crashes += 1
        self.world.state = replayed(self.world.record)
        rebuild_index(self.world.state)
        self.world.now += self.dice.randint(500, 5_000)
        self.world.ask(commands.StartCentre(("phone",)))
        state = self.world.state
        calls = [c for c in state.contacts.values() if c.channel == "phone"]
        alive = tuple(c.id for c in calls if self.dice.random() < 0.9)
        talking = {c.id: c.owner for c in calls if c.owner and self.dice.random() < 0.95}
        self.world.ask(commands.ReportCensus("phone", alive, talking))

    def react(self) -> None:
        """What people do about the facts that are new to them."""
        while self.seen < len(self.world.record):
            _, fact = self.world.record[self.seen]
            self.seen += 1
            match fact:
                case facts.ContactOffered(offer=offer, agent=agent):
                    self.answer(offer, agent)
                case (
                    facts.OfferAccepted(contact=contact, agent=agent)
                    | facts.AnswerAdopted(contact=contact, agent=agent)
                ):
                    self.at(self.dice.lognormvariate(5.2, 0.7), lambda c=contact, a=agent: self.finish(c, a))  # type: ignore[misc]
                case facts.ConversationEnded(contact=contact, agent=agent) if self.dice.random() < 0.8:
                    self.at(self.dice.uniform(5, 90), lambda c=contact, a=agent: self.complete(c, a))  # type: ignore[misc]
                case facts.ConversationEnded(contact=contact, agent=agent) if fact.due_at == 0:
                    self.at(600, lambda c=contact, a=agent: self.complete(c, a))  # type: ignore[misc]
                case facts.PresenceChanged(agent=agent, presence="paused"):
                    self.at(self.dice.uniform(5, 300), lambda a=agent: self.world.ready(a))  # type: ignore[misc]

    def answer(self, offer: str, agent: str) -> None:
        habit = self.dice.random()
        wait = self.dice.uniform(1, 18)
        if habit < 0.85:
            self.at(wait, lambda: self.world.ask(commands.Accept(offer, agent)))
        elif habit < 0.93:
            self.at(wait, lambda: self.decline(offer, agent))

    def decline(self, offer: str, agent: str) -> None:
        self.world.ask(commands.Decline(offer, agent))
        self.at(0.2, lambda: self.world.ask(commands.OfferFailed(offer, "cancelled")))

    def finish(self, contact: str, agent: str) -> None:
        found = self.world.state.contacts.get(contact)
        if found is None or found.owner != agent:
            return
        how = self.dice.random()
        if how < 0.1:
            self.world.ask(commands.HandOver(contact, agent, queue="balie"))
        elif how < 0.4 and found.channel in ("phone", "chat"):
            self.world.ask(commands.EndContact(contact, "citizen_left"))
        else:
            self.world.ask(commands.FinishConversation(contact, agent))

    def complete(self, contact: str, agent: str) -> None:
        self.world.ask(commands.CompleteWrapUp(contact, agent, self.dice.random() < 0.8))


assert {c for c, _ in SHARES} == set(CHANNELS)
