"""The post channel as the rest sees it: scanned letters become contacts, from the folder and from events."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from router.channels.channel import Surroundings, written_hints
from router.channels.post.codec import PDF_TYPE, Letter
from router.channels.post.folder import Folder
from router.engine.commands import NoteDelivery, Receive
from router.engine.effects import Deliver
from router.errors import Refusal
from router.nouns import LANGUAGES
from router.port import Order, new_id
from router.settings import PostSettings
from router.vault.interface import CARD_TYPE, Attachment, Card, card_bytes
from router.web import InvalidField

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Registered:
    """A letter that is now a contact, on disk."""

    contact: str
    new: bool
    """False when it was known already."""
    number: int
    """The journal's last fact number then."""


class PostChannel:
    """A `Channel`. Letters lie in their folder while the router is away, so there is no census to take."""

    name = "post"

    def __init__(
        self, around: Surroundings, settings: PostSettings | None = None, *, scan_seconds: float | None = None
    ) -> None:
        self._around = around
        self.folder: Folder | None = None
        if settings is not None and settings.folder is not None:
            self.folder = Folder(
                settings.folder,
                tuple(municipality.id for municipality in around.centre.municipalities),
                self.take,
                now=around.now,
                stable_seconds=settings.stable_seconds,
                scan_seconds=min(settings.rescan_seconds, 5.0) if scan_seconds is None else scan_seconds,
            )

    async def take(self, letter: Letter, document: bytes, source_key: str) -> Registered:
        """Store the document and make it a contact. Raises InvalidField for an unknown municipality; Unavailable."""
        around = self._around
        if around.centre.municipality(letter.municipality) is None:
            raise InvalidField("No such municipality here", "municipality")
        contact = new_id("c")
        ref = await around.vault.store(contact, PDF_TYPE, document)
        details = {"Ontvangen": letter.received, "Batch": letter.batch}
        card = Card(
            name=letter.sender_name,
            subject=letter.subject,
            attachments=(Attachment(letter.document_name or "document.pdf", PDF_TYPE, len(document), ref),),
            raw_ref=ref,
            details={label: answer for label, answer in details.items() if answer},
        )
        hints = written_hints(around, letter.subject)
        if letter.kind:
            hints = (*hints, f"scan:{letter.kind}")
        if around.centre.topic(letter.topic) is not None:
            hints = (*hints, f"topic:{letter.topic}")
        elif letter.topic:
            log.warning("letter.with_unknown_topic", contact=contact)
        outcome = await around.port.submit(
            Receive(
                contact=contact,
                channel="post",
                municipality=letter.municipality,
                source_key=source_key,
                language=letter.language if letter.language in LANGUAGES else "nl",
                content_ref=await around.vault.store(contact, CARD_TYPE, card_bytes(card)),
                hints=hints,
            )
        )
        log.info("letter.received", contact=str(outcome.answer), news=outcome.news, size=len(document))
        return Registered(str(outcome.answer), outcome.news, outcome.number)

    @property
    def health(self) -> dict[str, int]:
        folder = self.folder
        return {
            "taken": folder.taken if folder else 0,
            "refused": folder.refused if folder else 0,
            "put_off": folder.put_off if folder else 0,
        }

    async def start(self) -> None:
        if self.folder is not None:
            await self.folder.start()

    async def perform(self, order: Order) -> None:
        """Nothing can be sent by this channel: a reply to a letter is written elsewhere, and that is said."""
        if isinstance(order.effect, Deliver):
            try:
                await self._around.port.submit(
                    NoteDelivery(order.effect.contact, order.effect.number, "failed", "not_by_this_channel")
                )
            except Refusal as refused:
                log.info("delivery.refusal_not_noted", contact=order.effect.contact, code=refused.code)

    async def stop(self) -> None:
        if self.folder is not None:
            await self.folder.stop()
