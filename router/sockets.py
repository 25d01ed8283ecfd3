"""Socket.IO, hardened: web sockets only, text only, in order, with a limit on what waits for a slow reader."""

from __future__ import annotations

import asyncio
import collections
import logging
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import engineio
import msgspec
import socketio
import structlog
from aiohttp import web
from engineio import packet as engine_packet
from engineio.async_drivers.aiohttp import _async as aiohttp_driver
from socketio import packet as socket_packet

from router.errors import Fault, InvalidInput, KccError
from router.web import Origins, RateLimit, error_body, problem, shaped, where

FRAME_BYTES_MAX = 262_144
WAITING_PACKETS_MAX = 200
WAITING_BYTES_MAX = 2_000_000
AHEAD_BYTES_MAX = 65_536
"""So much of what was written may still be on its way to the client; more waits in the outbox."""
CONNECTIONS_MAX = 5_000
JOIN_SECONDS = 10
"""A connection that has entered no namespace by then is closed."""

log = structlog.get_logger()


class PacketRefused(ValueError):
    """The client sent a packet we do not take: binary, an acknowledgement, or not a packet at all."""


class TextPacket(socket_packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet without attachments; binary ones could make the server keep what never completes."""

    uses_binary_events = False

    def decode(self, encoded_packet: Any) -> int:
        try:
            attachments = super().decode(encoded_packet)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            raise PacketRefused("not a packet") from None
        taken = (socket_packet.CONNECT, socket_packet.DISCONNECT, socket_packet.EVENT)
        if attachments or self.packet_type not in taken:
            raise PacketRefused("not taken here")
        is_event = isinstance(self.data, list) and bool(self.data) and isinstance(self.data[0], str)
        if self.packet_type == socket_packet.EVENT and not is_event:
            raise PacketRefused("not an event")
        if self.packet_type == socket_packet.CONNECT and not isinstance(self.data, dict | None):
            raise PacketRefused("not a connect packet")
        return 0


class Encoded:
    """A packet encoded once, for all who get it. With a `slot` it replaces an earlier one that still waits."""

    __slots__ = ("slot", "text")
    packet_type = engine_packet.MESSAGE

    def __init__(self, namespace: str, event: str, body: Any, slot: str = "") -> None:
        name = msgspec.json.encode(event).decode()
        self.text = f"4{socket_packet.EVENT}{namespace},[{name},{msgspec.json.encode(body).decode()}]"
        self.slot = slot

    @property
    def data(self) -> str:
        return self.text

    def encode(self, b64: bool = False) -> str:
        return self.text


class Outbox(asyncio.Queue[Any]):
    """What waits for one client, counted until it is written; beyond a limit the client is cut off.

    All that is sent comes through here. While nothing waits and the client reads, a message is written at once;
    pings still pass the queue: Engine.IO closes a connection whose queue stays empty for long.
    """

    def __init__(self) -> None:
        self.owed_packets = 0
        self.owed_bytes = 0
        self.write: Callable[[str], bool] | None = None
        """Writes a frame at once; False when it must wait. None until the web socket is open."""
        self.cut: Callable[[], None] | None = None
        self.is_cut = False
        super().__init__()

    def put_nowait(self, item: Any) -> None:
        if self._at_once(item):
            return
        slot = getattr(item, "slot", "")
        waiting: collections.deque[Any] = self._queue  # type: ignore[attr-defined]
        if slot:
            for index, older in enumerate(waiting):
                if getattr(older, "slot", "") == slot:
                    self.owed_bytes += _size(item) - _size(older)
                    waiting[index] = item
                    self._guard()
                    return
        if self.is_cut and item is not None:
            return
        super().put_nowait(item)
        if item is not None:
            self.owed_packets += 1
            self.owed_bytes += _size(item)
            self._guard()

    def _at_once(self, item: Any) -> bool:
        if item is None or item.packet_type != engine_packet.MESSAGE or self.owed_packets or self.write is None:
            return False
        return self.write(item.encode())

    def written(self, frame: str | bytes) -> None:
        self.owed_packets -= 1
        self.owed_bytes -= len(frame)

    def _guard(self) -> None:
        if self.owed_packets > WAITING_PACKETS_MAX or self.owed_bytes > WAITING_BYTES_MAX:
            self.drop()

    def drop(self) -> None:
        """Cut the client off at once, whatever still waits."""
        if not self.is_cut:
            self.is_cut = True
            if self.cut is not None:
                self.cut()


def _size(item: Any) -> int:
    data = item.data
    if isinstance(data, str):
        return len(data) + (0 if isinstance(item, Encoded) else 1)
    return len(item.encode())


class TextWebSocket:
    """The aiohttp web socket as Engine.IO drives it, without compression, and closing at the first odd frame."""

    def __init__(self, handler: Callable[[Any], Awaitable[None]], server: Any) -> None:
        self._handler, self._limit = handler, server.max_http_buffer_size
        self._outbox: Outbox = handler.__self__.queue  # type: ignore[attr-defined]
        self._socket = web.WebSocketResponse(max_msg_size=self._limit, compress=False, timeout=5)

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        request: web.Request = environ["aiohttp.request"]
        await self._socket.prepare(request)
        transport = request.transport
        if transport is not None:
            self._outbox.cut, self._outbox.write = transport.abort, partial(self._write, transport)
        await self._handler(self)
        return self._socket

    async def close(self) -> None:
        await self._socket.close()

    def _write(self, transport: asyncio.Transport, frame: str) -> bool:
        """Past aiohttp's writer, which asks for a task; not compressed, a frame is a header and its text."""
        if self._socket.closed or transport.is_closing() or transport.get_write_buffer_size() > AHEAD_BYTES_MAX:
            return False
        transport.write(_text_frame(frame.encode()))
        return True

    async def send(self, frame: str) -> None:
        """Write what had to wait, as fast as the client reads."""
        await self._socket.send_str(frame)
        self._outbox.written(frame)

    async def wait(self) -> str:
        message = await self._socket.receive()
        if not isinstance(message.data, str) or not _is_frame(message.data):
            raise OSError("closed, or not a text frame of ours")
        return message.data


def _text_frame(text: bytes) -> bytes:
    """One whole message from a server (RFC 6455, 5.2): the last frame of a text, not masked, and its length."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + text
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + text
    return struct.pack("!BBQ", 0x81, 127, size) + text


def _is_frame(text: str) -> bool:
    """Engine.IO close, ping, pong; or a message that holds a Socket.IO packet (never bare JSON, never base64)."""
    return text[:1] in {"1", "2", "3"} or (text[:1] == "4" and text[1:2] in set("0123456"))


class _Engine(engineio.AsyncServer):  # type: ignore[misc]
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._async = {**aiohttp_driver, "websocket": TextWebSocket}

    def create_queue(self, *_args: Any, **_options: Any) -> Outbox:
        return Outbox()


class Sockets(socketio.AsyncServer):  # type: ignore[misc]
    """The one Socket.IO server of the process; channels and gateways add their namespaces to it."""

    origins: Origins
    has_cookie: Callable[[web.Request], bool]
    log_names: frozenset[str] = frozenset()

    def _engineio_server_class(self) -> type[Any]:
        return _Engine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        asyncio.get_running_loop().call_later(JOIN_SECONDS, self._cut_unless_joined, eio_sid)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except PacketRefused as refused:
            log.warning("socket cut", reason=str(refused))
            self.cut(eio_sid)

    def _cut_unless_joined(self, eio_sid: str) -> None:
        if eio_sid in self.eio.sockets and not any(
            self.manager.sid_from_eio_sid(eio_sid, namespace) for namespace in list(self.manager.get_namespaces())
        ):
            self.cut(eio_sid)

    def cut(self, eio_sid: str) -> None:
        """End a connection at once."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            socket.queue.drop()

    def broadcast(self, namespace: str, sids: Iterable[str], packet: Encoded) -> None:
        """Put one encoded packet before many clients, without a task for each."""
        for sid in sids:
            eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
            socket = self.eio.sockets.get(eio_sid) if eio_sid else None
            if socket is not None and not socket.closed:
                socket.queue.put_nowait(packet)

    def waiting(self, sid: str, namespace: str) -> tuple[int, int]:
        """Packets and bytes not yet written to this client."""
        socket = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, namespace) or "")
        return (socket.queue.owed_packets, socket.queue.owed_bytes) if socket is not None else (0, 0)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The route `/socket.io/`: the Origin is looked at before anything else."""
        if not self.origins.allows(request.headers, self.origins.visitors, with_cookie=self.has_cookie(request)):
            return problem("not_allowed", "This Origin is not allowed here")
        if len(self.eio.sockets) >= CONNECTIONS_MAX:
            return problem("unavailable", "Too many connections", retry_after=10)
        answer: web.StreamResponse = await self.eio.handle_request(request)
        return answer

    async def close(self) -> None:
        """End all connections and the server's own tasks."""
        for eio_sid in list(self.eio.sockets):
            self.cut(eio_sid)
        if self.eio.service_task_handle is not None:
            await self.shutdown()


def make_sockets(origins: Origins, has_cookie: Callable[[web.Request], bool]) -> Sockets:
    """The server, quiet (its INFO lines print what people write), with an explicit list of origins.

    Mount it with `app.router.add_get("/socket.io/", sockets.handle)`.
    """
    for name in ("socketio.server", "engineio.server"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sockets = Sockets(
        transports=["websocket"],
        async_handlers=False,
        serializer=TextPacket,
        max_http_buffer_size=FRAME_BYTES_MAX,
        # An empty list would switch the check off; `handle` has looked already, this looks again.
        cors_allowed_origins=lambda origin, _environ: origin in origins.visitors,
        cors_credentials=False,
        http_compression=False,
        allow_upgrades=False,
        logger=logging.getLogger("socketio.server"),
        engineio_logger=logging.getLogger("engineio.server"),
        namespaces=[],
    )
    sockets.origins, sockets.has_cookie = origins, has_cookie
    return sockets


# -- namespaces ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """One event a namespace takes: the shape of its body, and what to do with it."""

    shape: type[Any]
    run: Callable[[str, Any], Awaitable[dict[str, Any] | None]]


class Namespace(socketio.AsyncNamespace):  # type: ignore[misc]
    """A namespace whose events have a shape, a rate limit and one way to answer. Raise a KccError to refuse."""

    events: Mapping[str, Event]
    limit: RateLimit

    async def connect(self, sid: str, request: web.Request, auth: dict[str, Any]) -> None:
        """Let somebody in, or raise a KccError."""
        raise NotImplementedError

    async def gone(self, sid: str) -> None:
        """The client has left."""
        raise NotImplementedError

    async def trigger_event(self, event: str, *args: Any) -> Any:
        if event == "connect":
            return await self._connect(*args)
        if event == "disconnect":
            return await self.gone(args[0])
        try:
            known = self.events.get(event)
            if known is None:
                raise InvalidInput("There is no such event")
            self.limit.take(args[0])
            body = shaped(args[1] if len(args) > 1 else {}, known.shape)
            answer = {"ok": True, **(await known.run(args[0], body) or {})}
            return msgspec.to_builtins(answer, str_keys=True)
        except KccError as error:
            return {"ok": False, "error": error_body(error)}
        except Exception as error:  # noqa: BLE001 - one event must not end the connection
            log.error("event failed", namespace=self.namespace, error=type(error).__name__, where=where(error))
            return {"ok": False, "error": error_body(Fault())}

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        try:
            await self.connect(sid, environ["aiohttp.request"], auth if isinstance(auth, dict) else {})
        except KccError as error:
            body = error_body(error)
            raise socketio.exceptions.ConnectionRefusedError(body["message"], {"code": body["code"]}) from None
        except Exception as error:  # noqa: BLE001 - a refusal with a code is what the client understands
            log.error("connection failed", error=type(error).__name__, where=where(error))
            raise socketio.exceptions.ConnectionRefusedError("Something broke here", {"code": "fault"}) from None

    def send(self, event: str, body: Any, sids: Iterable[str], *, slot: str = "") -> None:
        """Send one event, encoded once, to these clients. With a slot only the newest waits."""
        self.server.broadcast(self.namespace, sids, Encoded(self.namespace, event, body, slot))
