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
from tests.properties.world import random_sequence, replayed

SEQUENCES = int(os.environ.get("KCC_SEQUENCES", "10000"))
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


def test_sequences_reach_every_fact() -> None:
    """The random commands are worth their name only if they lead everywhere."""
    from router.engine import facts

    seen = {type(fact) for seed in range(500) for _, fact in random_sequence(seed, length=60).record}
    missing = set(facts.Fact.__args__) - seen - {facts.ContactForgotten}
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
