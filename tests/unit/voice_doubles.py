"""For the tests of the voice channel: Asterisk, a FastAGI connection and a centre with two agents, all by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from router.centre import Centre, Clock
from router.channels.channel import Surroundings
from router.channels.voice.adapter import VoiceChannel
from router.channels.voice.ami import LiveChannel
from router.channels.voice.faults import AgiFault, CallerHungUp
from router.courtesy import Courtesy
from router.engine import commands, facts
from router.journal.memory import MemoryJournal, MemoryRecord
from router.nouns import Agent
from router.port import Order
from router.settings import CallLimits, PbxSettings, VoiceSettings
from router.skills.classification import queue_of
from tests.unit.channel_doubles import Watched, configuration, hints_of, nowhere
from tests.unit.doubles import MemoryVault

CHANNEL, UNIQUEID = "PJSIP/trunk-00000001", "kcc-1.0"
LIMITS = CallLimits()
DEADLINE_SECONDS = 10.0
SILENT = "140298"
"""The number of a municipality that has no greeting and no menu."""


@dataclass
class Link:
    """Asterisk as far as the adapter asks anything of it: notes what it is asked, and fails at a test's word."""

    done: list[tuple[str, ...]] = field(default_factory=list)
    rows: list[LiveChannel] = field(default_factory=list)
    is_up: bool = True
    epoch: int = 1
    up_seconds: int | None = None
    fails: Callable[[str], Exception | None] = lambda what: None
    before_rows: Callable[[], Any] = lambda: None

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        self._note(context.removeprefix("kcc-"), exten)

    async def hangup(self, channel: str) -> None:
        self._note("hangup", channel)

    async def setvar(self, channel: str, name: str, value: str) -> None:
        if name != "KCC_RING":
            self._note("setvar", name)

    async def devices(self) -> dict[str, str]:
        return {}

    async def status(self) -> list[LiveChannel]:
        rows = list(self.rows)
        self.before_rows()
        return rows

    def _note(self, *what: str) -> None:
        self.done.append(what)
        if (error := self.fails(what[0])) is not None:
            raise error


@dataclass
class Session:
    """A FastAGI connection whose citizen may leave at a step; with `waits`, Asterisk replies at a test's word."""

    leaves_at: str = ""
    waits: bool = False
    channel: str = CHANNEL
    uniqueid: str = UNIQUEID
    subject: str = "140299"
    caller_number: str = "0612345678"
    caller_name: str = ""
    said: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    """The variables of the last reply."""
    deadlines: list[int] = field(default_factory=list)
    fault: type[AgiFault] = CallerHungUp
    """What comes of the step at which the citizen leaves."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def numbers(self) -> tuple[str, ...]:
        return (self.subject,)

    async def _say(self, what: str) -> str:
        self.said.append(what)
        self.reached.set()
        if self.waits:
            await self.go_on.wait()
        if what == self.leaves_at:
            raise self.fault
        return ""

    async def set_variable(self, name: str, value: str) -> None:
        await self._say(name)

    async def conclude(self, **variables: str) -> None:
        self.told = variables
        await self._say(" ".join(variables))

    async def deadline(self, seconds: int) -> None:
        self.deadlines.append(seconds)
        await self._say("deadline")

    async def play(self, file: str) -> str:
        return await self._say(file)

    async def hangup(self) -> None:
        await self._say("hangup")


class Telephone:
    """A centre with two agents, and its voice channel on a `Link`."""

    def __init__(self, centre: Centre, limits: CallLimits = LIMITS) -> None:
        self.port, self.link, self.vault = Watched(centre), Link(), MemoryVault()
        around = Surroundings(
            self.port, self.vault, centre._configuration, hints_of, partial(queue_of, centre._configuration),
            lambda m, c: self.open, lambda m, c: 0, lambda m: self.announced, nowhere, lambda m: (), centre.clock,
            self._personal, Courtesy().hurry,
        )  # fmt: skip
        self.open = True
        self.announced: dict[str, str] = {}
        one = PbxSettings("127.0.0.1", 1, "router", "x")
        voice = VoiceChannel(around, VoiceSettings((one,), limits=limits), connect=lambda *_, **__: self.link)  # type: ignore[arg-type]
        self.channel = voice.pbxs[0]
        self._orders = centre.orders("phone")
        self.contact = ""

    def _personal(self, contact: str) -> tuple[str, str]:
        """As the call's own arrival gave them."""
        came = [c for c in self.port.of(commands.Receive) if c.contact == contact]
        return (came[0].citizen, came[0].content_ref) if came else ("", "")

    async def up(self) -> None:
        await self.channel._up(self.link)  # type: ignore[arg-type]

    async def comes_in(self, session: Session | None = None) -> str:
        """A call that gets through the intake; the contact."""
        await self.channel.intake.take(session or Session())  # type: ignore[arg-type]
        self.contact = self.port.of(commands.Receive)[-1].contact
        return self.contact

    async def ready(self, agent: str) -> None:
        await self.port.centre.submit(commands.SetPresence(agent, "ready"))

    async def order(self) -> Order:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await anext(self._orders)

    async def carry_out(self, *kinds: type) -> list[Order]:
        """The next orders, which must be of these kinds, carried out."""
        orders = []
        for kind in kinds:
            orders.append(await self.order())
            assert isinstance(orders[-1].effect, kind), orders[-1]
            await self.channel.perform(orders[-1])
        return orders

    async def hears(self, *frames: dict[str, str]) -> None:
        """Events, and all that follows from them."""
        for frame in frames:
            await self.channel._heard(frame)
        await self.channel._work.settle()

    async def state(self, contact: str = "") -> tuple[str, str]:
        """(state, owner) of the contact as the record has it."""
        found: tuple[str, str] = ("", "")
        after = (await self.port.centre.submit(commands.Tick())).number
        known = self.port.centre._state.contacts.get(contact or self.contact)
        if known is not None:
            return known.state, known.owner
        async for batch in self.port.facts(0):
            for numbered in batch:
                if isinstance(numbered.fact, facts.ContactEnded) and numbered.fact.contact == (contact or self.contact):
                    found = ("ended", numbered.fact.reason)
            if batch[-1].number >= after:
                break
        return found

    # -- what Asterisk would send

    def user(self, name: str, **more: str) -> dict[str, str]:
        own = {"KccId": self.contact, "Channel": CHANNEL, "Uniqueid": UNIQUEID, "Linkedid": UNIQUEID}
        return {"Event": "UserEvent", "UserEvent": name, **own, **more}

    def answer(self, offer: str, endpoint: str = "a1") -> dict[str, str]:
        return {
            "Event": "DialEnd", "Channel": CHANNEL, "DestChannel": f"PJSIP/{endpoint}-00000002",
            "DestLinkedid": UNIQUEID, "Context": "kcc-deliver", "Exten": f"d-{endpoint}-{offer}",
            "DialStatus": "ANSWER",
        }  # fmt: skip

    def ringing(self, offer: str, endpoint: str = "a1") -> dict[str, str]:
        more = {"DestUniqueid": "kcc-1.1", "DialStatus": ""}
        return {**self.answer(offer, endpoint), **more, "Event": "DialBegin"}

    def result(self, offer: str, status: str, endpoint: str = "a1") -> dict[str, str]:
        return self.user("KccDialResult", Offer=offer, Agent=endpoint, Status=status)

    def row(self, context: str = "kcc-hold", bridge: str = "", contact: str = "") -> LiveChannel:
        return LiveChannel(
            CHANNEL, UNIQUEID, UNIQUEID, "Up", context, "s", "WaitExten", bridge, "0612345678", "", 9,
            contact or self.contact, "140299", "", False,
        )  # fmt: skip

    def phone_row(self, bridge: str, endpoint: str = "a1") -> LiveChannel:
        channel = f"PJSIP/{endpoint}-00000002"
        return replace(self.row("kcc-deliver", bridge), channel=channel, uniqueid="kcc-1.1", kcc_id="")


@asynccontextmanager
async def telephone() -> AsyncIterator[Telephone]:
    """One with ada at a1 and bo at a2, who take one call each."""
    skills = {"burgerzaken": 5, "afval": 5}
    agents = (Agent("ada", "Ada Vos", "Ada", skills, "a1"), Agent("bo", "Bo Mol", "Bo", skills, "a2"))
    config = replace(configuration(), agents=agents, combinations=({"phone": 1},))
    centre = Centre(MemoryJournal(MemoryRecord("test")), config, "1", ("phone",), Clock())
    await centre.start()
    phone = Telephone(centre)
    yield phone
    await phone.channel._work.stop()
    await centre.stop()


async def offered_at_once(phone: Telephone, session: Session, then: str = "") -> None:
    """A call that comes in while ada is free, with its order to ring; then Asterisk tells that it rings, or this."""
    await phone.up()
    await phone.ready("ada")
    coming = asyncio.create_task(phone.comes_in(session))
    ring = asyncio.create_task(phone.channel.perform(await phone.order()))
    await coming
    await phone.hears(phone.user(then) if then else phone.ringing(f"{phone.contact}-1"))
    await ring
