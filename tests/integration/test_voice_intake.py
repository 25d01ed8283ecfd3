"""How calls come in, end to end: in whose name they are answered, the menu, closing time, and who calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from router.channels.voice.events import Held, Overflow
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import PLAIN, WITH_MENU, CallCentre, house
from tests.parts.prompts import prompt_hertz
from tests.parts.router import supervise
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
CLOSED = (
    "centre.toml",
    'phone = { every_day = "00:00-24:00" }   # really: { weekdays = "08:00-17:00" }',
    'phone = "closed"',
)


GENERAL = 'title = { nl = "Algemeen", en = "General" }\npriority = 5\n'
LIMITED = ("topics.toml", GENERAL, f"{GENERAL}limits = {{ phone = {{ waiting_max = 1 }} }}\n")


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as running:
        yield running


async def test_a_flood_from_one_number_leaves_room_for_another_caller(pbx: RealAsterisk, tmp_path: Path) -> None:
    few = ("server.toml", "caller_at_once = 20", "caller_at_once = 3")
    async with house(pbx, tmp_path, few) as centre:
        for _ in range(3):
            await centre.held(caller="0687654321")
        flood = [await centre.call(caller="0687654321") for _ in range(20)]
        await flood[0].audio.tone(prompt_hertz("kcc/busy-caller"))
        other, contact = await centre.held(caller="0612345678")
        await asyncio.gather(*(call.wait(call.over) for call in flood))
        await other.audio.sound()
        assert (await centre.contact(contact))["state"] == "waiting"
        await centre.phone(ended=20, waiting=4)
        assert (await centre.books())["ended"] == {"flood": 20}
        log = centre.router.log.read_text()
        assert "voice.turned_away" in log
        assert "687654321" not in log


async def test_a_flood_to_one_of_our_numbers_leaves_room_for_the_others(pbx: RealAsterisk, tmp_path: Path) -> None:
    few = ("server.toml", "entry_at_once = 200", "entry_at_once = 2")
    async with house(pbx, tmp_path, few) as centre:
        for n in range(2):
            await centre.held(PLAIN, caller=f"061234567{n}")
        refused = await centre.call(PLAIN, caller="0612345673")
        await refused.audio.tone(prompt_hertz("kcc/busy-line"))
        there = await centre.call(WITH_MENU, caller="0612345674")
        await there.audio.tone(prompt_hertz("kcc/welcome-waterland"))
        await refused.wait(refused.over)
        assert (await centre.books())["ended"] == {"flood": 1}


async def test_each_municipality_is_answered_in_its_own_name(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    there = await centre.call(PLAIN)
    await there.audio.tone(prompt_hertz("kcc/welcome-veenstede"))
    offer, rings = await noor.rings()
    assert offer["municipality"] == "veenstede"
    rings.answer()
    await noor.desk.contact(offer["contact"], state="active")
    mark = len(centre.board.seen)
    here = await centre.call(WITH_MENU)
    await here.audio.tone(prompt_hertz("kcc/welcome-waterland"))
    await here.audio.tone(prompt_hertz("kcc/menu-waterland"))
    here.audio.digit("0")
    held = await centre.board.event(Held, after=mark)
    assert (await centre.until(held.kcc_id, state="waiting"))["municipality"] == "waterland"


async def test_each_choice_of_the_menu_leads_to_its_topic(centre: CallCentre) -> None:
    topics = []
    for keys in ("1", "2", "3", "41", "42", "43", "5"):
        mark = len(centre.board.seen)
        call = await centre.call(WITH_MENU)
        await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
        call.audio.digit(keys[0])
        if keys[1:]:
            await call.audio.tone(prompt_hertz("kcc/menu-waterland-4"))
            call.audio.digit(keys[1])
        held = await centre.board.event(Held, after=mark)
        topics.append((await centre.contact(held.kcc_id))["topic"])
    assert topics == ["burgerzaken", "afval", "belastingen", "wmo", "werk-inkomen", "jeugd", "algemeen"]


async def test_keys_pressed_in_advance_count(centre: CallCentre) -> None:
    call = await centre.call(WITH_MENU)
    await call.audio.tone(prompt_hertz("kcc/welcome-waterland"))
    call.audio.digit("4")
    call.audio.digit("2")
    held = await centre.board.event(Held)
    assert (await centre.contact(held.kcc_id))["topic"] == "werk-inkomen"


async def test_a_star_says_the_menu_again_and_a_wrong_key_is_said_to_be_wrong(centre: CallCentre) -> None:
    call = await centre.call(WITH_MENU)
    await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
    for _ in range(4):  # more often than somebody who is wrong may
        call.audio.digit("*")
        await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
    call.audio.digit("7")
    await call.audio.tone(prompt_hertz("kcc/menu-wrong"))
    await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
    call.audio.digit("1")
    held = await centre.board.event(Held)
    assert (await centre.contact(held.kcc_id))["topic"] == "burgerzaken"


async def test_who_presses_9_goes_on_in_english_and_gets_somebody_who_speaks_it(centre: CallCentre) -> None:
    sanne, noor = await centre.agent("sanne"), await centre.agent("noor")
    call = await centre.call(WITH_MENU)
    await call.audio.tone(prompt_hertz("kcc/language-en"))
    call.audio.digit("9")
    await call.audio.tone(prompt_hertz("kcc/menu-waterland", "en"))
    call.audio.digit("5")
    offer, rings = await noor.rings()
    assert (offer["language"], offer["topic"]) == ("en", "algemeen")
    rings.answer()
    await noor.desk.contact(offer["contact"], state="active")
    assert not any(state["offers"] for state in sanne.desk.states.all)


@pytest.mark.slow
async def test_zero_silence_and_wrong_keys_lead_to_a_human(centre: CallCentre) -> None:
    async def wrong() -> None:
        call = await centre.call(WITH_MENU)
        for _ in range(3):
            await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
            call.audio.digit("8")

    async def zero() -> None:
        call = await centre.call(WITH_MENU)
        await call.audio.tone(prompt_hertz("kcc/welcome-waterland"))
        call.audio.digit("0")

    await centre.call(WITH_MENU)
    await asyncio.gather(wrong(), zero())
    await centre.board.until(lambda: sum(isinstance(e, Held) for e in centre.board.seen) >= 2)
    async with asyncio.timeout(30):
        noor = await centre.agent("noor")
        for _ in range(3):
            contact, rings = await noor.talks()
            found = await centre.contact(contact)
            assert (found["topic"], found["queue"]) == ("algemeen", "algemeen")
            rings.hangup()
            await noor.wrap_up(contact)


async def test_who_hangs_up_in_the_menu_is_offered_to_nobody(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call(WITH_MENU)
    await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
    call.hangup()
    await centre.phone(ended=1)
    assert (await centre.books())["ended"] == {"abandoned": 1}
    assert noor.phone.calls.empty()
    assert not any(state["offers"] for state in noor.desk.states.all)


async def test_outside_hours_a_message_says_so_and_the_call_ends(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with house(pbx, tmp_path, CLOSED) as centre:
        await centre.agent("noor")
        call = await centre.call(PLAIN)
        await call.audio.tone(prompt_hertz("kcc/welcome-veenstede"))
        await call.audio.tone(prompt_hertz("kcc/closed-veenstede"))
        await call.wait(call.over)
        await centre.phone(ended=1)
        early = await centre.call(PLAIN)
        await early.audio.tone(prompt_hertz("kcc/closed-veenstede"))
        early.hangup()
        await centre.phone(ended=2)
        assert (await centre.books())["ended"] == {"closed_hours": 2}


async def test_a_calamity_is_told_first_while_it_is_on(centre: CallCentre) -> None:
    quiet = await centre.call(PLAIN)
    await quiet.audio.tone(prompt_hertz("kcc/welcome-veenstede"))
    quiet.hangup()
    await centre.phone(ended=1)
    await supervise(centre.router.base, "veenstede/calamity", {})
    call = await centre.call(PLAIN)
    await call.audio.tone(prompt_hertz("kcc/calamity-veenstede"))
    await call.audio.tone(prompt_hertz("kcc/welcome-veenstede"))
    await centre.board.event(Held)


async def test_a_call_to_a_full_queue_goes_to_the_fallback_phones(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with house(pbx, tmp_path, LIMITED) as centre:
        await centre.call(PLAIN)
        await centre.board.event(Held)
        second = await centre.call(PLAIN)
        await second.audio.tone(prompt_hertz("kcc/overflow"))
        assert (await centre.board.event(Overflow)).kcc_id == ""
        await centre.phone(waiting=1)
        assert (await centre.books())["ended"] == {"full": 1}


async def test_what_a_supervisor_closes_takes_no_calls_until_it_is_opened(centre: CallCentre) -> None:
    await supervise(centre.router.base, "veenstede/close", {"reason": "outage", "channels": ["phone"]})
    call = await centre.call(PLAIN)
    await call.audio.tone(prompt_hertz("kcc/closed-veenstede"))
    await call.wait(call.over)
    await supervise(centre.router.base, "veenstede/open", {})
    await centre.call(PLAIN)
    await centre.board.event(Held)


@pytest.mark.parametrize("caller", ["anonymous", "unknown", "0", "99999999999999999999", "%2B31612345678", "+31-6;x=1"])
async def test_a_caller_without_a_usable_number_is_helped_all_the_same(centre: CallCentre, caller: str) -> None:
    noor = await centre.agent("noor")
    await centre.call(PLAIN, caller=caller, name="$(DROP) `id`")
    offer, rings = await noor.rings()
    assert (offer["citizen"]["phone"].replace(" ", ""), offer["earlier"]) in (("", 0), ("+31612345678", 0))
    rings.answer()
    await noor.desk.contact(offer["contact"], state="active")
    assert "DROP" not in centre.router.log.read_text()
