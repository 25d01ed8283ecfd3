"""A supervisor in a call, on a real Asterisk: who hears whom, changing how, and every way it ends.

The citizen says 440 Hz, the agent 1000 Hz, the supervisor 1500 Hz.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import Agent, CallCentre, house
from tests.parts.sip import Call, SipPhone
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice together"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
CITIZEN, AGENT, SUPERVISOR = 440, 1000, 1500


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as running:
        yield running


class Listened:
    """Noor's call, and marieke's telephone in it."""

    def __init__(self, centre: CallCentre, call: Call, contact: str, noor: Agent, agent: Call, phone: SipPhone) -> None:
        self.centre, self.call, self.contact, self.noor, self.agent, self.phone = (
            centre,
            call,
            contact,
            noor,
            agent,
            phone,
        )

    async def listen(self, mode: str) -> Call:
        await self.centre.wall.do("listen", agent="noor", mode=mode)
        joined = await self.phone.next_call()
        await self.shown({"marieke": mode})
        return joined

    async def shown(self, listeners: dict[str, str]) -> None:
        """On the wallboard, and at the agent's desk."""
        await self.noor.desk.contact(self.contact, listeners=listeners)
        await self.centre.wall.boards.until(
            lambda b: any(p["agent"] == "noor" and p["listeners"] == listeners for p in b["people"])
        )


async def listened(centre: CallCentre, mode: str = "answer") -> Listened:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, agent = await noor.talks()
    return Listened(centre, call, contact, noor, agent, await centre.board.agent("s1", mode, hertz=SUPERVISOR))


async def test_listening_hears_both_and_is_heard_by_nobody(centre: CallCentre) -> None:
    there = await listened(centre)
    joined = await there.listen("listen")
    await joined.audio.tone(CITIZEN)
    await joined.audio.tone(AGENT)
    await there.agent.audio.tone(CITIZEN)
    assert there.agent.audio.height(SUPERVISOR) < 500
    assert there.call.audio.height(SUPERVISOR) < 500


async def test_whispering_is_heard_by_the_agent_alone_and_barging_by_both(centre: CallCentre) -> None:
    there = await listened(centre)
    joined = await there.listen("whisper")
    await there.agent.audio.tone(SUPERVISOR)
    assert there.call.audio.height(SUPERVISOR) < 500
    await centre.wall.do("listen", agent="noor", mode="barge")
    await there.call.audio.tone(SUPERVISOR)
    await there.shown({"marieke": "barge"})
    await joined.audio.tone(CITIZEN)


async def test_the_supervisor_leaves_at_the_wallboard_and_the_call_goes_on(centre: CallCentre) -> None:
    there = await listened(centre)
    joined = await there.listen("listen")
    await centre.wall.do("listen", agent="noor", mode="")
    await joined.wait(joined.over)
    await there.shown({})
    await there.agent.audio.tone(CITIZEN)


async def test_the_supervisor_hangs_up_and_the_call_goes_on(centre: CallCentre) -> None:
    there = await listened(centre)
    joined = await there.listen("listen")
    joined.hangup()
    await there.shown({})
    await there.call.audio.tone(AGENT)


async def test_the_call_ends_and_the_supervisor_is_hung_up(centre: CallCentre) -> None:
    there = await listened(centre)
    joined = await there.listen("listen")
    there.call.hangup()
    await joined.wait(joined.over)
    await there.noor.wrap_up(there.contact)
    await centre.until(there.contact, state="ended", ended_reason="handled")
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_a_supervisor_whose_phone_is_busy_does_not_listen(centre: CallCentre) -> None:
    there = await listened(centre, "busy")
    await centre.wall.do("listen", agent="noor", mode="listen")
    refused = await there.phone.next_call()
    await refused.wait(refused.over)
    await there.shown({})


async def test_only_a_call_can_be_listened_to(centre: CallCentre) -> None:
    await centre.agent("noor")
    answer = await centre.wall.ask("listen", agent="noor", mode="listen")
    assert answer["error"]["code"] == "wrong_state"
