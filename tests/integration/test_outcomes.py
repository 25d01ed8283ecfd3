"""Outcomes on a real server, killed in between: measured three ways, learned from, and every explanation made again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.parts.router import SUPERVISOR, Desk, RouterProcess, Visitor, post_contact, sign_in

pytestmark = pytest.mark.xdist_group("walk")


@pytest.fixture
def router(tmp_path: Path) -> Iterator[RouterProcess]:
    with RouterProcess(tmp_path / "data") as running:
        yield running


async def supervised(router: RouterProcess, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Origin": router.base, "Cookie": await sign_in(router.base, SUPERVISOR)}
    async with (
        aiohttp.ClientSession(router.base) as http,
        http.request(method, f"/api/v1/{path}", json=body, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def handle(desk: Desk, offer: dict[str, Any], resolved: bool) -> None:
    await desk.do("accept", offer=offer["offer"])
    await desk.do("finish", contact=offer["contact"])
    await desk.do("wrap_up", contact=offer["contact"], resolved=resolved, note="", topic="")


async def test_three_measures_and_explanations_of_a_server_that_was_killed(router: RouterProcess) -> None:
    who = {"name": "A. Jansen", "email": "jansen@burger.example"}
    async with Desk(router.base, "noor") as noor, Visitor(router.base) as visitor:
        await noor.ready()
        first = await visitor.start("Mijn paspoort is kwijt", **who)
        await handle(noor, await noor.offer(contact=first["contact"]), True)
        await visitor.statuses.until(lambda s: s["state"] == "ended" and s["helped"])
        assert (await visitor.ask("answer", answered=True, mark=9))["ok"]
        declined = await visitor.start("Nog steeds kwijt", **who)
        await noor.do("decline", offer=(await noor.offer(contact=declined["contact"]))["offer"], reason="no_time")
    before = await supervised(router, "GET", "outcomes?days=1")
    assert before["total"]["agent"] == {"share": 1.0, "of": 1}
    assert before["total"]["citizen"] == {"share": 1.0, "of": 1}
    assert before["total"]["no_repeat"] == {"share": 0.0, "of": 1}, "the same citizen is back about the same topic"
    assert before["total"]["mark"] == 9.0
    router.kill()
    router.start()
    async with Desk(router.base, "daan") as daan:
        await daan.ready()
        for number in range(3):
            status, posted = await post_contact(router.base, f"key-000{number}")
            assert status == 201
            await handle(daan, await daan.offer(contact=posted["id"]), number > 0)
    after = await supervised(router, "GET", "outcomes?days=1")
    assert after["topics"]["burgerzaken"] == before["topics"]["burgerzaken"], "what was known survives"
    assert after["topics"]["afval"]["agent"] == {"share": 0.6667, "of": 3}

    estimates = await supervised(router, "GET", "estimates")
    assert estimates["basis"] == "team", "published after the start"
    assert estimates["topics"]
    body = {"on": False, "topic": "afval", "agent": "", "why": "een proef"}
    switched = await supervised(router, "POST", "estimates/switch", body)
    assert [topic["on"] for topic in switched["topics"] if topic["topic"] == "afval"] == [False]
    assert switched["off"][0]["why"] == "een proef"

    router.stop()
    checked = await asyncio.to_thread(router.run, "why", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert int(checked.stdout.split()[0]) >= 5
    assert " 0 did not" in checked.stdout
    told = await asyncio.to_thread(router.run, "why", first["contact"])
    assert "offered to noor (level" in told.stdout
    assert "chance " in told.stdout
    assert (await asyncio.to_thread(router.verify))["exit"] == 0
