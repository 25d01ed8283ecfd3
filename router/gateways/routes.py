"""What a REST route is: one row of the table from which both the server and its OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

import msgspec
from aiohttp import web

from router.engine.commands import Command
from router.errors import Erased, UnknownThing
from router.gateways.accounts import Accounts
from router.port import CentrePort, Outcome
from router.projections.contacts import Entry
from router.projections.views import Views
from router.settings import Settings
from router.vault.interface import Vault
from router.web import Principal

Note = Annotated[str, msgspec.Meta(max_length=20_000)]
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Priority = Annotated[int, msgspec.Meta(ge=1, le=9)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
MaybeId = Annotated[str, msgspec.Meta(max_length=100)]


class Registered(Protocol):
    """What the counter channel answers when it has taken a contact in."""

    @property
    def contact(self) -> str: ...

    @property
    def new(self) -> bool: ...

    @property
    def number(self) -> int: ...


class Register(Protocol):
    """How the counter channel takes a contact in: once per key; another body under the same key is `key_reused`."""

    async def __call__(self, body: dict[str, Any], *, principal_id: str, key: str) -> Registered: ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the gateways work with."""

    port: CentrePort
    vault: Vault
    views: Views
    accounts: Accounts
    settings: Settings
    now: Callable[[], int]

    async def submit(self, command: Command) -> Outcome:
        """Submit, and wait until the views show what came of it."""
        outcome = await self.port.submit(command)
        await self.views.reached(outcome.number)
        return outcome

    async def keep(self, contact: str, text: str) -> str:
        """Put what a member of staff wrote into the vault; nothing for an empty text, or about an erased citizen."""
        if not text:
            return ""
        try:
            return await self.vault.store(contact, "text/plain; charset=utf-8", text.encode())
        except Erased:
            return ""

    def entry(self, contact: str) -> Entry:
        """Raises UnknownThing."""
        found = self.views.contacts.get(contact)
        if found is None:
            raise UnknownThing("There is no such contact")
        return found


def actor(principal: Principal) -> str:
    """Who acts, as commands name them: the agent, or the account of somebody who is none."""
    return principal.agent or principal.id


@dataclass(frozen=True, slots=True)
class Query:
    """One query parameter."""

    name: str
    about: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One request the server answers."""

    method: str
    path: str
    id: str
    about: str
    run: Callable[[web.Request], Awaitable[web.StreamResponse]]
    roles: tuple[str, ...] = ()
    """Who may; empty = anybody."""
    body: type[Any] | None = None
    """Of JSON."""
    bodies: Mapping[str, type[Any] | None] = field(default_factory=dict)
    """Other media types that are taken -> the shape of the body, None for bytes."""
    answer: type[Any] | None = None
    status: int = 200
    also: tuple[int, ...] = ()
    """Other statuses of success."""
    refuses: tuple[int, ...] = ()
    """Statuses of refusal beyond those that follow from the rest of the row."""
    query: tuple[Query, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Required request headers -> what they are."""
    media: str = "application/json"
    tag: str = "centre"
