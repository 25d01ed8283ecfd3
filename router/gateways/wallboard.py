"""The supervisors' screen and the TV over Socket.IO: the board, and what a supervisor may do from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
import structlog
from aiohttp import web

from router.engine import commands
from router.errors import NotAllowed, Refusal, WrongState
from router.gateways.contacts import chosen, close, move, prioritise
from router.gateways.leases import Sleep
from router.gateways.openings import Announcement, Closing, Reopening, decided
from router.gateways.routes import Id, MaybeId, Priority, Rooms, Why, actor
from router.gateways.staff import StaffNamespace, check_reason
from router.port import Numbered
from router.projections import shapes
from router.sockets import Encoded, Event
from router.web import STAFF, InvalidField, Origins, Principal, where

AT_MOST_EVERY_SECONDS = 1.0
AT_LEAST_EVERY_SECONDS = 5.0
EXPLAINED_MAX = 50

log = structlog.get_logger()


class Choose(msgspec.Struct, frozen=True):
    """Which contacts to show."""

    queue: MaybeId = ""
    channel: MaybeId = ""


class MoveOne(msgspec.Struct, frozen=True):
    """Which contact goes to which queue, and why."""

    contact: Id
    queue: Id
    why: Why


class PrioritiseOne(msgspec.Struct, frozen=True):
    """Which contact gets which priority, and why."""

    contact: Id
    priority: Priority
    why: Why


class CloseOne(msgspec.Struct, frozen=True):
    """Which contact ends, and why."""

    contact: Id
    why: Why


class SetTheirPresence(msgspec.Struct, frozen=True):
    """Which agent becomes what."""

    agent: Id
    presence: Literal["ready", "paused", "signed_off"]
    reason: Annotated[str, msgspec.Meta(max_length=100)] = ""


class CloseChannels(Closing, frozen=True, kw_only=True):
    """Of which municipality."""

    municipality: Id


class OpenChannels(Reopening, frozen=True, kw_only=True):
    """Of which municipality."""

    municipality: Id


class Announce(Announcement, frozen=True, kw_only=True):
    """By which municipality."""

    municipality: Id


class Withdraw(msgspec.Struct, frozen=True):
    """Of which municipality."""

    municipality: Id

    def command(self, municipality: str, by: str) -> commands.Command:
        return commands.WithdrawCalamity(municipality, by)


class Listen(msgspec.Struct, frozen=True):
    """Which agent's call to take part in, and how."""

    agent: Id
    mode: Literal["listen", "whisper", "barge", ""]
    """Empty: leave it."""


class WallboardNamespace(StaffNamespace):
    """`/wallboard`: one board is encoded once and sent to all who may see the same of it."""

    roles = (*STAFF, "board")

    def __init__(
        self,
        rooms: Rooms,
        origins: Origins,
        *,
        at_most_every_seconds: float = AT_MOST_EVERY_SECONDS,
        at_least_every_seconds: float = AT_LEAST_EVERY_SECONDS,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        super().__init__("/wallboard", rooms, origins)
        self._at_most, self._at_least, self._sleep = at_most_every_seconds, at_least_every_seconds, sleep
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unlisten: Callable[[], None] | None = None
        self.events = {
            "contacts": Event(Choose, self._contacts),
            "move": Event(MoveOne, self._move),
            "prioritise": Event(PrioritiseOne, self._prioritise),
            "close": Event(CloseOne, self._close),
            "set_presence": Event(SetTheirPresence, self._set_presence),
            "listen": Event(Listen, self._listen),
            "close_channels": Event(CloseChannels, self._decide),
            "open_channels": Event(OpenChannels, self._decide),
            "announce_calamity": Event(Announce, self._decide),
            "withdraw_calamity": Event(Withdraw, self._decide),
        }

    async def start(self) -> None:
        self._unlisten = self.rooms.views.listen(self._heard)
        self._task = asyncio.create_task(self._run(), name="wallboard")
        self.start_sweeping()

    async def stop(self) -> None:
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        await self.stop_sweeping()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def connect(self, sid: str, request: web.Request, auth: dict[str, Any]) -> None:
        principal = self.admit(sid, request, auth)
        board = self.rooms.views.board()
        asyncio.get_running_loop().call_soon(self._send, [sid], board, principal.role == "supervisor")

    async def gone(self, sid: str) -> None:
        self.guests.pop(sid, None)

    # -- the board --------------------------------------------------------------------------------------------

    def _heard(self, _batch: Sequence[Numbered]) -> None:
        self._changed.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._at_least):
                    await self._changed.wait()
            except TimeoutError:
                log.debug("board sent without a change")
            self._changed.clear()
            try:
                self.show()
            except Exception as error:  # noqa: BLE001 - the next board is shown all the same
                log.error("board not shown", error=type(error).__name__, where=where(error))
            await self._sleep(self._at_most)

    def show(self) -> None:
        """Send the board to everybody who is connected."""
        if not self.guests:
            return
        board = self.rooms.views.board()
        whole = [sid for sid, guest in self.guests.items() if guest.principal.role == "supervisor"]
        self._send(whole, board, True)
        self._send([sid for sid in self.guests if sid not in set(whole)], board, False)

    def _send(self, sids: Sequence[str], board: shapes.Board, with_people: bool) -> None:
        if sids:
            shown = board if with_people else shapes.without_people(board)
            self.server.broadcast(self.namespace, sids, Encoded(self.namespace, "board", shown, slot="board"))

    # -- what a supervisor does -------------------------------------------------------------------------------

    def _supervisor(self, sid: str) -> Principal:
        principal = self.who(sid)
        if principal.role != "supervisor":
            raise NotAllowed("Only a supervisor may do this")
        return principal

    async def _contacts(self, sid: str, body: Choose) -> dict[str, Any]:
        self._supervisor(sid)
        found = [entry for entry in chosen(self.rooms, "", body.queue, body.channel) if entry.state != "ended"]
        shown = []
        for index, entry in enumerate(found):
            explained = await self._decision(entry.id) if entry.state == "waiting" and index < EXPLAINED_MAX else None
            shown.append({**msgspec.structs.asdict(entry.view()), "decision": explained})
        return {"contacts": shown}

    async def _decision(self, contact: str) -> shapes.Decision | None:
        try:
            return shapes.decision(await self.rooms.port.explain(contact))
        except Refusal:
            return None  # it no longer waits

    async def _move(self, sid: str, body: MoveOne) -> None:
        await move(self.rooms, self._supervisor(sid), body.contact, body.queue, body.why)

    async def _prioritise(self, sid: str, body: PrioritiseOne) -> None:
        await prioritise(self.rooms, self._supervisor(sid), body.contact, body.priority, body.why)

    async def _close(self, sid: str, body: CloseOne) -> None:
        await close(self.rooms, self._supervisor(sid), body.contact, body.why)

    async def _decide(self, sid: str, body: CloseChannels | OpenChannels | Announce | Withdraw) -> dict[str, Any]:
        opening = await decided(self.rooms, self._supervisor(sid), body.command, body.municipality)
        return {"opening": opening}

    async def _set_presence(self, sid: str, body: SetTheirPresence) -> None:
        principal = self._supervisor(sid)
        check_reason(self.rooms, body.presence, body.reason)
        if self.rooms.views.centre.agent(body.agent) is None:
            raise InvalidField("There is no such agent", "agent")
        await self.rooms.submit(commands.SetPresence(body.agent, body.presence, body.reason, by=actor(principal)))

    async def _listen(self, sid: str, body: Listen) -> None:
        """Take part in the call that the agent has now, change how, or leave it."""
        principal = self._supervisor(sid)
        by, in_hand = actor(principal), self.rooms.views.contacts.of_agent(body.agent)
        calls = [entry for entry in in_hand if entry.channel == "phone" and entry.state == "active"]
        if not calls:
            raise WrongState("This agent is not in a call")
        if not body.mode:
            await self.rooms.submit(commands.EndSupervision(calls[0].id, by))
            return
        agent = self.rooms.views.centre.agent(principal.agent) if principal.agent else None
        endpoint = principal.endpoint or (agent.endpoint if agent is not None else "")
        await self.rooms.submit(commands.Supervise(calls[0].id, by, body.mode, endpoint))
