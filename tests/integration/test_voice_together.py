"""Several agents in one call, on a real Asterisk: consult, warm transfer, conference, and every way out of them.

Everybody says a tone of their own: the citizen 440 Hz, agents 1000 Hz, the colleague 620 Hz.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import Agent, CallCentre, house
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice together"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
CITIZEN, COLLEAGUE, OWNER = 440, 620, 1000


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as running:
        yield running


class Talk:
    """A call that noor has answered, and fatima whom she may ask."""

    def __init__(self, call: Call, contact: str, noor: Agent, phone: Call, fatima: Agent) -> None:
        self.call, self.contact, self.noor, self.phone, self.fatima = call, contact, noor, phone, fatima

    async def consult(self, *, answer: bool = True) -> Call:
        await self.noor.desk.do("consult", contact=self.contact, agent="fatima")
        offer = await self.fatima.offered()
        assert (offer["purpose"], offer["contact"]) == ("consult", self.contact)
        rings = await self.fatima.phone.next_call()
        if answer:
            rings.answer()
            await self.noor.desk.contact(self.contact, participants=[{"agent": "fatima", "role": "consulted"}])
        return rings


async def talk(centre: CallCentre) -> Talk:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, phone = await noor.talks()
    fatima = await centre.agent("fatima", hertz=COLLEAGUE)
    return Talk(call, contact, noor, phone, fatima)


async def test_consult_the_citizen_hears_music_and_the_two_agents_each_other(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await rings.audio.tone(OWNER)
    await t.phone.audio.tone(COLLEAGUE)
    await t.call.audio.sound()
    assert not t.call.over.is_set()
    seen = await t.fatima.shows(lambda s: s["contacts"])
    assert (seen["contacts"][0]["role"], seen["contacts"][0]["owner"]) == ("consulted", "noor")


async def test_warm_transfer_the_colleague_talks_with_the_citizen_and_owns_the_contact(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("transfer", contact=t.contact)
    await t.phone.wait(t.phone.over)
    await rings.audio.tone(CITIZEN)
    await t.call.audio.tone(COLLEAGUE)
    await t.fatima.desk.contact(t.contact, state="active", role="owner")
    await t.noor.shows(lambda s: not s["contacts"] and s["agent"]["after_work"])
    await t.noor.desk.do("after_work_done")
    await t.noor.shows(lambda s: not s["agent"]["after_work"])
    t.call.hangup()
    await rings.wait(rings.over)
    await t.fatima.wrap_up(t.contact)
    ended = await centre.until(t.contact, state="ended")
    assert (ended["agent"], ended["ended_reason"]) == ("fatima", "handled")
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_after_a_warm_transfer_the_new_agent_hangs_up(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("transfer", contact=t.contact)
    await t.phone.wait(t.phone.over)
    await rings.audio.tone(CITIZEN)
    rings.hangup()
    await t.call.wait(t.call.over)
    await t.fatima.wrap_up(t.contact)
    await centre.until(t.contact, state="ended", ended_reason="handled")


async def test_consult_cancelled_while_it_rings(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult(answer=False)
    await t.noor.desk.do("cancel_consult", contact=t.contact)
    await rings.wait(rings.over)
    await t.call.audio.tone(OWNER)
    await t.phone.audio.tone(CITIZEN)
    await t.fatima.free()


async def test_consult_cancelled_after_the_answer(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("cancel_consult", contact=t.contact)
    await rings.wait(rings.over)
    await t.call.audio.tone(OWNER)
    await t.fatima.free()
    t.phone.hangup()
    await t.call.wait(t.call.over)
    await t.noor.wrap_up(t.contact)
    await centre.until(t.contact, state="ended", ended_reason="handled")


async def test_a_colleague_who_refuses_brings_the_two_together_again(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult(answer=False)
    rings.refuse()
    await rings.wait(rings.over)
    await t.call.audio.tone(OWNER)
    await t.phone.audio.tone(CITIZEN)
    await t.noor.desk.contact(t.contact, state="active", consulting="")
    await t.fatima.presence("ready")


async def test_a_colleague_who_declines_at_the_desk(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult(answer=False)
    shown = await t.fatima.shows(lambda s: s["offers"])
    await t.fatima.desk.do("decline", offer=shown["offers"][0]["offer"])
    await rings.wait(rings.over)
    await t.call.audio.tone(OWNER)
    await t.fatima.free()


async def test_a_colleague_who_hangs_up_first_brings_the_two_together_again(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    rings.hangup()
    await t.call.audio.tone(OWNER)
    await t.phone.audio.tone(CITIZEN)
    await t.noor.desk.contact(t.contact, state="active", participants=[])


async def test_the_citizen_leaves_during_a_consult(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    t.call.hangup()
    await rings.wait(rings.over)
    await t.phone.wait(t.phone.over)
    await t.noor.wrap_up(t.contact)
    await t.fatima.free()
    await centre.until(t.contact, state="ended", ended_reason="handled")


async def test_the_citizen_leaves_while_the_colleague_rings(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult(answer=False)
    t.call.hangup()
    await rings.wait(rings.over)
    await t.noor.wrap_up(t.contact)
    await t.fatima.free()


async def test_the_owner_hangs_up_during_a_consult_and_the_citizen_keeps_the_place(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    t.phone.hangup()
    await rings.wait(rings.over)
    again, _ = await t.fatima.talks()
    assert again == t.contact
    await t.call.audio.tone(COLLEAGUE)


async def test_three_talk_together_and_the_owner_leaves(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("conference", contact=t.contact)
    await t.call.audio.tone(OWNER)
    await t.call.audio.tone(COLLEAGUE)
    await rings.audio.tone(CITIZEN)
    t.phone.hangup()
    await t.fatima.desk.contact(t.contact, state="active", role="owner")
    rings.hangup()
    await t.call.wait(t.call.over)
    await t.fatima.wrap_up(t.contact)
    await centre.until(t.contact, state="ended", ended_reason="handled")


async def test_three_talk_together_and_the_colleague_leaves(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("conference", contact=t.contact)
    await rings.audio.tone(CITIZEN)
    rings.hangup()
    await t.noor.desk.contact(t.contact, state="active", participants=[])
    await t.call.audio.tone(OWNER)
    t.call.hangup()
    await t.phone.wait(t.phone.over)
    await t.noor.wrap_up(t.contact)
    await t.fatima.free()


async def test_three_talk_together_and_the_citizen_leaves(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("conference", contact=t.contact)
    await rings.audio.tone(CITIZEN)
    t.call.hangup()
    await rings.wait(rings.over)
    await t.phone.wait(t.phone.over)
    await t.noor.wrap_up(t.contact)


async def test_who_lost_their_phone_in_a_conference_comes_in_again_and_may_leave_as_before(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("conference", contact=t.contact)
    await t.call.audio.tone(OWNER)
    await t.call.audio.tone(COLLEAGUE)
    legs = {"noor": t.phone, "fatima": rings}
    for name, agent in (("noor", t.noor), ("fatima", t.fatima)):
        await agent.desk.do("rejoin", contact=t.contact)
        again = await agent.phone.next_call()
        await legs[name].wait(legs[name].over)
        again.answer()
        await again.audio.tone(CITIZEN)
        legs[name] = again
    await t.call.audio.tone(OWNER)
    await t.call.audio.tone(COLLEAGUE)
    legs["noor"].hangup()
    await t.fatima.desk.contact(t.contact, state="active", role="owner")
    legs["fatima"].hangup()
    await t.call.wait(t.call.over)
    await t.fatima.wrap_up(t.contact)
    await centre.books()


async def test_who_does_not_come_into_the_conference_again_has_left_it(centre: CallCentre) -> None:
    t = await talk(centre)
    await t.consult()
    await t.noor.desk.do("conference", contact=t.contact)
    await t.call.audio.tone(COLLEAGUE)
    await t.noor.desk.do("rejoin", contact=t.contact)
    again = await t.noor.phone.next_call()
    again.refuse()
    await t.fatima.desk.contact(t.contact, state="active", role="owner")
    await t.call.audio.tone(COLLEAGUE)


async def test_a_consulted_call_can_be_handed_to_a_queue(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await t.noor.desk.do("hand_over", contact=t.contact, queue="burgerzaken", agent="", note="")
    await t.phone.wait(t.phone.over)
    await rings.wait(rings.over)
    again, _ = await t.fatima.talks()
    assert again == t.contact


async def test_the_router_dies_during_a_consult_and_takes_it_up_again(centre: CallCentre) -> None:
    t = await talk(centre)
    rings = await t.consult()
    await centre.kill()
    await rings.audio.tone(OWNER)
    await centre.restart()
    noor = await centre.desk("noor")
    await noor.contact(t.contact, state="active", participants=[{"agent": "fatima", "role": "consulted"}])
    await noor.do("transfer", contact=t.contact)
    await t.phone.wait(t.phone.over)
    await rings.audio.tone(CITIZEN)
    await t.call.audio.tone(COLLEAGUE)


async def test_a_second_consult_after_a_first(centre: CallCentre) -> None:
    t = await talk(centre)
    first = await t.consult()
    await t.noor.desk.do("cancel_consult", contact=t.contact)
    await first.wait(first.over)
    await t.call.audio.tone(OWNER)
    await t.fatima.free()
    second = await t.consult()
    await second.audio.tone(OWNER)
    await t.noor.desk.do("transfer", contact=t.contact)
    await t.call.audio.tone(COLLEAGUE)
