"""Random command sequences: no invariant breaks, and the state is what its facts say."""

from __future__ import annotations

import contextlib
import os

import pytest

from router.engine.decide import advance
from router.engine.facts import Fact
from router.engine.state import State, canonical, state_hash
from router.errors import Refusal
from router.replay import read_snapshot
from router.why import recheck
from tests.properties.world import journal_of, random_sequence, replayed

SEQUENCES = int(os.environ.get("KCC_SEQUENCES", "1500"))
BATCHES = 20


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_sequences_break_no_invariant(batch: int) -> None:
    """World checks every invariant after every command; here the whole is folded again."""
    share = SEQUENCES // BATCHES
    for seed in range(batch * share, (batch + 1) * share):
        world = random_sequence(seed, length=30)
        again = replayed(world.record)
        assert state_hash(again) == state_hash(world.state), f"seed {seed}"
        assert state_hash(read_snapshot(canonical(world.state))) == state_hash(world.state), f"seed {seed}"


def test_every_stored_explanation_comes_out_of_the_record_again_byte_for_byte() -> None:
    compared = 0
    for seed in range(SEQUENCES // 20):
        world = random_sequence(seed, length=40)
        found = recheck(journal_of(world))
        assert not found.differing, f"seed {seed}: {found.differing}"
        assert found.same == len(world.explained)
        compared += found.same
    assert compared > SEQUENCES // 20


def test_sequences_reach_every_fact() -> None:
    """The random commands are worth their name only if they lead everywhere."""
    from router.engine import facts

    missing = set(facts.Fact.__args__) - {facts.ContactForgotten}
    for seed in range(2_000):
        missing -= {type(fact) for _, fact in random_sequence(seed, length=60).record}
        if not missing:
            break
    assert not missing


@pytest.mark.parametrize("seed", range(8))
def test_leaving_explanations_out_changes_no_fact(seed: int) -> None:
    """A simulation that reads no explanations gets the same facts from the same commands."""
    world = random_sequence(seed, 150)
    state, found = State(), list[tuple[int, Fact]]()
    for now, command in world.asked:
        with contextlib.suppress(Refusal):
            decision = advance(state, command, now, explained=False)
            assert not decision.explanations
            found.extend((now, fact) for fact in decision.facts)
    assert found == world.record
