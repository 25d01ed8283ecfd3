"""The server itself as a process on free ports, and small clients that do what a person's screen would."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import socketio

from tests.parts.purity import no_numbers
from tests.parts.servers import free_ports

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS_MAX = 30
STEP_SECONDS_MAX = 20
PASSWORD = "demo-1234"
SUPERVISOR = "marieke"
INTEGRATOR = "demo-integrator-4c89f988dccb26bf76f8468a5493f72c"
BOARD = "demo-board-deb078fcaa51888b68f9d54d7f49ac35"


class RouterProcess:
    """`kcc-router serve` on the demo centre, in a process of its own; `kill` and `start` as often as needed."""

    def __init__(self, data: Path, config: Path = ROOT / "config" / "demo", **environ: str) -> None:
        self.data, self.config = data, config
        self.port, self.mail_port = free_ports(2)
        self.base = f"http://127.0.0.1:{self.port}"
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self.log = data.with_name(data.name + ".log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def environ(self) -> dict[str, str]:
        """What the server, and `kcc-router verify` beside it, are started with."""
        own = {"KCC_PORT": str(self.port), "KCC_DATA": str(self.data), "KCC_MAIL_PORT": str(self.mail_port)}
        return {**os.environ, "PYTHONPATH": str(ROOT), **own, **self._environ}

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it says it is ready."""
        command = [sys.executable, "-m", "router", "serve", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log, cwd=ROOT)
        try:
            self._until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def _until_ready(self, process: subprocess.Popen[bytes]) -> None:
        ready = f"{self.base}/health/ready"
        for _ in range(READY_SECONDS_MAX * 20):
            if process.poll() is not None:
                raise AssertionError(f"the server ended at its start:\n{self.log.read_text()[-3000:]}")
            try:
                with urllib.request.urlopen(ready, timeout=1):
                    return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        raise AssertionError(f"the server was not ready in time:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int:
        """SIGTERM, as an operator would; gives the exit status."""
        if self._process is None or self._process.poll() is not None:
            return -1
        self._process.terminate()
        status = self._process.wait(20)
        no_numbers("the server's log", self.log.read_text())
        return status

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of kcc-router on the same data."""
        command = [sys.executable, "-m", "router", *arguments, "--config", str(self.config)]
        return subprocess.run(
            command, env=self.environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )

    def verify(self) -> dict[str, Any]:
        """The report of `kcc-router verify --json`, with its exit status under `exit`."""
        done = self.run("verify", "--json")
        report: dict[str, Any] = json.loads(done.stdout)
        return {**report, "exit": done.returncode}


class Watched:
    """Values of one kind that come in over time, and a way to wait for one that fits."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._came = asyncio.Event()

    def take(self, value: Any) -> None:
        self.all.append(value)
        self._came.set()

    @property
    def last(self) -> Any:
        return self.all[-1] if self.all else None

    async def until(self, fits: Callable[[Any], Any], seconds: float = STEP_SECONDS_MAX) -> Any:
        """The first value so far, or to come, that fits. Raises TimeoutError."""
        seen = 0
        async with asyncio.timeout(seconds):
            while True:
                for value in self.all[seen:]:
                    if fits(value):
                        return value
                seen = len(self.all)
                self._came.clear()
                await self._came.wait()


class Desk:
    """An agent's desk over Socket.IO. `states` holds every state the server sent."""

    def __init__(self, base: str, user: str) -> None:
        self._base, self._user = base, user
        self._client = socketio.AsyncClient(reconnection=False)
        self.states, self.messages, self.deliveries = Watched(), Watched(), Watched()
        self._client.on("delivery", self.deliveries.take, namespace="/desk")
        self._client.on("state", self.states.take, namespace="/desk")
        self._client.on("message", self.messages.take, namespace="/desk")

    async def __aenter__(self) -> Self:
        cookie = await sign_in(self._base, self._user)
        headers = {"Origin": self._base, "Cookie": cookie}
        await self._client.connect(self._base, transports=["websocket"], namespaces=["/desk"], headers=headers)
        await self.states.until(bool)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def ask(self, event: str, **body: Any) -> dict[str, Any]:
        """One request, and its acknowledgement whatever it says."""
        answer: dict[str, Any] = await self._client.call(event, body, namespace="/desk", timeout=STEP_SECONDS_MAX)
        return answer

    async def do(self, event: str, **body: Any) -> dict[str, Any]:
        """The same, when it must succeed."""
        answer = await self.ask(event, **body)
        assert answer["ok"], answer
        return answer

    async def ready(self) -> None:
        await self.do("presence", presence="ready", reason="")

    async def offer(self, **wanted: str) -> dict[str, Any]:
        """The first offer with these fields."""

        def found(state: dict[str, Any]) -> Any:
            return [o for o in state["offers"] if all(o[k] == v for k, v in wanted.items())]

        offers: list[dict[str, Any]] = found(await self.states.until(found))
        return offers[0]

    async def contact(self, contact: str, **wanted: Any) -> dict[str, Any]:
        """The contact in hand, once it has these fields."""

        def found(state: dict[str, Any]) -> Any:
            mine = [c for c in state["contacts"] if c["contact"] == contact]
            return [c for c in mine if all(c[k] == v for k, v in wanted.items())]

        contacts: list[dict[str, Any]] = found(await self.states.until(found))
        return contacts[0]


class Visitor:
    """A citizen with the chat widget open."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._client = socketio.AsyncClient(reconnection=False)
        self.messages, self.statuses = Watched(), Watched()
        self._client.on("message", self.messages.take, namespace="/chat")
        self._client.on("status", self.statuses.take, namespace="/chat")

    async def __aenter__(self) -> Self:
        headers = {"Origin": self._base}
        await self._client.connect(self._base, transports=["websocket"], namespaces=["/chat"], headers=headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def ask(self, event: str, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._client.call(event, body, namespace="/chat", timeout=STEP_SECONDS_MAX)
        return answer

    async def start(self, text: str, topic: str = "burgerzaken", message: str = "", **more: str) -> dict[str, Any]:
        """Begin a chat; the acknowledgement."""
        body = {"municipality": "waterland", "language": "nl", "topic": topic, "name": "", "email": "", **more}
        return await self.ask("start", **body, text=text, message=message or f"m-{secrets.token_hex(16)}")


async def sign_in(base: str, user: str) -> str:
    """The cookie of a new session, as a header's value."""
    async with aiohttp.ClientSession(base) as http:
        body = {"user": user, "password": PASSWORD}
        async with http.post("/api/v1/session", json=body, headers={"Origin": base}) as answer:
            answer.raise_for_status()
            return "; ".join(f"{c.key}={c.value}" for c in answer.cookies.values())


async def post_contact(base: str, key: str, **body: Any) -> tuple[int, dict[str, Any]]:
    """`POST /api/v1/contacts` as the demo's portal; status and body."""
    headers = {"Authorization": f"Bearer {INTEGRATOR}", "Idempotency-Key": key}
    fields = {"municipality": "waterland", "topic": "afval", "text": "Container kapot", **body}
    async with (
        aiohttp.ClientSession(base) as http,
        http.post("/api/v1/contacts", json=fields, headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def supervise(base: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """`POST /api/v1/municipalities/<path>` as a supervisor; DELETE without a body. Gives what is open there then."""
    headers = {"Cookie": await sign_in(base, SUPERVISOR), "Origin": base}
    method = "DELETE" if body is None else "POST"
    url = f"/api/v1/municipalities/{path}"
    async with aiohttp.ClientSession(base) as http, http.request(method, url, json=body, headers=headers) as answer:
        answer.raise_for_status()
        shown: dict[str, Any] = await answer.json()
        return shown
