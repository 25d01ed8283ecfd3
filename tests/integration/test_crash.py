"""The server is killed amid 200 arrivals on all channels: what it acknowledged is there once, and what is retried too.

The ledger is kept by the clients: it knows only what each of them was told.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

import aiohttp
import aiosmtplib
import pytest
import socketio

from router.channels.voice.events import Held
from router.demo import letter
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import CallCentre, Wall, house
from tests.parts.router import RouterProcess, Visitor, post_contact, sign_in
from tests.parts.where import asterisk_command, missing

POSTED, MAILS, SCANS, CHATS, CALLS = 80, 60, 35, 25, 10
"""The listener for chats allows 30 new ones a minute from one address."""
KILL_AT = 80
"""Acknowledgements, on whatever channel, after which the server dies."""
PATIENCE_SECONDS = 5
"""A visitor's page does not wait longer before it sends again."""
TOPIC = "wmo"
"""Nobody who takes the calls knows about it."""
NOT_TOLD = (OSError, TimeoutError, aiohttp.ClientError, aiosmtplib.SMTPException, socketio.exceptions.SocketIOError)


class Ledger:
    """What each client was told, by its own id: the contact, or "" for a plain yes. `full` is set at KILL_AT."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.full = asyncio.Event()

    def note(self, key: str, contact: str = "") -> None:
        self.told[key] = contact
        if len(self.told) >= KILL_AT:
            self.full.set()

    def missing(self, keys: Iterable[str]) -> list[str]:
        return [key for key in keys if key not in self.told]


def names(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number:04}" for number in range(count)]


class Tab(Visitor):
    """A visitor whose server may die at any moment: nothing of the connection is left over."""

    async def __aenter__(self) -> Self:
        try:
            return await super().__aenter__()
        except BaseException:
            await self._let_go()
            raise

    async def __aexit__(self, *error: object) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        if self._client.eio.http is not None:
            await self._client.eio.http.close()


class Citizens:
    """Everybody who writes. Each sends what the ledger does not have yet, with the same id as the first time."""

    def __init__(self, router: RouterProcess, ledger: Ledger) -> None:
        self.router, self.ledger = router, ledger
        self.scans = router.data / "scans" / "waterland"

    async def come(self) -> None:
        """All at once, until everything is acknowledged or the server is gone."""
        ways: tuple[tuple[str, int, Callable[[str], Awaitable[None]]], ...] = (
            ("post", POSTED, self._post), ("mail", MAILS, self._mail), ("chat", CHATS, self._chat),
        )  # fmt: skip
        await asyncio.gather(*(self._one_by_one(names(kind, count), way) for kind, count, way in ways))

    async def _one_by_one(self, keys: list[str], way: Callable[[str], Awaitable[None]]) -> None:
        for key in self.ledger.missing(keys):
            try:
                await way(key)
            except NOT_TOLD:
                return

    async def _post(self, key: str) -> None:
        status, body = await post_contact(self.router.base, f"crash-{key}", topic=TOPIC, text=key)
        assert status in (200, 201), body
        self.ledger.note(key, body["id"])

    async def _mail(self, key: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"] = f"{key}@burger.example", "info@waterland.example"
        mail["Subject"], mail["Message-ID"] = "Vraag over wmo", f"<{key}@burger.example>"
        mail.set_content(f"Dit is brief {key}.")
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=self.router.mail_port, start_tls=False, timeout=5)
        self.ledger.note(key)

    async def _chat(self, key: str) -> None:
        async with Tab(self.router.base) as visitor, asyncio.timeout(PATIENCE_SECONDS):
            answer = await visitor.start(f"Dit is chat {key}", topic=TOPIC, message=f"m-{key.encode().hex():0>32}")
            assert answer["ok"], answer
            self.ledger.tokens[key] = answer["token"]
            self.ledger.note(key, answer["contact"])

    def scan(self) -> None:
        """Put every letter into the folder; what has left it was taken in."""
        self.scans.mkdir(parents=True, exist_ok=True)
        for key in names("scan", SCANS):
            (self.scans / f"{key}.pdf").write_bytes(letter("A. Jansen", f"Dit is brief {key}"))
            (self.scans / f"{key}.json").write_text(json.dumps({"topic": TOPIC, "subject": key}))

    async def check_chats(self) -> None:
        """Each visitor comes back with the token, and finds the one message."""
        for key, token in self.ledger.tokens.items():
            async with Visitor(self.router.base) as visitor:
                resumed = await visitor.ask("resume", token=token, after=0)
                assert resumed["contact"] == self.ledger.told[key], resumed
                texts = [m["text"] for m in resumed["messages"] if m["author"] == "citizen"]
                assert texts == [f"Dit is chat {key}"]

    async def check_contacts(self) -> None:
        """Each contact somebody was told of can be read, and no two were told the same."""
        told = [contact for contact in self.ledger.told.values() if contact]
        assert len(told) == len(set(told))
        cookie = await sign_in(self.router.base, "marieke")
        async with aiohttp.ClientSession(self.router.base, headers={"Cookie": cookie}) as http:
            for contact in told:
                async with http.get(f"/api/v1/contacts/{contact}") as answer:
                    assert answer.status == 200
                    assert (await answer.json())["topic"] == TOPIC


async def arrive_and_crash(router: RouterProcess, citizens: Citizens, kill: Callable[[], Awaitable[None]]) -> None:
    """Everybody comes, the server dies amid it, and everybody comes again."""
    citizens.scan()
    coming = asyncio.create_task(citizens.come())
    async with asyncio.timeout(30):
        await citizens.ledger.full.wait()
    await kill()
    await coming
    assert citizens.ledger.missing(names("post", POSTED) + names("mail", MAILS) + names("chat", CHATS)), (
        "killed too late"
    )


async def all_written(wall: Wall) -> None:
    """The board shows as many contacts on each channel as there were letters, mails, visitors and posts."""
    wanted = {"counter": POSTED, "email": MAILS, "post": SCANS, "chat": CHATS}

    def shows(board: dict[str, Any]) -> bool:
        found = {row["channel"]: row["received"] for row in board["channels"]}
        return all(found.get(channel) == count for channel, count in wanted.items())

    await wall.boards.until(shows, 30)


def check_books(report: dict[str, Any]) -> None:
    assert (report["exit"], report["violations"]) == (0, []), report
    received = {channel: row["received"] for channel, row in report["channels"].items() if channel != "phone"}
    assert received == {"chat": CHATS, "counter": POSTED, "email": MAILS, "post": SCANS}


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[RouterProcess]:
    router = RouterProcess(folder / "data")
    await asyncio.to_thread(router.start)
    try:
        yield router
    finally:
        await asyncio.to_thread(router.stop)


@pytest.mark.slow
@pytest.mark.xdist_group("walk")
async def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    async with served(tmp_path) as router:
        citizens = Citizens(router, Ledger())
        await arrive_and_crash(router, citizens, lambda: asyncio.to_thread(router.kill))
        await asyncio.to_thread(router.start)
        await citizens.come()
        async with AsyncExitStack() as stack:
            cookie = await sign_in(router.base, "marieke")
            await all_written(await stack.enter_async_context(Wall(router.base, cookie)))
        await citizens.check_contacts()
        await citizens.check_chats()
        assert list(citizens.scans.glob("*.pdf")) == []
        check_books(await asyncio.to_thread(router.verify))


async def call_in(centre: CallCentre) -> list[Any]:
    return [await centre.call(caller=f"06123456{number:02}") for number in range(CALLS)]


@pytest.mark.slow
@pytest.mark.asterisk
@pytest.mark.xdist_group("voice")
@pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk"))
async def test_the_same_with_calls_that_stay_on_music_and_are_all_answered(tmp_path: Path) -> None:
    with RealAsterisk() as pbx:
        async with house(pbx, tmp_path) as centre:
            citizens = Citizens(centre.router, Ledger())
            calling = asyncio.create_task(call_in(centre))
            await arrive_and_crash(centre.router, citizens, centre.kill)
            calls = await calling
            await centre.restart()
            mehmet = await centre.agent("mehmet")
            await citizens.come()
            answered = []
            for _ in calls:
                contact, rings = await mehmet.talks()
                answered.append(contact)
                rings.hangup()
                await mehmet.wrap_up(contact)
            assert len(set(answered)) == CALLS
            held = {event.kcc_id for event in centre.board.seen if isinstance(event, Held)}
            assert held <= set(answered)
            for call in calls:
                await call.wait(call.over)
            await all_written(centre.wall)
            await citizens.check_contacts()
            report = await asyncio.to_thread(centre.router.verify)
            check_books(report)
            ended = report["channels"]["phone"]["ended"]
            assert ended["handled"] == CALLS
            assert set(ended) <= {"handled", "gone", "technical"}
