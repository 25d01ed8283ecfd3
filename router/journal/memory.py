"""The record of one centre in memory: for tests, simulations and a demo; it outlives its owner, not its process."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from router.errors import Deposed, JournalFault
from router.journal import checks
from router.journal.checks import Row
from router.journal.interface import Entry
from router.journal.snapshots import KEPT, Snapshot


@dataclass(slots=True)
class MemoryRecord:
    """What would be on disk: shared by one owner of a centre and the next."""

    centre: str
    epoch: int = 0
    rows: list[Row] = field(default_factory=list)
    commands: dict[int, bytes] = field(default_factory=dict)
    explanations: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    torn: list[Row] = field(default_factory=list)
    owner: MemoryJournal | None = None
    fault: str = ""
    """While filled in, nothing can be written, for this reason."""
    guard: threading.RLock = field(default_factory=threading.RLock)


class MemoryJournal:
    """`Journal` over a `MemoryRecord`, with the same checks as the one on disk. Any thread."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record
        self._epoch = 0
        self.cut = 0
        """Facts of a torn tail that `open` put aside."""

    def open(self) -> int:
        record = self._record
        with record.guard:
            if record.owner is not None:
                raise Deposed("the journal is in use")
            last, self.cut = checks.sound_until(record.centre, 0, record.rows)
            record.torn += record.rows[last:]
            del record.rows[last:]
            record.commands = {n: command for n, command in record.commands.items() if n <= last}
            record.explanations = {n: why for n, why in record.explanations.items() if n <= last}
            record.epoch += 1
            record.owner = self
            self._epoch = record.epoch
            return self._epoch

    def append(self, entries: Sequence[Entry]) -> None:
        record, centre, epoch = self._record, self._record.centre, self._epoch
        with record.guard:
            assert record.owner is self, "the journal is not open"
            if record.epoch != epoch:
                raise Deposed("another process owns this centre now")
            checks.continues(self.last(), record.rows[-1].at if record.rows else 0, entries)
            if record.fault and entries:
                raise JournalFault(record.fault)
            record.rows += [
                Row(e.number, e.at, epoch, e.fact, checks.checksum(centre, e.number, e.at, epoch, e.fact))
                for e in entries
            ]
            record.commands |= {e.number: e.command for e in entries if e.command}
            record.explanations |= {e.number: (e.explanation, e.about) for e in entries if e.explanation}

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        record, epoch = self._record, 0
        rows = record.rows[after:] if limit is None else record.rows[after : after + limit]
        for number, row in enumerate(rows, start=after + 1):
            checks.next_row(record.centre, row, number, epoch)
            epoch = row.epoch
            command, beside = record.commands.get(number, b""), record.explanations.get(number, (b"", ""))
            yield Entry(number, row.at, row.fact, command, *beside)

    def last(self) -> int:
        return self._record.rows[-1].number if self._record.rows else 0

    def explanations(self, contact: str) -> list[bytes]:
        return [why for _, (why, about) in sorted(self._record.explanations.items()) if about == contact]

    def save_snapshot(self, number: int, state: bytes) -> None:
        checksum = self._checksum(number)
        assert checksum is not None, f"there is no fact {number} to make a snapshot of"
        with self._record.guard:
            kept = self._record.snapshots
            kept[number] = Snapshot(number, checksum, state)
            for old in sorted(kept, reverse=True)[KEPT:]:
                del kept[old]

    def load_snapshot(self) -> tuple[int, bytes] | None:
        for number, snapshot in sorted(self._record.snapshots.items(), reverse=True):
            if self._checksum(number) == snapshot.checksum:
                return number, snapshot.state
        return None

    def prune(self, below: int, limit: int = 10_000) -> int:
        """Forget up to `limit` commands and explanations of facts numbered under `below`; gives how many went."""
        gone = 0
        with self._record.guard:
            kinds: tuple[dict[int, Any], ...] = (self._record.commands, self._record.explanations)
            for beside in kinds:
                for number in sorted(n for n in beside if n < below)[: limit - gone]:
                    del beside[number]
                    gone += 1
        return gone

    def close(self) -> None:
        with self._record.guard:
            if self._record.owner is self:
                self._record.owner = None

    def _checksum(self, number: int) -> int | None:
        if number == 0:
            return 0
        rows = self._record.rows
        return rows[number - 1].checksum if number <= len(rows) else None
