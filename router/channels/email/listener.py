"""A small SMTP server on loopback, for the demo and for a mail server that forwards: 250 means it is on disk."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Callable, Collection
from typing import cast

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from router.channels.email.envelope import RAW_BYTES_MAX
from router.settings import EmailSettings

log = structlog.get_logger(__name__)

RECIPIENTS_MAX = 20
CONNECTIONS_MAX = 10
SESSION_SECONDS = 60.0
COMMANDS_MAX = {"*": 20, "RCPT": 60, "MAIL": 50, "DATA": 50, "RSET": 50, "NOOP": 20}
TAKE_SECONDS = 60.0
_PATH = re.compile(r"^[!-;=?-~]{0,320}\Z")


class Listener:
    """Takes mail for `addresses` (lower case) and passes it on to `take`, a copy for each municipality."""

    def __init__(
        self,
        settings: EmailSettings,
        take: Callable[[bytes], Awaitable[str]],
        addresses: Collection[str],
        *,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._settings = settings
        self._take = take
        self._addresses = frozenset(address.lower() for address in addresses)
        self._connections_max = connections_max
        self._sessions: set[_Smtp] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        """The port it listens on, once started."""

    async def start(self) -> None:
        host = self._settings.listener_host
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the mail listener has no encryption and no sign-in: it listens on loopback only")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Smtp(self, loop), host, self._settings.listener_port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            session.drop()
        await self._server.wait_closed()
        self._server = None

    # -- what aiosmtpd calls ------------------------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 Too many recipients"
        if self._addresses and address.lower() not in self._addresses:
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        path = envelope.mail_from or ""
        municipalities: dict[str, str] = {}
        for address in envelope.rcpt_tos:
            municipalities.setdefault(self._settings.addresses.get(address.lower(), ""), address)
        try:
            async with asyncio.timeout(TAKE_SECONDS):
                for address in municipalities.values():
                    # What any last mail server writes on top: who sent it, and for whom this copy is.
                    head = f"Return-Path: <{path if _PATH.match(path) else ''}>\r\nDelivered-To: {address}\r\n"
                    await self._take(head.encode("utf-8", "replace") + content)
        except Exception as error:  # noqa: BLE001  whatever went wrong, the sender must keep it and come again
            log.warning("mail.not_taken", cause=type(error).__name__)
            return "451 4.3.0 Not stored: try again later"
        return "250 2.0.0 Stored"


class _Smtp(SMTP):
    """One connection, counted."""

    # The mail protocol's 1,000 bytes a line are broken by many a program.
    line_length_limit = 16_384

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._listener = listener
        super().__init__(
            listener,
            data_size_limit=RAW_BYTES_MAX,
            enable_SMTPUTF8=False,
            hostname="kcc-router",
            ident="kcc-router",
            timeout=SESSION_SECONDS,
            command_call_limit=COMMANDS_MAX,
            loop=loop,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._listener._sessions.add(self)
        if len(self._listener._sessions) > self._listener._connections_max:
            log.warning("mail.listener_full")
            self.drop()

    def connection_lost(self, error: Exception | None) -> None:
        self._listener._sessions.discard(self)
        super().connection_lost(error)

    def drop(self) -> None:
        """Close at once: the sender tries again later."""
        if self.transport is not None:
            # Not asked for by its class: uvloop's transports have another one.
            cast(asyncio.Transport, self.transport).abort()
