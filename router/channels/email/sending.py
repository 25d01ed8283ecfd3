"""Sends replies, at most once each: by SMTP to the municipality's relay, or as files into the outbox.

`started` is recorded before DATA. From there on only the relay knows whether it has the mail: a connection lost then
ends as `unknown`, which the agent sees and nobody repeats. Everything before it may be tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib
import structlog

from router.channels.channel import Surroundings
from router.channels.email.envelope import read_envelope
from router.channels.email.letters import Letter, Letters
from router.channels.email.receipts import bare_name, receipt_subject
from router.channels.email.replies import ANSWERED, Reply, answer_subject, build, sendable
from router.channels.email.threads import Threads
from router.engine.commands import NoteDelivery
from router.engine.effects import Deliver
from router.errors import Erased, Fault, Refusal, UnknownThing
from router.port import Order
from router.settings import EmailSettings
from router.vault.interface import CARD_TYPE, Card, read_card

log = structlog.get_logger(__name__)

RETRY_SECONDS = (5.0, 15.0, 60.0, 300.0)
"""Pauses between attempts; the last one is repeated."""
GIVE_UP_MS = 24 * 3_600_000
SMTP_SECONDS = 60.0
WAITING_MAX = 1_000
AT_ONCE = 4
STOP_SECONDS = 5.0
_LOST = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, TimeoutError, OSError)


class _CannotSend(Exception):
    """This message will never go out; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class _TryLater(Exception):
    """Not sent, for certain; worth another attempt."""


class _Unknown(Exception):
    """Lost after the point of no return."""


@dataclass(frozen=True, slots=True)
class _Outgoing:
    sender: str
    recipient: str
    content: bytes


class Sender:
    """Carries out `Deliver`. Messages of one contact go out in order; a relay that is away holds up nobody else."""

    def __init__(
        self,
        around: Surroundings,
        settings: EmailSettings,
        outbox: Path,
        *,
        threads: Threads,
        letters: Letters,
        answer_link: Callable[[str, str], str] | None = None,
        retry_seconds: tuple[float, ...] = RETRY_SECONDS,
        smtp_seconds: float = SMTP_SECONDS,
        tls: ssl.SSLContext | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._around = around
        self._settings = settings
        self._outbox = outbox
        self._threads = threads
        self._letters = letters
        self._answer_link = answer_link
        self._retry_seconds = retry_seconds
        self._smtp_seconds = smtp_seconds
        self._tls = tls
        self._pause = pause
        self._lines: dict[str, deque[tuple[int, Deliver]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pausing: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._room = asyncio.Semaphore(WAITING_MAX)
        self._stopping = False
        self.failing = 0
        """Attempts in a row that the relay did not take; 0 = all is well."""

    async def send(self, order: Order) -> None:
        """Take the order on. Returns at once, unless too many are waiting."""
        effect = order.effect
        assert isinstance(effect, Deliver)
        await self._room.acquire()
        self._lines.setdefault(effect.contact, deque()).append((order.number, effect))
        if effect.contact not in self._tasks:
            self._tasks[effect.contact] = asyncio.create_task(self._work_off(effect.contact), name="email-sending")

    async def stop(self) -> None:
        """Let what is being sent finish; what waits stays due, and is ordered again after the next start."""
        self._stopping = True
        for contact, task in list(self._tasks.items()):
            if contact in self._pausing:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _work_off(self, contact: str) -> None:
        line = self._lines[contact]
        attempt = 0
        try:
            while line and not self._stopping:
                number, effect = line[0]
                try:
                    await self._deliver(number, effect)
                except Exception as error:  # noqa: BLE001  it stays due, whatever it was, and is tried again
                    log.error("mail.delivery_put_off", contact=contact, cause=type(error).__name__)
                    await self._rest(contact, attempt)
                    attempt += 1
                    continue
                attempt = 0
                line.popleft()
                self._room.release()
        finally:
            del self._lines[contact], self._tasks[contact]

    async def _deliver(self, number: int, effect: Deliver) -> None:
        """One message until it is settled."""
        try:
            outgoing = await self._compose(number, effect)
        except (_CannotSend, Erased) as error:
            await self._note(effect, "failed", error.code)
            return
        if not self._settings.smtp_host:
            await asyncio.to_thread(self._write, f"{effect.contact}-{effect.number}.eml", outgoing.content)
            await self._note(effect, "delivered", "outbox")
            return
        begun = asyncio.Event()
        until = self._around.now() + GIVE_UP_MS
        attempt = 0
        while True:
            try:
                async with self._slots:
                    await self._transmit(effect, outgoing, begun)
                return
            except _Unknown:
                await self._note(effect, "unknown", "lost_after_data")
                return
            except _CannotSend as error:
                self.failing = 0
                await self._note(effect, "failed", error.code)
                return
            except _TryLater as error:
                self.failing += 1
                log.warning("mail.relay_not_now", contact=effect.contact, attempt=attempt, cause=str(error))
            if self._around.now() > until:
                await self._note(effect, "failed", "gave_up")
                return
            await self._rest(effect.contact, attempt)
            attempt += 1

    async def _rest(self, contact: str, attempt: int) -> None:
        self._pausing.add(contact)
        try:
            await self._pause(self._retry_seconds[min(attempt, len(self._retry_seconds) - 1)])
        finally:
            self._pausing.discard(contact)

    # -- SMTP -------------------------------------------------------------------------------------------------

    async def _transmit(self, effect: Deliver, outgoing: _Outgoing, begun: asyncio.Event) -> None:
        """One attempt. Raises _TryLater, _CannotSend or _Unknown; returns when the relay has it, or another had."""
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            tls_context=self._tls,
            username=settings.smtp_user or None,
            password=settings.smtp_password or None,
            timeout=self._smtp_seconds,
        )
        try:
            try:
                # Whatever the relay says here is about us, not about this mail: our settings may need mending.
                await client.connect()
            except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
                raise _TryLater(type(error).__name__) from None
            try:
                await client.mail(outgoing.sender)
                await client.rcpt(outgoing.recipient)
            except _LOST as error:
                raise _TryLater(type(error).__name__) from None
            except aiosmtplib.SMTPResponseException as error:
                raise _judged(error) from None
            if not begun.is_set():
                if not await self._begin(effect):
                    return
                begun.set()
            try:
                await client.data(outgoing.content)
            except _LOST:
                raise _Unknown from None
            except aiosmtplib.SMTPResponseException as error:
                raise _judged(error) from None
            self.failing = 0
            await self._note(effect, "delivered")
            with contextlib.suppress(aiosmtplib.SMTPException, TimeoutError, OSError):
                await client.quit()
        finally:
            client.close()

    async def _begin(self, effect: Deliver) -> bool:
        """Record the point of no return; False when this message had been there before, so that it is not sent."""
        try:
            outcome = await self._around.port.submit(_noted(effect, "started"))
        except Fault:
            raise _TryLater("centre") from None
        except Refusal:
            return False
        if not outcome.news:
            # Started by an earlier life of this server, or settled: whether it went out nobody here can know.
            await self._note(effect, "unknown", "started_before")
        return outcome.news

    async def _note(self, effect: Deliver, status: str, detail: str = "") -> None:
        """Report how it ended, however long the centre needs to record it."""
        attempt = 0
        while True:
            try:
                await self._around.port.submit(_noted(effect, status, detail))
            except Fault:
                await self._pause(self._retry_seconds[min(attempt, len(self._retry_seconds) - 1)])
                attempt += 1
                continue
            except Refusal as refused:
                log.warning("mail.delivery_not_noted", contact=effect.contact, status=status, code=refused.code)
            log.info("mail.delivery", contact=effect.contact, number=effect.number, status=status, detail=detail)
            return

    # -- the outbox ---------------------------------------------------------------------------------------------

    def _write(self, name: str, content: bytes) -> None:
        """Whole or not at all; the same reply written again replaces itself."""
        self._outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._outbox / f".{name}.part"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._outbox / name)
        descriptor = os.open(self._outbox, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    # -- what is sent -------------------------------------------------------------------------------------------

    async def _compose(self, number: int, effect: Deliver) -> _Outgoing:
        await self._letters.reached(number)
        letter = await self._letters.letter(effect.contact)
        if letter is None:
            raise _CannotSend("no_letter")
        municipality = self._around.centre.municipality(letter.municipality)
        sender = self._from_address(letter.municipality)
        if municipality is None or not sender:
            raise _CannotSend("no_sender_address")
        card = await self._card(letter.content_ref)
        if not sendable(card.email):
            raise _CannotSend("no_address")
        message_id, references = await self._answered(letter, effect.number)
        automatic = await self._letters.author_of(effect.contact, effect.number) == "system"
        written = await self._written(effect.ref)
        subject = receipt_subject(letter.language, card.subject) if automatic else answer_subject(card.subject)
        reply = Reply(
            message_id=self._threads.message_id(
                effect.contact, effect.number, letter.municipality, card.email, sender.partition("@")[2]
            ),
            from_name=f"Gemeente {bare_name(municipality.name)}",
            from_address=sender,
            to_address=card.email,
            subject=subject,
            text=written.text if automatic else self._with_question(written.text, letter),
            in_reply_to=message_id,
            references=references,
            automatic=automatic,
            documents=tuple([(a.name, a.type, (await self._read(a.ref))[1]) for a in written.attachments]),
        )
        try:
            content = build(reply, self._around.now())
        except ValueError:
            raise _CannotSend("cannot_be_written") from None
        return _Outgoing(sender, card.email, content)

    def _with_question(self, text: str, letter: Letter) -> str:
        """The text of an agent, and the question whether it was the answer; contact and language name the link."""
        if self._answer_link is None:
            return text
        language = letter.language if letter.language in ANSWERED else "nl"
        return f"{text.rstrip()}\n\n{ANSWERED[language]}\n{self._answer_link(letter.contact, language)}"

    async def _answered(self, letter: Letter, before: int) -> tuple[str, tuple[str, ...]]:
        """Message-ID and references of the citizen's mail that this one answers; empty when it was not a mail."""
        latest = await self._letters.latest_from_citizen(letter.contact, before) or letter.content_ref
        raw_ref = (await self._card(latest)).raw_ref
        kind, raw = await self._read(raw_ref) if raw_ref else ("", b"")
        if kind != "message/rfc822":
            return "", ()
        envelope = await asyncio.to_thread(read_envelope, raw)
        return envelope.message_id, envelope.references

    async def _read(self, ref: str) -> tuple[str, bytes]:
        try:
            item = await self._around.vault.read_unattended(ref)
        except UnknownThing:
            raise _CannotSend("content_gone") from None
        return item.type, item.content

    async def _card(self, ref: str) -> Card:
        kind, content = await self._read(ref) if ref else ("", b"")
        return read_card(content) if kind == CARD_TYPE else Card()

    async def _written(self, ref: str) -> Card:
        """What an agent wrote: plain text, or a card with attachments."""
        kind, content = await self._read(ref)
        return read_card(content) if kind == CARD_TYPE else Card(text=content.decode("utf-8", "replace"))

    def _from_address(self, municipality: str) -> str:
        known = self._around.centre.municipality(municipality)
        if known is not None and known.email_from:
            return known.email_from
        return next((address for address, owner in self._settings.addresses.items() if owner == municipality), "")


def _noted(effect: Deliver, status: str, detail: str = "") -> NoteDelivery:
    return NoteDelivery(effect.contact, effect.number, status, detail)


def _judged(error: aiosmtplib.SMTPResponseException) -> Exception:
    """4xx: later; 5xx: never (RFC 5321, section 4.2.1)."""
    return _TryLater(f"smtp_{error.code}") if error.code < 500 else _CannotSend(f"smtp_{error.code}")
