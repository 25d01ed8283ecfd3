"""The wallboard over real Socket.IO connections: who sees what, how often, and what a supervisor may do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.engine import commands
from router.gateways.wallboard import WallboardNamespace
from router.sockets import Encoded
from tests.unit.doubles import queued, received
from tests.unit.served import TOKENS, Screen, Served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path) as house:
        yield house


async def tv(served: Served) -> Screen:
    return await served.screen("/wallboard", {}, {"token": TOKENS["tv"]})


async def test_the_board_comes_at_once_and_after_every_change(served: Served) -> None:
    screen = await tv(served)
    assert (await screen.until("board"))["queues"][0]["waiting"] == 0
    await served.publish(received("c-1"), queued("c-1"))
    board = await screen.until("board", lambda b: b["queues"][0]["waiting"] == 1)
    assert board["number"] == served.views.position


async def test_people_are_shown_to_supervisors_only(served: Served) -> None:
    supervisor = await served.screen("/wallboard", await served.sign_in("sup"))
    agent = await served.screen("/wallboard", await served.sign_in("ada"))
    television = await tv(served)
    assert len((await supervisor.until("board"))["people"]) == 3
    await served.publish(received("c-1"), queued("c-1"))
    for screen, people in ((supervisor, 3), (agent, 0), (television, 0)):
        await screen.until("board", lambda b: b["queues"][0]["waiting"] == 1)
        assert {len(body["people"]) for _, body in screen.told} == {people}


async def test_one_encoding_for_all_of_a_kind(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    screens = [await tv(served) for _ in range(3)]
    for screen in screens:
        await screen.until("board")
    made: list[Encoded] = []
    make = Encoded.__init__

    def counted(self: Encoded, *args: object, **named: object) -> None:
        made.append(self)
        make(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Encoded, "__init__", counted)
    served.wallboard.show()
    assert len(made) == 1


async def test_at_most_once_and_at_least_once_in_their_times(served: Served) -> None:
    """Two changes while it rests give one board; no change at all gives one as well."""
    rests: asyncio.Queue[float] = asyncio.Queue()
    go = asyncio.Event()

    async def rest(seconds: float) -> None:
        rests.put_nowait(seconds)
        await go.wait()

    board = WallboardNamespace(served.rooms, served.origins, at_least_every_seconds=0.001, sleep=rest)
    shown: list[int] = []
    board.show = lambda: shown.append(served.views.position)  # type: ignore[method-assign]
    await board.start()
    assert await rests.get() == 1.0
    assert len(shown) == 1, "without any change"
    await served.publish(received("c-1"))
    await served.publish(received("c-2"))
    assert len(shown) == 1, "it rests"
    go.set()
    await rests.get()
    assert shown[1] == served.views.position
    await board.stop()


async def test_what_a_supervisor_may_do(served: Served) -> None:
    screen = await served.screen("/wallboard", await served.sign_in("sup"))
    await served.publish(received("c-1"), queued("c-1"), received("c-2", "email"), queued("c-2", "afval"))
    listed = (await screen.ask("contacts", {"queue": "burgerzaken", "channel": "chat"}))["contacts"]
    assert [(one["id"], one["decision"]["excluded"]) for one in listed] == [("c-1", {"paused": 1})]
    assert await screen.ask("move", {"contact": "c-1", "queue": "afval", "why": "daar hoort het"}) == {"ok": True}
    moved = await served.port.heard(commands.MoveContact)
    assert (moved.by, served.vault.items[moved.why_ref].content) == ("sup", b"daar hoort het")
    assert await screen.ask("close", {"contact": "c-2", "why": "dubbel"}) == {"ok": True}
    presence = {"agent": "bob", "presence": "paused", "reason": "lunch"}
    assert await screen.ask("set_presence", presence) == {"ok": True}
    assert await served.port.heard(commands.SetPresence) == commands.SetPresence("bob", "paused", "lunch", "sup")
    assert (await screen.ask("set_presence", {**presence, "agent": "x"}))["error"]["field"] == "agent"
    assert (await screen.ask("move", {"contact": "c-9", "queue": "afval", "why": "x"}))["error"]["code"] == "unknown"
    assert (await screen.ask("close", {"contact": "c-1"}))["error"]["field"] == "why"


async def test_nobody_else_may(served: Served) -> None:
    await served.publish(received("c-1"), queued("c-1"))
    bodies = {
        "contacts": {},
        "move": {"contact": "c-1", "queue": "afval", "why": "x"},
        "prioritise": {"contact": "c-1", "priority": 1, "why": "x"},
        "close": {"contact": "c-1", "why": "x"},
        "set_presence": {"agent": "bob", "presence": "ready"},
        "close_channels": {"municipality": "waterland", "reason": "outage"},
        "open_channels": {"municipality": "waterland"},
        "announce_calamity": {"municipality": "waterland"},
        "withdraw_calamity": {"municipality": "waterland"},
        "listen": {"agent": "bob", "mode": "listen"},
    }
    assert set(bodies) == set(served.wallboard.events)
    for screen in (await tv(served), await served.screen("/wallboard", await served.sign_in("ada"))):
        for event, body in bodies.items():
            assert (await screen.ask(event, body))["error"]["code"] == "not_allowed", event
    assert served.port.submitted == []


async def test_an_integrator_sees_no_board(served: Served) -> None:
    assert await served.refused("/wallboard", {}, {"token": TOKENS["kiosk"]}) == "not_allowed"
