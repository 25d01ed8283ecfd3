"""The web chat as a channel: follows the facts, serves visitors, and notices who has left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

from router.channels.channel import Surroundings
from router.channels.chat.fold import OpenChats
from router.channels.chat.following import Following
from router.channels.chat.visitors import TEXT_TYPE, Visitors
from router.engine.commands import AddMessage, NoteDelivery, ReportCensus
from router.engine.effects import Announce, Deliver, HangUp
from router.errors import KccError, Refusal
from router.keys import kept_key
from router.port import Order
from router.settings import ChatSettings
from router.sockets import Sockets
from router.web import where

KEY_BYTES = 32
AGAIN_MS = 1_000

log = structlog.get_logger()


class ChatChannel:
    """The channel `chat`. `on_visitor_typing` is told the contact; `agent_typing` is for the desk to call."""

    name = "chat"

    def __init__(
        self,
        surroundings: Surroundings,
        server: Sockets,
        settings: ChatSettings,
        data: Path,
        *,
        on_visitor_typing: Callable[[str], None] = lambda contact: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._port, self._now, self._vault = surroundings.port, surroundings.now, surroundings.vault
        self._data, self._gone_ms = data, settings.gone_seconds * 1000
        self._pause = pause
        self._chats = OpenChats(surroundings.centre)
        self._following = Following(surroundings.port, self._chats, self._changed, pause)
        self._visitors = Visitors(
            surroundings,
            self._chats,
            self._following.reached,
            mask_bsn=settings.mask_bsn,
            arrived=self._arrived,
            left=self._left,
            on_typing=on_visitor_typing,
        )
        self._gone: dict[str, int] = {}
        """Open chats without a socket, and since when."""
        self._gone_changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        server.register_namespace(self._visitors)

    async def start(self) -> None:
        """Learn which chats are open; their visitors get the usual time to come back. Then take visitors in."""
        key = await asyncio.to_thread(kept_key, self._data / "keys", "chat")
        self._tasks.append(asyncio.create_task(self._following.run(), name="chat facts"))
        await self._following.catch_up()
        self._gone = dict.fromkeys(
            (c.contact for c in self._chats.open() if not self._visitors.has_socket(c.contact)), self._now()
        )
        await self._report_census()
        self._visitors.open(key)
        self._tasks.append(asyncio.create_task(self._watch(), name="chat leavers"))
        log.info("chat.started", open=len(self._gone))

    async def perform(self, order: Order) -> None:
        """`HangUp` closes the chat for its visitor. A message needs no sending: it is in the chat, now or on return."""
        effect = order.effect
        if isinstance(effect, HangUp):
            self._chats.close(effect.contact)
            self._changed(self._chats.settle())
        elif isinstance(effect, Announce):
            await self._announce(effect)
        elif isinstance(effect, Deliver):
            try:
                await self._port.submit(NoteDelivery(effect.contact, effect.number, "delivered"))
            except KccError as error:
                log.warning("chat.delivery_not_noted", contact=effect.contact, code=error.code)

    async def _announce(self, effect: Announce) -> None:
        """A line in the chat, in the visitor's language; the same message twice is one line."""
        chat = self._chats.chats.get(effect.contact)
        texts = self._chats.centre.messages.get(effect.message, {})
        text = texts.get(chat.language if chat else "nl") or texts.get("nl")
        if chat is None or not text:
            return
        try:
            ref = await self._vault.store(effect.contact, TEXT_TYPE, text.encode())
            await self._port.submit(AddMessage(effect.contact, f"announce-{effect.message}", "system", ref))
        except KccError as error:
            log.warning("chat.not_announced", contact=effect.contact, code=error.code)

    async def stop(self) -> None:
        """Take nothing in any more; visitors come back to the next process with their token."""
        await self._visitors.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def agent_typing(self, contact: str) -> None:
        """The agent is typing: shown to the visitor, kept nowhere."""
        self._visitors.agent_typing(contact)

    # -- who has left -----------------------------------------------------------------------------------------

    async def end_the_gone(self) -> None:
        """End every chat whose visitor has been away for too long."""
        now = self._now()
        for contact in [c for c, since in self._gone.items() if since + self._gone_ms <= now]:
            chat = self._chats.chats.get(contact)
            since = self._gone.pop(contact, now)
            if chat is None or self._visitors.has_socket(contact):
                continue
            try:
                await self._visitors.end(chat)
            except Refusal as refusal:
                log.info("chat.already_over", contact=contact, code=refusal.code)
            except Exception as error:  # noqa: BLE001 - tried again, and logged without what it says
                log.warning("chat.end_not_recorded", contact=contact, error=type(error).__name__, where=where(error))
                self._gone[contact] = max(since, now - self._gone_ms + AGAIN_MS)

    async def _watch(self) -> None:
        while True:
            self._gone_changed.clear()
            await self.end_the_gone()
            soonest = min(self._gone.values(), default=None)
            wait_ms = None if soonest is None else max(soonest + self._gone_ms - self._now(), 10)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if wait_ms is None else wait_ms / 1000):
                    await self._gone_changed.wait()

    def _arrived(self, contact: str) -> None:
        self._gone.pop(contact, None)

    def _left(self, contact: str) -> None:
        chat = self._chats.chats.get(contact)
        if chat is not None and chat.state != "ended":
            self._gone.setdefault(contact, self._now())
            self._gone_changed.set()

    def _changed(self, contacts: set[str]) -> None:
        """After a batch of facts: nobody is overlooked, and sockets show what is new."""
        for contact in contacts:
            chat = self._chats.chats.get(contact)
            if chat is None or chat.state == "ended":
                self._gone.pop(contact, None)
            elif not self._visitors.has_socket(contact):
                self._left(contact)
            self._visitors.wake(contact)

    # -- starting ---------------------------------------------------------------------------------------------

    async def _report_census(self) -> None:
        """Only when the centre waits for it. Every open chat counts as up: its visitor may be about to come back."""
        if not self._chats.census_pending:
            return
        open_chats = self._chats.open()
        answered = {chat.contact: chat.agent for chat in open_chats if chat.state == "active"}
        try:
            await self._port.submit(ReportCensus(self.name, tuple(chat.contact for chat in open_chats), answered))
        except KccError as error:
            log.warning("chat.census_refused", code=error.code)
