"""The e-mail channel as the rest sees it: takes mail in from mailbox and listener, sends replies, starts and stops."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import structlog

from router.channels.channel import Surroundings
from router.channels.email.intake import Intake
from router.channels.email.letters import Letters
from router.channels.email.listener import Listener
from router.channels.email.mailbox import IDLE_SECONDS, POLL_SECONDS, STOPPED, Mailbox
from router.channels.email.parsing import Parser
from router.channels.email.receipts import PER_HOUR
from router.channels.email.sending import RETRY_SECONDS, Sender
from router.channels.email.threads import Threads
from router.engine.effects import Deliver
from router.keys import kept_key
from router.port import Order
from router.settings import EmailSettings

log = structlog.get_logger(__name__)


class EmailChannel:
    """A `Channel`. Mail waits in its mailbox while the router is away, so there is no census to take."""

    name = "email"

    def __init__(
        self,
        around: Surroundings,
        settings: EmailSettings,
        data: Path,
        *,
        answer_link: Callable[[str, str], str] | None = None,
        workers: int = 1,
        poll_seconds: float = POLL_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        retry_seconds: tuple[float, ...] = RETRY_SECONDS,
        receipts_per_hour: int = PER_HOUR,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        default = settings.default_municipality
        if not default:
            # No wrong door: a mail to an address that nobody listed still gets to somebody.
            default = around.centre.municipalities[0].id
            if settings.imap_host:
                log.warning("mail.without_default_municipality", used=default)
        threads = Threads(kept_key(data / "keys", "mail-threads"))
        self.parser = Parser(workers=workers)
        self.letters = Letters(around.port, data / "email.sqlite")
        self.intake = Intake(
            around,
            settings.addresses,
            default,
            parser=self.parser,
            threads=threads,
            letters=self.letters,
            receipts_per_hour=receipts_per_hour,
        )
        self.sender = Sender(
            around,
            settings,
            data / "outbox",
            threads=threads,
            letters=self.letters,
            answer_link=answer_link,
            retry_seconds=retry_seconds,
            tls=tls,
        )
        self.mailbox: Mailbox | None = None
        if settings.imap_host:
            self.mailbox = Mailbox(
                settings, self.intake.take, poll_seconds=poll_seconds, idle_seconds=idle_seconds, tls=tls
            )
        self.listener: Listener | None = None
        self._listener_port = settings.listener_port
        if settings.listener_port:
            self.listener = Listener(settings, self.intake.take, settings.addresses)

    @property
    def listens_on(self) -> int:
        """The port on which mail is taken in by SMTP; 0 when it is off, or another program has it."""
        return self.listener.port if self.listener is not None else 0

    @property
    def health(self) -> dict[str, str | int]:
        """For screens and metrics: the mailbox's state, mails left lying, attempts that the relay refused."""
        mailbox = self.mailbox
        return {
            "mailbox": mailbox.health if mailbox else STOPPED,
            "taken": mailbox.taken if mailbox else 0,
            "put_off": mailbox.put_off if mailbox else 0,
            "listening": self.listener.port if self.listener else 0,
            "parsers_killed": self.parser.killed,
            "sending_fails": self.sender.failing,
        }

    async def start(self) -> None:
        await self.letters.start()
        await self.parser.start()
        if self.mailbox is not None:
            await self.mailbox.start()
        if self.listener is not None:
            try:
                await self.listener.start()
            except OSError as error:
                # Another program has the port: the rest of the channel works all the same.
                log.error("mail.listener_not_started", cause=type(error).__name__, port=self._listener_port)

    async def perform(self, order: Order) -> None:
        """Send a reply: taken on here, and reported by `NoteDelivery` when it has ended."""
        if isinstance(order.effect, Deliver):
            await self.sender.send(order)

    async def stop(self) -> None:
        if self.mailbox is not None:
            await self.mailbox.stop()
        if self.listener is not None:
            await self.listener.stop()
        await self.sender.stop()
        await self.parser.stop()
        await self.letters.stop()
