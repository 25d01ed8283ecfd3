"""The configuration in asterisk/ on a real Asterisk: it starts clean, gives few rights, and calls go as documented."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.channels.voice.ami import AmiRefused, ChannelGone, Leg
from router.channels.voice.events import (
    ConsultEnded,
    DialEnded,
    DialResult,
    Digit,
    Gone,
    HangupAsked,
    Held,
    LegGone,
    Ringing,
    dial_exten,
)
from router.channels.voice.frames import header
from router.channels.voice.pyst import AmiActions
from tests.parts.asterisk import CARRIER, RealAsterisk
from tests.parts.prompts import prompt_hertz
from tests.parts.sip import Call, SipPhone
from tests.parts.switchboard import Switchboard
from tests.parts.where import asterisk_command, missing, sipp_command

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("asterisk"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
SCENARIOS = Path(__file__).with_name("sipp")


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


async def held(board: Switchboard, citizen: SipPhone) -> tuple[Call, Held]:
    """A citizen who calls and is on hold."""
    call = await citizen.call("140591")
    await call.wait(call.up)
    return call, await board.event(Held)


async def test_it_starts_without_a_warning_and_knows_its_phones(pbx: RealAsterisk) -> None:
    assert pbx.complaints() == []
    endpoints = await pbx.ask("pjsip show endpoints")
    phones = [*(f"a{n}" for n in range(1, 13)), "s1", "s2", *(f"w{n}" for n in range(1, 5))]
    assert re.findall(r"Endpoint:\s+([asw]\d+)/", endpoints) == sorted(phones)
    assert int(re.findall(r"Asterisk (\d+)\.", await pbx.ask("core show version"))[0]) >= 22


async def test_nothing_is_loaded_that_runs_commands_or_fetches_files(pbx: RealAsterisk) -> None:
    modules = await pbx.ask("module show")
    assert "res_agi" in modules
    forbidden = r"app_system|func_shell|func_curl|func_env|func_db|app_externalivr|res_curl|app_originate|func_realtime"
    assert re.findall(forbidden, modules) == []


async def test_the_router_logs_in_with_few_rights(pbx: RealAsterisk) -> None:
    actions = AmiActions(lambda _: None)
    await actions.open("127.0.0.1", pbx.ami_port)
    await actions.login(pbx.ami_user, pbx.ami_secret)
    assert header(await actions.ping(), "Response") == "Success"
    for action in (
        {"Action": "Command", "Command": "core show version"},
        {"Action": "GetConfig", "Filename": "manager.conf"},
        {"Action": "Originate", "Channel": "PJSIP/a1", "Application": "System", "Data": "id", "Async": "true"},
        {"Action": "DBGet", "Family": "x", "Key": "y"},
        {"Action": "UserEvent", "UserEvent": "KccHeld"},
        {"Action": "ModuleLoad", "LoadType": "load", "Module": "app_system"},
        {"Action": "MixMonitor", "Channel": "PJSIP/a1-1", "File": "x.wav"},
    ):
        reply = await actions.send_action(action)
        assert header(reply, "Response") == "Error", action
        assert re.search("Permission denied|Invalid/unknown command|Access Forbidden", header(reply, "Message")), action
    actions.close()
    stranger = AmiActions(lambda _: None)
    await stranger.open("127.0.0.1", pbx.ami_port)
    with pytest.raises(AmiRefused):
        await stranger.login(pbx.ami_user, "wrong")
    stranger.close()


@pytest.mark.parametrize("dialled", ["140591", "140592", "14020", "0140591", "+31140591", "0031140591", "31140592"])
async def test_every_form_of_a_14_number_reaches_the_router(pbx: RealAsterisk, dialled: str) -> None:
    async with Switchboard(pbx) as board:
        citizen = await board.citizen()
        call = await citizen.call(dialled, caller="0612345678", name="$(id);`id`|Jos")
        await call.wait(call.up)
        await board.event(Held)
        session = board.sessions[0]
        assert session.subject == session.env["agi_extension"] == dialled[dialled.index("14") :]
        assert (session.request.script, session.caller_number) == ("intake", "0612345678")
        assert session.caller_name == "$(id);`id`|Jos"


@pytest.mark.parametrize("dialled", ["0201234567", "+31201234567"])
async def test_a_landing_number_brings_what_to_and_diversion_say(pbx: RealAsterisk, dialled: str) -> None:
    number = dialled.removeprefix("+")
    async with Switchboard(pbx) as board:
        citizen = await board.citizen()
        to, diverted = "<sip:+3114020@kcc.example>", '"$(id) 9:1" <sip:3,14${EVAL}0297@x>;reason=user-busy'
        for headers in ({}, {"to": to}, {"diverted": "<sip:140297@x>;reason=unconditional"}, {"diverted": diverted}):
            call = await citizen.call(dialled, **headers)
            await call.wait(call.up)
        await board.until(lambda: len(board.sessions) == 4)
        seen = sorted(session.numbers for session in board.sessions)
        assert seen == sorted([
            ("", number, "0201234567"), ("", "3114020", "0201234567"), ("140297", number, "0201234567"),
            ("1", number, "0201234567"),
        ])  # fmt: skip


async def test_other_numbers_are_not_taken_and_a_wrong_password_does_not_register(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen = await board.citizen()
        for number in ("112", "0612345678", "s", "d-a1-1", "1001"):
            call = await citizen.call(number)
            await call.wait(call.over)
            assert call.status == 404
        with pytest.raises(AssertionError, match="401"):
            async with SipPhone("a1", CARRIER.replace(".2", ".3"), pbx.sip_port, secret="wrong"):
                pass
        assert board.sessions == []


@pytest.mark.skipif(sipp_command() is None, reason=missing("sipp"))
async def test_a_sipp_citizen_is_held_delivered_and_ended_by_the_router(pbx: RealAsterisk, tmp_path: Path) -> None:
    command = sipp_command()
    assert command is not None
    async with Switchboard(pbx) as board:
        agent = await board.agent("a1")
        sipp = await asyncio.create_subprocess_exec(
            *command, f"127.0.0.1:{pbx.sip_port}", "-i", CARRIER, "-sf", str(SCENARIOS / "citizen_waits.xml"),
            "-s", "140592", "-m", "1", "-nostdin", "-timeout", "30s", "-timeout_error", cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        citizen = await board.event(Held)
        assert board.sessions[0].subject == "140592"
        await board.deliver(citizen.channel, "a1", "o1")
        rings = await agent.next_call()
        await board.event(DialEnded, status="ANSWER", offer="o1", endpoint="a1")
        await board.link.hangup(citizen.channel)
        await rings.wait(rings.over)
        async with asyncio.timeout(10):
            assert await sipp.wait() == 0


async def test_the_citizen_hears_music_then_the_agent_and_both_hear_each_other(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen, agent = await board.citizen(hertz=440), await board.agent("a1", mode="ring", hertz=1000)
        call, there = await held(board, citizen)
        await call.audio.sound()
        assert call.audio.height(1000) < 2000
        await board.deliver(there.channel, "a1", "o1")
        rings = await agent.next_call()
        assert "0612345678" in rings.caller
        await call.audio.sound()  # music while it rings
        rings.answer()
        await rings.audio.tone(440)
        await call.audio.tone(1000)


async def test_the_agent_hangs_up(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen, agent = await board.citizen(), await board.agent("a1")
        call, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        rings = await agent.next_call()
        await board.event(DialEnded, status="ANSWER")
        rings.hangup()
        gone = await board.event(LegGone, channel=there.channel)
        await call.wait(call.over)
        board.check(
            "Held T", "Ringing a1", "DialEnded a1 ANSWER", "HangupAsked a1", "DialResult T ANSWER", "Gone T",
            "LegGone T", also=("LegGone a1",),
        )  # fmt: skip
        assert gone.cause == 16
        result = next(n for n, event in enumerate(board.seen) if isinstance(event, DialResult))
        assert 900 <= board.at_ms[-1] - board.at_ms[result] <= 3000  # the second in which the router may take it back


async def test_the_agent_hangs_up_and_the_router_takes_the_citizen_back(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen, agent = await board.citizen(), await board.agent("a1")
        call, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        rings = await agent.next_call()
        await board.event(DialEnded, status="ANSWER")
        rings.hangup()
        await board.event(DialResult, status="ANSWER")
        mark = len(board.seen)
        await board.hold(there.channel)
        await board.event(Held, after=mark)
        await call.audio.sound()


async def test_the_citizen_hangs_up(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen, agent = await board.citizen(), await board.agent("a1")
        call, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        rings = await agent.next_call()
        await board.event(DialEnded, status="ANSWER")
        call.hangup()
        await board.event(LegGone, channel=there.channel)
        await board.event(LegGone, endpoint="a1")
        await rings.wait(rings.over)
        board.check(
            "Held T", "Ringing a1", "DialEnded a1 ANSWER", "HangupAsked T", "Gone T", "LegGone T", also=("LegGone a1",)
        )


async def test_the_agent_is_busy_and_the_citizen_is_held_again(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen = await board.citizen()
        await board.agent("a1", mode="busy")
        call, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        await board.event(Held, after=board.seen.index(there) + 1)
        leg = await board.event(LegGone, endpoint="a1")
        board.check(
            "Held T",
            "Ringing a1",
            "DialEnded a1 BUSY",
            "DialResult T BUSY",
            "Held T",
            also=("HangupAsked a1", "LegGone a1"),
        )  # a quick refusal is even told before the ringing
        assert leg.cause == 17
        await call.audio.sound()


async def test_no_answer_within_the_ring_time(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen, agent = await board.citizen(), await board.agent("a1", mode="ring")
        _, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1", ring_seconds=1)
        rings = await agent.next_call()
        result = await board.event(DialResult)
        await board.event(Held, after=board.seen.index(there) + 1)
        await rings.wait(rings.over)
        assert (result.status, result.offer, result.endpoint) == ("NOANSWER", "o1", "a1")
        await board.event(LegGone)
        board.check(
            "Held T", "Ringing a1", "DialEnded a1 NOANSWER", "DialResult T NOANSWER", "Held T", also=("LegGone a1",)
        )


async def test_a_phone_that_is_not_registered(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        _, there = await held(board, await board.citizen())
        await board.deliver(there.channel, "a12", "o1")
        await board.event(Held, after=board.seen.index(there) + 1)
        assert board.story() == ["Held T", "DialResult T CHANUNAVAIL", "Held T"]


async def test_abandoned_while_held_and_then_nobody_can_be_moved(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        call, there = await held(board, await board.citizen())
        call.hangup()
        await board.event(LegGone)
        assert board.story() == ["Held T", "HangupAsked T", "Gone T", "LegGone T"]
        assert (await board.event(Gone)).kcc_id == there.kcc_id
        for move in (
            board.hold(there.channel),
            board.link.hangup(there.channel),
            board.deliver(there.channel, "a1", "o"),
        ):
            with pytest.raises(ChannelGone):
                await move


async def test_abandoned_while_ringing_stops_the_phone(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen, agent = await board.citizen(), await board.agent("a1", mode="ring")
        call, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        rings = await agent.next_call()
        call.hangup()
        await rings.wait(rings.over)
        assert rings.status == 487
        await board.event(LegGone, channel=there.channel)
        await board.event(LegGone, endpoint="a1")
        board.check(
            "Held T", "Ringing a1", "DialEnded a1 CANCEL", "Gone T", "LegGone T", also=("HangupAsked T", "LegGone a1")
        )


async def test_a_withdrawn_offer_and_a_transfer_to_another_agent(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen = await board.citizen()
        first, second = await board.agent("a1", mode="ring"), await board.agent("a2")
        _, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        rings = await first.next_call()
        await board.hold(there.channel)
        await rings.wait(rings.over)
        await board.event(Held, after=board.seen.index(there) + 1)
        assert not any(isinstance(event, DialResult) for event in board.seen)
        await board.deliver(there.channel, "a1", "o2")
        (await first.next_call()).answer()
        await board.event(DialEnded, offer="o2", status="ANSWER")
        await board.deliver(there.channel, "a2", "o3")  # the blind transfer
        await second.next_call()
        await board.event(LegGone, endpoint="a1", after=5)
        await board.event(DialEnded, offer="o3", status="ANSWER", endpoint="a2")


async def test_consult_then_complete_and_the_last_agent_leaves(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen = await board.citizen(hertz=440)
        first, second = await board.agent("a1"), await board.agent("a2", hertz=1000)
        call, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        await first.next_call()
        agent = (await board.event(DialEnded, status="ANSWER")).agent_channel
        await board.link.redirect(
            there.channel, "kcc-hold", "s", also=Leg(agent, "kcc-consult", dial_exten("a2", "o2"))
        )  # fmt: skip
        colleague = await second.next_call()
        answered = await board.event(DialEnded, offer="o2", status="ANSWER")
        assert answered.linkedid == there.uniqueid
        await call.audio.sound()
        await board.link.bridge(answered.agent_channel, there.channel)
        ended = await board.event(ConsultEnded)
        assert (ended.status, ended.offer, ended.endpoint, ended.linkedid) == ("ANSWER", "o2", "a2", there.uniqueid)
        await call.audio.tone(1000)
        mark = len(board.seen)
        colleague.hangup()
        await board.event(Held, after=mark)  # back on music: the router decides
        await call.audio.sound()


async def test_a_refused_consult_is_bridged_back(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen = await board.citizen(hertz=440)
        first = await board.agent("a1", hertz=1000)
        await board.agent("a2", mode="busy")
        call, there = await held(board, citizen)
        await board.deliver(there.channel, "a1", "o1")
        talking = await first.next_call()
        agent = (await board.event(DialEnded, status="ANSWER")).agent_channel
        await board.link.redirect(
            there.channel, "kcc-hold", "s", also=Leg(agent, "kcc-consult", dial_exten("a2", "o2"))
        )  # fmt: skip
        assert (await board.event(ConsultEnded)).status == "BUSY"
        await board.link.bridge(agent, there.channel)
        await talking.audio.tone(440)
        await call.audio.tone(1000)


async def test_a_digit_on_hold_is_told_and_other_keys_change_nothing(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        call, there = await held(board, await board.citizen())
        for key in "5*#0":
            call.audio.digit(key)
        call.audio.digit("1")
        assert (await board.event(Digit)).kcc_id == there.kcc_id
        await board.event(Held, after=2)
        assert [session.request.script for session in board.sessions] == ["intake", "digit"]
        assert (board.sessions[1].subject, board.sessions[1].uniqueid) == ("1", there.uniqueid)
        assert board.story() == ["Held T", "Digit T", "Held T"]
        await call.audio.sound()


async def test_the_place_in_the_queue_and_other_notices_are_spoken(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        call, there = await held(board, await board.citizen())
        before = len(pbx.complaints())
        await board.link.setvar(there.channel, "KCC_POS", "21")
        await board.link.redirect(there.channel, "kcc-hold", "announce")
        for prompt in ("kcc/position", "digits/1", "digits/nl-en", "digits/20"):
            await call.audio.tone(prompt_hertz(prompt))
        await board.event(Held, after=board.seen.index(there) + 1)
        await board.link.setvar(there.channel, "KCC_SAY", "callback-confirmed")
        await board.link.redirect(there.channel, "kcc-hold", "say")
        await call.audio.tone(prompt_hertz("kcc/callback-confirmed"))
        await board.event(Held, after=2)
        await board.link.setvar(there.channel, "KCC_SAY", "no-such-prompt")
        await board.link.redirect(there.channel, "kcc-hold", "say")
        await board.event(Held, after=3)
        await call.audio.sound()
        assert not call.over.is_set()
        assert [line for line in pbx.complaints()[before:] if "no-such-prompt" not in line] == []


async def test_an_agents_phone_reaches_colleagues_and_nothing_else(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        first, second = await board.agent("a1"), await board.agent("a2")
        for number in ("140591", "0612345678", "d-a2-1", "s", "1000", "1013"):
            call = await first.call(number)
            await call.wait(call.over)
            assert call.status == 404, number
        call = await first.call("1002")
        rings = await second.next_call()
        await call.wait(call.up)
        ringing = await board.event(Ringing)
        assert (ringing.offer, ringing.context, ringing.endpoint) == ("", "from-agent", "a2")
        call.hangup()
        await rings.wait(rings.over)
        await board.event(HangupAsked)
