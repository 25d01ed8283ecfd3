"""200 seeded days with crashes: nothing is lost or doubled, and every day replays to the same state."""

from __future__ import annotations

import os

import pytest

from router.engine import facts
from router.engine.state import canonical, state_hash
from router.verify import verify
from router.why import recheck
from tests.properties.at_random import POLICY_PAIRS
from tests.properties.world import World, journal_of, replayed, small_centre
from tests.simulation.day import Day

DAYS = int(os.environ.get("KCC_DAYS", "200"))
BATCHES = 10


@pytest.mark.parametrize("batch", range(BATCHES))
def test_days_lose_nothing_and_replay_to_the_same_state(batch: int) -> None:
    for seed in range(batch * DAYS // BATCHES, (batch + 1) * DAYS // BATCHES):
        day = Day(seed, world=World(small_centre(*POLICY_PAIRS[seed % len(POLICY_PAIRS)])))
        world = day.run()
        assert state_hash(replayed(world.record)) == state_hash(world.state), f"seed {seed}"
        received = [f.contact for _, f in world.record if isinstance(f, facts.ContactReceived)]
        assert sorted(received) == sorted(day.ledger.values()), f"seed {seed}"
        ended = [f.contact for _, f in world.record if isinstance(f, facts.ContactEnded)]
        assert len(ended) == len(set(ended)), f"seed {seed}"
        assert set(received) == set(ended) | set(world.state.contacts), f"seed {seed}"
        report = verify(journal_of(world))
        assert report.sound, report.violations
        again = recheck(journal_of(world))
        assert not again.differing, f"seed {seed}"
        assert again.same == len(world.explained)


def test_the_same_seed_is_the_same_day() -> None:
    assert canonical(Day(7).run().state) == canonical(Day(7).run().state)


def test_the_days_hold_what_they_should() -> None:
    """Crashes, abandoned calls, missed offers and hand-overs do occur, or the days would prove little."""
    days = [Day(seed) for seed in range(20)]
    record = [fact for day in days for _, fact in day.run().record]
    assert sum(day.crashes for day in days) > 10
    for kind in (facts.OfferEnded, facts.ContactReturned, facts.OfferAccepted, facts.ConversationEnded):
        assert sum(isinstance(fact, kind) for fact in record) > 20, kind
    reasons = {fact.reason for fact in record if isinstance(fact, facts.ContactEnded)}
    assert {"handled", "abandoned"} <= reasons


def test_no_later_arrival_of_the_same_kind_is_served_first() -> None:
    """Invariant 9: among contacts that ask the same of an agent, the earlier one is offered first, first time."""
    for seed in range(40):
        waiting: dict[tuple[str, str], list[str]] = {}
        kind_of: dict[str, tuple[str, str]] = {}
        for _, fact in Day(seed).run().record:
            match fact:
                case facts.ContactReceived(contact=contact, channel=channel, hints=hints):
                    kind_of[contact] = (channel, hints[0])
                    waiting.setdefault(kind_of[contact], []).append(contact)
                case facts.ContactOffered(contact=contact) if contact in waiting[kind_of[contact]]:
                    ahead = waiting[kind_of[contact]]
                    assert ahead[0] == contact, f"seed {seed}: {contact} overtook {ahead[0]}"
                    ahead.remove(contact)
                case facts.ContactEnded(contact=contact) if contact in waiting[kind_of[contact]]:
                    waiting[kind_of[contact]].remove(contact)
