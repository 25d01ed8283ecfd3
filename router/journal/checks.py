"""What makes a recorded fact sound: its checksum, its place in the row, and where a torn tail begins. Pure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from router.errors import JournalDamaged
from router.journal.interface import Entry


@dataclass(frozen=True, slots=True)
class Row:
    """A fact as it was found, sound or not."""

    number: int
    at: int
    epoch: int
    fact: bytes
    checksum: int


def checksum(centre: str, number: int, at: int, epoch: int, fact: bytes) -> int:
    """CRC-32 over all that a row says, so that no part of it can change, move or come from elsewhere unseen."""
    head = struct.pack(">qqq", number, at, epoch) + centre.encode() + b"\0"
    return zlib.crc32(fact, zlib.crc32(head))


def sound(centre: str, row: Row) -> bool:
    return row.checksum == checksum(centre, row.number, row.at, row.epoch, row.fact)


def damaged(number: int, why: str) -> JournalDamaged:
    """The one form in which damage is told: it begins with the number."""
    return JournalDamaged(f"fact {number}: {why}")


def next_row(centre: str, row: Row, number: int, epoch: int) -> None:
    """Raises JournalDamaged unless `row` is sound, is fact `number`, and is of no earlier owner than `epoch`."""
    if row.number != number:
        raise damaged(number, f"missing; the next one there is {row.number}")
    if not sound(centre, row):
        raise damaged(number, "its checksum does not hold")
    if row.epoch < epoch:
        raise damaged(number, f"written in epoch {row.epoch} after one of epoch {epoch}")


def sound_until(centre: str, after: int, rows: Iterable[Row]) -> tuple[int, int]:
    """(number of the last sound row, how many torn ones follow it), reading the rows above `after` in order.

    Torn is only what nothing sound follows. Raises JournalDamaged with the number when something does.
    """
    good, torn, epoch = after, 0, 0
    for row in rows:
        if not sound(centre, row):
            torn += 1
        elif torn:
            raise damaged(good + 1, f"unreadable, while fact {row.number} after it is sound")
        else:
            next_row(centre, row, good + 1, epoch)
            good, epoch = row.number, row.epoch
    return good, torn


def continues(last: int, last_at: int, entries: Sequence[Entry]) -> None:
    """Asserts that the entries go on from `last` without a gap, and that time does not run backwards."""
    for number, entry in enumerate(entries, start=last + 1):
        assert entry.number == number, f"fact {entry.number} where {number} comes next"
        assert entry.at >= last_at, f"fact {entry.number} is {last_at - entry.at} ms before the one it follows"
        last_at = entry.at
