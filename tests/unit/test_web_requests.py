"""What every request and answer has in common: headers, problems, bodies, limits, origins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from router.errors import Deposed, Erased, Fault, InvalidInput, KccError, NotAllowed, StaleOffer, Unavailable
from router.settings import ServerSettings
from router.web import Limited, Origins, RateLimit, error_body, is_loopback, problem_of, shaped
from tests.unit.doubles import Clock
from tests.unit.served import Served, bearer


class Inner(msgspec.Struct):
    name: str


class Outer(msgspec.Struct):
    inner: Inner


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path) as house:
        yield house


async def test_every_answer_carries_the_headers(served: Served) -> None:
    for path in ("/api/v1/centre", "/api/v1/board", "/nothing", "/openapi.json", "/health/live", "/"):
        async with served.call("GET", path) as answer:
            headers = answer.headers
            assert headers["API-Version"] == "1.0.0", path
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert "script-src 'self';" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "Strict-Transport-Security" not in headers
            assert "Server" not in headers, headers.get("Server")


async def test_behind_https_cookies_are_secure_and_hsts_is_sent(tmp_path: Path) -> None:
    async with Served(tmp_path, public_url="https://kcc.example.nl") as served:
        async with served.call("GET", "/health/live") as answer:
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        headers = await served.sign_in("ada")
        assert headers["Cookie"].startswith("__Host-kcc=")
        async with served.call("DELETE", "/api/v1/session", {**headers, "Origin": "https://kcc.example.nl"}) as answer:
            assert answer.status == 204
            assert answer.headers["Set-Cookie"] == ("__Host-kcc=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInput("x"), 400, "invalid"),
        (NotAllowed(), 403, "not_allowed"),
        (StaleOffer(), 409, "stale_offer"),
        (Erased(), 410, "erased"),
        (InvalidInput(code="too_large"), 413, "too_large"),
        (InvalidInput(code="key_reused"), 409, "key_reused"),
        (Limited("x", 7), 429, "too_many"),
        (Unavailable(), 503, "unavailable"),
        (Deposed(), 503, "unavailable"),
        (Fault("the secret of the disk"), 500, "fault"),
        (KccError("?", code="new_one"), 500, "fault"),
    ],
)
def test_an_error_is_a_problem(error: KccError, status: int, code: str) -> None:
    answer = problem_of(error)
    assert answer.content_type == "application/problem+json"
    body = msgspec.json.decode(answer.body)  # type: ignore[arg-type]
    assert (answer.status, body["status"], body["code"], body["type"]) == (
        status,
        status,
        code,
        f"urn:kcc:error:{code}",
    )
    assert body["title"]
    assert body["detail"]
    assert "secret" not in str(body)
    assert ("Retry-After" in answer.headers) == (status in {429, 503})


def test_a_limit_says_when_to_come_back() -> None:
    assert problem_of(Limited("x", 7)).headers["Retry-After"] == "7"


async def test_what_nobody_foresaw_says_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ValueError("06 12345678")

    monkeypatch.setattr(served.views, "board", broken)
    async with served.call("GET", "/api/v1/board", bearer("tv")) as answer:
        assert answer.status == 500
        text = await answer.text()
    logged = capsys.readouterr().out
    assert '"code":"fault"' in text
    assert "ValueError" in logged
    assert "12345678" not in text + logged


async def test_aiohttps_own_errors_are_problems_too(served: Served) -> None:
    async with served.call("GET", "/nothing") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
    async with served.call("PUT", "/api/v1/session", {"Origin": served.url}) as answer:
        assert (answer.status, answer.content_type) == (405, "application/problem+json")
        assert "DELETE" in answer.headers["Allow"]


async def test_bodies_are_limited_and_typed(served: Served) -> None:
    own = {"Origin": served.url}
    big = b'{"user": "' + b"x" * 300_000 + b'"}'
    json = {**own, "Content-Type": "application/json"}
    for data, headers, status, code in (
        (big, json, 413, "too_large"),
        (b"{}", {**own, "Content-Type": "text/plain"}, 415, "unsupported"),
        (b"{", json, 400, "invalid"),
        (b"[" * 100_000, json, 400, "invalid"),
        (b'{"user": 7, "password": "x"}', json, 400, "invalid"),
    ):
        async with served.call("POST", "/api/v1/session", headers, data=data) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (status, code)


async def test_a_body_without_a_length_is_counted_while_it_comes(served: Served) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    headers = {"Origin": served.url, "Content-Type": "application/json"}
    async with served.call("POST", "/api/v1/session", headers, data=drip()) as answer:
        assert answer.status == 413


async def test_unsafe_requests_with_a_cookie_come_from_our_own_pages(served: Served) -> None:
    headers = await served.sign_in("sup")
    cookie = {"Cookie": headers["Cookie"]}
    for bad in (
        cookie,
        {**cookie, "Origin": "https://evil.example"},
        {**cookie, "Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Origin": "https://evil.example"},
    ):
        async with served.call("DELETE", "/api/v1/session", bad) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "not_allowed")
    async with served.call("GET", "/api/v1/session", cookie) as answer:
        assert answer.status == 200, "and nothing was done"
    async with served.call("DELETE", "/api/v1/session", headers) as answer:
        assert answer.status == 204


def test_own_addresses_are_computed() -> None:
    assert Origins(ServerSettings(port=8014)).staff == {
        "http://127.0.0.1:8014", "http://localhost:8014", "http://[::1]:8014",
    }  # fmt: skip
    assert Origins(ServerSettings(host="kcc.lan", port=80)).staff == {"http://kcc.lan"}
    both = Origins(ServerSettings(host="0.0.0.0", public_url="https://kcc.nl:443/", widget_origins=("https://www.nl",)))
    assert "https://kcc.nl" in both.staff
    assert "https://www.nl" not in both.staff
    assert both.visitors - both.staff == {"https://www.nl"}


def test_the_window_slides_and_the_keys_are_bounded() -> None:
    clock = Clock()
    limit = RateLimit(2, 10, clock, keys_max=3)
    limit.take("a")
    clock.forward(6)
    limit.take("a")
    with pytest.raises(Limited) as refused:
        limit.take("a")
    assert refused.value.retry_after == 4
    clock.forward(4)
    limit.take("a")
    for key in "bcdef":
        limit.take(key)
    assert len(limit) == 3


def test_a_shape_names_the_field() -> None:
    for value, field in (({}, "inner"), ({"inner": {}}, "inner.name"), ({"inner": {"name": 1}}, "inner.name")):
        with pytest.raises(InvalidInput) as refused:
            shaped(value, Outer)
        assert error_body(refused.value)["field"] == field


def test_a_proxy_on_this_machine_is_not_this_machine() -> None:
    request = make_mocked_request("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert isinstance(request, web.Request)
    assert not is_loopback(request)
