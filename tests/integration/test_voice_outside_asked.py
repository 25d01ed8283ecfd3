"""Somebody outside the centre is asked first, and then connected with the citizen, on a real Asterisk.

Everybody says a tone of their own: the citizen 440 Hz, the agent 1000 Hz, the other side 620 Hz.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import Agent, CallCentre, house
from tests.parts.sip import Call, SipPhone
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice outside asked"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
CITIZEN, OTHER, AGENT = 440, 620, 1000


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@dataclass
class Asking:
    """A call that noor has answered, and the phone outside that she asks."""

    centre: CallCentre
    call: Call
    contact: str
    noor: Agent
    phone: Call
    outside: SipPhone

    async def ask(self) -> Call:
        await self.noor.desk.do("pass_outside", contact=self.contact, destination="rijk", consult=True)
        rings = await self.outside.next_call()
        await self.noor.desk.contact(self.contact, state="active", outside="rijk", outside_state="ringing")
        return rings

    async def talk(self) -> Call:
        rings = await self.ask()
        rings.answer()
        await self.noor.desk.contact(self.contact, outside_state="talking")
        await self.phone.audio.tone(OTHER)
        await rings.audio.tone(AGENT)
        return rings

    async def joined(self, theirs: Call) -> None:
        """The citizen talks with them, and noor wraps up."""
        await self.call.audio.tone(OTHER)
        await theirs.audio.tone(CITIZEN)
        await self.phone.wait(self.phone.over)
        await self.noor.wrap_up(self.contact)
        ended = await self.centre.until(self.contact, state="ended")
        assert (ended["ended_reason"], ended["agent"]) == ("passed_on", "noor")
        assert not self.call.over.is_set(), "they talk on"

    async def back(self) -> None:
        """Noor talks with the citizen again, on the same phone."""
        await self.noor.desk.contact(self.contact, state="active", outside="", outside_state="")
        await self.call.audio.tone(AGENT)
        await self.phone.audio.tone(CITIZEN)
        assert not self.phone.over.is_set()

    async def restart(self) -> None:
        await self.centre.restart()
        self.noor = Agent(await self.centre.desk("noor"), self.noor.phone)


@pytest.fixture
async def a(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[Asking]:
    seconds = ("centre.toml", "\nname =", "\noutside_seconds = 5\nname =")
    async with house(pbx, tmp_path, seconds) as centre:
        outside = await centre.board.outside(mode="ring", hertz=OTHER)
        noor = await centre.agent("noor")
        call = await centre.call()
        contact, phone = await noor.talks()
        yield Asking(centre, call, contact, noor, phone, outside)


async def test_asked_answered_and_left_to_one_another(a: Asking) -> None:
    theirs = await a.talk()
    assert "140592" in theirs.caller, "the municipality's number is shown"
    await a.noor.desk.do("transfer", contact=a.contact)
    await a.joined(theirs)
    theirs.hangup()
    await a.call.wait(a.call.over)
    assert (await a.centre.books())["ended"] == {"passed_on": 1}


async def test_the_citizen_hangs_up_after_they_were_connected(a: Asking) -> None:
    theirs = await a.talk()
    await a.noor.desk.do("transfer", contact=a.contact)
    await a.joined(theirs)
    a.call.hangup()
    await theirs.wait(theirs.over)


async def test_the_other_side_is_busy_and_the_agent_is_back_with_the_citizen(a: Asking) -> None:
    (await a.ask()).refuse()
    await a.back()


async def test_nobody_answers_outside_and_the_agent_is_back_with_the_citizen(a: Asking) -> None:
    rings = await a.ask()
    await rings.wait(rings.over)
    await a.back()


@pytest.mark.parametrize("answered", [False, True])
async def test_the_agent_goes_back_to_the_citizen(a: Asking, answered: bool) -> None:
    theirs = await (a.talk() if answered else a.ask())
    await a.noor.desk.do("cancel_outside", contact=a.contact)
    await theirs.wait(theirs.over)
    await a.back()


async def test_the_other_side_leaves_while_it_is_asked(a: Asking) -> None:
    (await a.talk()).hangup()
    await a.back()
    await a.talk()  # and may be asked again


@pytest.mark.parametrize("answered", [False, True])
async def test_the_citizen_leaves_while_the_agent_asks(a: Asking, answered: bool) -> None:
    theirs = await (a.talk() if answered else a.ask())
    a.call.hangup()
    await theirs.wait(theirs.over)
    await a.phone.wait(a.phone.over)
    await a.noor.wrap_up(a.contact)
    assert (await a.centre.books())["ended"] == {"handled": 1}


@pytest.mark.parametrize("answered", [False, True])
async def test_the_agent_hangs_up_while_asking_and_the_citizen_waits_for_another(a: Asking, answered: bool) -> None:
    theirs = await (a.talk() if answered else a.ask())
    a.phone.hangup()
    await theirs.wait(theirs.over)
    await a.centre.until(a.contact, state="waiting")
    fatima = await a.centre.agent("fatima", hertz=880)
    assert (await fatima.talks())[0] == a.contact
    await a.call.audio.tone(880)


async def test_the_other_side_leaves_as_the_agent_leaves_the_citizen_to_them(a: Asking) -> None:
    theirs = await a.talk()
    theirs.hangup()
    done = await a.noor.desk.ask("transfer", contact=a.contact)
    if done["ok"]:  # they were asked to take over before they were heard to leave: the citizen comes back to noor
        rings = await a.noor.phone.next_call()
        rings.answer()
        await a.noor.desk.contact(a.contact, state="active", outside="")
        await a.call.audio.tone(AGENT)
    else:
        await a.back()


async def test_the_router_is_killed_while_it_rings_and_hears_of_the_answer_after_its_restart(a: Asking) -> None:
    rings = await a.ask()
    await a.centre.kill()
    rings.answer()
    await a.phone.audio.tone(OTHER)
    await a.restart()
    await a.noor.desk.contact(a.contact, outside="rijk", outside_state="talking")
    await a.noor.desk.do("transfer", contact=a.contact)
    await a.joined(rings)


async def test_the_router_is_killed_while_they_talk_and_the_other_side_leaves(a: Asking) -> None:
    """The agent's phone waits ten seconds for the router; after that the citizen is somebody else's."""
    theirs = await a.talk()
    await a.centre.kill()
    theirs.hangup()
    await a.restart()
    await a.centre.agent("fatima", "answer", hertz=AGENT)
    await a.call.audio.tone(AGENT)
    assert (await a.centre.contact(a.contact))["state"] == "active"


async def test_what_was_connected_goes_on_over_a_restart_and_is_not_taken_in_again(a: Asking) -> None:
    theirs = await a.talk()
    await a.noor.desk.do("transfer", contact=a.contact)
    await a.joined(theirs)
    await a.centre.kill()
    await a.centre.restart()
    await a.centre.logged("voice.up")
    await a.call.audio.tone(OTHER)
    assert (await a.centre.books())["received"] == 1
    theirs.hangup()
    await a.call.wait(a.call.over)


async def test_two_clicks_at_once_are_one(a: Asking) -> None:
    theirs = await a.talk()
    await asyncio.gather(*(a.noor.desk.ask("transfer", contact=a.contact) for _ in range(3)))
    await a.joined(theirs)
