"""One raw mail becomes a contact, or a message of an open one; the same for the mailbox and the listener."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from router.channels.channel import Surroundings, written_hints
from router.channels.email.codec import Inside
from router.channels.email.envelope import (
    BOUNCE,
    GENERATED,
    LIST,
    REPLY,
    Envelope,
    municipality_of,
    read_envelope,
    source_key,
)
from router.channels.email.letters import Letters
from router.channels.email.parsing import Failed, Parser
from router.channels.email.receipts import PER_HOUR, Allowance, receipt_text
from router.channels.email.replies import sendable
from router.channels.email.threads import Threads
from router.engine.commands import AddMessage, EndContact, Receive
from router.errors import Erased, Refusal
from router.port import new_id
from router.vault.interface import CARD_TYPE, Attachment, Card, card_bytes

log = structlog.get_logger(__name__)

RAW_TYPE = "message/rfc822"
RECEIPT = "receipt"
"""The message id of a contact's receipt: a contact gets one, however often it is asked for."""


@dataclass(frozen=True, slots=True)
class _Mail:
    raw: bytes
    envelope: Envelope
    municipality: str
    entry_point: str
    key: str

    @property
    def message(self) -> str:
        """Its id as a message of a contact: the same mail is the same message."""
        return f"mail-{self.key.rpartition(':')[2][:24]}"


class Intake:
    """Takes mails in. `addresses` are ours, in lower case, with their municipality."""

    def __init__(
        self,
        around: Surroundings,
        addresses: Mapping[str, str],
        default_municipality: str,
        *,
        parser: Parser,
        threads: Threads,
        letters: Letters,
        receipts_per_hour: int = PER_HOUR,
    ) -> None:
        self._around = around
        self._addresses = {address.lower(): municipality for address, municipality in addresses.items()}
        self._own = {*self._addresses, *(m.email_from.lower() for m in around.centre.municipalities if m.email_from)}
        self._default = default_municipality
        self._parser = parser
        self._threads = threads
        self._letters = letters
        self._allowance = Allowance(around.now, per_hour=receipts_per_hour)

    async def take(self, raw: bytes) -> str:
        """The contact that this mail is now part of; by then everything is on disk.

        Raises Unavailable (and lesser faults of disk and processes): nothing is recorded, try again later.
        """
        envelope = await asyncio.to_thread(read_envelope, raw)
        municipality, entry_point = municipality_of(envelope, self._addresses, self._default)
        mail = _Mail(raw, envelope, municipality, entry_point, source_key(envelope, municipality))
        known = await self._letters.contact_of_key(mail.key)
        if known:
            await self._again(known, mail)
            return known
        former = self._threads.contact_of(envelope.references, municipality, envelope.sender)
        letter = await self._letters.letter(former) if former else None
        if letter is not None:
            if await self._letters.has_message(former, mail.message):
                return former
            if not letter.ended and await self._join(former, mail):
                return former
        return await self._arrive(mail, linked_to=former if letter is not None else "")

    async def _again(self, contact: str, mail: _Mail) -> None:
        """The same mail once more, perhaps because a crash came before what follows a contact was done."""
        letter = await self._letters.letter(contact)
        if letter is not None and not letter.ended and not await self._letters.has_message(contact, RECEIPT):
            await self._afterwards(contact, mail, letter.language)

    async def _join(self, contact: str, mail: _Mail) -> bool:
        """The citizen's answer becomes a message of the open contact. False when that is no longer possible."""
        author = "system" if mail.envelope.automatic == REPLY else "citizen"
        try:
            card_ref, _ = await self._store(contact, mail)
            await self._around.port.submit(AddMessage(contact, mail.message, author, card_ref))
        except (Refusal, Erased):
            return False
        log.info("mail.joined", contact=contact)
        return True

    async def _arrive(self, mail: _Mail, linked_to: str) -> str:
        contact = new_id("c")
        card_ref, inside = await self._store(contact, mail)
        identity = self._identity(mail.envelope)
        name = inside.name if inside else ""
        citizen = ""
        if identity:
            citizen = await self._around.vault.recognise(mail.municipality, contact, name=name, email=identity)
        hints = written_hints(self._around, inside.subject, inside.text[:20_000]) if inside else ()
        if mail.envelope.automatic:
            hints = (*hints, f"mail:{mail.envelope.automatic}")
        outcome = await self._around.port.submit(
            Receive(
                contact=contact,
                channel="email",
                municipality=mail.municipality,
                source_key=mail.key,
                entry_point=mail.entry_point,
                citizen=citizen,
                language=inside.language if inside else "nl",
                content_ref=card_ref,
                hints=hints,
                linked_to=linked_to,
            )
        )
        contact = str(outcome.answer)
        log.info("mail.received", contact=contact, news=outcome.news, automatic=mail.envelope.automatic)
        await self._afterwards(contact, mail, inside.language if inside else "nl")
        return contact

    async def _afterwards(self, contact: str, mail: _Mail, language: str) -> None:
        """What follows once the contact is on disk. A refusal changes nothing: the mail has been received."""
        try:
            if mail.envelope.automatic == REPLY:
                # "I am on holiday": in the books, and nobody is asked to answer it.
                await self._around.port.submit(EndContact(contact, "robot"))
            elif self._gets_receipt(mail):
                municipality = self._around.centre.municipality(mail.municipality)
                text = receipt_text(language, municipality.name if municipality else mail.municipality)
                ref = await self._around.vault.store(contact, "text/plain; charset=utf-8", text.encode())
                await self._around.port.submit(AddMessage(contact, RECEIPT, "system", ref, deliver=True))
        except (Refusal, Erased) as refused:
            log.info("mail.receipt_refused", contact=contact, code=refused.code)

    def _identity(self, envelope: Envelope) -> str:
        """The address that says who the citizen is, or "": a machine's address would make strangers one person."""
        if envelope.automatic in (LIST, BOUNCE) or envelope.answer_to in self._own:
            return ""
        if envelope.automatic == GENERATED and envelope.answer_to == envelope.sender:
            return ""
        return envelope.answer_to

    def _gets_receipt(self, mail: _Mail) -> bool:
        """Never to robots and lists, to ourselves, or for a mail that was not addressed to us by name (RFC 3834)."""
        envelope = mail.envelope
        if (
            envelope.automatic
            or not mail.entry_point
            or not self._own.isdisjoint((envelope.sender, envelope.answer_to))
        ):
            return False
        return sendable(envelope.answer_to) and self._allowance.take(envelope.answer_to)

    async def _store(self, contact: str, mail: _Mail) -> tuple[str, Inside | None]:
        """The raw mail goes to the vault before anything looks inside it; then its card."""
        vault = self._around.vault
        raw_ref = await vault.store(contact, RAW_TYPE, mail.raw)
        inside, unreadable = None, mail.envelope.excess
        if not unreadable:
            try:
                inside = await self._parser.parse(mail.raw)
            except Failed as failed:
                unreadable = failed.code
        if inside is None:
            log.warning("mail.unreadable", contact=contact, code=unreadable, size=len(mail.raw))
            card = Card(email=mail.envelope.answer_to, raw_ref=raw_ref, unreadable=unreadable)
            return await vault.store(contact, CARD_TYPE, card_bytes(card)), None
        attachments = []
        for document in inside.documents:
            ref = await vault.store(contact, document.type, document.content)
            attachments.append(Attachment(document.name, document.type, len(document.content), ref))
        card = Card(
            name=inside.name,
            email=mail.envelope.answer_to,
            subject=inside.subject,
            text=inside.text,
            html=inside.html,
            attachments=tuple(attachments),
            raw_ref=raw_ref,
        )
        return await vault.store(contact, CARD_TYPE, card_bytes(card)), inside
