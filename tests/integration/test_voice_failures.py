"""When the server, its wire to Asterisk, or Asterisk itself goes: calls go on, and the record agrees again at once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from router.channels.voice.events import Held, Overflow, Ringing
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import CallCentre, house
from tests.parts.prompts import prompt_hertz
from tests.parts.where import asterisk_command, missing
from tests.parts.wire import Wire

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
HELD = 20
FREED_SECONDS_MAX = 10
GREETING = """[municipalities.greeting]
nl = "Welkom bij de gemeente Veenstede."
en = "Welcome to the municipality of Veenstede."
"""
"""Of the municipality without a menu: without it a call has nothing to listen to."""


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as running:
        yield running


async def test_twenty_held_calls_outlive_the_server_and_are_answered_in_order(centre: CallCentre) -> None:
    held = [await centre.held(caller=f"06123456{n:02}") for n in range(HELD)]
    await centre.kill()
    await asyncio.gather(*(call.audio.sound() for call, _ in held))
    await centre.restart()
    noor = await centre.agent("noor")
    answered = []
    for call, _ in held:
        contact, rings = await noor.talks()
        answered.append(contact)
        await rings.audio.tone(440)
        call.hangup()
        await rings.wait(rings.over)
        await noor.wrap_up(contact)
    assert answered == [contact for _, contact in held]
    await noor.free()
    assert (await centre.books())["ended"] == {"handled": HELD}


async def test_a_talk_outlives_the_server_and_ends_as_any_other(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    contact, rings = await noor.talks()
    await centre.kill()
    await rings.audio.tone(440)
    await call.audio.tone(1000)
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await noor.desk.contact(contact, state="active")
    await rings.audio.tone(440)
    await noor.desk.do("finish", contact=contact)
    await call.wait(call.over)
    await noor.wrap_up(contact)
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_who_answers_while_the_server_is_dead_is_on_the_record_when_it_is_back(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    call = await centre.call()
    offer, rings = await noor.rings()
    await centre.kill()
    rings.answer()
    await rings.audio.tone(440)
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await noor.desk.contact(offer["contact"], state="active")
    call.hangup()
    await noor.wrap_up(offer["contact"])
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_who_answers_at_the_moment_of_the_census_is_on_the_record_or_asked_again(
    pbx: RealAsterisk, tmp_path: Path
) -> None:
    async with Wire(pbx.ami_port) as wire, house(pbx, tmp_path, ami_port=wire.port) as centre:
        noor = await centre.agent("noor")
        call = await centre.call()
        offer, rings = await noor.rings()
        await centre.kill()
        wire.silence()
        await centre.restart()
        noor.desk = await centre.desk("noor")
        noor.phone.mode = "answer"  # should the census come between, it rings again
        rings.answer()
        await wire.mend()
        await noor.shows(lambda s: [c for c in s["contacts"] if c["state"] == "active"] and not s["offers"])
        await call.audio.tone(1000)
        call.hangup()
        await noor.wrap_up(offer["contact"])
        assert (await centre.books())["ended"] == {"handled": 1}


async def test_who_calls_is_shown_though_the_server_died_before_that_was_on_disk(
    pbx: RealAsterisk, tmp_path: Path
) -> None:
    """The phone rings before who calls is in the vault, which somebody else writes at that moment."""
    async with house(pbx, tmp_path, ("centre.toml", GREETING, "")) as centre:
        noor = await centre.agent("noor")
        with closing(sqlite3.connect(centre.router.data / "vault.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            call = await centre.call(caller="0612345678")
            rings = await noor.phone.next_call()
            contact = (await centre.board.event(Ringing)).offer.rpartition("-")[0]
            await centre.kill()
            other.rollback()
            assert other.execute("SELECT count(*) FROM items").fetchone() == (0,)
        rings.answer()
        await rings.audio.tone(440)
        await centre.restart()
        noor.desk = await centre.desk("noor")
        await noor.desk.contact(contact, state="active")
        await centre.logged("voice.card_restored")
        detail = (await noor.desk.do("open", contact=contact))["detail"]
        assert detail["card"]["phone"].replace(" ", "") == "+31612345678"
        await noor.desk.do("finish", contact=contact)
        await call.wait(call.over)
        await noor.wrap_up(contact)
        assert (await centre.books())["ended"] == {"handled": 1}


async def test_while_the_server_is_away_the_fallback_phones_ring_and_after_it_the_desk(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    await centre.kill()
    call = await centre.call()
    await call.audio.tone(prompt_hertz("kcc/overflow"))
    rings = await noor.phone.next_call()
    rings.answer()
    await centre.restart()
    await rings.audio.tone(440)
    await call.audio.tone(1000)
    rings.hangup()
    await call.wait(call.over)
    await centre.board.event(Overflow, step="end", status="ANSWER")
    noor.desk = await centre.desk("noor")
    await centre.call()
    await noor.talks()


async def test_a_short_break_of_the_wire_changes_nothing_for_held_calls(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with Wire(pbx.ami_port) as wire, house(pbx, tmp_path, ami_port=wire.port) as centre:
        held = [await centre.held() for _ in range(3)]
        await wire.cut()
        await centre.logged("voice.down")
        noor = await centre.agent("noor")
        await wire.mend()
        for call, expected in held:
            contact, rings = await noor.talks()
            assert contact == expected
            await call.audio.tone(1000)
            rings.hangup()
            await noor.wrap_up(contact)
        assert (await centre.books())["ended"] == {"handled": 3}


@pytest.mark.slow
async def test_a_silent_wire_is_no_reason_to_give_calls_up(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with Wire(pbx.ami_port) as wire, house(pbx, tmp_path, ami_port=wire.port) as centre:
        call, expected = await centre.held()
        wire.silence()
        await centre.logged("voice.down", seconds=30)
        for _ in range(2):
            await centre.logged("voice.ami_fault", seconds=30)
        noor = await centre.agent("noor")
        await wire.mend()
        contact, _ = await noor.talks()
        assert contact == expected
        await call.audio.tone(1000)


async def test_calls_given_up_too_early_are_taken_in_again(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with Wire(pbx.ami_port) as wire, house(pbx, tmp_path, ami_port=wire.port) as centre:
        call, before = await centre.held()
        await wire.cut()
        await centre.until(before, state="ended", ended_reason="gone")
        await wire.mend()
        noor = await centre.agent("noor")
        offer, rings = await noor.rings()
        assert offer["contact"] != before
        assert offer["citizen"]["phone"].replace(" ", "") == "+31612345678"
        rings.answer()
        await call.audio.tone(1000)
        await noor.desk.contact(offer["contact"], state="active")
        assert (await centre.books())["ended"] == {"gone": 1}


async def test_a_call_of_a_contact_nobody_knows_is_taken_in(centre: CallCentre) -> None:
    call, before = await centre.held()
    held = await centre.board.event(Held, kcc_id=before)
    await centre.kill()
    await centre.board.link.setvar(held.channel, "KCC_ID", "c-lost")
    await centre.restart()
    noor = await centre.agent("noor")
    offer, rings = await noor.rings()
    assert offer["contact"] not in (before, "c-lost")
    assert (offer["municipality"], offer["earlier"]) == ("veenstede", 1)
    rings.answer()
    await call.audio.tone(1000)
    assert (await centre.contact(before))["ended_reason"] == "gone"


@pytest.mark.parametrize("comes_back", [True, False])
async def test_each_caller_of_a_killed_asterisk_is_owed_a_call_back(tmp_path: Path, comes_back: bool) -> None:
    with RealAsterisk() as own:
        async with house(own, tmp_path) as centre:
            contacts = {(await centre.held(caller=f"06123456{n:02}"))[1] for n in range(3)}
            left, leaves = await centre.held(caller="0612345699")
            left.hangup()
            await centre.until(leaves, state="ended", ended_reason="abandoned")
            noor = await centre.agent("noor")
            talks, _ = await noor.talks()
            await asyncio.to_thread(own.kill)
            if comes_back:
                await asyncio.to_thread(own.start)
            for contact in contacts - {talks}:
                await centre.until(contact, state="ended", ended_reason="gone")
            await noor.wrap_up(talks)
            owed = await centre.call_backs()
            assert {one["contact"] for one in owed} == contacts
            for one in owed:
                assert (one["reason"], one["state"], one["owner_queue"]) == ("cut_off", "open", "algemeen")
                assert one["phone"].replace(" ", "").startswith("+3161234560")
                assert one["due_at"] > one["made_at"]
            assert (await centre.books())["ended"] == {"abandoned": 1, "gone": 2, "handled": 1}


@pytest.mark.parametrize("comes_back", [True, False])
async def test_asterisk_dies_and_agents_are_free_in_time(tmp_path: Path, comes_back: bool) -> None:
    with RealAsterisk() as own:
        async with house(own, tmp_path) as centre:
            noor, fatima = await centre.agent("noor"), await centre.agent("fatima", ready=False)
            await centre.call()
            contact, _ = await noor.talks()
            await fatima.desk.ready()
            await centre.call()
            ringing, _ = await fatima.rings()
            await asyncio.to_thread(own.kill)
            async with asyncio.timeout(FREED_SECONDS_MAX):
                if comes_back:
                    await asyncio.to_thread(own.start)
                await noor.desk.contact(contact, state="wrap_up")
                await fatima.free()
            await noor.wrap_up(contact)
            await centre.until(ringing["contact"], state="ended", ended_reason="gone")
            assert {p["contact"] for p in await centre.call_backs()} == {contact, ringing["contact"]}
            if not comes_back:
                await asyncio.to_thread(own.start)
            await fatima.desk.do("presence", presence="signed_off", reason="")
            await noor.phone.register()
            await centre.logged("voice.up", times=2)
            call = await centre.call()
            await noor.talks()
            await call.audio.tone(1000)
            assert (await centre.books())["ended"] == {"gone": 1, "handled": 1}
