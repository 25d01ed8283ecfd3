"""A busy morning: simulated citizens and agents who come in through the public interfaces only, beside the server."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import aiosmtplib
import socketio
import structlog

from router.app import serve
from router.settings import Settings

log = structlog.get_logger()

SECONDS_BETWEEN_ARRIVALS = 1.4
FREE_FOR_YOU = 2
"""So many agents of the list are left for whoever is watching."""
FIRST_REPLIES = ("Goedendag, ik kijk het voor u na.", "Hallo, daar kan ik u mee helpen.", "Een moment, ik zoek het op.")
ANSWERS = (
    "Dat kan: u hoeft daarvoor niets meer te doen.",
    "U kunt dit op afspraak regelen, ook op donderdagavond.",
    "Ik heb het voor u aangepast; u krijgt er vandaag nog bericht van.",
)
QUESTIONS = {
    "burgerzaken": "Mijn paspoort verloopt volgende maand. Hoe vraag ik een nieuw paspoort aan?",
    "afval": "De container voor het oud papier is vorige week niet geleegd.",
    "parkeren": "Ik wil een parkeervergunning voor mijn nieuwe auto.",
    "belastingen": "Ik ben het niet eens met de WOZ-waarde op mijn aanslag.",
    "bouwen": "Heb ik een vergunning nodig voor een dakkapel aan de achterkant?",
    "wmo": "Mijn moeder heeft hulp in het huishouden nodig. Waar begin ik?",
    "meldingen": "De straatlantaarn voor ons huis brandt al een week niet.",
    "werk-inkomen": "Wanneer wordt de bijzondere bijstand uitbetaald?",
}
NAMES = ("A. Jansen", "S. de Boer", "M. Yilmaz", "K. van Dijk", "L. Peters", "R. Hendriks", "F. Bouzid", "T. Vos")


def serve_demo(settings: Settings, folder: Path, *, minutes: float) -> int:
    """Run the server with its players; they stop after `minutes`, or never when that is 0."""
    return serve(settings, folder, beside=partial(play, minutes=minutes))


async def play(settings: Settings, *, minutes: float) -> None:
    """Agents sign in, citizens begin to come. Returns when the time is over."""
    server = settings.server
    base = f"http://{server.host}:{server.port}"
    dice = random.Random(secrets.randbits(64))  # noqa: S311
    people = [a for a in settings.accounts if a.role == "agent"][FREE_FOR_YOU:]
    async with aiohttp.ClientSession(base) as http, asyncio.TaskGroup() as group:
        staff = [SimulatedAgent(base, a.id, server.demo_password, dice) for a in people]
        tasks = [group.create_task(agent.work(http)) for agent in staff]
        tasks.append(group.create_task(Citizens(settings, base, http, dice).come()))
        if minutes:
            await asyncio.sleep(minutes * 60)
            for task in tasks:
                task.cancel()


class Citizens:
    """People who come by chat, mail, post and the counter. (A call needs a PBX: see asterisk/README.md.)"""

    def __init__(self, settings: Settings, base: str, http: aiohttp.ClientSession, dice: random.Random) -> None:
        self._settings, self._base, self._http, self._dice = settings, base, http, dice
        self._municipalities = [m.id for m in settings.centre.municipalities]
        known = {t.id for t in settings.centre.topics}
        self._questions = [(t, q) for t, q in QUESTIONS.items() if t in known] or [("", "Ik heb een vraag.")]
        self._token = next((t for a, t in settings.server.demo_tokens.items() if self._role(a) == "integrator"), "")
        self._chats: set[asyncio.Task[None]] = set()

    def _role(self, account: str) -> str:
        return next((a.role for a in self._settings.accounts if a.id == account), "")

    async def come(self) -> None:
        """One after the other, for ever; a way in that fails is logged and the next citizen comes."""
        ways: list[tuple[float, Callable[[], Awaitable[None]]]] = [(5, self._chat), (2, self._visit)]
        email, post = self._settings.email, self._settings.post
        if email is not None and email.listener_port:
            ways.append((3, self._mail))
        if post is not None and post.folder is not None:
            ways.append((1, self._scan))
        while True:
            way = self._dice.choices([w for _, w in ways], [weight for weight, _ in ways])[0]
            try:
                await way()
            except (OSError, aiohttp.ClientError, aiosmtplib.SMTPException, socketio.exceptions.SocketIOError) as error:
                log.warning("demo.citizen_failed", way=way.__name__, error=type(error).__name__)
            await asyncio.sleep(self._dice.expovariate(1 / SECONDS_BETWEEN_ARRIVALS))

    def _someone(self) -> tuple[str, str, str, str, str]:
        """Municipality, topic, question, name, address; some come back, so there is a history to see."""
        topic, question = self._dice.choice(self._questions)
        name = self._dice.choice(NAMES)
        address = f"{name.split()[-1].lower()}{self._dice.randint(1, 3)}@burger.example"
        return self._dice.choice(self._municipalities), topic, question, name, address

    async def _chat(self) -> None:
        task = asyncio.create_task(self._converse())
        self._chats.add(task)
        task.add_done_callback(self._chats.discard)

    async def _converse(self) -> None:
        municipality, topic, question, name, address = self._someone()
        client = socketio.AsyncClient(reconnection=False)
        answered, over = asyncio.Event(), asyncio.Event()
        client.on("message", lambda body: answered.set() if body["author"] == "agent" else None, namespace="/chat")
        client.on("status", lambda body: over.set() if body["state"] == "ended" else None, namespace="/chat")
        await client.connect(self._base, transports=["websocket"], namespaces=["/chat"], headers={"Origin": self._base})
        try:
            start = {
                "municipality": municipality,
                "language": "nl",
                "topic": topic,
                "name": name,
                "email": address,
                "text": question,
                "message": f"m-{secrets.token_hex(16)}",
            }
            if not (await client.call("start", start, namespace="/chat"))["ok"]:
                return
            patience = self._dice.uniform(60, 300)
            await asyncio.wait_for(answered.wait(), patience)
            await asyncio.sleep(self._dice.uniform(3, 10))
            thanks = {"message": f"m-{secrets.token_hex(16)}", "text": "Dank u wel, dat is duidelijk."}
            await client.call("message", thanks, namespace="/chat")
            await asyncio.wait_for(over.wait(), 120)
        except TimeoutError:
            await client.call("end", {}, namespace="/chat")
        finally:
            await client.disconnect()

    async def _mail(self) -> None:
        municipality, _, question, name, address = self._someone()
        email = self._settings.email
        if email is None:
            return
        to = next((a for a, m in email.addresses.items() if m == municipality), "")
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = f"{name} <{address}>", to, question.split(".")[0][:60]
        message["Message-ID"] = f"<{secrets.token_hex(12)}@burger.example>"
        message.set_content(f"Geachte gemeente,\n\n{question}\n\nMet vriendelijke groet,\n{name}\n")
        await aiosmtplib.send(message, hostname=email.listener_host, port=email.listener_port, start_tls=False)

    async def _scan(self) -> None:
        municipality, topic, question, name, _ = self._someone()
        post = self._settings.post
        if post is None or post.folder is None:
            return
        folder, stem = post.folder / municipality, f"scan-{secrets.token_hex(6)}"
        side = {"municipality": municipality, "subject": question[:80], "topic": topic, "sender_name": name}
        await asyncio.to_thread(_drop, folder, stem, letter(name, question), json.dumps(side).encode())

    async def _visit(self) -> None:
        municipality, topic, question, name, address = self._someone()
        body = {
            "municipality": municipality,
            "channel": "counter",
            "topic": topic,
            "subject": question[:80],
            "text": question,
            "citizen": {"name": name, "email": address},
        }
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": secrets.token_hex(16)}
        async with self._http.post("/api/v1/contacts", json=body, headers=headers) as answer:
            await answer.read()


def _drop(folder: Path, stem: str, document: bytes, side: bytes) -> None:
    """The document first, its index file after it: that says it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.pdf").write_bytes(document)
    (folder / f"{stem}.json").write_bytes(side)


def letter(name: str, text: str) -> bytes:
    """A one-page PDF with a short letter."""

    def escaped(line: str) -> bytes:
        return line.encode("latin-1", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")

    lines = ["Aan het college van burgemeester en wethouders", "", text, "", "Hoogachtend,", name]
    shown = b"".join(b"(" + escaped(line) + b") Tj T* " for line in lines)
    stream = b"BT /F1 12 Tf 16 TL 72 740 Td " + shown + b"ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(out))
    )


class SimulatedAgent:
    """Signs in, becomes ready, and handles what is offered, with human speed and now and then a miss."""

    def __init__(self, base: str, user: str, password: str, dice: random.Random) -> None:
        self._base, self._user, self._password, self._dice = base, user, password, dice
        self._client = socketio.AsyncClient()
        self._seen: set[str] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self._left: dict[str, asyncio.Event] = {}

    async def work(self, http: aiohttp.ClientSession) -> None:
        """A shift without an end."""
        await asyncio.sleep(self._dice.uniform(0, 8))
        headers = {"Origin": self._base}
        body = {"user": self._user, "password": self._password}
        async with http.post("/api/v1/session", json=body, headers=headers) as answer:
            answer.raise_for_status()
            cookie = "; ".join(f"{c.key}={c.value}" for c in answer.cookies.values())
        self._client.on("state", self._state, namespace="/desk")
        await self._client.connect(
            self._base, transports=["websocket"], namespaces=["/desk"], headers=headers | {"Cookie": cookie}
        )
        await self._ask("presence", {"presence": "ready", "reason": ""})
        try:
            await self._client.wait()
        finally:
            await self._client.disconnect()

    async def _ask(self, event: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await self._client.call(event, body, namespace="/desk", timeout=20)
        return answer

    def _state(self, state: dict[str, Any]) -> None:
        for offer in state["offers"]:
            if offer["offer"] not in self._seen and offer["channel"] != "phone":
                self._seen.add(offer["offer"])
                self._begin(self._consider(offer))
        for contact in state["contacts"]:
            if contact["state"] == "wrap_up":
                self._left.setdefault(contact["contact"], asyncio.Event()).set()
        me = state["agent"]
        if me["presence"] == "paused" and me["reason"] == "not_responding" and "back" not in self._seen:
            self._seen.add("back")
            self._begin(self._come_back())

    def _begin(self, job: Any) -> None:
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _come_back(self) -> None:
        await asyncio.sleep(self._dice.uniform(5, 20))
        self._seen.discard("back")
        await self._ask("presence", {"presence": "ready", "reason": ""})

    async def _consider(self, offer: dict[str, Any]) -> None:
        habit = self._dice.random()
        if habit < 0.03:
            return
        await asyncio.sleep(self._dice.uniform(1, 8))
        if habit < 0.08:
            await self._ask("decline", {"offer": offer["offer"], "reason": "busy"})
        elif (await self._ask("accept", {"offer": offer["offer"]}))["ok"]:
            await self._handle(offer["contact"], offer["channel"])

    async def _handle(self, contact: str, channel: str) -> None:
        await self._ask("open", {"contact": contact})
        left = self._left.setdefault(contact, asyncio.Event())
        if channel in ("chat", "email"):
            for text in (self._dice.choice(FIRST_REPLIES), self._dice.choice(ANSWERS))[0 if channel == "chat" else 1 :]:
                await asyncio.sleep(self._dice.uniform(3, 8))
                await self._ask("reply", {"contact": contact, "message": f"m-{secrets.token_hex(12)}", "text": text})
        try:
            await asyncio.wait_for(left.wait(), self._dice.uniform(8, 25))
        except TimeoutError:
            await self._ask("finish", {"contact": contact})
        await self._wrap_up(contact)
        del self._left[contact]

    async def _wrap_up(self, contact: str) -> None:
        await asyncio.sleep(self._dice.uniform(2, 8))
        resolved = self._dice.random() < 0.82
        if not resolved:
            due_at = int((time.time() + self._dice.choice((180, 86_400))) * 1000)
            promise = {"contact": contact, "text": "Uitzoeken en terugbellen.", "agent": self._user, "due_at": due_at}
            await self._ask("follow_up", promise)
        await self._ask("wrap_up", {"contact": contact, "resolved": resolved, "note": ""})
