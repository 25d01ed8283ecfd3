"""Contacts registered through REST: a visit at the counter, a callback request, or another program's mail and post."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import structlog

from router.channels.channel import Surroundings, written_hints
from router.engine.commands import NoteDelivery, Receive
from router.engine.effects import Deliver
from router.errors import InvalidInput, Refusal
from router.port import Order
from router.telephone_numbers import e164
from router.vault.interface import CARD_TYPE, Card, card_bytes
from router.web import InvalidField, shaped

log = structlog.get_logger(__name__)

DAY_MS = 86_400_000
PERIODS = 48
"""How many periods back a contact that is still open may have been registered: four years of 30 days each."""

_KEY = re.compile(r"^[!-~][ -~]{6,126}[!-~]\Z")
_ADDRESS = re.compile(r"^[^\s@<>\"(),:;\\]{1,64}@[^\s@<>\"(),:;\\]{1,253}\Z")

Name = Annotated[str, msgspec.Meta(max_length=120)]


class KeyReused(InvalidInput):
    """The key was used before with another body."""

    code = "key_reused"


class CitizenBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who it is, as far as it was said."""

    name: Name = ""
    phone: Annotated[str, msgspec.Meta(max_length=60)] = ""
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""


class ContactBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`POST /api/v1/contacts`, protocol section 3.1."""

    municipality: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    channel: Literal["counter", "email", "post", "callback"] = "counter"
    topic: Annotated[str, msgspec.Meta(max_length=120)] = ""
    further: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=120)], ...], msgspec.Meta(max_length=8)] = ()
    """Topics of further questions."""
    language: Literal["nl", "en"] = "nl"
    subject: Annotated[str, msgspec.Meta(max_length=300)] = ""
    text: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    citizen: CitizenBody = CitizenBody()
    continues: Annotated[str, msgspec.Meta(max_length=80)] = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """A contact that is on disk."""

    contact: str
    new: bool
    """False when the same key had brought it before."""
    number: int
    """The journal's last fact number then."""


def _plain(text: str) -> str:
    """Without control characters other than line ends and tabs."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c in "\n\t" or c.isprintable() else " " for c in lines).strip()


class CounterChannel:
    """A `Channel` without a wire of its own: the gateway calls `register`.

    How a reused key is told apart from a repetition: the contact's id is an HMAC over who asks, the key, the body and
    the present period of `remember_days`, with a secret of this installation. The port answers with the contact
    that the key brought first. Is it the id that this body leads to (now, or in an earlier period), the body was the
    same; else it was another. So there is no table beside the journal that could be lost, lag behind or be raced
    past, and ids stay impossible to guess. The period keeps a key that comes back after it was forgotten from
    leading to an id that the journal has already seen.
    """

    name = "counter"

    def __init__(self, around: Surroundings, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the secret of the counter's ids is too short")
        self._around = around
        self._secret = secret

    async def register(self, body: dict[str, Any], *, principal_id: str, key: str) -> Registered:
        """Make it a contact, once per key. Raises InvalidField (names the field), KeyReused, Unavailable."""
        if not _KEY.match(key):
            raise InvalidField("8 to 128 printable ASCII characters", "Idempotency-Key")
        asked = shaped(body, ContactBody)
        self._check(asked)
        digest = msgspec.json.encode(asked, order="deterministic")
        contact = self._id(principal_id, key, digest, self._period())
        around = self._around
        card = self._card(asked)
        content_ref = await around.vault.store(contact, CARD_TYPE, card_bytes(card))
        citizen = ""
        if card.phone or card.email:
            citizen = await around.vault.recognise(
                asked.municipality, contact, name=card.name, phone=card.phone, email=card.email
            )
        hints = written_hints(around, card.subject, card.text)
        outcome = await around.port.submit(
            Receive(
                contact=contact,
                channel=asked.channel,
                municipality=asked.municipality,
                source_key=f"rest:{principal_id}:{key}",
                entry_point="rest",
                citizen=citizen,
                language=asked.language,
                content_ref=content_ref,
                hints=(*hints, *(f"topic:{topic}" for topic in (asked.topic, *asked.further) if topic)),
                linked_to=asked.continues,
            )
        )
        known = str(outcome.answer)
        if known != contact and not self._same(known, principal_id, key, digest):
            raise KeyReused("This key was used before, with another body")
        log.info("contact.registered", contact=known, channel=asked.channel, news=outcome.news)
        return Registered(known, outcome.news, outcome.number)

    def _check(self, asked: ContactBody) -> None:
        centre = self._around.centre
        if centre.municipality(asked.municipality) is None:
            raise InvalidField("No such municipality here", "municipality")
        for name, topics in (("topic", (asked.topic,)), ("further", asked.further)):
            if any(topic and centre.topic(topic) is None for topic in topics):
                raise InvalidField("No such topic here", name)
        if not (asked.topic or asked.subject.strip() or asked.text.strip()):
            raise InvalidField("Give a topic, a subject or a text", "topic")
        if asked.citizen.email and not _ADDRESS.match(asked.citizen.email.strip()):
            raise InvalidField("Not an e-mail address", "citizen.email")
        if asked.channel == "email" and not asked.citizen.email:
            raise InvalidField("An e-mail needs an address to answer to", "citizen.email")
        if asked.channel == "callback" and not asked.citizen.phone:
            raise InvalidField("A callback needs a telephone number", "citizen.phone")
        if asked.channel == "callback" and not e164(asked.citizen.phone):
            raise InvalidField("Not a number that can be called back", "citizen.phone")

    def _card(self, asked: ContactBody) -> Card:
        phone = e164(asked.citizen.phone)
        details = (
            {"Telefoon, zoals opgegeven": _plain(asked.citizen.phone)} if asked.citizen.phone and not phone else {}
        )
        return Card(
            name=" ".join(_plain(asked.citizen.name).split()),
            phone=phone,
            email=asked.citizen.email.strip(),
            subject=" ".join(_plain(asked.subject).split()),
            text=_plain(asked.text),
            details=details,
        )

    def _period(self) -> int:
        return self._around.now() // (self._around.centre.remember_days * DAY_MS)

    def _id(self, principal_id: str, key: str, digest: bytes, period: int) -> str:
        said = msgspec.json.encode([principal_id, key, hashlib.sha256(digest).hexdigest(), period])
        made = hmac.new(self._secret, said, hashlib.sha256).hexdigest()  # 96 bits of it: as long as any contact's id
        return f"c-{made[:24]}"

    def _same(self, known: str, principal_id: str, key: str, digest: bytes) -> bool:
        now = self._period()
        return any(
            hmac.compare_digest(known, self._id(principal_id, key, digest, period))
            for period in range(now - 1, now - PERIODS, -1)
        )

    async def start(self) -> None:
        """Nothing to start: who registers comes through the gateway."""

    async def perform(self, order: Order) -> None:
        """Nothing can be sent by this channel, and that is said."""
        if isinstance(order.effect, Deliver):
            try:
                await self._around.port.submit(
                    NoteDelivery(order.effect.contact, order.effect.number, "failed", "not_by_this_channel")
                )
            except Refusal as refused:
                log.info("delivery.refusal_not_noted", contact=order.effect.contact, code=refused.code)

    async def stop(self) -> None:
        """Nothing to stop."""
