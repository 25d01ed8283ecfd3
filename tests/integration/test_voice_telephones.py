"""Telephones beside the router on a real Asterisk: busy with a colleague, gone, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from router.channels.voice.telephones import QUALIFIED_SECONDS
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import Agent, CallCentre, house
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("asterisk"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]


@pytest.fixture
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:  # its own: what is registered here is what the test registers
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as centre:
        yield centre


async def telephone(agent: Agent, state: str) -> None:
    """Wait until the agent's own desk shows it."""
    await agent.shows(lambda s: s["agent"]["telephone"] == state)


async def on_the_wall(centre: CallCentre, agent: str, state: str, telephone: str) -> None:
    await centre.wall.boards.until(
        lambda board: any(
            (one["agent"], one["state"], one["telephone"]) == (agent, state, telephone) for one in board["people"]
        )
    )


async def test_no_call_for_who_talks_with_a_colleague_and_one_at_once_when_that_is_over(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    colleague = await centre.board.agent("a2", "answer")
    private = await noor.phone.call("1002")
    await private.wait(private.up)
    await telephone(noor, "elsewhere")
    await on_the_wall(centre, "noor", "busy", "elsewhere")
    call, contact = await centre.held()
    assert (await centre.contact(contact))["state"] == "waiting"
    assert noor.desk.states.last["offers"] == []
    private.hangup()
    assert (await noor.offered())["contact"] == contact
    rings = await noor.phone.next_call()
    rings.answer()
    await noor.desk.contact(contact, state="active")
    await call.audio.tone(1000)
    assert noor.desk.states.last["agent"]["telephone"] == "free"  # our own call keeps it busy
    assert colleague.calls.qsize() == 1


async def test_who_is_rung_by_a_colleague_is_not_rung_by_a_citizen(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    colleague = await centre.board.agent("a2")
    await colleague.call("1001")
    ringing = await noor.phone.next_call()
    await telephone(noor, "elsewhere")
    _, contact = await centre.held()
    assert noor.desk.states.last["offers"] == []
    ringing.refuse()
    assert (await noor.offered())["contact"] == contact


async def test_a_telephone_that_signs_off_is_told_and_offered_again_when_it_is_back(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    await noor.phone.register(0)
    await telephone(noor, "unregistered")
    await on_the_wall(centre, "noor", "ready", "unregistered")
    _, contact = await centre.held()
    assert noor.desk.states.last["offers"] == []
    await noor.presence("ready")  # not put on pause
    await noor.phone.register()
    assert (await noor.offered())["contact"] == contact
    await noor.phone.next_call()
    await telephone(noor, "free")


async def test_a_server_that_starts_learns_which_telephones_are_where(centre: CallCentre) -> None:
    noor, sanne = await centre.agent("noor"), await centre.agent("sanne")
    daan = await centre.desk("daan")  # whose telephone has never been here: Asterisk must have been up for a while
    await daan.states.until(lambda s: s["agent"]["telephone"] == "unregistered", seconds=2 * QUALIFIED_SECONDS)
    await centre.board.agent("a7", "answer")
    await centre.kill()
    await noor.phone.register(0)
    private = await sanne.phone.call("1007")
    await private.wait(private.up)
    await centre.restart()
    noor.desk, sanne.desk = await centre.desk("noor"), await centre.desk("sanne")
    await telephone(noor, "unregistered")
    await telephone(sanne, "elsewhere")
    private.hangup()
    await telephone(sanne, "free")


def on_hold(state: dict[str, Any]) -> bool:
    return any(contact["held_since"] > 0 for contact in state["contacts"])


def not_on_hold(state: dict[str, Any]) -> bool:
    return bool(state["contacts"]) and not on_hold(state)


async def music(call: Call) -> None:
    """And not the agent."""
    await call.audio.until(lambda: call.audio.height(1000) < 500 and call.audio.level() > 200)


async def test_hold_by_the_phones_own_key_is_music_and_recorded(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, rings = await noor.talks()
    await call.audio.tone(1000)
    rings.hold()
    await noor.shows(on_hold)
    await music(call)
    rings.hold(False)
    await noor.shows(not_on_hold)
    await call.audio.tone(1000)
    rings.hold()
    await noor.shows(on_hold)
    call.hangup()
    await noor.wrap_up(contact)
    await noor.free()
    await centre.books()


async def test_a_server_that_starts_learns_who_has_been_put_on_hold_or_taken_off_it(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    _, rings = await noor.talks()
    await call.audio.tone(1000)
    await centre.kill()
    rings.hold()
    await music(call)
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await noor.shows(on_hold)
    await centre.kill()
    rings.hold(False)
    await call.audio.tone(1000)
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await noor.shows(not_on_hold)


async def test_a_call_that_is_ours_stays_ours_when_the_server_starts_in_the_middle(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, _ = await noor.talks()
    await centre.kill()
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await noor.desk.contact(contact, state="active")
    call.hangup()
    await noor.wrap_up(contact)
    await noor.free()
    await centre.call()
    await noor.offered()
    assert all(state["agent"]["telephone"] == "free" for state in noor.desk.states.all)
