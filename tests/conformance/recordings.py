"""Journals that every later version must read; `python -m tests.conformance.recordings NAME [new]` writes this one's:
all kinds of facts, or those that no recording has yet.

A recording is `NAME.jsonl`, one fact a line as `[moment in ms, [name, version, fields]]`, and `NAME.json`, what the
version that wrote it made of them. A hash of the state would change with every field that is added; this does not.
Recordings are never written again: a fact, once journalled, stays as it is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

from router.engine import commands, facts
from router.engine.state import State
from router.journal.interface import Entry
from router.wire import decode, encode
from tests.properties.at_random import random_sequence
from tests.properties.world import World, replayed

FOLDER = Path(__file__).with_name("journals_recorded")
SEEDS = 400
LENGTH = 60
NOTHING_NEW = float("inf")


def entries(name: str) -> list[Entry]:
    """The facts of a recording, byte for byte as they were journalled."""
    found = []
    for number, line in enumerate((FOLDER / f"{name}.jsonl").read_text().splitlines(), 1):
        at, fact = line[1:-1].split(",", 1)
        found.append(Entry(number, int(at), fact.encode()))
    return found


def made_of(state: State) -> dict[str, Any]:
    """What a state says in terms that outlast its fields: contacts, offers, people, promises and the books."""
    contacts = {
        c.id: [c.channel, c.state, c.owner, c.queue, c.topic, list(c.place), c.needs] for c in state.contacts.values()
    }
    people = {a.id: [a.presence, a.reason, a.connection, a.load, a.idle_since] for a in state.agents.values()}
    books = {
        channel: [b.received, b.intake, b.waiting, b.offered, b.active, b.wrap_up, b.ended]
        for channel, b in state.books.items()
    }
    return {
        "at": state.at,
        "number": state.number,
        "contacts": contacts,
        "ended": sorted(state.ended),
        "offers": {o.id: [o.contact, o.agent, o.state] for o in state.offers.values()},
        "people": people,
        "promises": {f.id: [f.state, f.due_at, f.owner_agent, f.owner_queue] for f in state.follow_ups.values()},
        "books": books,
    }


Facts = list[tuple[int, facts.Fact]]


def recorded() -> set[type]:
    """The kinds of facts that some recording has."""
    return {type(decode(entry.fact)) for path in FOLDER.glob("*.jsonl") for entry in entries(path.stem)}


def covering(known: set[type]) -> list[Facts]:
    """Short records in which together every kind of fact but these occurs; in one what ended is forgotten."""
    forgetful = World()
    forgetful.ask(commands.CloseContact(forgetful.receive("post"), "sup", "v-1"))
    forgetful.pass_time(forgetful.centre.remember_days * 86_400_000 + 1)
    records = [random_sequence(seed, LENGTH).record for seed in range(SEEDS)]
    chosen, missing = [forgetful.record], set(get_args(facts.Fact)) - {type(fact) for _, fact in forgetful.record}
    if known:
        chosen, missing = [], missing - known
    while missing:
        best, worth = min((shortened(record, missing) for record in records), key=lambda found: found[1])
        if worth == NOTHING_NEW:
            raise SystemExit(f"no sequence leads to {', '.join(sorted(kind.__name__ for kind in missing))}")
        chosen.append(best)
        missing -= {type(fact) for _, fact in best}
    return chosen


def shortened(record: Facts, missing: set[type]) -> tuple[Facts, float]:
    """The record up to the last kind that is new, and how many bytes each new kind costs."""
    first: dict[type, int] = {}
    for number, (_, fact) in enumerate(record, 1):
        first.setdefault(type(fact), number)
    new = [first[kind] for kind in missing if kind in first]
    if not new:
        return record, NOTHING_NEW
    short = record[: max(new)]
    return short, sum(len(encode(fact)) for _, fact in short) / len(new)


def write(name: str, known: set[type]) -> None:
    """Record this version under `NAME-1`, `NAME-2` and so on: all kinds of facts but those that are `known`."""
    FOLDER.mkdir(exist_ok=True)
    for number, record in enumerate(covering(known), 1):
        path = FOLDER / f"{name}-{number}.jsonl"
        if path.exists():
            raise SystemExit(f"{path.name} is there already: a recording is never written again")
        path.write_text("".join(f"[{at},{encode(fact).decode()}]\n" for at, fact in record))
        path.with_suffix(".json").write_text(json.dumps(made_of(replayed(record)), sort_keys=True) + "\n")


if __name__ == "__main__":
    write(sys.argv[1], recorded() if "new" in sys.argv else set())
