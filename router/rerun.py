"""A day read from a journal, run again under another configuration, and compared with how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from router.engine.evolve import evolve
from router.engine.facts import CentreConfigured, Fact
from router.engine.state import State, canonical
from router.errors import InvalidInput, JournalDamaged
from router.journal.interface import Entry
from router.nouns import Centre
from router.replay import read_snapshot
from router.simulation.comparison import Account, Change, assumptions, changed_hands, table
from router.simulation.habits import Habits
from router.simulation.rerun import Player
from router.simulation.tape import Act, Tape
from router.wire import Unreadable, decode


@dataclass(slots=True)
class Comparison:
    """A day then and now."""

    day: str
    contacts: int
    """Received that day in the record."""
    reproduced: bool
    """Every fact is the recorded one, at the recorded moment."""
    then: Account
    now: Account
    changes: list[Change] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, object]:
        """All of it, ready for JSON."""
        return {
            "day": self.day,
            "contacts": self.contacts,
            "reproduced": self.reproduced,
            "queues": {
                id: {
                    "then": self.then.queues[id].shown() if id in self.then.queues else None,
                    "now": figures.shown(),
                }
                for id, figures in self.now.queues.items()
            },
            "changed_hands": [asdict(change) for change in self.changes],
            "assumed": self.assumed,
        }

    def text(self, limit: int, skip: int) -> str:
        """For people; of the contacts that change hands, `limit` after the first `skip`."""
        lines = [f"{self.day}: {self.contacts} contacts received", "", table(self.then, self.now), ""]
        if self.reproduced:
            lines.append("Every contact went as recorded: the same offers to the same agents at the same moments.")
        shown = self.changes[skip : skip + limit]
        lines.append(f"{len(self.changes)} contact(s) change hands" + (":" if shown else "."))
        lines += [f"  {c.contact:<28}{c.then or '(nobody)':<16} -> {c.now or '(nobody)'}" for c in shown]
        left = len(self.changes) - skip - len(shown)
        if left > 0:
            lines.append(f"  … {left} more: --skip {skip + len(shown)}, --limit, or --json for all")
        if self.assumed:
            lines += ["", "Assumed:", *(f"  - {line}" for line in self.assumed)]
        return "\n".join(lines)


def acts(entries: Iterable[Entry]) -> Iterator[Act]:
    """The journal as commands with the facts they led to. Raises JournalDamaged where one cannot be read."""
    cause: Entry | None = None
    came: list[Fact] = []
    for entry in entries:
        if entry.command:
            if cause is not None:
                yield _act(cause, came)
            cause, came = entry, []
        if cause is None or entry.at != cause.at:
            raise InvalidInput(f"the command that led to fact {entry.number} was pruned: its day cannot be run again")
        came.append(_decoded(entry.number, entry.fact))
    if cause is not None:
        yield _act(cause, came)


def _act(cause: Entry, came: list[Fact]) -> Act:
    return Act(cause.number, cause.at, _decoded(cause.number, cause.command), tuple(came))


def _decoded(number: int, content: bytes) -> Any:
    try:
        return decode(content)
    except Unreadable as error:
        raise JournalDamaged(f"fact {number}: {error}") from error


def day_bounds(day: date, zone: str) -> tuple[int, int]:
    """Beginning and end of the local day, in UTC ms; 23 or 25 hours apart when the clock changes."""
    begin, end = (datetime.combine(d, time(), ZoneInfo(zone)) for d in (day, day + timedelta(days=1)))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (begin - epoch) // timedelta(milliseconds=1), (end - epoch) // timedelta(milliseconds=1)


Progress = Callable[[str], None]


def rerun(
    entries: Iterable[Entry],
    day: date,
    zone: str,
    centre: Centre | None,
    version: str,
    progress: Progress = lambda _: None,
) -> Comparison:
    """Run the local `day` again; `centre` None = under the configuration in force then, which must reproduce it.

    Raises InvalidInput when nothing is recorded of that day or its commands were pruned, JournalDamaged.
    """
    begin, end = day_bounds(day, zone)
    progress("reading the journal")
    tape, habits, then = Tape(), Habits(), Account()
    recorded, start = _read(entries, (begin, end), tape, habits, then)
    if not tape.acts:
        raise InvalidInput(f"nothing is recorded of {day.isoformat()}")
    in_force = centre or recorded.config
    habits.judge_by(in_force)
    progress("running the day again")
    last = tape.acts[-1].at
    now = Account()
    now.begin(start)
    found = Player(start, tape, habits, last, now.take).run(centre, version, begin)
    for account in (then, now):
        account.close(last)
    return Comparison(
        day.isoformat(),
        sum(figures.received for figures in then.queues.values()),
        _happened(found.record) == _happened((act.at, fact) for act in tape.acts for fact in act.facts),
        then,
        now,
        changed_hands(then, now),
        assumptions(len(found.off_path), found.left_out, habits.patience(), habits.basis),
    )


def _happened(record: Iterable[tuple[int, Fact]]) -> list[tuple[int, Fact]]:
    """All but when which configuration was put in force."""
    return [(at, fact) for at, fact in record if not isinstance(fact, CentreConfigured)]


def _read(
    entries: Iterable[Entry], bounds: tuple[int, int], tape: Tape, habits: Habits, then: Account
) -> tuple[State, State]:
    """Fold the journal to the day's end, telling tape, habits and account; gives the states at end and start."""
    begin, end = bounds
    state = State()
    start: State | None = None
    for act in acts(entries):
        if act.at >= end:
            break
        if act.at >= begin and start is None:
            start = read_snapshot(canonical(state))
            tape.mark()
            then.begin(state)
        for position, fact in enumerate(act.facts):
            evolve(state, fact, act.number + position, act.at)
        for story in tape.take(act):
            habits.ended(story)
        if start is not None:
            then.take(state, act.at, act.facts)
    return state, start or state
