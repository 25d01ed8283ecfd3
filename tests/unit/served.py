"""The whole web side on a real port over the doubles, and a Socket.IO client that remembers what it is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import argon2
import socketio
from aiohttp import web

from router.engine import facts
from router.engine.facts import Fact
from router.gateways.accounts import Accounts, token_hash
from router.gateways.desk import DeskNamespace
from router.gateways.http import build_app
from router.gateways.routes import Rooms
from router.gateways.wallboard import WallboardNamespace
from router.projections.views import Views
from router.settings import Account, ServerSettings, Settings
from router.sockets import make_sockets
from router.web import Origins
from tests.unit.doubles import Clock, MemoryVault, ScriptedPort, queued, received, small_centre

HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Weak on purpose: only the number of rounds differs from what the product makes."""

TOKENS = {"kiosk": "k" * 43, "other-kiosk": "o" * 43, "tv": "t" * 43}
PASSWORD = "een goed wachtwoord"


def accounts() -> tuple[Account, ...]:
    hashed = HASHER.hash(PASSWORD)
    return (
        Account("ada", "Ada Vos", "agent", hashed, "ada"),
        Account("bob", "Bob Smit", "agent", hashed, "bob"),
        Account("cem", "Cem Kaya", "agent", hashed, "cem"),
        Account("sup", "Sofie Supervisor", "supervisor", hashed),
        Account("kiosk", "Kiosk", "integrator", token_hash(TOKENS["kiosk"])),
        Account("other-kiosk", "Kiosk 2", "integrator", token_hash(TOKENS["other-kiosk"])),
        Account("tv", "TV", "board", token_hash(TOKENS["tv"])),
    )


@dataclass(frozen=True, slots=True)
class Registration:
    contact: str
    new: bool
    number: int


class Screen:
    """A real Socket.IO client on one namespace, that keeps what it is told and can be waited for."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.told: list[tuple[str, Any]] = []
        self.gone = asyncio.Event()
        self._news = asyncio.Event()
        for event in ("state", "message", "delivery", "typing", "ended", "board"):
            self.client.on(event, self._keep(event), namespace=namespace)
        self.client.on("disconnect", self._left, namespace=namespace)
        self.client.on("connect_error", self._refused, namespace=namespace)
        self.refusal: dict[str, Any] = {}

    def _keep(self, event: str) -> Callable[[Any], Any]:
        async def keep(body: Any) -> None:
            self.told.append((event, body))
            self._news.set()

        return keep

    async def _refused(self, body: Any) -> None:
        self.refusal = body

    async def _left(self, *_reason: Any) -> None:
        self.gone.set()

    async def ask(self, event: str, body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call(event, body, namespace=self.namespace, timeout=10)
        return answer

    async def until(self, event: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first of what was told that fits, waiting for it."""
        async with asyncio.timeout(10):
            while True:
                for name, body in self.told:
                    if name == event and fits(body):
                        return body
                self._news.clear()
                await self._news.wait()


class Served:
    """The whole web side on a real port, over the doubles."""

    def __init__(self, data: Path, **server: Any) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.number = self.listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.number}"
        self.clock = Clock()
        self.port, self.vault = ScriptedPort(self.clock), MemoryVault()
        self.settings = Settings(
            small_centre(), "v1", ServerSettings(port=self.number, data=data, **server), accounts(), {}
        )
        self.registered: list[tuple[dict[str, Any], str, str]] = []
        self.typed: list[str] = []
        self.is_ready = True
        self.leases_pass = asyncio.Event()
        self._screens: list[Screen] = []

    async def __aenter__(self) -> Served:
        await self.port.publish(facts.CentreConfigured(self.settings.centre, "v1"))
        self.views = Views(self.port, self.settings.centre, self.clock)
        self.accounts = Accounts(self.settings.accounts, self.settings.server, self.clock)
        self.rooms = Rooms(self.port, self.vault, self.views, self.accounts, self.settings, self.clock)
        self.origins = Origins(self.settings.server)
        self.sockets = make_sockets(self.origins, self.accounts.has_cookie)
        self.desk = DeskNamespace(
            self.rooms, self.origins, typing=self._typing, sleep=self._lease, queues_every_seconds=0
        )
        self.wallboard = WallboardNamespace(self.rooms, self.origins, at_most_every_seconds=0)
        self.sockets.register_namespace(self.desk)
        self.sockets.register_namespace(self.wallboard)
        self.app = build_app(
            self.rooms,
            register=self._register,
            ready=lambda: self.is_ready,
            origins=self.origins,
            sockets=self.sockets,
            ended=self._ended,
        )
        await self.views.start()
        await self.desk.start()
        await self.wallboard.start()
        self.runner = web.AppRunner(self.app)
        await self.runner.setup()
        await web.SockSite(self.runner, self.listening).start()
        self.http = aiohttp.ClientSession(self.url, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_error: object) -> None:
        for screen in self._screens:
            await screen.client.disconnect()
        await self.http.close()
        await self.desk.stop()
        await self.wallboard.stop()
        await self.sockets.close()
        await self.runner.cleanup()
        await self.views.stop()
        self.accounts.close()

    async def _typing(self, contact: str) -> None:
        self.typed.append(contact)

    async def _lease(self, _seconds: float) -> None:
        await self.leases_pass.wait()

    async def _ended(self, session: bytes) -> None:
        await self.desk.end_session(session)
        await self.wallboard.end_session(session)

    async def _register(self, body: dict[str, Any], *, principal_id: str, key: str) -> Registration:
        contact = f"c-{key}"
        again = any(known == key for _, _, known in self.registered)
        self.registered.append((body, principal_id, key))
        if not again:
            await self.publish(
                received(contact, "counter", body["municipality"], source_key=f"rest:{principal_id}:{key}"),
                queued(contact),
            )
        return Registration(contact, not again, self.views.position)

    async def publish(self, *new: Fact) -> None:
        assert await self.views.reached(await self.port.publish(*new))

    async def sign_in(self, user: str, password: str = PASSWORD) -> dict[str, str]:
        """Headers of a browser in which this person has signed in."""
        body = {"user": user, "password": password}
        async with self.http.post("/api/v1/session", json=body, headers={"Origin": self.url}) as answer:
            assert answer.status == 200, await answer.text()
            return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0], "Origin": self.url}

    async def refused(self, namespace: str, headers: dict[str, str], auth: dict[str, Any] | None = None) -> str:
        """The code with which this connection is refused."""
        try:
            await self.screen(namespace, headers, auth)
        except socketio.exceptions.ConnectionError:
            return str(self._screens[-1].refusal["data"]["code"])
        raise AssertionError("it was let in")

    async def screen(self, namespace: str, headers: dict[str, str], auth: dict[str, Any] | None = None) -> Screen:
        screen = Screen(namespace)
        self._screens.append(screen)
        await screen.client.connect(
            self.url,
            headers=dict(headers),
            auth=auth,
            transports=["websocket"],
            namespaces=[namespace],
            wait_timeout=10,
        )
        return screen

    async def desk_lost(self, agent: str) -> None:
        """Wait until the views show the agent as lost."""
        while not self.views.people.get(agent).lost:
            await self.views.reached(self.views.position + 1)

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        return self.http.request(method, path, headers=headers, **more)


def bearer(program: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[program]}"}
