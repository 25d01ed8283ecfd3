"""Why contacts went where they went: recorded explanations in words, and derived again from the facts alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from router import __version__
from router.engine.evolve import evolve
from router.engine.explain import explain
from router.engine.explanation import Candidate, Explanation
from router.engine.facts import ContactOffered
from router.engine.state import State
from router.journal.interface import Entry
from router.wire import decode, encode


@dataclass(slots=True)
class Recheck:
    """What came of deriving stored explanations again."""

    same: int = 0
    """Byte for byte."""
    differing: list[tuple[int, str]] = field(default_factory=list)
    """(number of the fact, contact)."""
    older: int = 0
    """Made by another version of the engine: not compared."""


def recheck(entries: Iterable[Entry]) -> Recheck:
    """Fold the entries and make the explanation of every offer anew, from the state as it was before the offer.

    Raises Illegal or Unreadable where the record is wrong.
    """
    found = Recheck()
    state = State()
    for entry in entries:
        fact = decode(entry.fact)
        if entry.explanation and isinstance(fact, ContactOffered):
            again = explain(state, fact.contact, entry.at, chosen=fact.agent, offer=fact.offer)
            if encode(again) == entry.explanation:
                found.same += 1
            elif decode(entry.explanation).engine != __version__:
                found.older += 1
            else:
                found.differing.append((entry.number, fact.contact))
        evolve(state, fact, entry.number, entry.at)
    return found


def in_words(decision: Explanation, time_zone: str) -> str:
    """One recorded decision for a person to read, several lines; agents by their ids."""

    def moment(at: int) -> str:
        return datetime.fromtimestamp(at / 1000, ZoneInfo(time_zone)).strftime("%H:%M:%S")

    def who(one: Candidate) -> str:
        scored = f", chance {one.chance / 100:.0f}%, score {one.score / 100:.1f}" if one.chance else ""
        return f"{one.agent} (level {one.level}{scored}, free since {moment(one.idle_since)})"

    day = datetime.fromtimestamp(decision.at / 1000, ZoneInfo(time_zone)).strftime("%Y-%m-%d")
    needs = ", ".join(f"{skill} from level {level}" for skill, level in decision.needs.items()) or "no skill"
    chosen = [who(one) for one in decision.candidates if one.agent == decision.chosen] or [decision.chosen]
    others = [who(one) for one in decision.candidates if one.agent != decision.chosen]
    lines = [
        f"{day} {moment(decision.at)}  {decision.offer}: offered to {chosen[0]}",
        f"  topic {decision.topic} in queue {decision.queue} asks {needs}",
        *([f"  less is asked than usual, because it waited: step {decision.step}"] if decision.step else []),
        *([f"  kept for a better agent until {moment(decision.reserved_until)}"] if decision.reserved_until else []),
        f"  also possible: {'; '.join(others) or 'nobody'}",
        *([f"  not possible: {_counted(decision.excluded)}"] if decision.excluded else []),
        f"  rule: {decision.rule} (engine {decision.engine}, configuration {decision.configuration[:12]})",
    ]
    return "\n".join(lines)


def _counted(excluded: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason.replace('_', ' ').replace(':', ' ')}" for reason, count in excluded.items())
