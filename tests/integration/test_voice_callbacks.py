"""Citizens who are called back, on a real Asterisk: whose phone rings first, who does not answer, and restarts.

The citizen says 440 Hz, the agent 1000 Hz.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import Agent, CallCentre, house
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice callbacks"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
CITIZEN, AGENT = 440, 1000
NUMBER = "0612345678"
SHORT = ("centre.toml", "[callbacks]\n", "[callbacks]\nring_seconds = 5\n")
CITIZEN_FIRST = ("topics.toml", 'policy = "resolution"', 'callback_first = "citizen"\npolicy = "resolution"')


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path, SHORT) as running:
        yield running


async def promised(centre: CallCentre, key: str = "", **more: Any) -> str:
    """A callback that was asked for over REST: the contact that will call."""
    body = {"municipality": "waterland", "phone": NUMBER, "topic": "burgerzaken", **more}
    headers = {"Cookie": centre.cookie, "Origin": centre.router.base, "Idempotency-Key": key or secrets.token_hex(8)}
    async with (
        aiohttp.ClientSession(centre.router.base, headers=headers) as http,
        http.post("/api/v1/callbacks", json=body) as answer,
    ):
        assert answer.status in (200, 201), await answer.text()
        return str((await answer.json())["contact"])


async def in_hand(centre: CallCentre, mode: str = "ring", **more: Any) -> tuple[Agent, str]:
    """Noor, with a callback that she has accepted at her desk."""
    contact = await promised(centre, **more)
    noor = await centre.agent("noor", mode)
    offer = await noor.desk.offer(contact=contact)
    await noor.desk.do("accept", offer=offer["offer"])
    await noor.desk.contact(contact, state="active")
    return noor, contact


async def test_agent_first_and_both_answer(centre: CallCentre) -> None:
    citizens = await centre.board.outside(mode="ring", hertz=CITIZEN)
    noor, contact = await in_hand(centre)
    await noor.desk.do("dial", contact=contact)
    phone = await noor.phone.next_call()
    phone.answer()
    call = await citizens.next_call()
    assert "14" in call.caller, "the citizen sees the municipality's number"
    assert call.invite.start.startswith("INVITE sip:+31612345678@")
    call.answer()
    await noor.desk.contact(contact, dialling="reached")
    await phone.audio.tone(CITIZEN)
    await call.audio.tone(AGENT)
    call.hangup()
    await noor.wrap_up(contact)
    await centre.until(contact, state="ended", ended_reason="handled")
    await phone.wait(phone.over)
    assert await follow_ups(noor) == []


async def follow_ups(agent: Agent) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await agent.desk.do("follow_ups", mine=False))["follow_ups"]
    return found


@pytest.mark.parametrize("mode", ["busy", "ring"])
async def test_a_citizen_who_is_busy_or_does_not_answer_is_tried_again(centre: CallCentre, mode: str) -> None:
    citizens = await centre.board.outside(mode=mode)
    noor, contact = await in_hand(centre)
    await noor.desk.do("dial", contact=contact)
    (await noor.phone.next_call()).answer()
    await citizens.next_call()
    await centre.until(contact, state="ended", ended_reason="not_reached")
    (promise,) = await follow_ups(noor)
    assert (promise["tries"], promise["state"]) == (1, "open")
    assert promise["call_at"] > promise["made_at"]
    await noor.free()


async def test_the_agents_own_phone_is_busy_and_the_callback_stays_in_hand(centre: CallCentre) -> None:
    noor, contact = await in_hand(centre, "busy")
    await noor.desk.do("dial", contact=contact)
    await noor.desk.contact(contact, dialling="", dial_failed="agent_busy", state="active")


async def test_the_agent_finishes_at_the_desk_and_both_phones_are_hung_up(centre: CallCentre) -> None:
    citizens = await centre.board.outside(mode="ring")
    noor, contact = await in_hand(centre)
    phone, call = await talking(noor, contact, citizens.next_call)
    await noor.desk.do("finish", contact=contact)
    await phone.wait(phone.over)
    await call.wait(call.over)


async def talking(noor: Agent, contact: str, rings: Any) -> tuple[Call, Call]:
    await noor.desk.do("dial", contact=contact)
    phone = await noor.phone.next_call()
    phone.answer()
    call: Call = await rings()
    call.answer()
    await noor.desk.contact(contact, dialling="reached")
    return phone, call


async def test_the_agent_hangs_up_and_wraps_up(centre: CallCentre) -> None:
    citizens = await centre.board.outside(mode="ring")
    noor, contact = await in_hand(centre)
    phone, call = await talking(noor, contact, citizens.next_call)
    phone.hangup()
    await call.wait(call.over)
    await noor.wrap_up(contact)
    await centre.until(contact, state="ended", ended_reason="handled")


async def test_two_requests_at_once_and_two_clicks_are_one_callback(centre: CallCentre) -> None:
    citizens = await centre.board.outside(mode="ring")
    first, again, other = await asyncio.gather(
        promised(centre, "the same key"), promised(centre, "the same key"), promised(centre, "another key")
    )
    assert first == again == other
    noor = await centre.agent("noor")
    offer = await noor.desk.offer(contact=first)
    await noor.desk.do("accept", offer=offer["offer"])
    numbers = await asyncio.gather(*(noor.desk.do("dial", contact=first) for _ in range(3)))
    assert {answer["number"] for answer in numbers} == {1}
    (await noor.phone.next_call()).answer()
    (await citizens.next_call()).answer()
    await noor.desk.contact(first, dialling="reached")
    assert noor.phone.calls.empty()
    assert citizens.calls.empty()


async def test_the_router_is_killed_between_dialling_and_the_answer(centre: CallCentre) -> None:
    citizens = await centre.board.outside(mode="ring")
    noor, contact = await in_hand(centre)
    await noor.desk.do("dial", contact=contact)
    phone = await noor.phone.next_call()
    phone.answer()
    call = await citizens.next_call()
    await centre.kill()
    call.answer()
    await call.audio.tone(AGENT)
    await centre.restart()
    desk = await centre.desk("noor")
    await desk.contact(contact, state="active", dialling="reached")
    call.hangup()
    await desk.contact(contact, state="wrap_up")
    assert phone.up.is_set()


async def test_citizen_first_the_agents_phone_rings_once_the_citizen_has_answered(
    pbx: RealAsterisk, tmp_path: Path
) -> None:
    async with house(pbx, tmp_path, SHORT, CITIZEN_FIRST) as centre:
        citizens = await centre.board.outside(mode="ring", hertz=CITIZEN)
        noor, contact = await in_hand(centre)
        await noor.desk.do("dial", contact=contact)
        call = await citizens.next_call()
        assert noor.phone.calls.empty()
        call.answer()
        phone = await noor.phone.next_call()
        phone.answer()
        await noor.desk.contact(contact, dialling="reached")
        await phone.audio.tone(CITIZEN)
        await call.audio.tone(AGENT)
        phone.hangup()
        await noor.wrap_up(contact)
        await centre.until(contact, state="ended", ended_reason="handled")


async def test_citizen_first_and_the_citizen_is_busy(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with house(pbx, tmp_path, SHORT, CITIZEN_FIRST) as centre:
        await centre.board.outside(mode="busy")
        noor, contact = await in_hand(centre)
        await noor.desk.do("dial", contact=contact)
        await centre.until(contact, state="ended", ended_reason="not_reached")
        assert noor.phone.calls.empty()


async def test_a_planned_window_opens(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    now = noor.desk.states.last["at"]
    contact = await promised(centre, call_from=now + 1_500, call_until=now + 60_000)
    assert contact not in {offer["contact"] for offer in noor.desk.states.last["offers"]}
    offer = await noor.desk.offer(contact=contact)
    assert offer["offered_at"] >= now + 1_500
