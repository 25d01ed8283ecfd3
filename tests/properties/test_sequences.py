"""Random command sequences: no invariant breaks, and the state is what its facts say."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable
from typing import get_args

import pytest

from router.engine import commands, facts
from router.engine.decide import advance
from router.engine.facts import Fact
from router.engine.index import rebuild_index
from router.engine.state import State, canonical, state_hash
from router.errors import Refusal
from router.replay import read_snapshot
from router.why import recheck
from tests.properties.at_random import random_sequence
from tests.properties.world import journal_of, replayed

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


def test_sequences_reach_every_fact_and_every_command_leads_somewhere() -> None:
    """The random commands are worth their name only if they lead everywhere."""
    missing: set[type] = {*get_args(facts.Fact), *get_args(commands.Command)} - {facts.ContactForgotten}
    for seed in range(2_000):
        world = random_sequence(seed, length=60)
        missing -= {type(fact) for _, fact in world.record}
        missing -= {type(command) for command in world.causes.values()}
        if not missing:
            break
    assert not missing


ONCE = (commands.Tick, commands.StartCentre, commands.ExtendWrapUp, commands.RejoinCall)
"""Each of these is an event of its own every time: a moment, a start, some seconds more, a telephone that is back."""


@pytest.mark.parametrize("batch", range(4))
def test_every_command_two_to_five_times_gives_the_same_facts(batch: int) -> None:
    """Invariant 5, to the fact."""
    for seed in range(batch, SEQUENCES // 50, 4):
        world = random_sequence(seed, length=30)
        assert played(world.asked, several_times(random.Random(seed))) == played(world.asked), f"seed {seed}"


def several_times(dice: random.Random) -> Callable[[commands.Command], int]:
    return lambda command: 1 if isinstance(command, ONCE) else dice.randint(2, 5)


@pytest.mark.parametrize("batch", range(4))
def test_an_index_made_anew_before_every_command_decides_the_same(batch: int) -> None:
    """What is derived never decides anything: a restart between any two commands changes no fact."""
    for seed in range(batch, SEQUENCES // 50, 4):
        world = random_sequence(seed, length=30)
        assert played(world.asked, before=rebuild_index) == world.record, f"seed {seed}"


def played(
    asked: list[tuple[int, commands.Command]],
    times: Callable[[commands.Command], int] = lambda _: 1,
    before: Callable[[State], None] = lambda _: None,
) -> list[tuple[int, Fact]]:
    """The facts of a fresh centre that is asked each of these so many times at its moment."""
    state, found = State(), list[tuple[int, Fact]]()
    for now, command in asked:
        for _ in range(times(command)):
            before(state)
            with contextlib.suppress(Refusal):
                found.extend((now, fact) for fact in advance(state, command, now, explained=False).facts)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_leaving_explanations_out_changes_no_fact(seed: int) -> None:
    """A simulation that reads no explanations gets the same facts from the same commands."""
    world = random_sequence(seed, 150)
    assert played(world.asked) == world.record
