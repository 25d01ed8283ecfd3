"""Doubles for testing shells: a port that plays a script instead of an engine, a vault in memory, a small centre.

They are stand-ins, not the product: `ScriptedPort` knows no rules, it turns each command into the facts the simplest
case would give, or raises what the test told it to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from router.engine import commands, facts
from router.engine.commands import Command
from router.engine.explanation import Explanation
from router.engine.facts import Fact
from router.errors import Erased, UnknownThing
from router.nouns import Agent, Centre, ChannelRules, Hours, Municipality, Queue, QueueTarget, Topic
from router.nouns_telephone import Recording
from router.port import Numbered, Order, Outcome
from router.vault.interface import CARD_TYPE, Card, Citizen, Item, TakenIn, card_bytes

START = 1_795_000_000_000
"""2026-11-18 11:06:40 UTC, a Wednesday."""


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


def small_centre() -> Centre:
    """Two municipalities, two queues, three agents; Ada works for both municipalities, Bob and Cem for one each."""
    hours = {"phone": Hours(always=True)}
    return Centre(
        id="demo",
        name="Demo",
        time_zone="Europe/Amsterdam",
        municipalities=(
            Municipality(
                "waterland",
                "Waterland",
                ("140299",),
                {"nl": "Hallo"},
                hours,
                needs={"waterland": 1},
                recording=Recording(("burgerzaken",), listeners=("bob",)),
            ),
            Municipality("zeevang", "Zeevang", ("140298",), {"nl": "Hallo"}, hours, needs={"zeevang": 1}),
        ),
        topics=(
            Topic("burgerzaken", {"nl": "Burgerzaken", "en": "Civil affairs"}, "burgerzaken", {"burgerzaken": 2}),
            Topic("afval", {"nl": "Afval", "en": "Waste"}, "afval", {"afval": 1}),
        ),
        queues=(
            Queue("burgerzaken", {"nl": "Burgerzaken"}, {"phone": QueueTarget(20, 0.8), "chat": QueueTarget(60, 0.8)}),
            Queue("afval", {"nl": "Afval"}, {"email": QueueTarget(28_800, 0.9)}),
        ),
        agents=(
            Agent("ada", "Ada Vos", "Ada", {"burgerzaken": 4, "afval": 3, "waterland": 3, "zeevang": 3}, "a1"),
            Agent("bob", "Bob Smit", "Bob", {"burgerzaken": 2, "waterland": 3}),
            Agent("cem", "Cem Kaya", "Cem", {"afval": 2, "zeevang": 3}),
        ),
        channels={c: ChannelRules() for c in ("phone", "chat", "email")},
        combinations=({"phone": 1}, {"chat": 1}, {"email": 1}),
        classification=(),
        default_topic="burgerzaken",
        skills=("burgerzaken", "afval", "waterland", "zeevang"),
        pause_reasons={"lunch": {"nl": "Lunch", "en": "Lunch"}},
    )


class ScriptedPort:
    """A CentrePort without an engine: it records what is submitted and publishes the facts of the simplest case."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.submitted: list[Command] = []
        self.recorded: list[Numbered] = []
        self.refuse: dict[type[Any], Exception] = {}
        """Command -> what `submit` raises for it."""
        self.explanations: dict[str, list[Explanation]] = {}
        self._news = asyncio.Condition()
        self._heard = asyncio.Event()

    async def publish(self, *new: Fact) -> int:
        """Put facts on the record; gives the last number."""
        async with self._news:
            for fact in new:
                self.recorded.append(Numbered(len(self.recorded) + 1, self.now(), fact))
            self._news.notify_all()
        return len(self.recorded)

    async def submit(self, command: Command) -> Outcome:
        self.submitted.append(command)
        self._heard.set()
        if type(command) in self.refuse:
            raise self.refuse[type(command)]
        new, answer = self._play(command)
        number = await self.publish(*new)
        return Outcome(number, answer, bool(new))

    async def heard(self, kind: type[Any]) -> Any:
        """The first command of this kind, waiting for it."""
        while True:
            for command in self.submitted:
                if isinstance(command, kind):
                    return command
            self._heard.clear()
            await self._heard.wait()

    def of(self, kind: type[Any]) -> list[Any]:
        return [command for command in self.submitted if isinstance(command, kind)]

    def _play(self, command: Command) -> tuple[list[Fact], str | int | None]:
        match command:
            case commands.Accept(offer, agent):
                return [facts.OfferAccepted(offer, offer.rpartition("-")[0], agent)], None
            case commands.SetPresence(agent, presence, reason, by):
                return [facts.PresenceChanged(agent, presence, reason, by)], None
            case commands.AddMessage():
                return self._message(command)
            case commands.FinishConversation(contact, agent):
                return [facts.ConversationEnded(contact, agent, "agent", 0)], None
            case commands.CompleteWrapUp():
                ended = facts.ContactEnded(
                    command.contact,
                    "handled",
                    command.agent,
                    command.topic,
                    command.resolved,
                    note_ref=command.note_ref,
                )
                return [ended], None
            case commands.CloseContact(contact, by, why_ref):
                return [facts.ContactEnded(contact, "closed", by=by, why_ref=why_ref)], None
            case commands.AnswerCitizen(contact, answered, mark):
                return [facts.CitizenAnswered(contact, answered, mark)], None
            case commands.SwitchEstimates(on, by, why_ref, topic, agent):
                return [facts.EstimatesSwitched(topic, agent, on, by, why_ref)], None
            case commands.MakeFollowUp():
                made = facts.FollowUpMade(
                    command.follow_up, command.contact, "", "waterland", command.by, command.due_at, command.text_ref,
                    command.owner_agent, command.owner_queue,
                )  # fmt: skip
                return [made], command.follow_up
            case commands.CompleteFollowUp(follow_up, by, note_ref):
                return [facts.FollowUpKept(follow_up, by, note_ref)], None
            case commands.AssignFollowUp(follow_up, by, owner_agent, owner_queue):
                return [facts.FollowUpAssigned(follow_up, by, owner_agent, owner_queue)], None
            case commands.LoseAgent(agent):
                return [facts.AgentLost(agent, self.now() + 120_000)], None
            case commands.RegainAgent(agent):
                return [facts.AgentRegained(agent)], None
            case _:
                return [], None

    def _message(self, command: commands.AddMessage) -> tuple[list[Fact], int]:
        before = [n.fact for n in self.recorded if isinstance(n.fact, facts.MessageAdded)]
        mine = [fact for fact in before if fact.contact == command.contact]
        for fact in mine:
            if fact.message == command.message:
                return [], fact.number
        added = facts.MessageAdded(
            command.contact, len(mine) + 1, command.message, command.author, command.ref, command.by, command.deliver
        )
        return [added], added.number

    async def facts(self, after: int) -> AsyncIterator[tuple[Numbered, ...]]:
        while True:
            async with self._news:
                while len(self.recorded) <= after:
                    await self._news.wait()
                batch = tuple(self.recorded[after:])
            after = batch[-1].number
            yield batch

    async def orders(self, channel: str) -> AsyncIterator[Order]:
        await asyncio.Event().wait()
        yield Order(0, None)  # type: ignore[arg-type]

    async def explain(self, contact: str) -> Explanation:
        return explanation(contact)

    async def decisions(self, contact: str) -> list[Explanation]:
        return self.explanations.get(contact, [])


def explanation(contact: str, offer: str = "") -> Explanation:
    return Explanation(
        contact, START, "burgerzaken", "burgerzaken", {"burgerzaken": 2}, "", (), {"paused": 1}, "level", "0.1.0", "v1",
        offer=offer,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """One audit record."""

    what: str
    who: str
    purpose: str


class MemoryVault:
    """A Vault in memory without encryption; `audit` shows the looks in order. With `audit_fault` nothing is shown."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.citizens: dict[str, Citizen] = {}
        self.audit: list[Look] = []
        self.audit_fault: Exception | None = None
        self.keep_fault: Exception | None = None
        """Of cards that are taken in."""
        self._taken = 0
        self.erased: set[str] = set()
        self.keep_until: dict[str, int] = {}
        self.drafts: dict[tuple[str, str], str] = {}
        self.given: list[str] = []
        """Every reference whose content left the vault for a person, in order."""

    async def store(self, contact: str, type: str, content: bytes, *, keep_until: int = 0) -> str:
        if contact in self.erased:
            raise Erased
        ref = f"v-{len(self.items) + 1}"
        self.items[ref] = Item(contact, type, content)
        if keep_until:
            self.keep_until[ref] = keep_until
        return ref

    async def card(self, contact: str, card: Card) -> str:
        return await self.store(contact, CARD_TYPE, card_bytes(card))

    async def recognise(
        self, municipality: str, contact: str, *, name: str = "", phone: str = "", email: str = ""
    ) -> str:
        ref = f"z-{len(self.citizens) + 1}"
        self.citizens[ref] = Citizen(ref, municipality, name, phone, email)
        return ref

    async def take_in(self, municipality: str, contact: str, card: Card) -> TakenIn:
        citizen = await self.recognise(municipality, contact, name=card.name, phone=card.phone, email=card.email)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taken += 1
        ref = f"v-taken-{self._taken}"

        def keep() -> asyncio.Future[None]:
            if kept.done():
                return kept
            if self.keep_fault is not None:
                kept.set_exception(self.keep_fault)
            else:
                self.items[ref] = Item(contact, CARD_TYPE, card_bytes(card))
                kept.set_result(None)
            return kept

        return TakenIn(citizen, ref, keep)

    async def restore(self, municipality: str, contact: str, card: Card, *, citizen: str, ref: str) -> bool:
        if self.keep_fault is not None:
            raise self.keep_fault
        missing = ref not in self.items
        self.items.setdefault(ref, Item(contact, CARD_TYPE, card_bytes(card)))
        return missing

    async def find(self, municipality: str, *, phone: str = "", email: str = "") -> str:
        return ""

    def _look(self, what: str, who: str, purpose: str) -> None:
        if self.audit_fault is not None:
            raise self.audit_fault
        self.audit.append(Look(what, who, purpose))

    async def read(self, ref: str, *, who: str, purpose: str) -> Item:
        self._look(ref, who, purpose)
        item = await self.read_unattended(ref)
        self.given.append(ref)
        return item

    async def read_citizen(self, citizen: str, *, contact: str, who: str, purpose: str) -> Citizen:
        self._look(citizen, who, purpose)
        if citizen in self.erased:
            raise Erased
        self.given.append(citizen)
        return self.citizens[citizen]

    async def read_contact(
        self, contact: str, citizen: str, ref: str, *, who: str, purpose: str
    ) -> tuple[Citizen | None, Item | None]:
        known = citizen in self.citizens
        person = await self.read_citizen(citizen, contact=contact, who=who, purpose=purpose) if known else None
        return person, await self.read(ref, who=who, purpose=purpose) if ref in self.items else None

    async def read_unattended(self, ref: str) -> Item:
        if ref in self.erased:
            raise Erased
        if ref not in self.items:
            raise UnknownThing
        return self.items[ref]

    async def erase(self, citizen: str, *, who: str = "server") -> int:
        self.erased.add(citizen)
        return 1

    async def sweep(self, known: Mapping[str, bool]) -> int:
        return 0

    async def expire(self) -> int:
        return 0

    async def discard(self, refs: Iterable[str]) -> None:
        self.erased.update(refs)

    async def put_draft(self, contact: str, agent: str, text: str) -> None:
        self.drafts[contact, agent] = text

    async def get_draft(self, contact: str, agent: str) -> str:
        return self.drafts.get((contact, agent), "")

    async def verify_audit(self) -> int:
        return len(self.audit)


def received(
    contact: str, channel: str = "chat", municipality: str = "waterland", **more: Any
) -> facts.ContactReceived:
    fields: dict[str, Any] = {
        "source_key": f"s:{contact}", "entry_point": "", "citizen": "", "language": "nl", "content_ref": "",
        "hints": (), "linked_to": "", **more,
    }  # fmt: skip
    return facts.ContactReceived(contact=contact, channel=channel, municipality=municipality, **fields)


def queued(contact: str, queue: str = "burgerzaken", **more: Any) -> facts.ContactQueued:
    fields: dict[str, Any] = {
        "topic": queue, "needs": {queue: 1}, "language": "nl", "tier": 0, "rank": 0, "remind_at": 0, **more,
    }  # fmt: skip
    return facts.ContactQueued(contact=contact, queue=queue, **fields)


def offered(contact: str, agent: str, n: int = 1) -> facts.ContactOffered:
    return facts.ContactOffered(f"{contact}-{n}", contact, agent, "answer", START + 20_000, START + 20_000)


def accepted(contact: str, agent: str, n: int = 1) -> facts.OfferAccepted:
    return facts.OfferAccepted(f"{contact}-{n}", contact, agent)
