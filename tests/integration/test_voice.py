"""Calls from end to end: a real Asterisk, the real server, agents at their desks with phones, citizens who call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from router.channels.voice.events import Held
from tests.parts.asterisk import CARRIER, RealAsterisk
from tests.parts.callcentre import PLAIN, CallCentre, house
from tests.parts.where import asterisk_command, missing, sipp_command

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
SCENARIOS = Path(__file__).with_name("sipp")


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as running:
        yield running


async def test_a_held_call_rings_the_phone_while_the_desk_shows_the_offer(centre: CallCentre) -> None:
    call, contact = await centre.held()
    await call.audio.sound()  # music
    noor = await centre.agent("noor")
    offer, rings = await noor.rings()
    assert (offer["contact"], offer["municipality"], offer["earlier"]) == (contact, "veenstede", 0)
    assert offer["citizen"]["phone"].replace(" ", "") == "+31612345678"
    assert "0612345678" in rings.caller


async def test_an_answered_call_is_active_both_hear_each_other_and_it_is_counted(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, rings = await noor.talks()
    await rings.audio.tone(440)
    await call.audio.tone(1000)
    call.hangup()
    await rings.wait(rings.over)
    await noor.wrap_up(contact)
    ended = await centre.until(contact, state="ended")
    assert (ended["ended_reason"], ended["resolved"], ended["agent"]) == ("handled", True, "noor")
    board = await centre.wall.boards.until(lambda b: b["finished"] == 1)
    assert board["resolved"] == 1.0
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_a_ringing_phone_is_picked_up_not_clicked(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    await centre.call()
    offer = await noor.offered()
    refused = await noor.desk.ask("accept", offer=offer["offer"])
    assert refused["error"]["code"] == "wrong_state"


async def test_the_same_caller_again_is_recognised_however_the_number_is_written(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    first = await centre.call(caller="0612345678")
    contact, _ = await noor.talks()
    first.hangup()
    await noor.wrap_up(contact)
    await centre.call(caller="+31612345678")
    offer = await noor.offered()
    assert offer["contact"] != contact
    assert (offer["earlier"], offer["last"]["channel"], offer["last"]["resolved"]) == (1, "phone", True)
    assert "612345678" not in centre.router.log.read_text()


async def test_the_agent_hangs_up(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, rings = await noor.talks()
    rings.hangup()
    await noor.desk.contact(contact, state="wrap_up")
    await call.wait(call.over)
    await noor.wrap_up(contact)
    await centre.until(contact, state="ended", ended_reason="handled")


async def test_finishing_at_the_desk_hangs_up_both_sides(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, rings = await noor.talks()
    await noor.desk.do("finish", contact=contact)
    await call.wait(call.over)
    await rings.wait(rings.over)
    await noor.wrap_up(contact)
    await centre.until(contact, state="ended", ended_reason="handled")


async def test_a_busy_phone_is_passed_over(centre: CallCentre) -> None:
    anouk, noor = await centre.agent("anouk", mode="busy"), await centre.agent("noor", ready=False)
    call = await centre.call()
    refused = await anouk.phone.next_call()
    await refused.wait(refused.over)
    held = await centre.board.event(Held)
    await noor.desk.ready()
    contact, _ = await noor.talks()
    assert contact == held.kcc_id
    assert (await centre.contact(contact))["offers"] == 2
    await call.audio.tone(1000)
    await anouk.presence("ready")
    await anouk.free()


async def test_a_phone_nobody_answers_pauses_its_agent_and_the_call_keeps_its_place(centre: CallCentre) -> None:
    first, contact = await centre.held()
    _, later = await centre.held()
    noor = await centre.agent("noor")
    offer, rings = await noor.rings()
    assert offer["contact"] == contact
    await rings.wait(rings.over)
    await noor.presence("paused", "not_responding")
    fatima = await centre.agent("fatima")
    answered, _ = await fatima.talks()
    assert answered == contact
    await first.audio.tone(1000)
    assert (await centre.contact(later))["state"] == "waiting"


async def test_declining_at_the_desk_stops_the_phone_and_the_call_goes_on(centre: CallCentre) -> None:
    anouk, fatima = await centre.agent("anouk"), await centre.agent("fatima", ready=False)
    call = await centre.call()
    offer, rings = await anouk.rings()
    await anouk.desk.do("decline", offer=offer["offer"], reason="")
    await rings.wait(rings.over)
    await centre.board.event(Held, kcc_id=offer["contact"])
    await centre.until(offer["contact"], state="waiting")
    await fatima.desk.ready()
    contact, _ = await fatima.talks()
    assert contact == offer["contact"]
    await call.audio.tone(1000)


async def test_abandoned_while_held(centre: CallCentre) -> None:
    call, contact = await centre.held()
    call.hangup()
    await centre.until(contact, state="ended", ended_reason="abandoned")
    assert (await centre.books())["ended"] == {"abandoned": 1}


async def test_abandoned_while_ringing_stops_the_phone_and_frees_the_agent(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    offer, rings = await noor.rings()
    call.hangup()
    await rings.wait(rings.over)
    await centre.until(offer["contact"], state="ended", ended_reason="abandoned")
    await noor.free()
    await centre.call()
    await noor.talks()


async def test_a_call_is_handed_over_to_a_queue_with_music_in_between(centre: CallCentre) -> None:
    anouk, sanne = await centre.agent("anouk"), await centre.agent("sanne", ready=False)
    call = await centre.call()
    contact, rings = await anouk.talks()
    mark = len(centre.board.seen)
    await anouk.desk.do("hand_over", contact=contact, queue="sociaal", note="Gaat over de Wmo")
    await rings.wait(rings.over)
    await centre.board.event(Held, kcc_id=contact, after=mark)
    await call.audio.sound()
    await anouk.free()
    await sanne.desk.ready()
    again, _ = await sanne.talks()
    assert again == contact
    detail = (await sanne.desk.do("open", contact=contact))["detail"]
    assert [m["text"] for m in detail["messages"]] == ["Gaat over de Wmo"]
    await call.audio.tone(1000)


async def test_a_call_is_handed_over_to_a_colleague(centre: CallCentre) -> None:
    anouk, fatima = await centre.agent("anouk"), await centre.agent("fatima")
    call = await centre.call()
    contact, rings = await anouk.talks()
    await anouk.desk.do("hand_over", contact=contact, agent="fatima", note="")
    await rings.wait(rings.over)
    again, theirs = await fatima.talks()
    assert again == contact
    await theirs.audio.tone(440)
    await call.audio.tone(1000)
    call.hangup()
    await fatima.wrap_up(contact)
    assert (await centre.until(contact, state="ended"))["agent"] == "fatima"


async def test_a_supervisor_closes_a_held_call_and_it_is_hung_up(centre: CallCentre) -> None:
    call, contact = await centre.held()
    await centre.wall.do("close", contact=contact, why="Proefgesprek")
    await call.wait(call.over)
    await centre.until(contact, state="ended", ended_reason="closed")


async def test_a_supervisor_moves_a_ringing_call(centre: CallCentre) -> None:
    noor, sanne = await centre.agent("noor"), await centre.agent("sanne", ready=False)
    call = await centre.call()
    offer, rings = await noor.rings()
    await centre.wall.do("move", contact=offer["contact"], queue="sociaal", why="Verkeerde keuze")
    await rings.wait(rings.over)
    await noor.free()
    await sanne.desk.ready()
    contact, _ = await sanne.talks()
    assert contact == offer["contact"]
    await call.audio.tone(1000)


async def test_an_agent_signs_off_while_the_phone_rings(centre: CallCentre) -> None:
    anouk, fatima = await centre.agent("anouk"), await centre.agent("fatima", ready=False)
    call = await centre.call()
    offer, rings = await anouk.rings()
    await anouk.desk.do("presence", presence="signed_off", reason="")
    await rings.wait(rings.over)
    await anouk.presence("signed_off")
    await fatima.desk.ready()
    contact, _ = await fatima.talks()
    assert contact == offer["contact"]
    await call.audio.tone(1000)


@pytest.mark.skipif(sipp_command() is None, reason=missing("sipp"))
async def test_a_sipp_citizen_is_held_answered_and_finished(centre: CallCentre, tmp_path: Path) -> None:
    command = sipp_command()
    assert command is not None
    sipp = await asyncio.create_subprocess_exec(
        *command, f"127.0.0.1:{centre.pbx.sip_port}", "-i", CARRIER, "-sf", str(SCENARIOS / "citizen_waits.xml"),
        "-s", PLAIN, "-m", "1", "-nostdin", "-timeout", "30s", "-timeout_error", cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await centre.board.event(Held)
    noor = await centre.agent("noor")
    contact, rings = await noor.talks()
    await noor.desk.do("finish", contact=contact)
    await rings.wait(rings.over)
    async with asyncio.timeout(10):
        assert await sipp.wait() == 0
    await noor.wrap_up(contact)
    assert (await centre.books())["ended"] == {"handled": 1}
