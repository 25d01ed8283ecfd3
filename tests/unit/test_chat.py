"""The web chat over a real server with real Socket.IO clients, before a real centre with its journal in memory."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from router.channels.chat.adapter import ChatChannel
from router.engine import commands
from router.journal.memory import MemoryRecord
from router.nouns import QueueLimit
from router.settings import ChatSettings, ServerSettings
from router.sockets import make_sockets
from router.web import Origins
from tests.unit.channel_doubles import DEADLINE_SECONDS, Scene, configuration, scene, served
from tests.unit.doubles import MemoryVault

TEXT = "Mijn paspoort is gestolen"


class Browser:
    """A visitor's page: keeps what it is shown, and can wait for it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.messages: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.typings = 0
        self.gone = asyncio.Event()
        self._news = asyncio.Event()
        for event in ("message", "status", "typing"):
            self.client.on(event, self._heard(event), namespace="/chat")
        self.client.on("disconnect", self._left, namespace="/chat")

    def _heard(self, event: str) -> Callable[[Any], None]:
        def heard(body: Any) -> None:
            if event == "message":
                self.messages.append(body)
            elif event == "status":
                self.statuses.append(body)
            else:
                self.typings += 1
            self._news.set()

        return heard

    def _left(self, reason: str) -> None:
        self.gone.set()

    async def open(self) -> Browser:
        await self.client.connect(self.url, namespaces=["/chat"], transports=["websocket"])
        return self

    async def ask(self, event: str, body: Any = None) -> dict[str, Any]:
        answer = await self.client.call(event, body if body is not None else {}, namespace="/chat", timeout=10)
        assert isinstance(answer, dict)
        return answer

    async def ok(self, event: str, body: Any = None) -> dict[str, Any]:
        answer = await self.ask(event, body)
        assert answer["ok"], answer
        return answer

    async def refused(self, event: str, body: Any = None) -> str:
        answer = await self.ask(event, body)
        assert not answer["ok"], answer
        return str(answer["error"]["code"])

    async def until(self, holds: Callable[[Browser], object]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds(self):
                self._news.clear()
                await self._news.wait()

    async def until_status(self, **expected: Any) -> None:
        await self.until(lambda b: b.statuses and expected.items() <= b.statuses[-1].items())

    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages]

    async def close(self) -> None:
        if self.client.connected:
            await self.client.disconnect()
        await self.client.shutdown()


@dataclasses.dataclass
class Rig:
    """A running chat channel, and what a test does to it."""

    scene: Scene
    channel: ChatChannel
    url: str
    typing: list[str]
    left: asyncio.Queue[str]
    shift_ms: list[int]
    closed: set[str]
    browsers: list[Browser] = dataclasses.field(default_factory=list)

    async def browser(self) -> Browser:
        self.browsers.append(Browser(self.url))
        return await self.browsers[-1].open()

    async def leave(self, browser: Browser) -> None:
        """The page is closed, and the server has noticed."""
        await browser.close()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.left.get()

    def forward(self, seconds: float) -> None:
        self.shift_ms[0] += int(seconds * 1000)

    def ends(self) -> list[tuple[str, str]]:
        return [(c.contact, c.reason) for c in self.scene.port.of(commands.EndContact)]


@asynccontextmanager
async def rig(
    tmp_path: Path, record: MemoryRecord | None = None, vault: MemoryVault | None = None
) -> AsyncIterator[Rig]:
    async with scene(record, vault) as place:
        shift_ms, closed, typing = [0], set[str](), list[str]()
        real = place.around.now
        around = dataclasses.replace(
            place.around, now=lambda: real() + shift_ms[0], is_open=lambda m, c: c == "chat" and m not in closed
        )
        sockets = make_sockets(Origins(ServerSettings()), lambda request: False)
        channel = ChatChannel(around, sockets, ChatSettings(), tmp_path, on_visitor_typing=typing.append)
        left: asyncio.Queue[str] = asyncio.Queue()
        visitors = channel._visitors
        note = visitors._left

        def noted(contact: str) -> None:
            note(contact)
            left.put_nowait(contact)

        visitors._left = noted
        app = web.Application()
        app.router.add_get("/socket.io/", sockets.handle)
        server = TestServer(app)
        await server.start_server()
        made = Rig(place, channel, str(server.make_url("/")), typing, left, shift_ms, closed)
        try:
            async with served(place.port, channel):
                yield made
                for browser in made.browsers:
                    await browser.close()
        finally:
            for browser in made.browsers:
                await browser.close()
            await sockets.close()
            await server.close()


def beginning(**fields: Any) -> dict[str, Any]:
    return {"municipality": "waterland", "text": TEXT, "message": f"m-{uuid.uuid4()}", **fields}


def word(text: str = "hallo") -> dict[str, Any]:
    return {"message": f"m-{uuid.uuid4()}", "text": text}


# -- a whole chat -----------------------------------------------------------------------------------------------


async def test_a_chat_from_beginning_to_end(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        info = await page.ok("info", {"municipality": "waterland"})
        assert info == {
            "ok": True,
            "open": True,
            "opens_at": info["opens_at"],
            "name": "Waterland",
            "email": "gemeente@waterland.example",
            "number": "140299",
            "topics": [{"id": "burgerzaken", "title": {}}, {"id": "afval", "title": {}}],
            "waiting": 0,
            "agents_ready": False,
            "calamity": None,
        }
        begun = await page.ok("start", beginning(topic="afval", name=" Ans  Jansen ", email="Ans@example.nl"))
        assert begun["number"] == 1
        assert begun["token"].startswith(f"{begun['contact']}.")
        assert len(begun["token"]) == len(begun["contact"]) + 1 + 64
        await page.until_status(state="waiting", position=1, agent_name="")
        received = (await r.scene.received())[0]
        assert (received.contact, received.channel, received.hints) == (begun["contact"], "chat", ("topic:afval",))
        card = r.scene.card(received.content_ref)
        assert (card.name, card.email, card.subject) == ("Ans Jansen", "Ans@example.nl", TEXT)
        assert r.scene.vault.citizens[received.citizen].email == "Ans@example.nl"

        await r.scene.take_in_hand(begun["contact"])
        await page.until_status(state="active", position=None, agent_name="Ada")
        assert await r.scene.reply(begun["contact"], "Goedemorgen, wat vervelend") == 2
        assert (await page.ok("message", word("Ja")))["number"] == 3
        await page.until(lambda b: len(b.messages) == 3)
        assert [(m["number"], m["author"], m["name"], m["text"]) for m in page.messages] == [
            (1, "citizen", "", TEXT),
            (2, "agent", "Ada", "Goedemorgen, wat vervelend"),
            (3, "citizen", "", "Ja"),
        ]
        assert all(isinstance(m["at"], int) and m["message"] for m in page.messages)
        await r.scene.port.until_status("delivered")

        await r.scene.port.centre.submit(commands.FinishConversation(begun["contact"], "ada"))
        await page.until_status(state="ended")
        assert await page.refused("message", word()) == "wrong_state"
        assert r.ends() == []


async def test_the_vault_comes_first_and_the_record_holds_no_text(tmp_path):
    async with rig(tmp_path) as r:
        r.scene.port.fails = lambda command: (
            AssertionError("not in the vault")
            if isinstance(command, commands.Receive) and command.content_ref not in r.scene.vault.items
            else None
        )
        page = await r.browser()
        with capture_logs() as logs:
            await page.ok("start", beginning(text="geheim 0612345678", name="Ans", email="ans@example.nl"))
            await page.ok("message", word("ook geheim"))
        for command, _ in r.scene.port.passed:
            assert "geheim" not in repr(command)
            assert "Ans" not in repr(command)
        assert "geheim" not in repr(logs)
        assert "ans@" not in repr(logs)


async def test_keywords_of_the_text_are_hints(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        await page.ok("start", beginning(text="Mijn afval is niet opgehaald"))
        assert (await r.scene.received())[0].hints == ("keyword:afval",)


async def test_places_move_up(tmp_path):
    async with rig(tmp_path) as r:
        pages = [await r.browser() for _ in range(3)]
        for position, page in enumerate(pages, 1):
            await page.ok("start", beginning())
            await page.until_status(state="waiting", position=position)
        assert (await pages[0].ok("info", {"municipality": "zeevang"}))["waiting"] == 3
        await pages[0].ok("end")
        await pages[0].until_status(state="ended")
        await pages[1].until_status(state="waiting", position=1)
        await pages[2].until_status(state="waiting", position=2)
        assert r.ends()[0][1] == "abandoned"


async def test_an_agent_who_is_ready_shows_in_the_information(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        await r.channel._following.reached((await r.scene.port.submit(commands.SetPresence("ada", "ready"))).number)
        assert (await page.ok("info", {"municipality": "waterland"}))["agents_ready"] is True
        await r.channel._following.reached((await r.scene.port.submit(commands.LoseAgent("ada"))).number)
        assert (await page.ok("info", {"municipality": "waterland"}))["agents_ready"] is False


async def test_typing_goes_both_ways_and_only_in_conversation(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await page.ok("typing")
        assert r.typing == []
        await r.scene.take_in_hand(begun["contact"])
        await page.until_status(state="active")
        for _ in range(40):
            await page.ok("typing")
        assert r.typing == [begun["contact"]] * 29
        await r.channel.agent_typing(begun["contact"])
        await r.channel.agent_typing("c-elsewhere")
        await page.until(lambda b: b.typings == 1)


async def test_the_visitor_ends_a_conversation(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.scene.take_in_hand(begun["contact"])
        await page.until_status(state="active")
        await page.ok("end")
        await page.until_status(state="ended")
        await page.ok("end")
        assert r.ends() == [(begun["contact"], "citizen_left")]
        assert (await page.ok("start", beginning()))["contact"] != begun["contact"]


async def test_notes_are_not_shown_and_leave_no_gap(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.scene.take_in_hand(begun["contact"])
        ref = await r.scene.vault.store(begun["contact"], "text/plain", b"lastige klant")
        await r.scene.port.centre.submit(commands.AddMessage(begun["contact"], "n-1", "note", ref, "ada"))
        await r.scene.reply(begun["contact"], "Hallo")
        sent = word()
        assert (await page.ok("message", sent))["number"] == 3
        assert (await page.ok("message", sent))["number"] == 3
        await page.until(lambda b: len(b.messages) == 3)
        assert [m["number"] for m in page.messages] == [1, 2, 3]
        assert "lastige klant" not in page.texts()


async def test_a_contact_handed_over_waits_again(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.scene.take_in_hand(begun["contact"])
        await page.until_status(state="active")
        await r.scene.port.centre.submit(commands.HandOver(begun["contact"], "ada", queue="algemeen"))
        await page.until_status(state="waiting", position=1, agent_name="")


async def test_a_full_queue_tells_a_visitor_so_and_takes_the_next_when_there_is_room(tmp_path):
    async with rig(tmp_path) as r:
        config = configuration()
        limited = dataclasses.replace(config.queues[0], limits={"chat": QueueLimit(waiting_max=1)})
        await r.scene.port.submit(commands.Configure(dataclasses.replace(config, queues=(limited,)), "2"))
        page, other = await r.browser(), await r.browser()
        await page.ok("start", beginning())
        again = beginning()
        assert await other.refused("start", again) == "full"
        await page.ok("end", {})
        await other.ok("start", again)


async def test_a_closed_chat_takes_nobody_new_but_loses_nobody(tmp_path):
    async with rig(tmp_path) as r:
        page, other = await r.browser(), await r.browser()
        first = beginning()
        begun = await page.ok("start", first)
        r.closed.add("waterland")
        assert (await page.ok("info", {"municipality": "waterland"}))["open"] is False
        assert await other.refused("start", beginning()) == "closed"
        await other.ok("start", beginning(municipality="zeevang"))
        await page.ok("message", word())
        assert (await page.ok("start", first))["contact"] == begun["contact"]


# -- who may see it -----------------------------------------------------------------------------------------------


async def test_only_the_token_opens_a_chat(tmp_path):
    async with rig(tmp_path) as r:
        page, stranger = await r.browser(), await r.browser()
        mine = await page.ok("start", beginning())
        other = await stranger.ok("start", beginning())
        signature = other["token"].partition(".")[2]
        for token in (
            "",
            mine["contact"],
            f"{mine['contact']}.",
            f"{mine['contact']}.{signature}",
            f"{mine['token']}0",
            mine["token"][:-1],
            f"c-000000000000000000000000.{signature}",
            "é" * 70,
            "a" * 10_000,
        ):
            assert await stranger.refused("resume", {"token": token}) == "not_allowed", token
        assert (await stranger.ok("resume", {"token": mine["token"]}))["contact"] == mine["contact"]


async def test_a_start_can_be_repeated_for_ten_minutes_only(tmp_path):
    async with rig(tmp_path) as r:
        page, other = await r.browser(), await r.browser()
        first = beginning()
        begun = await page.ok("start", first)
        r.forward(590)
        assert (await other.ok("start", first))["token"] == begun["token"]
        r.forward(20)
        assert await other.refused("start", first) == "not_allowed"
        assert (await other.ok("resume", {"token": begun["token"]}))["contact"] == begun["contact"]


@pytest.mark.parametrize("event", ["message", "typing", "end"])
async def test_without_a_chat_there_is_nothing_to_do(tmp_path, event):
    async with rig(tmp_path) as r:
        page = await r.browser()
        assert await page.refused(event, word()) == "wrong_state"
