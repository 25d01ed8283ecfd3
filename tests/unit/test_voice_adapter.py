"""Where orders and what Asterisk tells cross each other: whatever the order, there is one truth and nobody is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from router.centre import Centre, Clock
from router.channels.channel import Surroundings
from router.channels.voice.adapter import VoiceChannel
from router.channels.voice.ami import LiveChannel
from router.channels.voice.faults import AmiDown, AmiTimeout, CallerHungUp, ChannelGone
from router.engine import commands, facts
from router.engine.effects import HangUp, Hold, Ring
from router.journal.memory import MemoryJournal, MemoryRecord
from router.nouns import Agent
from router.port import Order
from router.settings import VoiceSettings
from tests.unit.channel_doubles import Watched, configuration, hints_of
from tests.unit.doubles import MemoryVault

CHANNEL, UNIQUEID = "PJSIP/trunk-00000001", "kcc-1.0"
DEADLINE_SECONDS = 10.0


@dataclass
class Link:
    """Asterisk as far as the adapter asks anything of it: notes what it is asked, and fails at a test's word."""

    done: list[tuple[str, ...]] = field(default_factory=list)
    rows: list[LiveChannel] = field(default_factory=list)
    is_up: bool = True
    epoch: int = 1
    fails: Callable[[str], Exception | None] = lambda what: None
    before_rows: Callable[[], Any] = lambda: None

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        self._note(context.removeprefix("kcc-"), exten)

    async def hangup(self, channel: str) -> None:
        self._note("hangup", channel)

    async def setvar(self, channel: str, name: str, value: str) -> None:
        if name != "KCC_RING":
            self._note("setvar", name)

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
    """A FastAGI connection whose citizen may leave at a step."""

    leaves_at: str = ""
    channel: str = CHANNEL
    uniqueid: str = UNIQUEID
    subject: str = "140299"
    caller_number: str = "0612345678"
    caller_name: str = ""
    said: list[str] = field(default_factory=list)

    async def _say(self, what: str) -> str:
        self.said.append(what)
        if what == self.leaves_at:
            raise CallerHungUp
        return ""

    async def set_variable(self, name: str, value: str) -> None:
        await self._say(name)

    async def deadline(self, seconds: int) -> None:
        await self._say("deadline")

    async def play(self, file: str) -> str:
        return await self._say(file)

    async def hangup(self) -> None:
        await self._say("hangup")


class Telephone:
    """A centre with two agents, and its voice channel on a `Link`."""

    def __init__(self, centre: Centre) -> None:
        self.port, self.link = Watched(centre), Link()
        around = Surroundings(
            self.port, MemoryVault(), centre._configuration, hints_of, lambda m, c: self.open, lambda m, c: 0,
            centre.clock,
        )  # fmt: skip
        self.open = True
        self.channel = VoiceChannel(around, VoiceSettings("127.0.0.1", 1, "router", "x"))
        self.channel._ami = self.link  # type: ignore[assignment]
        self._orders = centre.orders("phone")
        self.contact = ""

    async def up(self) -> None:
        await self.channel._up(self.link)  # type: ignore[arg-type]

    async def comes_in(self, session: Session | None = None) -> str:
        """A call that gets through the intake; the contact."""
        await self.channel._intake.take(session or Session())  # type: ignore[arg-type]
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


@pytest.fixture
async def phone() -> AsyncIterator[Telephone]:
    skills = {"burgerzaken": 5, "afval": 5}
    agents = (Agent("ada", "Ada Vos", "Ada", skills, "a1"), Agent("bo", "Bo Mol", "Bo", skills, "a2"))
    config = configuration()
    rules = {**config.channels, "phone": replace(config.channels["phone"], slots=1)}
    centre = Centre(
        MemoryJournal(MemoryRecord("test")), replace(config, agents=agents, channels=rules), "1", ("phone",), Clock()
    )
    await centre.start()
    telephone = Telephone(centre)
    yield telephone
    await telephone.channel._work.stop()
    await centre.stop()


async def ringing(phone: Telephone, agent: str = "ada") -> str:
    """A call that rings this agent; the offer."""
    await phone.up()
    await phone.ready(agent)
    contact = await phone.comes_in()
    await phone.carry_out(Ring)
    assert phone.link.done == [("deliver", f"d-{'a1' if agent == 'ada' else 'a2'}-{contact}-1")]
    return f"{contact}-1"


async def test_an_answer_to_a_phone_that_was_left_since_is_not_taken(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.Decline(offer, "ada"))
    await phone.carry_out(Hold)
    await phone.hears(phone.answer(offer))  # it was on its way when the citizen was put back
    assert await phone.state() == ("offered", "")
    await phone.hears(phone.user("KccHeld"))
    assert await phone.state() == ("waiting", "")


async def test_an_answer_goes_before_an_order_that_was_decided_earlier(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.Decline(offer, "ada"))
    await phone.hears(phone.answer(offer))
    assert await phone.state() == ("active", "ada")
    await phone.carry_out(Hold)
    assert phone.link.done[1:] == []  # they talk


async def test_an_answer_after_a_move_ends_the_new_offer_and_its_ringing_is_not_begun(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.OfferFailed(offer, "technical"))
    await phone.ready("bo")
    assert await phone.state() == ("offered", "")
    await phone.hears(phone.answer(offer))
    assert await phone.state() == ("active", "ada")
    await phone.carry_out(Ring)
    assert phone.link.done[1:] == []


async def test_an_answer_that_is_not_ours_is_sent_back(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.hears(phone.answer(offer))
    phone.channel.calls.up(phone.contact, CHANNEL).offer = None
    await phone.hears(phone.answer(f"{phone.contact}-7", "a2"))
    assert await phone.state() == ("active", "ada")
    assert phone.link.done[1:] == [("hold", "s")]


async def test_who_leaves_before_the_intake_is_over_is_offered_to_nobody(phone: Telephone) -> None:
    await phone.up()
    await phone.ready("ada")
    await phone.comes_in(Session(leaves_at="kcc/welcome-waterland"))
    assert await phone.state() == ("intake", "")
    await phone.hears(phone.user("KccGone"))
    assert await phone.state() == ("ended", "abandoned")


@pytest.mark.parametrize("told_first", [True, False])
async def test_who_leaves_before_asterisk_has_the_contact(phone: Telephone, told_first: bool) -> None:
    await phone.up()
    gone = {**phone.user("KccGone"), "KccId": ""}
    if told_first:
        phone.port.fails = lambda c: phone.channel.calls.lose(UNIQUEID, "abandoned")
        await phone.comes_in(Session(leaves_at="KCC_ID"))
        phone.port.fails = lambda c: None
    else:
        await phone.comes_in(Session(leaves_at="KCC_ID"))
        await phone.hears(gone)
    assert await phone.state() == ("ended", "abandoned")


async def test_an_intake_cut_short_goes_on_in_the_queue(phone: Telephone) -> None:
    await phone.up()
    await phone.comes_in(Session(leaves_at="kcc/welcome-waterland"))
    await phone.hears(phone.user("KccHeld"))
    assert await phone.state() == ("waiting", "")


async def test_a_call_that_went_to_the_fallback_is_let_go_and_is_another_contact_when_it_returns(
    phone: Telephone,
) -> None:
    await phone.up()
    first = await phone.comes_in(Session(leaves_at="KCC_ID"))
    await phone.hears({**phone.user("KccOverflow", Number="140299", Step="begin", Try="1"), "KccId": ""})
    assert await phone.state() == ("ended", "technical")
    await phone.carry_out(HangUp)
    assert phone.link.done == []  # whoever answers there goes on talking
    await phone.comes_in(Session())
    again = phone.port.of(commands.Receive)[-1]
    assert again.linked_to == first
    assert await phone.state(again.contact) == ("waiting", "")


async def test_who_is_turned_away_is_not_counted_as_lost(phone: Telephone) -> None:
    await phone.up()
    phone.open = False
    await phone.comes_in(Session(leaves_at="kcc/closed-waterland"))
    await phone.hears(phone.user("KccGone"))
    assert await phone.state() == ("ended", "closed_hours")


async def test_a_call_that_comes_in_during_the_census_is_not_taken_for_gone(phone: Telephone) -> None:
    async def slow_rows() -> list[LiveChannel]:
        await phone.comes_in()
        return []

    phone.link.status = slow_rows  # type: ignore[method-assign]
    await phone.up()
    assert await phone.state() == ("waiting", "")
    assert phone.channel.calls.get(phone.contact) is not None


async def test_a_census_over_a_connection_that_has_ended_is_not_told(phone: Telephone) -> None:
    await phone.up()
    await phone.comes_in()
    await phone.hears(phone.user("KccHeld"))

    def breaks() -> None:
        phone.link.epoch = 2

    phone.link.before_rows = breaks
    before = len(phone.port.of(commands.ReportCensus))
    await phone.channel._take_census(set())
    assert len(phone.port.of(commands.ReportCensus)) == before


async def test_a_ring_without_a_reply_is_taken_back_and_offered_elsewhere(phone: Telephone) -> None:
    await phone.up()
    await phone.ready("ada")
    await phone.comes_in()
    phone.link.fails = lambda what: AmiTimeout() if what == "deliver" else None
    await phone.carry_out(Ring)
    assert [what for what, _ in phone.link.done] == ["deliver", "hold"]
    assert await phone.state() == ("waiting", "")
    assert phone.port.of(commands.OfferFailed)[0].reason == "technical"


async def test_a_ring_for_who_has_left_ends_the_contact(phone: Telephone) -> None:
    await phone.up()
    await phone.ready("ada")
    await phone.comes_in()
    phone.link.fails = lambda what: ChannelGone()
    await phone.carry_out(Ring)
    assert await phone.state() == ("ended", "abandoned")


async def test_a_hang_up_that_could_not_be_done_is_done_at_the_next_census(phone: Telephone) -> None:
    await phone.up()
    contact = await phone.comes_in()
    phone.link.rows = [phone.row()]
    phone.link.fails = lambda what: AmiDown()
    await phone.port.centre.submit(commands.CloseContact(contact, "eva", ""))
    await phone.carry_out(HangUp)
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.fails = lambda what: None
    await phone.up()
    assert phone.link.done == [("hangup", CHANNEL)] * 2
    assert len(phone.port.of(commands.Receive)) == 1  # not taken in anew


async def test_a_call_given_up_with_asterisk_is_taken_in_anew_when_it_lives_after_all(phone: Telephone) -> None:
    await phone.up()
    first = await phone.comes_in()
    phone.link.is_up = False
    await phone.channel._down()
    await phone.channel._search.stop()
    await phone.channel._asterisk_ended()
    assert await phone.state() == ("ended", "gone")
    await phone.carry_out(HangUp)
    phone.link.is_up, phone.link.epoch, phone.link.rows = True, 2, [phone.row()]
    await phone.up()
    assert phone.link.done == [("setvar", "KCC_ID")]
    again = phone.port.of(commands.Receive)[-1].contact
    assert again != first
    assert await phone.state(again) == ("waiting", "")


async def test_an_agent_who_hangs_up_during_the_census_does_not_get_the_call_back(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.hears(phone.answer(offer))
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.rows = [phone.row("kcc-deliver")]  # the second in which the dialplan waits
    await phone.up()
    assert await phone.state() == ("active", "ada")
    await phone.hears(phone.result(offer, "ANSWER"), phone.user("KccGone"))
    assert await phone.state() == ("wrap_up", "ada")


async def test_a_talk_the_record_does_not_know_of_ends_in_the_queue(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.OfferFailed(offer, "technical"))
    await phone.hears(phone.result(offer, "ANSWER"))
    assert phone.link.done[1:] == [("hold", "s")]
    assert (await phone.state())[0] == "waiting"


async def test_after_a_start_the_census_says_who_talks_and_who_is_held(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.hears(phone.answer(offer))
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.rows = [phone.row("kcc-deliver", "b1"), phone.phone_row("b1")]
    await phone.up()
    assert await phone.state() == ("active", "ada")
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.rows = [phone.row()]
    await phone.up()
    assert (await phone.state())[0] in ("waiting", "offered")


async def test_a_stranger_on_hold_is_taken_in_when_seen_twice_and_who_talks_is_left_alone(phone: Telephone) -> None:
    await phone.up()
    phone.link.rows = [phone.row(contact="c-unknown")]
    before = await phone.channel._take_census(set())
    assert before == {"c-unknown"}
    assert phone.port.of(commands.Receive) == []
    phone.link.rows = [phone.row("kcc-deliver", "b1", "c-unknown"), phone.phone_row("b1")]
    before = await phone.channel._take_census(before)
    assert phone.port.of(commands.Receive) == []
    phone.link.rows = [phone.row(contact="c-unknown")]
    await phone.channel._take_census(before)
    (received,) = phone.port.of(commands.Receive)
    assert (received.municipality, received.entry_point, bool(received.citizen)) == ("waterland", "140299", True)
    assert phone.link.done == [("setvar", "KCC_ID")]
