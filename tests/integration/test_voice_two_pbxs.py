"""Two Asterisks, one centre: what is lost with one of them is its calls, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import CallCentre, demo_config
from tests.parts.router import RouterProcess
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice two pbxs"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
FREED_SECONDS_MAX = 10
ALONE = 'enabled = false\nami_host = "127.0.0.1"\nami_port = 5038\nami_user = "router"\n'
LAST = "entry_at_once = 200\n"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[CallCentre, CallCentre]]:
    """The same centre, as it is reached over the left and over the right PBX."""
    with (
        RealAsterisk(systemname="left") as left,
        RealAsterisk(
            systemname="right", agi_port=left.agi_port, agi_secret=left.agi_secret, ami_secret=left.ami_secret
        ) as right,
    ):
        tables = "".join(
            f'\n[[voice.pbx]]\nid = "{pbx.systemname}"\nami_port = {pbx.ami_port}\n' for pbx in (left, right)
        )
        config = demo_config(
            tmp_path / "config", ("server.toml", ALONE, "enabled = true\n"), ("server.toml", LAST, LAST + tables)
        )
        router = RouterProcess(
            tmp_path / "data", config,
            KCC_AMI_SECRET=left.ami_secret, KCC_AGI_PORT=str(left.agi_port), KCC_AGI_TOKEN=left.agi_secret,
        )  # fmt: skip
        await asyncio.to_thread(router.start)
        try:
            async with CallCentre(left, router) as there, CallCentre(right, router) as here:
                await there.logged("voice.up", times=2)
                yield there, here
        finally:
            await asyncio.to_thread(router.stop)


async def test_one_of_two_asterisks_dies_and_the_other_goes_on(both: tuple[CallCentre, CallCentre]) -> None:
    left, right = both
    lost = await left.call()
    noor = await left.agent("noor")
    with_noor, _ = await noor.talks()
    kept = await right.call(caller="0687654321")
    fatima = await right.agent("fatima")
    with_fatima, rings = await fatima.talks()
    _, waits_left = await left.held(caller="0612345671")
    held_right, waits_right = await right.held(caller="0612345672")
    also_right = await right.board.agent("a1", hertz=620)
    await lost.audio.tone(1000)

    await asyncio.to_thread(left.pbx.kill)
    async with asyncio.timeout(FREED_SECONDS_MAX):
        await noor.desk.contact(with_noor, state="wrap_up")
    await right.until(waits_left, state="ended", ended_reason="gone")
    owed = {one["contact"]: one for one in await right.call_backs()}
    assert owed.keys() == {with_noor, waits_left}
    assert all(one["callback"] and one["call_at"] for one in owed.values())
    await rings.audio.tone(440)
    await kept.audio.tone(1000)
    assert (await right.contact(with_fatima))["state"] == "active"
    assert (await right.contact(waits_right))["state"] == "waiting"

    await noor.wrap_up(with_noor)
    second = await also_right.next_call()
    second.answer()
    await noor.desk.contact(waits_right, state="active")
    await held_right.audio.tone(620)
    rings.hangup()
    await fatima.wrap_up(with_fatima)

    outside = await right.board.outside(mode="ring", hertz=880)  # who was cut off is called over the one that lives
    called = (await fatima.desk.do("call_now", follow_up=owed[with_noor]["follow_up"]))["contact"]
    offer = await fatima.desk.offer(contact=called)
    await fatima.desk.do("accept", offer=offer["offer"])
    phone = await right.board.agent("a4", "ring")
    await fatima.desk.do("dial", contact=called)
    (await phone.next_call()).answer()
    answers = await outside.next_call()
    answers.answer()
    await fatima.desk.contact(called, dialling="reached")

    await asyncio.to_thread(left.pbx.start)
    await right.logged("voice.up", times=3)
    await fatima.desk.contact(called, dialling="reached")
    answers.hangup()
    await fatima.wrap_up(called)
    assert (await right.books())["ended"] == {"gone": 1, "handled": 2}
