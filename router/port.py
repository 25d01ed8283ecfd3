"""CentrePort: all that the shells may ask of a contact centre. What crosses it is serialisable."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from router.engine.commands import Command
from router.engine.effects import Effect, Ring
from router.engine.explanation import Explanation
from router.engine.facts import Fact


@dataclass(frozen=True, slots=True)
class Numbered:
    """A fact with its number in the journal and its moment (UTC ms)."""

    number: int
    at: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to. By the time the caller has it, it is on disk."""

    number: int
    """The journal's last fact number at that moment; a view that has reached it shows the outcome."""
    answer: str | int | None
    """Receive: the id of the contact (an earlier one when the source key was known). AddMessage: the message's
    number. MakeFollowUp: its id. Otherwise None."""
    news: bool
    """False when nothing had to happen: it was a repetition."""
    ring: Ring | None = None
    """The order to ring for an offer that the same decision made of the command's own contact. It is on its way, too:
    who carries it out at once tells whom it reaches."""


@dataclass(frozen=True, slots=True)
class Order:
    """An effect to carry out, with the number of the fact it follows from."""

    number: int
    effect: Effect


class CentrePort(Protocol):
    """One contact centre as the shells see it."""

    async def submit(self, command: Command) -> Outcome:
        """Decide the command and put what follows on disk.

        Raises a `Refusal` (nothing changed; stable code) or `Unavailable` (not recorded: try again later).
        """
        ...

    def facts(self, after: int) -> AsyncIterator[tuple[Numbered, ...]]:
        """All facts numbered above `after`, in order and without gaps, in batches, and then for ever the new ones."""
        ...

    def orders(self, channel: str) -> AsyncIterator[Order]:
        """Effects for one channel from now on, in order per contact. One consumer a channel.

        Deliveries that were not settled before a restart come first.
        """
        ...

    async def explain(self, contact: str) -> Explanation:
        """Who could take a waiting contact now, and why the others cannot (`details` per agent).

        Raises UnknownThing.
        """
        ...

    async def decisions(self, contact: str) -> list[Explanation]:
        """The stored explanation of every offer of the contact, oldest first."""
        ...


def new_id(kind: str) -> str:
    """A random id for a new contact (`c`), follow-up (`f`) or message (`m`): 96 bits, safe in URLs."""
    return f"{kind}-{secrets.token_hex(12)}"
