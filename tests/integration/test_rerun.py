"""A day of a real server, killed once in between, run again from its journal by the command line."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.parts.router import Desk, RouterProcess, Visitor, post_contact

pytestmark = pytest.mark.xdist_group("walk")


async def serve_some(router: RouterProcess) -> None:
    """A chat that is declined once, handled and wrapped up; a counter visit; one chat still open."""
    async with Desk(router.base, "noor") as noor, Desk(router.base, "daan") as daan, Visitor(router.base) as visitor:
        await noor.ready()
        started = await visitor.start("Mijn paspoort is kwijt")
        offer = await noor.offer(contact=started["contact"])
        await noor.do("decline", offer=offer["offer"])
        await daan.ready()
        status, posted = await post_contact(router.base, "rerun-0001")
        assert status == 201
        offer = await daan.offer(contact=posted["id"])
        await daan.do("accept", offer=offer["offer"])
        await daan.do("finish", contact=posted["id"])
        await daan.do("wrap_up", contact=posted["id"], resolved=True, note="", topic="")


async def one_more(router: RouterProcess) -> None:
    async with Desk(router.base, "noor") as noor, Visitor(router.base) as visitor:
        await noor.ready()
        started = await visitor.start("Nog een vraag over mijn paspoort")
        offer = await noor.offer(contact=started["contact"])
        await noor.do("accept", offer=offer["offer"])
        await noor.do("finish", contact=started["contact"])


def today() -> str:
    return datetime.now(ZoneInfo("Europe/Amsterdam")).date().isoformat()


async def test_a_day_of_a_real_server_is_reproduced_to_the_contact(tmp_path: Path) -> None:
    days = [today()]
    with RouterProcess(tmp_path / "data") as router:
        await serve_some(router)
        await asyncio.to_thread(router.kill)
        await asyncio.to_thread(router.start)
        await one_more(router)
    days += {today()} - set(days)  # midnight may have fallen into it
    for day in days:
        done = await asyncio.to_thread(router.run, "rerun", day, "--as-recorded", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["reproduced"]
        assert found["changed_hands"] == found["assumed"] == []
        same = await asyncio.to_thread(router.run, "rerun", day)
        assert same.returncode == 0
        assert "Every contact went as recorded" in same.stdout
