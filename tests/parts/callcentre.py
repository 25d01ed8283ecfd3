"""The whole house with a telephone: a real Asterisk, the real server joined to it, desks, phones and callers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import socketio

from router.channels.voice.events import DialEnded, Held
from tests.parts.asterisk import RealAsterisk
from tests.parts.router import ROOT, STEP_SECONDS_MAX, SUPERVISOR, Desk, RouterProcess, Watched, sign_in
from tests.parts.sip import Call, SipPhone
from tests.parts.switchboard import Switchboard

PHONES = {"noor": "a1", "sanne": "a2", "daan": "a3", "fatima": "a4", "mehmet": "a7", "julia": "a10", "anouk": "a12"}
PLAIN = "140592"
"""In `demo_config` this number has no menu: a call goes straight to the queue `algemeen`."""
WITH_MENU = "140591"


def demo_config(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """config/demo with short offers and one municipality without a menu; `changes` are (file, before, after)."""
    shutil.copytree(ROOT / "config" / "demo", folder)
    menu = (folder / "topics.toml").read_text().partition("[menus.veenstede]")[2]
    ring = "[channels.phone]\noffer_seconds = "
    given = (
        ("topics.toml", f"[menus.veenstede]{menu}", ""),
        ("centre.toml", f"{ring}20", f"{ring}5"),
        *changes,
    )
    for name, before, after in given:
        text = (folder / name).read_text()
        assert before in text, f"{name} has no {before!r}"
        (folder / name).write_text(text.replace(before, after, 1))
    return folder


def softphones(pbx: RealAsterisk, port: int, *phones: str) -> dict[str, str]:
    """The environment in which these telephones live in the desk; `port` is where browsers reach the PBX."""
    return {
        "KCC_SOFTPHONE_URL": f"ws://127.0.0.1:{port}/ws",
        "KCC_SOFTPHONE_PASSWORDS": " ".join(f"{phone}:{pbx.agent_secret(phone)}" for phone in phones),
    }


def joined(
    pbx: RealAsterisk, folder: Path, config: Path, ami_port: int = 0, environ: Mapping[str, str] | None = None
) -> RouterProcess:
    """The server, to be started, that answers this PBX; `ami_port` when something stands between the two."""
    return RouterProcess(
        folder, config,
        KCC_AMI=f"127.0.0.1:{ami_port or pbx.ami_port}", KCC_AMI_SECRET=pbx.ami_secret,
        KCC_AGI_PORT=str(pbx.agi_port), KCC_AGI_TOKEN=pbx.agi_secret, **(environ or {}),
    )  # fmt: skip


@asynccontextmanager
async def house(
    pbx: RealAsterisk,
    folder: Path,
    *changes: tuple[str, str, str],
    ami_port: int = 0,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[CallCentre]:
    """A new server on `demo_config`, joined to this PBX, and its people."""
    router = joined(pbx, folder / "data", demo_config(folder / "config", *changes), ami_port, environ)
    await asyncio.to_thread(router.start)
    try:
        async with CallCentre(pbx, router) as centre:
            yield centre
    finally:
        await asyncio.to_thread(router.stop)


class Wall:
    """A supervisor's wallboard."""

    def __init__(self, base: str, cookie: str) -> None:
        self._base, self.cookie = base, cookie
        self._client = socketio.AsyncClient(reconnection=False)
        self.boards = Watched()
        self._client.on("board", self.boards.take, namespace="/wallboard")

    async def __aenter__(self) -> Self:
        headers = {"Origin": self._base, "Cookie": self.cookie}
        await self._client.connect(self._base, transports=["websocket"], namespaces=["/wallboard"], headers=headers)
        await self.boards.until(bool)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def ask(self, event: str, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._client.call(
            event, body, namespace="/wallboard", timeout=STEP_SECONDS_MAX
        )  # fmt: skip
        return answer

    async def do(self, event: str, **body: Any) -> dict[str, Any]:
        answer = await self.ask(event, **body)
        assert answer["ok"], answer
        return answer


@dataclass
class Agent:
    """Somebody at a desk with a telephone beside it."""

    desk: Desk
    phone: SipPhone
    seen: set[str] = field(default_factory=set)
    """Offers that a test has had in its hands."""

    async def shows(self, fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The desk as it is now, once it fits; what it was before does not count."""
        states = self.desk.states
        async with asyncio.timeout(STEP_SECONDS_MAX):
            while not fits(states.last):
                count = len(states.all)
                await states.until(lambda _, count=count: len(states.all) > count)  # type: ignore[misc]
        shown: dict[str, Any] = states.last
        return shown

    async def offered(self) -> dict[str, Any]:
        """The next telephone offer on the screen."""

        def news(state: dict[str, Any]) -> list[dict[str, Any]]:
            return [o for o in state["offers"] if o["channel"] == "phone" and o["offer"] not in self.seen]

        offer = news(await self.desk.states.until(news))[0]
        self.seen.add(offer["offer"])
        return offer

    async def rings(self) -> tuple[dict[str, Any], Call]:
        """The next offer on the screen, and its call on the phone."""
        return await self.offered(), await self.phone.next_call()

    async def talks(self) -> tuple[str, Call]:
        """The next call, answered: the contact once the desk shows it active, and the phone's side of it."""
        offer, call = await self.rings()
        if self.phone.mode == "ring":
            call.answer()
        await self.desk.contact(offer["contact"], state="active")
        return offer["contact"], call

    async def free(self) -> None:
        """Nothing offered and nothing in hand."""
        await self.shows(lambda s: not s["offers"] and not s["contacts"])

    async def wrap_up(self, contact: str) -> None:
        await self.desk.contact(contact, state="wrap_up")
        await self.desk.do("wrap_up", contact=contact, resolved=True, note="", topic="")

    async def presence(self, presence: str, reason: str = "") -> None:
        """Wait until the desk shows it."""
        await self.shows(lambda s: (s["agent"]["presence"], s["agent"]["reason"]) == (presence, reason))


class CallCentre:
    """`async with CallCentre(pbx, router) as centre:` while the server runs; no call outlives it."""

    def __init__(self, pbx: RealAsterisk, router: RouterProcess) -> None:
        self.pbx, self.router = pbx, router
        self.board = Switchboard(pbx, agi=None)
        self._stack = AsyncExitStack()
        self._screens = AsyncExitStack()
        self._line: SipPhone | None = None
        self.cookie = ""
        self.wall: Wall

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.board)
        self._stack.push_async_exit(self._screens)
        await self._sit_down()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._stack.aclose()

    async def _sit_down(self) -> None:
        self.cookie = await sign_in(self.router.base, SUPERVISOR)
        self.wall = await self._screens.enter_async_context(Wall(self.router.base, self.cookie))

    # -- people

    async def call(self, number: str = PLAIN, **more: str) -> Call:
        """A citizen calls, and Asterisk answers."""
        if self._line is None:
            self._line = await self.board.citizen(hertz=440)
        call = await self._line.call(number, **more)
        await call.wait(call.up)
        return call

    async def held(self, number: str = PLAIN, **more: str) -> tuple[Call, str]:
        """A citizen who calls and is on hold, and the contact. Nobody may be ready to take it."""
        mark = len(self.board.seen)
        call = await self.call(number, **more)
        held = await self.board.event(Held, after=mark)
        return call, held.kcc_id

    async def agent(self, user: str, mode: str = "ring", *, ready: bool = True, hertz: float = 1000) -> Agent:
        """Somebody at work: registered, connected and ready. The phone says `hertz`."""
        phone = await self.board.agent(PHONES[user], mode, hertz=hertz)
        agent = Agent(await self.desk(user), phone)
        if ready:
            await agent.desk.ready()
        return agent

    async def desk(self, user: str) -> Desk:
        return await self._screens.enter_async_context(Desk(self.router.base, user))

    # -- the record

    async def contact(self, contact: str) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession(self.router.base, headers={"Cookie": self.cookie}) as http,
            http.get(f"/api/v1/contacts/{contact}") as answer,
        ):
            answer.raise_for_status()
            body: dict[str, Any] = await answer.json()
            return body

    async def call_backs(self) -> list[dict[str, Any]]:
        """The open follow-ups of calls that were cut off."""
        async with (
            aiohttp.ClientSession(self.router.base, headers={"Cookie": self.cookie}) as http,
            http.get("/api/v1/follow-ups", params={"state": "open"}) as answer,
        ):
            answer.raise_for_status()
            listed: list[dict[str, Any]] = (await answer.json())["follow_ups"]
            return [one for one in listed if one["reason"] == "cut_off"]

    async def until(self, contact: str, **wanted: Any) -> dict[str, Any]:
        """The contact once it has these fields; looked at with every new board."""
        async with asyncio.timeout(STEP_SECONDS_MAX):
            while True:
                seen = len(self.wall.boards.all)
                found = await self.contact(contact)
                if all(found[key] == value for key, value in wanted.items()):
                    return found
                await self.wall.boards.until(lambda _, seen=seen: len(self.wall.boards.all) > seen)  # type: ignore[misc]

    async def phone(self, **wanted: int) -> None:
        """Wait until the board's row of the telephone has these figures."""
        await self.wall.boards.until(
            lambda board: any(
                row["channel"] == "phone" and all(row[key] == value for key, value in wanted.items())
                for row in board["channels"]
            )
        )

    async def answered(self, **wanted: Any) -> DialEnded:
        return await self.board.event(DialEnded, status="ANSWER", **wanted)

    async def logged(self, event: str, *, times: int = 1, seconds: float = STEP_SECONDS_MAX) -> None:
        """Wait until the server has logged this so often since it was started last; looked at with every new board."""
        async with asyncio.timeout(seconds):
            while True:
                seen = len(self.wall.boards.all)
                log = self.router.log.read_text().rpartition("centre.restored")[2]
                if log.count(f'"event": "{event}"') >= times:
                    return
                await self.wall.boards.until(lambda _, seen=seen: len(self.wall.boards.all) > seen, seconds)  # type: ignore[misc]

    # -- accidents

    async def kill(self) -> None:
        """The server dies, with all its screens."""
        await asyncio.to_thread(self.router.kill)
        await self._screens.aclose()

    async def restart(self) -> None:
        """The server comes back; agents sit down again with `desk`."""
        await asyncio.to_thread(self.router.start)
        await self._sit_down()

    async def books(self) -> dict[str, Any]:
        """`kcc-router verify`: sound, and the telephone's row."""
        report = await asyncio.to_thread(self.router.verify)
        assert report["exit"] == 0, report
        assert report["violations"] == [], report
        row: dict[str, Any] = report["channels"]["phone"]
        return row
