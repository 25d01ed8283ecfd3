"""The place of each caller, and how long it may take: known from what was handled lately, else said not to be known."""

from __future__ import annotations

import pytest

from router.engine import facts
from router.nouns import Standing
from router.port import Numbered
from router.projections.standings import LATELY_MS, Standings
from router.queues.expected import HANDLED_MIN, expected_seconds


@pytest.mark.parametrize(
    ("place", "handled", "shares", "expected"),
    [
        (1, [100] * HANDLED_MIN, [1.0], 100),
        (3, [100] * HANDLED_MIN, [1.0], 300),
        (3, [100] * HANDLED_MIN, [1.0, 0.5], 200),  # somebody whose other half goes to another queue
        (1, [100] * (HANDLED_MIN - 1), [1.0], None),
        (1, [100] * HANDLED_MIN, [], None),
        (1, [], [], None),
    ],
)
def test_what_is_expected(place: int, handled: list[int], shares: list[float], expected: int | None) -> None:
    assert expected_seconds(place, handled, shares) == expected


class Day:
    """Facts one after the other."""

    def __init__(self) -> None:
        self.standings, self.number, self.at = Standings(), 0, 0

    def tell(self, fact: facts.Fact, seconds: int = 0) -> None:
        self.number += 1
        self.at += seconds * 1000
        self.standings.apply(Numbered(self.number, self.at, fact))

    def comes(self, contact: str, queue: str = "algemeen", channel: str = "phone", rank: int = 0) -> None:
        self.tell(facts.ContactReceived(contact, channel, "duinrand", contact, "", "", "nl", "", (), ""))
        self.tell(facts.ContactQueued(contact, "t", queue, {}, "nl", 0, rank or self.number, 0))

    def offered(self, contact: str, agent: str) -> None:
        self.tell(facts.ContactOffered(f"{contact}-1", contact, agent, "answer", 0, 0))

    def handled(self, contact: str, agent: str, seconds: int, queue: str = "algemeen") -> None:
        self.comes(contact, queue)
        self.offered(contact, agent)
        self.tell(facts.OfferAccepted(f"{contact}-1", contact, agent, "answer"))
        self.tell(facts.ContactEnded(contact, "handled", agent), seconds)

    def place(self, contact: str) -> int:
        standing = self.standings.of(contact, self.at)
        return standing.place if standing else 0


@pytest.fixture
def day() -> Day:
    return Day()


def test_places_go_by_rank_per_queue_and_only_calls_count(day: Day) -> None:
    day.comes("a")
    day.comes("mail", channel="email")
    day.comes("b")
    day.comes("c", queue="elders")
    day.comes("first", rank=-1)
    assert [day.place(c) for c in ("a", "b", "c", "first", "mail", "nobody")] == [2, 3, 1, 1, 0, 0]
    day.tell(facts.ContactEnded("a", "abandoned"))
    assert [day.place(c) for c in ("a", "b")] == [0, 2]


def test_who_is_offered_does_not_wait_and_comes_back_to_the_same_place(day: Day) -> None:
    day.comes("a")
    day.comes("b")
    day.offered("a", "ada")
    assert [day.place(c) for c in "ab"] == [0, 2]
    day.tell(facts.OfferEnded("a-1", "a", "ada", "failed", "no_answer", 0))
    assert [day.place(c) for c in "ab"] == [1, 2]


def test_the_wait_is_known_once_enough_was_handled_by_somebody_who_is_on(day: Day) -> None:
    day.tell(facts.PresenceChanged("ada", "ready", "", "ada"))
    for n in range(HANDLED_MIN):
        assert day.standings.of("x", day.at) is None
        day.handled(f"h{n}", "ada", 120)
    day.comes("x")
    day.comes("y")
    assert day.standings.of("y", day.at) == Standing(2, 240)
    for n in range(HANDLED_MIN):
        day.handled(f"o{n}", "ada", 10, "elders")  # half of ada's calls come from elsewhere
    assert day.standings.of("y", day.at) == Standing(2, 480)
    assert day.standings.of("y", day.at + LATELY_MS) == Standing(2, None)
    day.tell(facts.PresenceChanged("ada", "paused", "lunch", "ada"))
    assert day.standings.of("y", day.at) == Standing(2, None)
