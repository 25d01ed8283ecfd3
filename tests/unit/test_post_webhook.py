"""`POST /api/v1/events` over real HTTP."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, web

from router.channels.post.adapter import PostChannel
from router.channels.post.codec import STRUCTURED_TYPE
from router.channels.post.webhook import events_handler
from router.errors import Unavailable
from router.web import PRINCIPAL, Handler, Principal, problem_middleware
from tests.unit.channel_doubles import Scene, scene
from tests.unit.test_post_codec import BINARY, PDF, event, structured


class Client:
    """Posts events as one principal."""

    def __init__(self, session: ClientSession, address: str) -> None:
        self.session, self.address = session, address
        self.role = "integrator"

    async def post(self, body: Any, content_type: str = STRUCTURED_TYPE, **headers: str) -> tuple[int, dict[str, Any]]:
        sent = {
            "Content-Type": content_type,
            "X-Role": self.role,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        # A stream, since the client warns of large bytes; with its length all the same.
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.session.post(self.address, data=data, headers=sent) as answer:
            return answer.status, await self._json(answer)

    async def _json(self, answer: ClientResponse) -> dict[str, Any]:
        found = await answer.json(content_type=None)
        assert isinstance(found, dict)
        return found


@pytest.fixture
async def here() -> AsyncIterator[Scene]:
    async with scene() as one:
        yield one


@pytest.fixture
async def client(here: Scene) -> AsyncIterator[Client]:
    async def describe(contact: str, number: int) -> dict[str, Any]:
        return {"id": contact, "number": number}

    @web.middleware
    async def signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        if role := request.headers.get("X-Role"):
            request[PRINCIPAL] = Principal("scanner", "Scanner", role)
        return await handler(request)

    app = web.Application(middlewares=[problem_middleware, signed_in])
    app.router.add_post("/api/v1/events", events_handler(PostChannel(here.around), describe))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with ClientSession() as session:
        yield Client(session, f"http://127.0.0.1:{port}/api/v1/events")
    await runner.cleanup()


async def test_201_the_first_time_and_200_after_that(client: Client, here: Scene) -> None:
    status, first = await client.post(structured())
    again, second = await client.post(structured())
    assert (status, again) == (201, 200)
    assert first["id"] == second["id"]
    (fact,) = await here.received()
    assert fact.contact == first["id"]
    assert here.card(fact.content_ref).subject == "Bezwaar WOZ"


async def test_both_binary_modes(client: Client, here: Scene) -> None:
    headers = {name.replace("-", "_"): value for name, value in BINARY.items()}
    status, _ = await client.post(PDF, "application/pdf", **headers, ce_municipality="zeevang")
    assert status == 201
    body = web.json_response(event()["data"]).body
    status, _ = await client.post(body, "application/json; charset=utf-8", **{**headers, "ce_id": "2"})
    assert status == 201
    assert [f.municipality for f in await here.received()] == ["zeevang", "waterland"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code", "field"),
    [
        (structured(type="x"), STRUCTURED_TYPE, 400, "invalid", "type"),
        (structured(data={**event()["data"], "municipality": "atlantis"}), STRUCTURED_TYPE, 400, "invalid",
         "data.municipality"),
        (b"{", STRUCTURED_TYPE, 400, "invalid", None),
        (structured(), "application/json", 415, "unsupported", None),
        (b"x" * (16 * 1024 * 1024 + 1), STRUCTURED_TYPE, 413, "too_large", None),
    ],
)  # fmt: skip
async def test_refusals(
    client: Client, here: Scene, body: bytes, content_type: str, status: int, code: str, field: str | None
) -> None:
    answered, problem = await client.post(body, content_type)
    assert (answered, problem["code"], problem.get("field")) == (status, code, field)
    assert not await here.received()


async def test_a_body_is_counted_also_when_its_length_is_not_said(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(17 * 16):
            yield b" " * 65_536

    answered, problem = await client.post(pieces())
    assert (answered, problem["code"]) == (413, "too_large")


@pytest.mark.parametrize(("role", "status"), [("", 401), ("agent", 403), ("board", 403)])
async def test_only_integrators(client: Client, role: str, status: int) -> None:
    client.role = role
    assert (await client.post(structured()))[0] == status


async def test_503_when_it_cannot_be_recorded(client: Client, here: Scene) -> None:
    here.port.fails = lambda command: Unavailable()
    status, problem = await client.post(structured())
    assert (status, problem["code"]) == (503, "unavailable")
    here.port.fails = lambda command: None
    assert (await client.post(structured()))[0] == 201
