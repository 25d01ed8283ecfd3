"""Folding a journal back into a state, from a snapshot or from the beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from router.engine.evolve import evolve
from router.engine.facts import Fact
from router.engine.index import rebuild_index
from router.engine.state import State, canonical
from router.engine.tables import Illegal
from router.errors import JournalDamaged
from router.journal.interface import Entry, Record
from router.wire import Unreadable, decode

Watch = Callable[[int, Fact, State], None]
"""Called after each fact with its number, the fact, and the state it led to."""


def fold(entries: Iterable[Entry], state: State, watch: Watch | None = None) -> State:
    """Apply the entries in order. Raises Illegal (tables) or Unreadable (wire) where the record is wrong."""
    for entry in entries:
        fact = decode(entry.fact)
        evolve(state, fact, entry.number, entry.at)
        if watch is not None:
            watch(entry.number, fact, state)
    return state


def restore(journal: Record) -> State:
    """The state as of the journal's last fact, by way of its newest usable snapshot. Raises JournalDamaged."""
    state = State()
    snapshot = journal.load_snapshot()
    if snapshot is not None:
        state = read_snapshot(snapshot[1])
    try:
        fold(journal.read(after=state.number), state)
    except (Illegal, Unreadable) as error:
        raise JournalDamaged(f"fact {state.number + 1}: {error}") from error
    rebuild_index(state)
    return state


def take_snapshot(journal: Record) -> int:
    """Fold the journal and keep the result; gives the number it stands for."""
    state = restore(journal)
    journal.save_snapshot(state.number, canonical(state))
    return state.number


def read_snapshot(content: bytes) -> State:
    """The state that `canonical` wrote. Raises msgspec.ValidationError."""
    state = msgspec.json.decode(content, type=State)
    rebuild_index(state)
    return state
