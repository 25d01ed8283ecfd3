"""Limits of a queue: who waits live is refused when it is full, what is written never, and nobody falls between."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.engine import commands
from router.engine.decide import advance
from router.engine.index import INTAKE_SECONDS_MAX
from router.errors import QueueFull
from router.nouns import QueueLimit
from tests.properties.at_random import random_command
from tests.properties.world import World, small_centre


def world(**limits: QueueLimit) -> World:
    centre = small_centre()
    return World(replace(centre, queues=(replace(centre.queues[0], limits=limits), centre.queues[1])))


def refused(made: World, command: commands.Command) -> None:
    with pytest.raises(QueueFull) as caught:
        advance(made.state, command, made.now)
    assert caught.value.code == "too_many"


def chat(contact: str, topic: str = "wmo", channel: str = "chat", classify: bool = True) -> commands.Receive:
    return commands.Receive(contact, channel, "waterland", contact, hints=(f"topic:{topic}",), classify=classify)


def test_so_many_wait_and_no_more() -> None:
    made = world(chat=QueueLimit(waiting_max=2))
    made.receive("chat", "wmo")
    made.receive("chat", "burgerzaken")
    refused(made, chat("c-x"))
    made.ask(chat("c-mail", channel="email"))
    made.ask(chat("c-phone", channel="phone"))
    made.ask(chat("c-other", topic="afval"))
    assert {made.state.contacts[id].state for id in ("c-mail", "c-phone", "c-other")} == {"waiting"}


def test_whoever_leaves_makes_room() -> None:
    made = world(chat=QueueLimit(waiting_max=1))
    first = made.receive("chat", "wmo")
    refused(made, chat("c-x"))
    made.ask(commands.EndContact(first, "abandoned"))
    made.ask(chat("c-x"))
    assert made.state.contacts["c-x"].state == "waiting"


def test_nobody_is_put_behind_somebody_who_has_waited_too_long() -> None:
    made = world(chat=QueueLimit(wait_seconds_max=60))
    made.receive("chat", "wmo")
    made.pass_time(59_999)
    made.receive("chat", "wmo")
    made.pass_time(1)
    refused(made, chat("c-x"))


def test_the_same_again_is_known_and_not_refused() -> None:
    made = world(chat=QueueLimit(waiting_max=1))
    made.ask(chat("c-x"))
    for _ in range(4):
        again = made.ask(chat("c-x"))
        assert again is not None
        assert again.answer == "c-x"


def test_a_refused_call_stays_in_intake_and_is_queued_when_nobody_ends_it() -> None:
    made = world(phone=QueueLimit(waiting_max=1))
    made.receive("phone", "wmo")
    made.ask(chat("c-x", channel="phone", classify=False))
    refused(made, commands.Classify("c-x"))
    assert made.state.contacts["c-x"].state == "intake"
    made.pass_time(INTAKE_SECONDS_MAX * 1000)
    assert made.state.contacts["c-x"].state == "waiting"


def test_a_supervisor_may_move_into_a_full_queue() -> None:
    made = world(chat=QueueLimit(waiting_max=1))
    made.receive("chat", "wmo")
    other = made.receive("chat", "afval")
    made.ask(commands.MoveContact(other, "balie", "sup", "v-1"))
    assert made.state.contacts[other].queue == "balie"


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000))
def test_no_arrival_ever_makes_a_full_queue_longer(seed: int) -> None:
    dice, made = Random(seed), world(chat=QueueLimit(waiting_max=2), counter=QueueLimit(waiting_max=1))
    for _ in range(80):
        command = random_command(made, dice)
        before = waiting(made)
        made.ask(command)
        after = waiting(made)
        if isinstance(command, commands.Receive | commands.Classify):
            for channel, limit in (("chat", 2), ("counter", 1)):
                assert after[channel] <= max(before[channel], limit)
        made.pass_time(dice.randrange(5_000))


def waiting(made: World) -> Counter[str]:
    contacts = made.state.contacts.values()
    return Counter(one.channel for one in contacts if one.queue == "balie" and one.state == "waiting")
