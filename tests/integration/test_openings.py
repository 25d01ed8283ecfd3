"""A supervisor closes the chat and announces a calamity on a running server, which is killed in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parts.router import RouterProcess, Visitor, supervise


@pytest.fixture
async def router(tmp_path: Path) -> AsyncIterator[RouterProcess]:
    running = RouterProcess(tmp_path)
    await asyncio.to_thread(running.start)
    yield running
    await asyncio.to_thread(running.stop)


async def test_closed_at_once_also_after_a_crash(router: RouterProcess) -> None:
    async with Visitor(router.base) as early:
        waiting = await early.start("Waar kan ik terecht?")
        closed = await supervise(router.base, "waterland/close", {"reason": "outage", "channels": ["chat"]})
        assert closed["open"]["chat"] is False
        assert [(one["channel"], one["reason"], one["by"]) for one in closed["closed"]] == [
            ("chat", "outage", "marieke")
        ]
        await supervise(router.base, "waterland/calamity", {"nl": "Storing in de chat.", "en": "The chat is down."})
        assert (await early.ask("message", message="m-" + "1" * 32, text="Hallo?"))["ok"], "what waits stays"
    await asyncio.to_thread(router.kill)
    await asyncio.to_thread(router.start)
    async with Visitor(router.base) as late:
        info = await late.ask("info", municipality="waterland")
        assert (info["open"], info["opens_at"]) == (False, None)
        assert info["calamity"] == {"nl": "Storing in de chat.", "en": "The chat is down."}
        assert (await late.ask("info", municipality="veenstede"))["open"]
        assert (await late.start("En ik?"))["error"]["code"] == "closed"
        assert (await late.ask("resume", token=waiting["token"], after=0))["status"]["state"] == "waiting"
    async with Visitor(router.base) as next_one:
        await supervise(router.base, "waterland/open", {"channels": []})
        await supervise(router.base, "waterland/calamity")
        assert (await next_one.ask("info", municipality="waterland"))["calamity"] is None
        assert (await next_one.start("Nu wel?"))["ok"]
    assert router.verify()["exit"] == 0
