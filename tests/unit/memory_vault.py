"""A vault in memory for tests and simulations: the behaviour of the real one, nothing encrypted, nothing kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from router.errors import Erased, InvalidInput, UnknownThing
from router.vault.index import readable, same_email, same_phone
from router.vault.interface import CARD_TYPE, Card, Citizen, Item, TakenIn, card_bytes
from router.vault.keys import reference

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Looked:
    """One audit record."""

    who: str
    purpose: str
    what: str


@dataclass(slots=True)
class _Contact:
    made_at: int
    items: dict[str, tuple[int, Item]] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)
    citizens: set[str] = field(default_factory=set)
    erased: bool = False


class MemoryVault:
    """`Vault`. While `audit_fault` is set nothing is shown; `audit` holds the looks in order."""

    def __init__(self, clock: Callable[[], int] = lambda: 0) -> None:
        self.audit: list[Looked] = []
        self.audit_fault: Exception | None = None
        self._clock = clock
        self._contacts: dict[str, _Contact] = {}
        self._refs: dict[str, str] = {}
        self._lapses: dict[str, int] = {}
        self._citizens: dict[str, Citizen | None] = {}
        self._index: dict[tuple[str, str, str], str] = {}

    async def store(self, contact: str, type: str, content: bytes, *, keep_until: int = 0) -> str:
        ref = reference("v")
        if keep_until:
            self._lapses[ref] = keep_until
        self._keep(ref, contact, type, content)
        return ref

    def _keep(self, ref: str, contact: str, type: str, content: bytes) -> None:
        self._open(contact).items[ref] = (self._clock(), Item(contact, type, content))
        self._refs[ref] = contact

    async def read(self, ref: str, *, who: str, purpose: str) -> Item:
        item = await self.read_unattended(ref)
        self._look(who, purpose, ref)
        return item

    async def read_unattended(self, ref: str) -> Item:
        if ref not in self._refs:
            raise UnknownThing
        if self._lapses.get(ref, self._clock() + 1) <= self._clock():
            raise Erased
        return self._open(self._refs[ref]).items[ref][1]

    async def put_draft(self, contact: str, agent: str, text: str) -> None:
        drafts = self._open(contact).drafts
        drafts.pop(agent, None)
        if text:
            drafts[agent] = text

    async def get_draft(self, contact: str, agent: str) -> str:
        return self._open(contact).drafts.get(agent, "") if contact in self._contacts else ""

    async def recognise(
        self, municipality: str, contact: str, *, name: str = "", phone: str = "", email: str = ""
    ) -> str:
        return self._recognise(municipality, contact, name, phone, email, reference("p"))

    def _recognise(self, municipality: str, contact: str, name: str, phone: str, email: str, new: str) -> str:
        given = {"phone": same_phone(phone), "email": same_email(email)}
        if not any(given.values()):
            return ""
        linked = self._open(contact).citizens
        holders = {kind: self._index.get((municipality, kind, value), "") for kind, value in given.items()}
        citizen = holders["phone"] or holders["email"] or new
        shown = self._citizens.setdefault(citizen, Citizen(citizen, municipality, "", "", ""))
        assert shown is not None
        shown = replace(shown, name=shown.name or readable(name))
        for kind, text in (("phone", given["phone"]), ("email", readable(email))):
            if given[kind] and holders[kind] in {"", citizen}:
                self._index[municipality, kind, given[kind]] = citizen
                shown = replace(shown, **{kind: text})
        self._citizens[citizen] = shown
        linked.add(citizen)
        return citizen

    async def take_in(self, municipality: str, contact: str, card: Card) -> TakenIn:
        citizen = await self.recognise(municipality, contact, name=card.name, phone=card.phone, email=card.email)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept.set_result(None)
        return TakenIn(citizen, await self.store(contact, CARD_TYPE, card_bytes(card)), lambda: kept)

    async def restore(self, municipality: str, contact: str, card: Card, *, citizen: str, ref: str) -> bool:
        if ref in self._refs:
            await self.read_unattended(ref)  # raises Erased
            return False
        if citizen in self._citizens and self._citizens[citizen] is None:
            raise Erased
        self._recognise(municipality, contact, card.name, card.phone, card.email, citizen)
        self._keep(ref, contact, CARD_TYPE, card_bytes(card))
        return True

    async def find(self, municipality: str, *, phone: str = "", email: str = "") -> str:
        by_phone = self._index.get((municipality, "phone", same_phone(phone)), "")
        return by_phone or self._index.get((municipality, "email", same_email(email)), "")

    async def read_citizen(self, citizen: str, *, contact: str, who: str, purpose: str) -> Citizen:
        if citizen not in self._citizens:
            raise UnknownThing
        shown = self._citizens[citizen]
        if shown is None:
            raise Erased
        self._look(who, purpose, citizen)
        return shown

    async def read_contact(
        self, contact: str, citizen: str, ref: str, *, who: str, purpose: str
    ) -> tuple[Citizen | None, Item | None]:
        item = await self.read_unattended(ref) if ref in self._refs else None
        known = citizen in self._citizens
        person = await self.read_citizen(citizen, contact=contact, who=who, purpose=purpose) if known else None
        if item is not None:
            self._look(who, purpose, ref)
        return person, item

    async def erase(self, citizen: str, *, who: str = "server") -> int:
        if citizen not in self._citizens:
            raise UnknownThing
        linked = [one for one in self._contacts.values() if citizen in one.citizens and not one.erased]
        for one in linked:
            one.erased = True
            one.items.clear()
            one.drafts.clear()
            one.citizens.clear()
        self._forget(citizen)
        self._citizens[citizen] = None
        return len(linked)

    async def sweep(self, known: Mapping[str, bool]) -> int:
        before = self._clock() - DAY_MS
        gone = 0
        for contact, one in list(self._contacts.items()):
            if contact in known or one.made_at >= before or one.erased:
                continue
            old = [ref for ref, (at, _) in one.items.items() if at < before]
            for ref in old:
                del one.items[ref], self._refs[ref]
            gone += len(old)
            if not one.items:
                del self._contacts[contact]
                for citizen in one.citizens:
                    if not any(citizen in other.citizens for other in self._contacts.values()):
                        self._forget(citizen)
                        del self._citizens[citizen]
        return gone

    async def expire(self) -> int:
        over = [ref for ref, at in self._lapses.items() if at <= self._clock() and ref in self._items_of(ref)]
        for ref in over:
            del self._items_of(ref)[ref]
        return len(over)

    async def discard(self, refs: Iterable[str]) -> None:
        for ref in refs:
            if ref in self._refs:
                self._lapses[ref] = self._clock()
                self._items_of(ref).pop(ref, None)

    async def verify_audit(self) -> int:
        return len(self.audit)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _open(self, contact: str) -> _Contact:
        one = self._contacts.setdefault(contact, _Contact(self._clock()))
        if one.erased:
            raise Erased
        return one

    def _items_of(self, ref: str) -> dict[str, tuple[int, Item]]:
        return self._contacts[self._refs[ref]].items

    def _look(self, who: str, purpose: str, what: str) -> None:
        if not who.strip() or not purpose.strip():
            raise InvalidInput
        if self.audit_fault is not None:
            raise self.audit_fault
        self.audit.append(Looked(who, purpose, what))

    def _forget(self, citizen: str) -> None:
        self._index = {key: holder for key, holder in self._index.items() if holder != citizen}
