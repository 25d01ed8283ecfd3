"""Two things at once, on a real Asterisk: whichever comes first, nobody is lost or stuck, and the books are sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from router.channels.voice.events import Held
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import WITH_MENU, Agent, CallCentre, house
from tests.parts.prompts import prompt_hertz
from tests.parts.router import STEP_SECONDS_MAX
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing
from tests.parts.wire import Wire

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
HALF_OPEN_SECONDS_MAX = 15


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as running:
        yield running


@pytest.fixture
async def wire(pbx: RealAsterisk) -> AsyncIterator[Wire]:
    async with Wire(pbx.ami_port) as running:
        yield running


@pytest.fixture
async def wired(pbx: RealAsterisk, tmp_path: Path, wire: Wire) -> AsyncIterator[CallCentre]:
    """The same, with a wire to Asterisk's manager that can be cut."""
    async with house(pbx, tmp_path, ami_port=wire.port) as running:
        yield running


async def over(centre: CallCentre, agent: Agent, contact: str) -> None:
    """The contact ends, by way of the agent's wrap-up or not, and the agent is free and gets the next call."""
    async with asyncio.timeout(STEP_SECONDS_MAX):
        while (found := await centre.contact(contact))["state"] not in ("wrap_up", "ended"):
            seen = len(centre.wall.boards.all)
            await centre.wall.boards.until(lambda _, seen=seen: len(centre.wall.boards.all) > seen)  # type: ignore[misc]
    if found["state"] == "wrap_up":
        await agent.wrap_up(contact)
    await agent.free()
    await served(centre, agent)


async def served(centre: CallCentre, agent: Agent) -> None:
    """The agent answers a new call, and the books are sound."""
    call = await centre.call()
    await agent.talks()
    await call.audio.tone(1000)
    await centre.books()


async def talking(centre: CallCentre, agent: Agent) -> tuple[Call, str, Call]:
    """A citizen who talks with the agent: the citizen's side, the contact, the phone's side."""
    call = await centre.call()
    contact, rings = await agent.talks()
    return call, contact, rings


# -- two people -------------------------------------------------------------------------------------------------------


async def test_both_hang_up(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call, contact, rings = await talking(centre, noor)
    call.hangup()
    rings.hangup()
    await over(centre, noor, contact)


async def test_the_agent_answers_and_the_citizen_hangs_up(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    offer, rings = await noor.rings()
    rings.answer()
    call.hangup()
    await over(centre, noor, offer["contact"])


async def test_the_agent_finishes_at_the_desk_and_the_citizen_hangs_up(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call, contact, rings = await talking(centre, noor)
    call.hangup()
    await noor.desk.ask("finish", contact=contact)
    await rings.wait(rings.over)
    await over(centre, noor, contact)


async def test_the_phone_refuses_and_the_desk_declines(centre: CallCentre) -> None:
    anouk, fatima = await centre.agent("anouk"), await centre.agent("fatima", ready=False)
    call = await centre.call()
    offer, rings = await anouk.rings()
    rings.refuse()
    await anouk.desk.ask("decline", offer=offer["offer"], reason="")
    await fatima.desk.ready()
    contact, _ = await fatima.talks()
    assert contact == offer["contact"]
    await call.audio.tone(1000)
    await anouk.free()


async def test_the_desk_declines_and_the_citizen_hangs_up(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    offer, rings = await noor.rings()
    call.hangup()
    await noor.desk.ask("decline", offer=offer["offer"], reason="")
    await rings.wait(rings.over)
    await centre.until(offer["contact"], state="ended", ended_reason="abandoned")
    await noor.free()
    await centre.books()


async def test_the_agent_signs_off_and_the_citizen_hangs_up(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    offer, rings = await noor.rings()
    call.hangup()
    await noor.desk.do("presence", presence="signed_off", reason="")
    await rings.wait(rings.over)
    await centre.until(offer["contact"], state="ended", ended_reason="abandoned")
    await noor.presence("signed_off")
    await centre.books()


async def test_the_supervisor_closes_the_call_and_the_agent_answers(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    offer, rings = await noor.rings()
    rings.answer()
    await centre.wall.do("close", contact=offer["contact"], why="Proefgesprek")
    await call.wait(call.over)
    await over(centre, noor, offer["contact"])


async def test_two_phones_refuse_and_both_citizens_keep_their_place(centre: CallCentre) -> None:
    _, first = await centre.held()
    _, second = await centre.held()
    anouk, mehmet = await centre.agent("anouk", ready=False), await centre.agent("mehmet", ready=False)
    await anouk.desk.ready()
    offer, one = await anouk.rings()
    await mehmet.desk.ready()
    other, two = await mehmet.rings()
    assert [offer["contact"], other["contact"]] == [first, second]
    for agent in (anouk, mehmet):
        await agent.desk.do("presence", presence="paused", reason="lunch")
    one.refuse()
    two.refuse()
    for contact in (first, second):
        await centre.until(contact, state="waiting")
    noor = await centre.agent("noor")
    for expected in (first, second):
        contact, rings = await noor.talks()
        assert contact == expected
        rings.hangup()
        await noor.wrap_up(contact)
    await centre.books()


# -- a transfer and something else ------------------------------------------------------------------------------------


async def test_a_transfer_rings_and_the_citizen_hangs_up(centre: CallCentre) -> None:
    anouk, fatima = await centre.agent("anouk"), await centre.agent("fatima")
    call, contact, _ = await talking(centre, anouk)
    await anouk.desk.do("hand_over", contact=contact, agent="fatima", note="")
    _, theirs = await fatima.rings()
    call.hangup()
    await theirs.wait(theirs.over)
    await centre.until(contact, state="ended", ended_reason="abandoned")
    await fatima.free()
    await anouk.free()
    await centre.books()


async def test_a_transfer_is_refused_and_the_first_agent_has_gone(centre: CallCentre) -> None:
    anouk, fatima = await centre.agent("anouk"), await centre.agent("fatima", mode="busy")
    noor = await centre.agent("noor", ready=False)
    call, contact, _ = await talking(centre, anouk)
    await anouk.desk.do("presence", presence="paused", reason="lunch")
    await anouk.desk.do("hand_over", contact=contact, agent="fatima", note="")
    refused = await fatima.phone.next_call()
    await refused.wait(refused.over)
    await fatima.desk.do("presence", presence="paused", reason="lunch")
    await noor.desk.ready()
    again, _ = await noor.talks()
    assert again == contact
    await call.audio.tone(1000)
    await centre.books()


async def test_the_agent_hangs_up_and_hands_over(centre: CallCentre) -> None:
    anouk, sanne = await centre.agent("anouk"), await centre.agent("sanne", ready=False)
    call, contact, rings = await talking(centre, anouk)
    rings.hangup()
    answer = await anouk.desk.ask("hand_over", contact=contact, queue="sociaal", note="")
    if answer["ok"]:  # in time: the citizen stays
        await anouk.free()
        await sanne.desk.ready()
        again, _ = await sanne.talks()
        assert again == contact
        await call.audio.tone(1000)
    else:  # too late: the call was over, and so is the contact
        await call.wait(call.over)
        await anouk.wrap_up(contact)
    await centre.books()


# -- the wire to Asterisk and something else --------------------------------------------------------------------------


async def lost_in_redirect(centre: CallCentre, wire: Wire) -> tuple[Agent, Call, str]:
    """A held call is offered; the order to ring the phone is lost, and the wire with it."""
    call, contact = await centre.held()
    noor = await centre.agent("noor", ready=False)
    wire.silence()
    await noor.desk.ready()
    offer = await noor.offered()
    assert offer["contact"] == contact
    await wire.cut()
    await centre.logged("voice.down")
    return noor, call, contact


async def test_the_wire_is_lost_during_a_redirect(wired: CallCentre, wire: Wire) -> None:
    noor, call, contact = await lost_in_redirect(wired, wire)
    await wire.mend()
    rings = await noor.phone.next_call()
    rings.answer()
    await noor.desk.contact(contact, state="active")
    await call.audio.tone(1000)
    await wired.books()


async def test_the_wire_is_lost_during_a_redirect_and_the_citizen_leaves(wired: CallCentre, wire: Wire) -> None:
    noor, call, contact = await lost_in_redirect(wired, wire)
    call.hangup()
    await call.wait(call.over)
    await wire.mend()
    await wired.until(contact, state="ended")
    await noor.free()
    await served(wired, noor)


async def test_the_wire_is_cut_and_the_agent_answers(wired: CallCentre, wire: Wire) -> None:
    noor = await wired.agent("noor")
    call = await wired.call()
    offer, rings = await noor.rings()
    await wire.cut()
    rings.answer()
    await call.audio.tone(1000)
    await wire.mend()
    await noor.shows(lambda s: [c for c in s["contacts"] if c["state"] == "active"] and not s["offers"])
    call.hangup()
    await over(wired, noor, offer["contact"])


async def test_the_wire_is_cut_and_the_phone_refuses(wired: CallCentre, wire: Wire) -> None:
    noor = await wired.agent("noor")
    call = await wired.call()
    offer, rings = await noor.rings()
    await wire.cut()
    rings.refuse()
    noor.phone.mode = "answer"  # asked again
    await wire.mend()
    await noor.desk.contact(offer["contact"], state="active")
    await call.audio.tone(1000)
    await wired.books()


async def test_the_wire_is_cut_and_the_citizen_leaves_a_talk(wired: CallCentre, wire: Wire) -> None:
    noor = await wired.agent("noor")
    call, contact, rings = await talking(wired, noor)
    await wire.cut()
    call.hangup()
    await rings.wait(rings.over)
    await wire.mend()
    await over(wired, noor, contact)


@pytest.mark.slow
async def test_the_wire_is_half_open_and_the_citizen_leaves(wired: CallCentre, wire: Wire) -> None:
    noor = await wired.agent("noor")
    call, contact, rings = await talking(wired, noor)
    wire.silence()
    call.hangup()
    await rings.wait(rings.over)
    await wired.logged("voice.down", seconds=HALF_OPEN_SECONDS_MAX)
    await wire.mend()
    await over(wired, noor, contact)


# -- the server and something else ------------------------------------------------------------------------------------


async def test_the_server_dies_and_the_phone_refuses(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    offer, rings = await noor.rings()
    await centre.kill()
    rings.refuse()
    await call.audio.sound()  # music again
    await centre.restart()
    noor.desk = await centre.desk("noor")
    again = await noor.phone.next_call()
    again.answer()
    await noor.desk.contact(offer["contact"], state="active")
    await call.audio.tone(1000)
    await centre.books()


async def test_the_server_dies_and_the_citizen_leaves_a_talk(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call, contact, rings = await talking(centre, noor)
    await centre.kill()
    call.hangup()
    await rings.wait(rings.over)
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await over(centre, noor, contact)


async def test_the_server_dies_and_the_agent_leaves_a_talk(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call, contact, rings = await talking(centre, noor)
    await centre.kill()
    rings.hangup()
    await call.wait(call.over)
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await over(centre, noor, contact)


async def test_the_server_dies_and_one_of_three_leaves_the_queue(centre: CallCentre) -> None:
    (_, first), (leaver, left), (_, third) = [await centre.held() for _ in range(3)]
    await centre.kill()
    leaver.hangup()
    await leaver.wait(leaver.over)
    await centre.restart()
    noor = await centre.agent("noor")
    for expected in (first, third):
        contact, rings = await noor.talks()
        assert contact == expected
        rings.hangup()
        await noor.wrap_up(contact)
    assert (await centre.books())["ended"] == {"gone": 1, "handled": 2}
    assert (await centre.contact(left))["ended_reason"] == "gone"


async def test_the_server_dies_while_a_citizen_is_in_the_menu(centre: CallCentre) -> None:
    call = await centre.call(WITH_MENU)
    await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
    await centre.kill()
    held = await centre.board.event(Held)
    await centre.restart()
    noor = await centre.agent("noor")
    contact, _ = await noor.talks()
    assert contact == held.kcc_id
    await call.audio.tone(1000)
    await centre.books()


async def test_the_server_and_asterisk_die_together(tmp_path: Path) -> None:
    with RealAsterisk() as own:
        async with house(own, tmp_path) as centre:
            _, held = await centre.held()
            noor = await centre.agent("noor", ready=False)
            await centre.kill()
            await asyncio.to_thread(own.kill)
            await asyncio.to_thread(own.start)
            await centre.restart()
            await centre.until(held, state="ended", ended_reason="gone")
            noor.desk = await centre.desk("noor")
            await noor.phone.register()
            await noor.desk.ready()
            await served(centre, noor)
