"""Calls put through to somebody outside the centre, on a real Asterisk, with a phone that plays the other side.

Everybody says a tone of their own: the citizen 440 Hz, the agent 1000 Hz, the other side 620 Hz.
"""

from __future__ import annotations

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
    pytest.mark.xdist_group("voice outside"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
CITIZEN, OTHER, AGENT = 440, 620, 1000
RIJK = "1400"


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@dataclass
class Through:
    """A call that noor has answered, and the phone outside to which she may put it through."""

    centre: CallCentre
    call: Call
    contact: str
    noor: Agent
    phone: Call
    outside: SipPhone

    async def dial(self) -> Call:
        await self.noor.desk.do("pass_outside", contact=self.contact, destination="rijk")
        rings = await self.outside.next_call()
        await self.phone.wait(self.phone.over)
        await self.noor.desk.contact(self.contact, state="active", outside="rijk")
        return rings


@pytest.fixture
async def t(pbx: RealAsterisk, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Through]:
    """It rings outside for long enough on a busy machine; `parametrize` it with the seconds where that must end."""
    seconds = ("centre.toml", "\nname =", f"\noutside_seconds = {getattr(request, 'param', 60)}\nname =")
    async with house(pbx, tmp_path, seconds) as centre:
        outside = await centre.board.outside(mode="ring", hertz=OTHER)
        noor = await centre.agent("noor")
        call = await centre.call()
        contact, phone = await noor.talks()
        yield Through(centre, call, contact, noor, phone, outside)


async def comes_back(t: Through) -> Call:
    """The citizen is on music, and noor's phone rings for them again."""
    rings = await t.noor.phone.next_call()
    rings.answer()
    await t.noor.desk.contact(t.contact, state="active", outside="")
    await t.call.audio.tone(AGENT)
    await rings.audio.tone(CITIZEN)
    return rings


async def test_put_through_and_answered_the_two_talk_and_the_agent_wraps_up(t: Through) -> None:
    rings = await t.dial()
    assert f"sip:{RIJK}@" in rings.invite.start
    assert "140592" in rings.caller, "the municipality's number is shown"
    rings.answer()
    await t.call.audio.tone(OTHER)
    await rings.audio.tone(CITIZEN)
    await t.noor.wrap_up(t.contact)
    ended = await t.centre.until(t.contact, state="ended")
    assert (ended["ended_reason"], ended["agent"], ended["resolved"]) == ("passed_on", "noor", True)
    assert not t.call.over.is_set(), "they talk on"
    rings.hangup()
    await t.call.wait(t.call.over)
    assert (await t.centre.books())["ended"] == {"passed_on": 1}


async def test_the_other_side_is_busy_and_the_citizen_comes_back_to_the_agent(t: Through) -> None:
    (await t.dial()).refuse()
    rings = await comes_back(t)
    assert "0612345678" in rings.caller, "the agent sees the citizen again"


@pytest.mark.parametrize("t", [5], indirect=True, ids=["5 s"])
async def test_nobody_answers_outside_and_the_citizen_comes_back_to_the_agent(t: Through) -> None:
    rings = await t.dial()
    await rings.wait(rings.over)
    await comes_back(t)


async def test_taken_back_while_it_rings_outside(t: Through) -> None:
    rings = await t.dial()
    await t.noor.desk.do("cancel_outside", contact=t.contact)
    await rings.wait(rings.over)
    await comes_back(t)


async def test_the_citizen_leaves_while_it_rings_outside(t: Through) -> None:
    rings = await t.dial()
    t.call.hangup()
    await rings.wait(rings.over)
    await t.noor.wrap_up(t.contact)
    assert (await t.centre.until(t.contact, state="ended"))["ended_reason"] == "handled"


async def test_the_citizen_hangs_up_after_the_other_side_has_answered(t: Through) -> None:
    rings = await t.dial()
    rings.answer()
    await t.noor.desk.contact(t.contact, state="wrap_up")
    t.call.hangup()
    await rings.wait(rings.over)
    await t.noor.wrap_up(t.contact)
    assert (await t.centre.until(t.contact, state="ended"))["ended_reason"] == "passed_on"


async def test_the_router_is_killed_while_it_rings_outside_and_hears_of_the_answer_after_its_restart(
    t: Through,
) -> None:
    rings = await t.dial()
    await t.centre.kill()
    rings.answer()
    await t.call.audio.tone(OTHER)
    await t.centre.restart()
    await t.centre.until(t.contact, state="wrap_up")
    await t.call.audio.tone(OTHER)
    noor = Agent(await t.centre.desk("noor"), t.noor.phone)
    await noor.wrap_up(t.contact)
    assert (await t.centre.until(t.contact, state="ended"))["ended_reason"] == "passed_on"


async def test_what_is_over_for_the_centre_goes_on_outside_over_a_restart_and_is_not_taken_in_again(t: Through) -> None:
    rings = await t.dial()
    rings.answer()
    await t.noor.wrap_up(t.contact)
    await t.centre.until(t.contact, state="ended")
    await t.centre.kill()
    await t.centre.restart()
    await t.centre.logged("voice.up")
    await t.call.audio.tone(OTHER)
    assert (await t.centre.books())["received"] == 1
