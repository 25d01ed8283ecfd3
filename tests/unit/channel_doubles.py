"""For the tests of channels: a real centre over a journal in memory, behind a port that can be watched and broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from router.centre import Centre, Clock
from router.channels.channel import Surroundings
from router.courtesy import Courtesy
from router.engine import commands, facts
from router.engine.commands import Command
from router.engine.explanation import Explanation
from router.journal.memory import MemoryJournal, MemoryRecord
from router.nouns import Agent, ChannelRules, ClassifyRule, Municipality, Queue, Topic
from router.nouns import Centre as Configuration
from router.port import Numbered, Order, Outcome
from router.skills.classification import queue_of
from router.vault.interface import Card, read_card
from tests.unit.doubles import MemoryVault

DEADLINE_SECONDS = 10.0
KEY = bytes(range(32))


def configuration() -> Configuration:
    """Two municipalities, two topics, one agent who may do all."""
    skills = {"burgerzaken": 5, "afval": 5}
    return Configuration(
        id="test",
        name="Test",
        time_zone="Europe/Amsterdam",
        municipalities=(
            Municipality(
                "waterland",
                "Waterland",
                ("140299",),
                {"nl": "Hallo"},
                {},
                {"nl": "Dicht."},
                email_from="gemeente@waterland.example",
            ),
            Municipality("zeevang", "Zeevang", ("140298",), {}, {}),
        ),
        topics=(
            Topic("burgerzaken", {}, "algemeen", {"burgerzaken": 1}),
            Topic("afval", {}, "algemeen", {"afval": 1}),
        ),
        queues=(Queue("algemeen", {}, {}),),
        agents=(Agent("ada", "Ada Vos", "Ada", skills),),
        channels={c: ChannelRules(60) for c in ("phone", "email", "chat", "post", "counter", "callback")},
        combinations=({"phone": 9, "email": 9, "chat": 9, "post": 9, "counter": 9, "callback": 9},),
        classification=(ClassifyRule(("topic:afval",), "afval"), ClassifyRule(("keyword:afval",), "afval")),
        default_topic="burgerzaken",
        skills=("burgerzaken", "afval"),
    )


def hints_of(text: str) -> tuple[str, ...]:
    return ("keyword:afval",) if "afval" in text.lower() else ()


class Watched:
    """A `CentrePort` that notes what passes, and fails where a test says so."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.passed: list[tuple[Command, Outcome]] = []
        self.fails: Callable[[Command], Exception | None] = lambda command: None
        """Asked before a command is passed on."""
        self.fails_after: Callable[[Command], BaseException | None] = lambda command: None
        """Asked when it is on disk: a crash between the record and its answer."""
        self._news = asyncio.Condition()

    async def submit(self, command: Command) -> Outcome:
        if (error := self.fails(command)) is not None:
            raise error
        outcome = await self.centre.submit(command)
        async with self._news:
            self.passed.append((command, outcome))
            self._news.notify_all()
        if (crash := self.fails_after(command)) is not None:
            raise crash
        return outcome

    async def until(self, holds: Callable[[Command], bool], count: int = 1) -> list[Command]:
        """The commands that fit, once there are so many; fails after the deadline."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._news:
            await self._news.wait_for(lambda: len([c for c, _ in self.passed if holds(c)]) >= count)
        return [c for c, _ in self.passed if holds(c)]

    async def until_status(self, status: str, count: int = 1) -> list[commands.NoteDelivery]:
        found = await self.until(lambda c: isinstance(c, commands.NoteDelivery) and c.status == status, count)
        return [c for c in found if isinstance(c, commands.NoteDelivery)]

    def of(self, kind: type[Any]) -> list[Any]:
        return [command for command, _ in self.passed if isinstance(command, kind)]

    def facts(self, after: int) -> AsyncIterator[tuple[Numbered, ...]]:
        return self.centre.facts(after)

    def orders(self, channel: str) -> AsyncIterator[Order]:
        return self.centre.orders(channel)

    async def explain(self, contact: str) -> Explanation:
        return await self.centre.explain(contact)

    async def decisions(self, contact: str) -> list[Explanation]:
        return await self.centre.decisions(contact)


@dataclass
class Scene:
    """A centre with a vault, and what a channel is given of it."""

    port: Watched
    vault: MemoryVault
    around: Surroundings
    moment: list[int] = field(default_factory=list)

    async def received(self) -> list[facts.ContactReceived]:
        """All contacts in the record."""
        number = (await self.port.centre.submit(commands.Tick())).number
        found: list[facts.ContactReceived] = []
        async for batch in self.port.facts(0):
            found += [n.fact for n in batch if isinstance(n.fact, facts.ContactReceived)]
            if batch[-1].number >= number:
                break
        return found

    def card(self, ref: str) -> Card:
        return read_card(self.vault.items[ref].content)

    async def take_in_hand(self, contact: str) -> None:
        """Ada takes the contact."""
        await self.port.centre.submit(commands.SetPresence("ada", "ready"))
        await self.port.centre.submit(commands.Accept(await self._offer_of(contact), "ada"))

    async def _offer_of(self, contact: str) -> str:
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for batch in self.port.facts(0):
                for n in batch:
                    if isinstance(n.fact, facts.ContactOffered) and n.fact.contact == contact:
                        return n.fact.offer
        raise AssertionError

    async def reply(self, contact: str, text: str, message: str = "m-1") -> int:
        """Ada writes; gives the message's number."""
        ref = await self.vault.store(contact, "text/plain; charset=utf-8", text.encode())
        done = await self.port.centre.submit(commands.AddMessage(contact, message, "agent", ref, "ada", True))
        assert isinstance(done.answer, int)
        return done.answer


@asynccontextmanager
async def scene(record: MemoryRecord | None = None, vault: MemoryVault | None = None) -> AsyncIterator[Scene]:
    """A running centre; with a `record` of an earlier one it is the same centre after a restart."""
    clock = Clock()
    centre = Centre(MemoryJournal(record or MemoryRecord("test")), configuration(), "1", (), clock)
    await centre.start()
    port = Watched(centre)
    vault = vault or MemoryVault()
    around = Surroundings(
        port=port,
        vault=vault,
        centre=configuration(),
        hints_of=hints_of,
        queue_of=partial(queue_of, configuration()),
        is_open=lambda m, c: True,
        opens_at=lambda m, c: clock(),
        calamity=lambda m: {},
        standing=nowhere,
        windows=lambda m: (),
        now=clock,
        personal=lambda c: ("", ""),
        hurry=Courtesy().hurry,
    )
    try:
        yield Scene(port, vault, around)
    finally:
        await centre.stop()


async def nowhere(contact: str, number: int) -> None:
    """Nobody waits."""


@asynccontextmanager
async def served(port: Watched, channel: Any) -> AsyncIterator[None]:
    """The channel running, with the centre's orders for it carried out; as the application does it."""
    await channel.start()

    async def work() -> None:
        async for order in port.orders(channel.name):
            await channel.perform(order)

    worker = asyncio.create_task(work())
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await channel.stop()
