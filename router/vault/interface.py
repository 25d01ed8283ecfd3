"""What the rest may ask of the vault: store, read with an audit record, find a citizen, erase."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document that came with a contact; `ref` gives its bytes."""

    name: str
    type: str
    size: int
    ref: str


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a contact brings with it, in one shape for all channels. Stored in the vault as JSON; `content_ref`.

    Text is plain; `html` is already cleaned. Numbers are E.164, addresses as given.
    """

    name: str = ""
    phone: str = ""
    email: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    raw_ref: str = ""
    """The message or form exactly as it came in."""
    details: dict[str, str] = {}
    """Answers already given (menu, chat form, scan metadata), as label -> answer."""
    unreadable: str = ""
    """Why nothing could be read out of `raw_ref`, when that is so."""


CARD_TYPE = "application/vnd.kcc.card+json"


def card_bytes(card: Card) -> bytes:
    return msgspec.json.encode(card)


def read_card(content: bytes) -> Card:
    """Raises msgspec.ValidationError when the bytes are not a card."""
    return msgspec.json.decode(content, type=Card)


@dataclass(frozen=True, slots=True)
class Item:
    """Something kept in the vault."""

    contact: str
    type: str
    """Its media type."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Citizen:
    """Who a citizen reference stands for."""

    reference: str
    municipality: str
    name: str
    phone: str
    email: str


class TakenIn(NamedTuple):
    """What comes of a card that is taken in."""

    citizen: str
    """"" when it cannot be told."""
    ref: str
    """Of the card."""
    keep: Callable[[], asyncio.Future[Any]]
    """Begins to write both, also a citizen who is new; what it gives is done when they are on disk. Raises Erased,
    Unavailable by it: then nothing was kept. Again gives the same; cancelling it undoes nothing."""


class Vault(Protocol):
    """Personal data, encrypted with a key per contact (content) or per citizen (identity).

    Every method is durable when it returns. Reading what was erased raises `Erased`; what never was, `UnknownThing`.
    """

    async def store(self, contact: str, type: str, content: bytes, *, keep_until: int = 0) -> str:
        """Keep `content` for the contact; gives a random reference. Large content goes to an encrypted file.

        From `keep_until` (UTC ms) on it reads as erased, and `expire` destroys it; 0 = it is kept as long as the rest.
        """
        ...

    async def recognise(
        self, municipality: str, contact: str, *, name: str = "", phone: str = "", email: str = ""
    ) -> str:
        """The citizen reference for these identifiers within the municipality (made when new), linked to the contact.

        Phone (E.164) and e-mail (compared case-insensitively) identify; a name alone does not: then the answer is "".
        """
        ...

    async def take_in(self, municipality: str, contact: str, card: Card) -> TakenIn:
        """`recognise` who the card names and `store` the card, in one go.

        The one method that returns before anything is durable: its caller sees to it that `keep` is called. Whatever
        else is written, and every look, comes after it.
        """
        ...

    async def restore(self, municipality: str, contact: str, card: Card, *, citizen: str, ref: str) -> bool:
        """Keep under these references what was taken in and never kept; False when the card is there.

        Who is known by another reference meanwhile stays so. Raises Erased when the citizen or the contact was erased.
        """
        ...

    async def find(self, municipality: str, *, phone: str = "", email: str = "") -> str:
        """The citizen reference, or "" when unknown."""
        ...

    async def read(self, ref: str, *, who: str, purpose: str) -> Item:
        """For a member of staff: the audit record is written first, then the content is given."""
        ...

    async def read_citizen(self, citizen: str, *, contact: str, who: str, purpose: str) -> Citizen:
        """Likewise for who the citizen is."""
        ...

    async def read_contact(
        self, contact: str, citizen: str, ref: str, *, who: str, purpose: str
    ) -> tuple[Citizen | None, Item | None]:
        """`read_citizen` and `read` in one go; None for what never was and for "". Raises Erased when either was."""
        ...

    async def read_unattended(self, ref: str) -> Item:
        """For the server's own work (sending a reply, showing a visitor their own chat): no person looks."""
        ...

    async def erase(self, citizen: str, *, who: str = "server") -> int:
        """Destroy the keys of the citizen and of all their contacts; gives the number of contacts made unreadable."""
        ...

    async def sweep(self, known: Mapping[str, bool]) -> int:
        """Remove items older than a day whose contact is not in `known`; gives how many."""
        ...

    async def expire(self) -> int:
        """Destroy the items whose time is over; gives how many."""
        ...

    async def discard(self, refs: Iterable[str]) -> None:
        """Destroy these items now; what is not there is fine."""
        ...

    async def put_draft(self, contact: str, agent: str, text: str) -> None:
        """Keep what the agent is writing for this contact, sealed with the contact's key; empty text clears it."""
        ...

    async def get_draft(self, contact: str, agent: str) -> str:
        """What the agent was writing, or ""."""
        ...

    async def verify_audit(self) -> int:
        """How many audit records there are, all of them sound. Raises Fault (`audit_damaged`) naming the first bad."""
        ...
