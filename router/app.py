"""Wires everything, starts and stops it; the only module that knows all the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvloop
from aiohttp import web

from router.centre import Centre, Clock
from router.channels.channel import Channel, Surroundings
from router.channels.chat.adapter import ChatChannel
from router.channels.counter.adapter import CounterChannel
from router.channels.email.adapter import EmailChannel
from router.channels.post.adapter import PostChannel
from router.channels.post.webhook import EVENT_BODIES, events_handler
from router.channels.voice.adapter import VoiceChannel
from router.courtesy import Courtesy
from router.disk import DiskWatch
from router.engine.facts import ContactReceived, FollowUpMade
from router.errors import ConfigurationInvalid, Fault
from router.garbage import collect_when_quiet
from router.gateways.accounts import Accounts
from router.gateways.answer_links import AnswerLinks
from router.gateways.answer_page import AnswerPage
from router.gateways.desk import DeskNamespace
from router.gateways.http import build_app
from router.gateways.outcomes import KEPT_AS
from router.gateways.routes import Rooms, Route
from router.gateways.wallboard import WallboardNamespace
from router.journal.sqlite import SqliteJournal
from router.keys import kept_key
from router.learning import Learning
from router.nouns import Standing
from router.orders import Dispatcher
from router.projections.views import Views
from router.settings import Settings
from router.skills.classification import keyword_hints, queue_of
from router.sockets import make_sockets
from router.telemetry import Metrics, configure_logging
from router.vault.store import SqliteVault
from router.watchdog import Watchdog
from router.web import Origins
from router.wire import decode

log = structlog.get_logger()

SNAPSHOT_EVERY_FACTS = 50_000
SNAPSHOT_LOOK_SECONDS = 60
SWEEP_SECONDS = 6 * 3600
"""Between two looks for what the vault keeps no longer."""
STOP_SECONDS_MAX = 10
IDLE_SECONDS_MAX = 15
"""A connection without a whole request for so long is closed."""

Beside = Callable[[Settings], Coroutine[Any, Any, None]]
"""Something to run beside the server once it is up, such as the demo."""


WINDOW_DAYS_BY_PHONE = 1
"""Callers choose among what is left of today and the next day that is open."""


class App:
    """The server of one contact centre in one process."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self._folder = settings, folder
        data = settings.server.data
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clock = Clock()
        self._disk = DiskWatch(data)
        self.vault = SqliteVault(data)
        census = ("desk", *(pbx.world for pbx in settings.voice.pbxs)) if settings.voice else ("desk",)
        courtesy = Courtesy()
        journal = SqliteJournal(data, settings.centre.id)
        self.centre = Centre(journal, settings.centre, settings.version, census, self._clock, courtesy)
        self.views = Views(self.centre, settings.centre, self._clock, courtesy)
        self.learning = Learning(self.centre, self.views, self._clock)
        self.views.attach(self.learning)
        self.metrics = Metrics()
        self.views.attach(self.metrics)
        self.accounts = Accounts(settings.accounts, settings.server, self._clock)
        self.origins = Origins(settings.server)
        self.sockets = make_sockets(self.origins, self.accounts.has_cookie)
        self.rooms = Rooms(self.centre, self.vault, self.views, self.accounts, settings, self._clock)
        self.desk = DeskNamespace(self.rooms, self.origins, typing=self._agent_typing)
        self.wallboard = WallboardNamespace(self.rooms, self.origins)
        self._make_channels(data)
        self._dispatchers = [Dispatcher(self.centre, channel) for channel in self.channels]
        self._watchdog = Watchdog(self.metrics.stalled, self.voice)
        self._tasks: list[asyncio.Task[None]] = []
        self._typing: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._up = False

    # -- wiring -----------------------------------------------------------------------------------------------

    async def _standing(self, contact: str, number: int) -> Standing | None:
        """Where a caller stands; None when it does not wait, or the views lag behind."""
        return self.views.standings.of(contact, self._clock()) if await self.views.reached(number) else None

    def _personal(self, contact: str) -> tuple[str, str]:
        entry = self.views.contacts.open.get(contact)
        return (entry.citizen, entry.content_ref) if entry is not None else ("", "")

    def _make_channels(self, data: Path) -> None:
        settings = self.settings
        around = Surroundings(
            self.centre,
            self.vault,
            settings.centre,
            partial(keyword_hints, settings.keywords),
            partial(queue_of, settings.centre),
            lambda municipality, channel: self.views.openings.is_open(municipality, channel, self._clock()),
            lambda municipality, channel: self.views.openings.opens_at(municipality, channel, self._clock()),
            self.views.openings.calamity,
            self._standing,
            lambda municipality: self.views.openings.windows(municipality, self._clock(), WINDOW_DAYS_BY_PHONE),
            self._clock,
            self._personal,
            self.views.courtesy.hurry,
        )
        self.answers = AnswerLinks(settings.server.address, kept_key(data / "keys", "answers"))
        self.counter = CounterChannel(around, kept_key(data / "keys", "counter"))
        self.post = PostChannel(around, settings.post)
        self.channels: list[Channel] = [self.counter, self.post]
        self.chat: ChatChannel | None = None
        self.voice: VoiceChannel | None = None
        if settings.chat is not None:
            self.chat = ChatChannel(around, self.sockets, settings.chat, data, on_visitor_typing=self._visitor_typing)
            self.channels.append(self.chat)
        self.email: EmailChannel | None = None
        if settings.email is not None:
            asks = settings.email.ask_answered
            self.email = EmailChannel(around, settings.email, data, answer_link=self.answers.link if asks else None)
            self.channels.append(self.email)
        if settings.voice is not None:
            self.voice = VoiceChannel(around, settings.voice)
            self.metrics.watch_agi(self.voice.agi_counts)
            self.channels += [self.voice, self.voice.callbacks]

    async def _agent_typing(self, contact: str) -> None:
        if self.chat is not None:
            await self.chat.agent_typing(contact)

    def _visitor_typing(self, contact: str) -> None:
        typing = asyncio.create_task(self.desk.citizen_typing(contact))
        self._typing.add(typing)
        typing.add_done_callback(self._typing.discard)

    async def _session_ended(self, session: bytes) -> None:
        await self.desk.end_session(session)
        await self.wallboard.end_session(session)

    def _ready(self) -> bool:
        return self._up and self.centre.healthy and self.views.running and self._disk.well

    def _web(self) -> web.Application:
        async def describe(contact: str, number: int) -> dict[str, Any]:
            await self.views.reached(number)
            shown: dict[str, Any] = msgspec.to_builtins(self.rooms.entry(contact).view())
            return shown

        events = Route(
            "POST",
            "/api/v1/events",
            "postEvent",
            "A scanned letter as a CloudEvent",
            events_handler(self.post, describe),
            roles=("integrator",),
            status=201,
            also=(200,),
            bodies=EVENT_BODIES,
        )
        app = build_app(
            self.rooms,
            register=self.counter.register,
            ready=self._ready,
            origins=self.origins,
            sockets=self.sockets,
            ended=self._session_ended,
            more=(events,),
        )
        AnswerPage(self.rooms, self.answers).mount(app)
        return app

    # -- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Everything up, intake last. Raises a Fault when the centre is owned elsewhere or the port is taken."""
        server = self.settings.server
        await self.centre.start()
        await self.views.start()
        await self.views.reached(self.centre.position)
        for namespace in (self.desk, self.wallboard):
            self.sockets.register_namespace(namespace)
            await namespace.start()
        self._runner = web.AppRunner(
            self._web(), access_log=None, shutdown_timeout=2, keepalive_timeout=IDLE_SECONDS_MAX
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, server.host, server.port).start()
        except OSError as error:
            what = f"port {server.port} on {server.host} is not free: {error.strerror}"
            raise Fault(what, code="port_taken") from error
        for dispatcher, channel in zip(self._dispatchers, self.channels, strict=True):
            await channel.start()
            dispatcher.start()
        self._watchdog.start()
        self._tasks.append(asyncio.create_task(self.learning.run(), name="learning"))
        self._tasks.append(asyncio.create_task(self._snapshots(), name="snapshots"))
        self._tasks.append(asyncio.create_task(self._sweeps(), name="sweeps"))
        self._tasks.append(asyncio.create_task(self._disk.run(), name="disk"))
        self._up = True
        log.info("server.up", host=server.host, port=server.port, channels=[c.name for c in self.channels])

    async def stop(self) -> None:
        """Take nothing in any more, finish what is under way, close. What waits stays recorded."""
        self._up = False
        self._watchdog.stop()
        for channel in self.channels:
            await _within(channel.stop(), f"channel {channel.name}")
        for dispatcher in self._dispatchers:
            await _within(dispatcher.stop(), "orders")
        for namespace in (self.desk, self.wallboard):
            await _within(namespace.stop(), "screens")
        await _within(self.sockets.close(), "sockets")
        if self._runner is not None:
            await _within(self._runner.cleanup(), "web")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.views.stop()
        self.accounts.close()
        await self.centre.stop()
        await self.vault.close()
        log.info("server.down")

    async def _sweeps(self) -> None:
        """Remove what was put into the vault for contacts that never came about, and what was kept for a time."""
        while True:
            try:
                log.info("vault.expired", items=await self.vault.expire())
            except Fault as fault:
                log.error("vault.not_expired", code=fault.code)
            await asyncio.sleep(SWEEP_SECONDS)
            known = {KEPT_AS: True} | await asyncio.to_thread(
                _contacts_ever, self.settings.server.data, self.settings.centre.id
            )
            log.info("vault.swept", items=await self.vault.sweep(known))

    async def _snapshots(self) -> None:
        """Have another process fold the journal now and then, so that a start is quick and the loop never waits."""
        taken = 0
        while True:
            await asyncio.sleep(SNAPSHOT_LOOK_SECONDS)
            number = self.centre.position
            if number - taken < SNAPSHOT_EVERY_FACTS:
                continue
            command = [sys.executable, "-m", "router", "snapshot", "--config", str(self._folder)]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
            log.info("snapshot.made", number=number, well=await process.wait() == 0)
            taken = number


def _contacts_ever(data: Path, centre: str) -> dict[str, bool]:
    """Every contact that the record knows, open or long ended."""
    reader = SqliteJournal.reader(data, centre)
    try:
        facts = (decode(entry.fact) for entry in reader.read())
        return {fact.contact: True for fact in facts if isinstance(fact, ContactReceived | FollowUpMade)}
    finally:
        reader.close()


async def _within(ending: Awaitable[None], what: str) -> None:
    """Wait for something to end, but not for ever: stopping must come to an end too."""
    try:
        await asyncio.wait_for(ending, STOP_SECONDS_MAX)
    except TimeoutError:
        log.warning("stop.slow", what=what)
    except Exception:
        log.exception("stop.failed", what=what)


async def run(settings: Settings, folder: Path, beside: Beside | None = None) -> None:
    """Run until SIGINT or SIGTERM, until this process may no longer run the centre, or until `beside` has ended."""
    app = App(settings, folder)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await app.start()
        sys.stdout.write(welcome(settings, app.email.listens_on if app.email else 0) + "\n")
        sys.stdout.flush()
        waiting: list[asyncio.Future[Any]] = [
            asyncio.create_task(ended.wait()),
            asyncio.create_task(collect_when_quiet(app.views.courtesy)),
        ]
        if beside is not None:
            waiting.append(asyncio.create_task(beside(settings)))
        if app.centre.ended is not None:
            waiting.append(app.centre.ended)
        done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for task in done:
            task.result()
    finally:
        await app.stop()


def serve(settings: Settings, folder: Path, beside: Beside | None = None) -> int:
    """Run the server in the foreground; gives the exit status. Raises ConfigurationInvalid for a processor that it
    cannot have."""
    configure_logging()
    if settings.server.processor >= 0:
        _keep_to(settings.server.processor)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings, folder, beside))
    return 0


def _keep_to(processor: int) -> None:
    """Its threads take turns, so a second processor would only make them wait for each other's memory."""
    try:
        os.sched_setaffinity(0, {processor})
    except (AttributeError, OSError) as error:
        remedy = "leave it out, or write one of those that `nproc` counts, from 0 on"
        raise ConfigurationInvalid([f"processor: number {processor} is not there for this server; {remedy}"]) from error


def welcome(settings: Settings, mail_port: int) -> str:
    """What is printed when the server is up: the addresses, and for the demo how to sign in."""
    server = settings.server
    base = server.address
    lines = [
        "",
        f"  {settings.centre.name} is open.",
        f"  desk       {base}/desk",
        f"  wallboard  {base}/wallboard",
    ]
    if server.demo:
        agents = " ".join(a.id for a in settings.accounts if a.role == "agent")
        supervisors = " ".join(a.id for a in settings.accounts if a.role == "supervisor")
        lines += [
            f"  visitor    {base}/demo",
            f"  password   {server.demo_password}  for every demo account",
            f"  agents     {agents}",
            f"  supervisors {supervisors}",
            *(f"  token      {token}  ({account})" for account, token in server.demo_tokens.items()),
        ]
    if settings.email is not None and settings.email.listener_port:
        taken = f"port {settings.email.listener_port} is taken: choose another with KCC_MAIL_PORT"
        lines.append(f"  mail       {f'smtp://{settings.email.listener_host}:{mail_port}' if mail_port else taken}")
    if settings.post is not None and settings.post.folder is not None:
        lines.append(f"  scans      {settings.post.folder}/<municipality>/*.pdf")
    return "\n".join([*lines, ""])
