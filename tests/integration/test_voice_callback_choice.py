"""Who waits asks to be called back by keys, on a real Asterisk: on which number, when, and every way not to choose."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.channels.voice.events import Held
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import CallCentre, house
from tests.parts.prompts import prompt_hertz
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice callback choice"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
OPEN = ("centre.toml", "\noffice =", '\ncallback = { every_day = "00:00-24:00" }\noffice =')
HALVES = (
    "centre.toml",
    "[callbacks]\nlive_between_max = 3\n",
    """[callbacks]
live_between_max = 3
[[callbacks.parts_of_day]]
id = "morning"
title = { nl = "voor de middag", en = "before noon" }
hours = "00:00-12:00"
[[callbacks.parts_of_day]]
id = "afternoon"
title = { nl = "na de middag", en = "after noon" }
hours = "12:00-24:00"
""",
)
"""It is one of these, whenever the tests run, and the other is at most a day away."""


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path, OPEN, HALVES) as running:
        yield running


async def promises(centre: CallCentre) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession(centre.router.base, headers={"Cookie": centre.cookie}) as http,
        http.get("/api/v1/follow-ups") as answer,
    ):
        found: list[dict[str, Any]] = (await answer.json())["follow_ups"]
        return found


async def hears(call: Call, *prompts: str) -> None:
    for prompt in prompts:
        await call.audio.tone(prompt_hertz(prompt))


def presses(call: Call, digits: str) -> None:
    for digit in digits:
        call.audio.digit(digit)


async def calls_back(centre: CallCentre) -> None:
    """An agent takes the callback that is there, and dials."""
    noor = await centre.agent("noor")
    offer = await noor.desk.offer(channel="callback")
    await noor.desk.do("accept", offer=offer["offer"])
    await noor.desk.do("dial", contact=offer["contact"])
    (await noor.phone.next_call()).answer()


async def back_on_hold(centre: CallCentre, call: Call, contact: str) -> None:
    await hears(call, "kcc/callback-not")
    await centre.board.until(lambda: isinstance(centre.board.seen[-1], Held))
    assert (await centre.contact(contact))["state"] == "waiting"
    assert await promises(centre) == []
    noor = await centre.agent("noor")
    assert (await noor.talks())[0] == contact


async def test_on_the_number_shown_as_soon_as_it_is_their_turn_and_the_place_is_kept(centre: CallCentre) -> None:
    call, contact = await centre.held()
    later, _ = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number", "digits/0", "digits/6", "kcc/callback-number-choice")
    call.audio.digit("1")
    await hears(call, "kcc/callback-now")
    call.audio.digit("1")
    await hears(call, "kcc/callback-confirmed")
    await centre.until(contact, state="ended", ended_reason="callback")
    await call.wait(call.over)
    noor = await centre.agent("noor")
    offer = await noor.desk.offer(channel="callback")
    await noor.desk.do("accept", offer=offer["offer"])
    assert not later.over.is_set()
    assert (await centre.books())["ended"] == {"callback": 1}


async def test_at_a_moment_they_choose_on_another_number_that_is_in_no_fact(centre: CallCentre) -> None:
    call, contact = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number")
    call.audio.digit("2")
    await hears(call, "kcc/callback-enter")
    presses(call, "0201234567#")
    await hears(call, "kcc/callback-entered", "digits/2", "kcc/callback-right")
    call.audio.digit("1")
    await hears(call, "kcc/callback-now", "kcc/callback-at", "kcc/press", "digits/3")
    call.audio.digit("3")
    await hears(call, "kcc/callback-planned")
    await centre.until(contact, state="ended", ended_reason="callback")
    (promise,) = await promises(centre)
    assert promise["callback"]
    assert promise["made_at"] < promise["call_at"] < promise["due_at"] <= promise["call_at"] + 13 * 3_600_000
    files = [centre.router.log, *(path for path in centre.router.data.rglob("*") if path.is_file())]
    assert not [path for path in files if b"201234567" in path.read_bytes()]


async def test_the_callback_dials_the_number_that_was_entered(centre: CallCentre) -> None:
    outside = await centre.board.outside(mode="ring")
    call, contact = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number")
    call.audio.digit("2")
    await hears(call, "kcc/callback-enter")
    presses(call, "0201234567#")
    await hears(call, "kcc/callback-right")
    call.audio.digit("1")
    await hears(call, "kcc/callback-now")
    call.audio.digit("1")
    await centre.until(contact, state="ended", ended_reason="callback")
    await calls_back(centre)
    assert (await outside.next_call()).invite.start.startswith("INVITE sip:+31201234567@")


async def test_who_withholds_the_number_is_asked_for_one_at_once_and_called_there_once(centre: CallCentre) -> None:
    outside = await centre.board.outside(mode="ring")
    for _ in range(2):
        call, contact = await centre.held(caller="anonymous")
        call.audio.digit("1")
        await hears(call, "kcc/callback-enter")
        presses(call, "0201234567#")
        await hears(call, "kcc/callback-entered", "kcc/callback-right")
        call.audio.digit("1")
        await hears(call, "kcc/callback-now")
        call.audio.digit("1")
        await hears(call, "kcc/callback-confirmed")
        await centre.until(contact, state="ended", ended_reason="callback")
    assert len(await promises(centre)) == 1
    await calls_back(centre)
    assert (await outside.next_call()).invite.start.startswith("INVITE sip:+31201234567@")


async def test_keys_in_advance(centre: CallCentre) -> None:
    call, contact = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number")
    call.audio.digit("1")
    await hears(call, "kcc/callback-now")
    call.audio.digit("2")
    await hears(call, "kcc/callback-planned")
    assert call.audio.height(prompt_hertz("kcc/callback-at")) < 2000
    await centre.until(contact, state="ended", ended_reason="callback")


async def test_three_numbers_that_cannot_be_called_and_the_caller_waits_on(centre: CallCentre) -> None:
    call, contact = await centre.held(caller="anonymous")
    call.audio.digit("1")
    for number in ("112#", "09001234#", "#"):
        await hears(call, "kcc/callback-enter")
        presses(call, number)
        await hears(call, "kcc/callback-wrong-number")
    await back_on_hold(centre, call, contact)


async def test_three_wrong_keys_and_the_caller_waits_on(centre: CallCentre) -> None:
    call, contact = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number")
    for _ in range(2):
        call.audio.digit("9")
        await hears(call, "kcc/menu-wrong")
    call.audio.digit("9")
    await back_on_hold(centre, call, contact)


async def test_who_hangs_up_while_choosing_has_left(centre: CallCentre) -> None:
    call, contact = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number")
    call.audio.digit("1")
    await hears(call, "kcc/callback-now")
    call.hangup()
    await centre.until(contact, state="ended", ended_reason="abandoned")
    assert await promises(centre) == []


async def test_an_agent_who_becomes_free_goes_before_the_choice(centre: CallCentre) -> None:
    noor = await centre.agent("noor", ready=False)
    call, contact = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number")
    await noor.desk.ready()
    assert (await noor.talks())[0] == contact
    await call.audio.tone(1000)
    assert await promises(centre) == []


async def test_the_server_dies_while_the_caller_chooses_and_they_keep_their_place(centre: CallCentre) -> None:
    call, contact = await centre.held()
    call.audio.digit("1")
    await hears(call, "kcc/callback-number")
    await centre.kill()
    await centre.restart()
    noor = await centre.agent("noor")
    assert (await noor.talks())[0] == contact
    await call.audio.tone(1000)
