"""What a journal is: numbered facts of one centre, appended in whole batches by its one owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact as it is recorded, with what caused it. Bodies are `wire.encode`d."""

    number: int
    """1, 2, 3 … without gaps."""
    at: int
    """UTC ms; never less than that of the entry before."""
    fact: bytes
    command: bytes = b""
    """On the first fact of a command: the command. May be pruned."""
    explanation: bytes = b""
    """On an offer: why. May be pruned."""
    about: str = ""
    """The contact that the explanation is about."""


class Record(Protocol):
    """A journal as it can be read, by its owner or beside it."""

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Facts numbered above `after`, in order. Raises JournalDamaged where one cannot be trusted."""
        ...

    def last(self) -> int:
        """Number of the last fact; 0 when empty."""
        ...

    def explanations(self, contact: str) -> list[bytes]:
        """The explanations about this contact, oldest first, pruned ones left out."""
        ...

    def save_snapshot(self, number: int, state: bytes) -> None:
        """Keep the folded state as of `number`; older snapshots but one go."""
        ...

    def load_snapshot(self) -> tuple[int, bytes] | None:
        """The newest snapshot whose checksum holds, or None."""
        ...

    def close(self) -> None: ...


class Journal(Record, Protocol):
    """What its owner may do besides. Synchronous on purpose: the centre calls it on a thread of its own.

    One conformance suite (tests/conformance/) holds for every implementation.
    """

    def open(self) -> int:
        """Take ownership; gives the epoch (1, 2, 3 …), above every earlier one. A torn tail is cut.

        Raises Deposed when another live process owns it, JournalDamaged (with the number) when a fact that is not
        at the tail cannot be read.
        """
        ...

    def append(self, entries: Sequence[Entry]) -> None:
        """All or nothing, on disk when it returns.

        Raises Deposed when a later epoch exists, JournalFault when it could not be written (nothing was).
        """
        ...
