"""Reads one IMAP mailbox: told of new mail by IDLE, looking for itself every minute, and never waiting for ever.

aioimaplib never wakes a command whose connection is gone, and a close during IDLE looks like a time-out; so every wait
here ends at a deadline or at the loss of the connection, whichever is first.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aioimaplib
import structlog

from router.channels.email.envelope import RAW_BYTES_MAX, TRUNCATED
from router.errors import Unavailable
from router.settings import EmailSettings

log = structlog.get_logger(__name__)

T = TypeVar("T")

POLL_SECONDS = 60.0
IDLE_SECONDS = 300.0
COMMAND_SECONDS = 30.0
FETCH_SECONDS = 180.0
BACKOFF_SECONDS_MAX = 60.0
ROUND_MAX = 200
"""Messages taken in one go, before the mailbox is searched again."""
OVERSIZED_BYTES = 256 * 1024
"""What is stored of a mail beyond the limit; the whole of it stays in the mailbox's done folder."""
MOVING_MAX = 10_000

_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_UIDVALIDITY = re.compile(rb"UIDVALIDITY (\d+)")

STARTING, READING, RECONNECTING, STOPPED = "starting", "reading", "reconnecting", "stopped"


class ConnectionGone(Exception):
    """The server has closed, refused or said what makes no sense; the mailbox is opened anew."""


class Mailbox:
    """One folder of one mailbox. `take` receives a raw mail and returns when it is on disk."""

    def __init__(
        self,
        settings: EmailSettings,
        take: Callable[[bytes], Awaitable[str]],
        *,
        poll_seconds: float = POLL_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        command_seconds: float = COMMAND_SECONDS,
        backoff_seconds: float = 1.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._take = take
        self._poll_seconds = min(poll_seconds, idle_seconds)
        self._command_seconds = command_seconds
        self._backoff_seconds = backoff_seconds
        self._tls = tls
        self._client: Any = None
        self._gone = asyncio.Event()
        self._uidvalidity = 0
        self._moving: dict[tuple[int, int], str] = {}
        self._refused: dict[tuple[int, int], int] = {}
        self._task: asyncio.Task[None] | None = None
        self.health = STOPPED
        """starting, reading, reconnecting or stopped"""
        self.connections = 0
        self.taken = 0
        self.put_off = 0
        """How often a mail could not be taken and was left where it is."""

    async def start(self) -> None:
        """Begin to read; a mailbox that is away now is tried again by itself."""
        self.health = STARTING
        self._task = asyncio.create_task(self._run(), name="email-mailbox")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self.health = STOPPED

    async def _run(self) -> None:
        pause = self._backoff_seconds
        while True:
            read_before = self.taken
            try:
                await self._open()
                while True:
                    if not await self._read_all():
                        await self._wait_for_news()
                    pause = self._backoff_seconds
            except Unavailable:
                log.info("mailbox.waits_for_centre")
            except (aioimaplib.AioImapException, ConnectionGone, TimeoutError, OSError, ValueError) as error:
                log.warning("mailbox.lost", cause=type(error).__name__, taken=self.taken - read_before)
            except Exception as error:  # noqa: BLE001  the library's own mistakes must not end the intake of mail
                log.error("mailbox.failed", cause=type(error).__name__)
            finally:
                await self._close()
            self.health = RECONNECTING
            await asyncio.sleep(pause)
            pause = min(pause * 2, BACKOFF_SECONDS_MAX)

    async def _within(self, work: Awaitable[T], seconds: float | None = None) -> T:
        """The result of `work`; TimeoutError at the deadline, ConnectionGone when the connection goes first."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait(
                {task, gone}, timeout=seconds or self._command_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if task.done():
                return task.result()
            if gone.done():
                raise ConnectionGone("closed by the server")
            raise TimeoutError
        finally:
            task.cancel()
            gone.cancel()
            await asyncio.wait({task, gone})

    async def _ok(self, work: Awaitable[Any], seconds: float | None = None) -> list[bytes | bytearray]:
        """The lines of a response that must be OK."""
        response = await self._within(work, seconds)
        if response.result != "OK":
            raise ConnectionGone(f"answered {response.result}")
        return list(response.lines)

    async def _open(self) -> None:
        settings = self._settings
        self._gone = gone = asyncio.Event()
        tls = (self._tls or ssl.create_default_context()) if settings.imap_tls else None
        self._client = client = aioimaplib.IMAP4(
            host=settings.imap_host,
            port=settings.imap_port,
            timeout=self._command_seconds,
            conn_lost_cb=lambda _: gone.set(),
            ssl_context=tls,
        )
        await self._within(client.wait_hello_from_server())
        await self._ok(client.login(_quoted(settings.imap_user), settings.imap_password))
        # What a server can do may differ before and after signing in.
        await self._within(client.protocol.capability())
        await self._within(client.create(_quoted(settings.imap_done_folder)))  # NO when it is there already
        selected = b" ".join(bytes(line) for line in await self._ok(client.select(_quoted(settings.imap_folder))))
        found = _UIDVALIDITY.search(selected)
        self._uidvalidity = int(found[1]) if found else 0
        self.connections += 1
        self.health = READING
        log.info("mailbox.open", connections=self.connections)

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        protocol = client.protocol
        if protocol.transport is not None:
            protocol.transport.abort()
        tasks = {client._client_task, *client.tasks, *protocol.tasks}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # seen: nobody else will look at it

    async def _read_all(self) -> bool:
        """Take every message that is there. False when there was nothing (that could be taken)."""
        lines = await self._ok(self._client.uid_search("UNDELETED", charset=None))
        uids = sorted({int(word) for line in lines[:-1] for word in bytes(line).split() if word.isdigit()})
        # What could not be taken before comes last, so that it never stands before what can.
        self._refused = {(self._uidvalidity, uid): self._refused.get((self._uidvalidity, uid), 0) for uid in uids}
        uids.sort(key=lambda uid: self._refused[self._uidvalidity, uid])
        taken = 0
        for uid in uids[:ROUND_MAX]:
            if (self._uidvalidity, uid) in self._moving or await self._take_one(uid):
                await self._move(uid)
                taken += 1
        return taken > 0

    async def _take_one(self, uid: int) -> bool:
        # Counted before it is tried: also a mail that the server itself cannot give must come last the next time.
        self._refused[self._uidvalidity, uid] = self._refused.get((self._uidvalidity, uid), 0) + 1
        raw = await self._fetch(uid)
        if raw is None:
            return False
        try:
            contact = await self._take(raw)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  one mail that cannot be taken must not hold up the others
            self.put_off += 1
            log.error("mail.put_off", uid=uid, cause=type(error).__name__)
            return False
        self.taken += 1
        # Remembered until it is moved, so that a folder that refuses it does not cost a parse every minute.
        self._moving[self._uidvalidity, uid] = contact
        while len(self._moving) > MOVING_MAX:
            del self._moving[next(iter(self._moving))]
        return True

    async def _fetch(self, uid: int) -> bytes | None:
        """The raw message; None when it has gone meanwhile."""
        lines = await self._ok(self._client.uid("fetch", str(uid), "(UID RFC822.SIZE)"))
        size = _SIZE.search(b" ".join(bytes(line) for line in lines))
        if size is None:
            return None
        part = "BODY.PEEK[]" if int(size[1]) <= RAW_BYTES_MAX else f"BODY.PEEK[]<0.{OVERSIZED_BYTES}>"
        lines = await self._ok(self._client.uid("fetch", str(uid), f"(UID {part})"), FETCH_SECONDS)
        literal = next((bytes(line) for line in lines if isinstance(line, bytearray)), None)
        if literal is not None and int(size[1]) > RAW_BYTES_MAX:
            literal = TRUNCATED + b"%d\r\n" % int(size[1]) + literal
        return literal

    async def _move(self, uid: int) -> None:
        client, folder = self._client, _quoted(self._settings.imap_done_folder)
        if client.has_capability("MOVE"):
            await self._ok(client.uid("move", str(uid), folder))
        else:
            await self._ok(client.uid("copy", str(uid), folder))
            await self._ok(client.uid("store", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
            # Without UIDPLUS only everything marked could be expunged, also what others have marked: then the
            # mark stays, and the search passes it over.
            if client.has_capability("UIDPLUS"):
                await self._ok(client.uid("expunge", str(uid)))
        self._moving.pop((self._uidvalidity, uid), None)

    async def _wait_for_news(self) -> None:
        """Until the server says that something has changed, or it is time to look anyway."""
        client = self._client
        if not client.has_capability("IDLE"):
            with contextlib.suppress(TimeoutError):
                await self._within(asyncio.Event().wait(), self._poll_seconds)
            await self._ok(client.noop())
            return
        idle = await self._within(client.idle_start(timeout=IDLE_SECONDS))
        try:
            with contextlib.suppress(TimeoutError):
                await self._within(client.protocol.idle_queue.get(), self._poll_seconds)
        finally:
            client.idle_done()
        await self._within(idle)
        while not client.protocol.idle_queue.empty():
            client.protocol.idle_queue.get_nowait()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
