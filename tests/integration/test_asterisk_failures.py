"""When the router is away, silent, slow or wrong, and when Asterisk itself goes: every citizen still gets somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from router.channels.voice.agi import AgiSession
from router.channels.voice.events import DialEnded, Gone, HangupAsked, Held, LateAgi, LegGone, Overflow, Ringing
from router.channels.voice.faults import AgiForged, AgiRefused, CallerHungUp
from tests.parts.asterisk import CARRIER, RealAsterisk
from tests.parts.prompts import prompt_hertz
from tests.parts.sip import SipPhone
from tests.parts.switchboard import Switchboard, accept
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("asterisk"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk(local={"KCC_FALLBACK_RING": "2", "KCC_FALLBACK_TRIES": "1"}) as running:
        yield running


async def nothing(session: AgiSession) -> None:
    """Closes the connection without a word: not accepted."""


async def silence(session: AgiSession) -> None:
    """Takes the connection and never replies, as a router that hangs."""
    await asyncio.Event().wait()


async def test_the_router_is_away_and_a_fallback_phone_answers(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx, agi=None) as board:
        citizen = await board.citizen(hertz=440)
        first, second = await board.agent("a1", mode="ring", hertz=1000), await board.agent("a2", mode="ring")
        call = await citizen.call("140591")
        await call.audio.tone(prompt_hertz("kcc/overflow"))
        rings, also = await first.next_call(), await second.next_call()
        assert "0612345678" in rings.caller
        rows = await board.link.status()
        assert [(row.kcc_id, row.number, row.overflow) for row in rows if row.context == "kcc-overflow"] == [
            ("", "140591", True)
        ]
        rings.answer()
        await also.wait(also.over)
        await rings.audio.tone(440)
        await call.audio.tone(1000)
        ringing = await board.event(Ringing, endpoint="a1")
        assert (ringing.offer, ringing.context) == ("", "kcc-overflow")
        rings.hangup()
        await call.wait(call.over)
        begun, ended = await board.event(Overflow, step="begin"), await board.event(Overflow, step="end")
        assert (begun.number, begun.attempt, ended.status) == ("140591", 1, "ANSWER")
        assert (await board.event(Gone)).kcc_id == ""
        assert f"kcc-overflow call {begun.uniqueid} to 140591: ANSWER" in pbx.log()
        assert "0612345678" not in pbx.log()


async def test_nobody_is_at_the_fallback_phones_either(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx, agi=None) as board:
        citizen = await board.citizen()
        await board.agent("a1", mode="ring")
        await board.agent("a2", mode="busy")
        call = await citizen.call("140592")
        await board.event(Overflow, step="nobody")
        await call.audio.tone(prompt_hertz("kcc/overflow-nobody"))
        await call.wait(call.over)
        steps = [(event.step, event.status) for event in board.seen if isinstance(event, Overflow)]
        assert steps == [("begin", ""), ("end", "NOANSWER"), ("nobody", "")]


async def test_a_silent_router_loses_the_call_to_the_fallback_after_three_seconds(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx, agi=silence) as board:
        citizen, agent = await board.citizen(), await board.agent("a1", mode="ring")
        await citizen.call("140591")
        await board.until(lambda: bool(board.sessions))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        late = await board.event(LateAgi)
        assert 2.5 <= loop.time() - begun <= 4.5
        assert (late.kcc_id, late.script) == ("", "intake")
        await agent.next_call()
        await board.event(Overflow, step="begin")


async def test_a_citizen_who_leaves_a_silent_router_is_gone_at_once(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx, agi=silence) as board:
        call = await (await board.citizen()).call("140591")
        await call.wait(call.up)
        await board.until(lambda: bool(board.sessions))
        call.hangup()
        await board.event(LegGone)
        assert board.story() == ["HangupAsked T", "Gone T", "LegGone T"]


async def test_a_router_that_accepts_and_then_hangs_leaves_the_citizen_on_music(pbx: RealAsterisk) -> None:
    async def freeze(session: AgiSession) -> None:
        await accept(session)
        await silence(session)

    async with Switchboard(pbx, agi=freeze) as board:
        call = await (await board.citizen()).call("140591")
        late = await board.event(LateAgi)
        there = await board.event(Held)
        assert late.kcc_id == there.kcc_id != ""
        await call.audio.sound()


async def test_a_raised_deadline_holds_and_is_lifted_by_a_redirect(pbx: RealAsterisk) -> None:
    async def menu(session: AgiSession) -> None:
        await accept(session)
        await session.deadline(6)
        await silence(session)

    async with Switchboard(pbx, agi=menu) as board:
        citizen, agent = await board.citizen(hertz=440), await board.agent("a1")
        call = await citizen.call("140591")
        await call.wait(call.up)
        async with asyncio.timeout(10):
            while not (rows := [row for row in await board.link.status() if row.kcc_id]):
                pass
        await board.deliver(rows[0].channel, "a1", "o1")  # straight out of the AGI
        rings = await agent.next_call()
        await board.event(DialEnded, status="ANSWER")
        # Six seconds of speech: the deadline of the menu has gone with the menu.
        await rings.audio.until(lambda: rings.audio.packets > 300)
        await rings.audio.tone(440)
        assert not call.over.is_set()
        assert not any(isinstance(event, LateAgi) for event in board.seen)


async def test_what_a_caller_is_asked_on_hold_ends_at_its_deadline_and_they_wait_on(pbx: RealAsterisk) -> None:
    """As the dialogue about being called back, which has longer."""

    async def asks(session: AgiSession) -> None:
        if session.request.script == "intake":
            await accept(session)
            return
        await session.deadline(4)
        await session.play("kcc/callback-offer")
        await silence(session)

    async with Switchboard(pbx, agi=asks) as board:
        call = await (await board.citizen()).call("140591")
        there = await board.event(Held)
        call.audio.digit("1")
        late = await board.event(LateAgi)
        assert (late.script, late.kcc_id) == ("digit", there.kcc_id)
        again = await board.event(Held, after=2)
        assert (again.kcc_id, again.uniqueid) == (there.kcc_id, there.uniqueid)
        await call.audio.sound()
        assert not call.over.is_set()


async def test_a_connection_closed_without_accepting_and_a_wrong_secret_go_to_the_fallback(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx, agi=nothing) as board:
        citizen, agent = await board.citizen(), await board.agent("a1", mode="ring")
        await citizen.call("140591")
        await agent.next_call()
        await board.event(Overflow, step="begin")
    async with Switchboard(pbx) as board:
        board.server._secret = "another"
        citizen, agent = await board.citizen(), await board.agent("a1", mode="ring")
        await citizen.call("140591")
        await agent.next_call()
        assert [type(fault) for fault in board.faults] == [AgiForged]
        assert board.sessions == []


async def test_a_dropped_listener_sends_calls_to_the_fallback_and_resume_takes_them_again(pbx: RealAsterisk) -> None:
    async with Switchboard(pbx) as board:
        citizen, agent = await board.citizen(), await board.agent("a1", mode="ring")
        board.server.drop()
        await citizen.call("140591")
        await agent.next_call()
        await board.server.resume()
        call = await citizen.call("140592")
        await board.event(Held)
        assert not call.over.is_set()


async def test_a_router_that_comes_back_takes_over_from_the_fallback() -> None:
    with RealAsterisk(fallback="PJSIP/a11", local={"KCC_FALLBACK_RING": "1", "KCC_FALLBACK_TRIES": "2"}) as own:
        async with Switchboard(own) as board:
            board.server.drop()
            citizen = await board.citizen()
            call = await citizen.call("140591")
            await board.event(Overflow, step="end", status="CHANUNAVAIL")
            await board.server.resume()
            there = await board.event(Held)
            assert there.kcc_id
            assert not call.over.is_set()
            (row,) = await board.link.status()
            assert (row.kcc_id, row.overflow) == (there.kcc_id, False)


async def test_the_menu_and_the_closed_message_are_played_by_the_router(pbx: RealAsterisk) -> None:
    chosen: asyncio.Queue[str] = asyncio.Queue()

    async def handler(session: AgiSession) -> None:
        await accept(session)
        await session.deadline(60)
        if session.subject == "140592":
            await session.play("kcc/closed-veenstede", "#")
            await session.hangup()
            return
        await session.play("kcc/welcome-waterland")
        await session.play("kcc/no-such-prompt")
        chosen.put_nowait(await session.get_digit(["kcc/hold", "kcc/menu-waterland"], 9000, "123"))
        chosen.put_nowait(await session.get_digit(["kcc/menu-waterland"], 9000, "123"))

    async with Switchboard(pbx, agi=handler) as board:
        citizen = await board.citizen()
        call = await citizen.call("140591")
        for prompt in ("kcc/welcome-waterland", "kcc/hold", "kcc/menu-waterland"):
            await call.audio.tone(prompt_hertz(prompt))
        call.audio.digit("3")
        async with asyncio.timeout(10):
            assert await chosen.get() == "3"
        await call.audio.tone(prompt_hertz("kcc/menu-waterland"))
        call.audio.digit("9")  # none of the choices
        await board.event(Held)
        assert chosen.get_nowait() == ""
        await board.until(lambda: bool(board.faults))
        assert [type(fault) for fault in board.faults] == [AgiRefused]
        closed = await citizen.call("140592")
        await closed.audio.tone(prompt_hertz("kcc/closed-veenstede"))
        await closed.wait(closed.over)
        assert (await board.event(Gone, uniqueid=board.sessions[1].uniqueid)).kcc_id


async def test_a_citizen_who_leaves_during_the_menu(pbx: RealAsterisk) -> None:
    async def handler(session: AgiSession) -> None:
        await accept(session)
        await session.deadline(60)
        await session.get_digit(["kcc/menu-waterland"], 5000)

    async with Switchboard(pbx, agi=handler) as board:
        call = await (await board.citizen()).call("140591")
        await call.audio.sound()
        call.hangup()
        await board.event(LegGone)
        await board.until(lambda: bool(board.faults))
        assert [type(fault) for fault in board.faults] == [CallerHungUp]
        assert [type(event) for event in board.seen] == [HangupAsked, Gone, LegGone]


async def test_a_restarted_router_finds_all_held_calls(pbx: RealAsterisk) -> None:
    async with SipPhone("trunk", CARRIER, pbx.sip_port) as citizens:
        board = Switchboard(pbx)
        await board.__aenter__()
        calls = [await citizens.call("140591") for _ in range(20)]
        await board.until(lambda: sum(isinstance(event, Held) for event in board.seen) == 20)
        held = {event.channel: event.kcc_id for event in board.seen if isinstance(event, Held)}
        await board.abandon()
        async with Switchboard(pbx) as second:
            rows = await second.link.status()
            assert {row.channel: row.kcc_id for row in rows} == held
            assert {(row.context, row.exten, row.state, row.number) for row in rows} == {
                ("kcc-hold", "s", "Up", "140591")
            }
            assert all(not call.over.is_set() for call in calls)


async def test_asterisk_dies_and_comes_back() -> None:
    with RealAsterisk() as own:
        async with Switchboard(own) as board:
            call = await (await board.citizen()).call("140591")
            await board.event(Held)
            await asyncio.to_thread(own.kill)
            await board.until(lambda: board.downs == 1)
            assert not board.link.is_up
            await asyncio.to_thread(own.start)
            await board.until(lambda: board.ups == 2)
            assert board.link.epoch == 2
            assert await board.link.status() == []
            await (await board.citizen()).call("140591")
            await board.event(Held, after=1)
            assert not call.over.is_set()  # the carrier was not told; its own timers end that call


async def test_two_side_by_side() -> None:
    with RealAsterisk() as one, RealAsterisk() as two:
        async with Switchboard(one) as here, Switchboard(two) as there:
            await (await here.citizen()).call("140591")
            await here.event(Held)
            assert len(await here.link.status()) == 1
            assert await there.link.status() == []
