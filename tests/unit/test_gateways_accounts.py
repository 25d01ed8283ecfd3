"""Signing in: passwords, the lock, sessions that end and that survive a restart, tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from router.errors import NotSignedIn
from router.gateways.accounts import SESSIONS_PER_ACCOUNT_MAX, Accounts
from router.settings import ServerSettings
from router.web import Limited
from tests.unit.doubles import Clock
from tests.unit.served import PASSWORD, TOKENS, Served, accounts


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    door = Accounts(accounts(), ServerSettings(data=tmp_path), clock)
    yield door
    door.close()


def request_with(token: str, cookie: str = "kcc") -> object:
    return make_mocked_request("GET", "/", headers={"Cookie": f"{cookie}={token}"})


def session_of(door: Accounts, token: str) -> object:
    return door.authenticate(request_with(token))  # type: ignore[arg-type]


async def test_signing_in_gives_a_session(door: Accounts, tmp_path: Path) -> None:
    principal, token = await door.sign_in("ada", PASSWORD)
    assert (principal.id, principal.role, principal.agent, principal.is_program) == ("ada", "agent", "ada", False)
    assert len(token) >= 43
    assert session_of(door, token) == principal
    assert session_of(door, token + "x") is None
    assert token.encode() not in (tmp_path / "sessions.sqlite3").read_bytes()


@pytest.mark.parametrize(("user", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("kiosk", TOKENS["kiosk"])])
async def test_wrong_is_wrong(door: Accounts, user: str, password: str) -> None:
    with pytest.raises(NotSignedIn, match="User name or password is wrong"):
        await door.sign_in(user, password)


async def test_an_unknown_user_costs_a_verification_too(door: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []

    def fits(hash_: str, _password: str) -> bool:
        verified.append(hash_)
        return False

    monkeypatch.setattr(door, "_fits", fits)
    for user in ("ada", "nobody"):
        with pytest.raises(NotSignedIn):
            await door.sign_in(user, "x")
    assert len(verified) == 2
    assert all(hash_.startswith("$argon2id$") for hash_ in verified)


@pytest.mark.parametrize("user", ["ada", "nobody"])
async def test_five_wrong_passwords_close_the_account_for_a_minute(door: Accounts, clock: Clock, user: str) -> None:
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            await door.sign_in(user, "wrong")
    clock.forward(59)
    with pytest.raises(Limited) as refused:
        await door.sign_in(user, PASSWORD)
    assert refused.value.retry_after == 1
    await door.sign_in("bob", PASSWORD)
    clock.forward(1)
    if user == "ada":
        await door.sign_in(user, PASSWORD)


async def test_a_right_password_starts_the_count_again(door: Accounts) -> None:
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(NotSignedIn):
                await door.sign_in("ada", "wrong")
        await door.sign_in("ada", PASSWORD)


async def test_guessing_side_by_side_does_not_help(door: Accounts) -> None:
    tries = [door.sign_in("ada", f"guess {n}") for n in range(20)]
    came = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, NotSignedIn) for one in came) == 5
    assert sum(isinstance(one, Limited) for one in came) == 15


async def test_sessions_end_when_idle_and_absolutely(door: Accounts, clock: Clock) -> None:
    _, idle = await door.sign_in("ada", PASSWORD)
    _, busy = await door.sign_in("ada", PASSWORD)
    for _ in range(11):
        clock.forward(3600)
        assert session_of(door, busy) is not None
    assert session_of(door, idle) is None
    clock.forward(3600 - 1)
    assert session_of(door, busy) is not None
    clock.forward(1)
    assert session_of(door, busy) is None


async def test_a_restart_signs_nobody_out(door: Accounts, tmp_path: Path, clock: Clock) -> None:
    _, token = await door.sign_in("ada", PASSWORD)
    _, gone = await door.sign_in("bob", PASSWORD)
    door.sign_out(request_with(gone))  # type: ignore[arg-type]
    clock.forward(2 * 3600 - 120)
    assert session_of(door, token) is not None
    again = Accounts(accounts(), ServerSettings(data=tmp_path), clock)
    clock.forward(2 * 3600 - 120)
    assert session_of(again, token) is not None
    assert session_of(again, gone) is None
    again.close()
    without = Accounts(tuple(a for a in accounts() if a.id != "ada"), ServerSettings(data=tmp_path), clock)
    assert session_of(without, token) is None, "an account that was taken away has no session"
    without.close()


async def test_sessions_per_account_are_bounded(door: Accounts, clock: Clock) -> None:
    tokens = []
    for _ in range(SESSIONS_PER_ACCOUNT_MAX + 2):
        clock.forward(1)
        tokens.append((await door.sign_in("ada", PASSWORD))[1])
    assert [session_of(door, token) is not None for token in tokens] == [False] * 2 + [True] * SESSIONS_PER_ACCOUNT_MAX


def test_tokens_are_for_programs(door: Accounts) -> None:
    found = door.program(TOKENS["kiosk"])
    assert found is not None
    assert (found.id, found.role, found.is_program) == ("kiosk", "integrator", True)
    assert door.program("x") is None
    assert door.program("") is None


async def test_over_http(tmp_path: Path) -> None:
    async with Served(tmp_path) as served:
        own = {"Origin": served.url}
        async with served.call("POST", "/api/v1/session", own, json={"user": "ada", "password": PASSWORD}) as answer:
            assert await answer.json() == {
                "user": "ada", "name": "Ada Vos", "role": "agent", "agent": "ada", "language": "nl",
            }  # fmt: skip
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("kcc=")
        assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")
        headers = {"Cookie": cookie.partition(";")[0], **own}
        async with served.call("GET", "/api/v1/session", headers) as answer:
            assert answer.status == 200
        async with served.call("DELETE", "/api/v1/session", headers) as answer:
            assert answer.status == 204
        async with served.call("GET", "/api/v1/session", headers) as answer:
            assert answer.status == 401
        for _ in range(5):
            async with served.call("POST", "/api/v1/session", own, json={"user": "bob", "password": "x"}) as answer:
                assert answer.status == 401
        async with served.call("POST", "/api/v1/session", own, json={"user": "bob", "password": PASSWORD}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "60")


async def test_signing_in_is_limited_per_address(tmp_path: Path) -> None:
    async with Served(tmp_path) as served:
        own = {"Origin": served.url, "Content-Type": "application/json"}
        for _ in range(120):
            async with served.call("POST", "/api/v1/session", own, data=b"{}") as answer:
                assert answer.status == 400
        async with served.call("POST", "/api/v1/session", own, data=b"{}") as answer:
            assert answer.status == 429
        async with served.call(
            "POST", "/api/v1/session", {**own, "X-Forwarded-For": "203.0.113.9"}, data=b"{}"
        ) as answer:
            assert answer.status == 400, "somebody else behind the same proxy"


async def test_when_the_disk_refuses_people_sign_in_and_out_all_the_same(
    door: Accounts, clock: Clock, tmp_path: Path
) -> None:
    _, old = await door.sign_in("ada", PASSWORD)
    door._book.execute("PRAGMA query_only = 1")  # every write fails, as on a full disk
    principal, token = await door.sign_in("ada", PASSWORD)
    clock.forward(120)
    assert session_of(door, token) == principal
    door.sign_out(request_with(old))  # type: ignore[arg-type]
    assert session_of(door, old) is None
    door._book.execute("PRAGMA query_only = 0")
    _, newest = await door.sign_in("bob", PASSWORD)
    door.sign_out(request_with(newest))  # type: ignore[arg-type]
    again = Accounts(accounts(), ServerSettings(data=tmp_path), clock)
    assert session_of(again, old) is None, "who signed out stays out after a restart"
    again.close()


async def test_an_unreadable_book_of_sessions_is_kept_aside(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "sessions.sqlite3").write_bytes(b"garbage " * 1000)
    door = Accounts(accounts(), ServerSettings(data=tmp_path), clock)
    await door.sign_in("ada", PASSWORD)
    door.close()
    assert (tmp_path / "sessions.sqlite3.damaged").exists()
