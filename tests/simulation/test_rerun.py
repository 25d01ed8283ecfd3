"""A recorded day run again: under the same configuration to the contact, under another with what follows from it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from router.engine import commands, facts
from router.errors import InvalidInput
from router.journal.interface import Entry
from router.nouns import Agent, ChannelRules
from router.rerun import Comparison, day_bounds, rerun
from tests.properties.at_random import POLICY_PAIRS, random_sequence
from tests.properties.world import START, World, journal_of, small_centre
from tests.simulation.day import Day

DAY = datetime.fromtimestamp(START / 1000, UTC).date()
ZONE = "Europe/Amsterdam"
CLOCK_DAYS = (date(2026, 11, 27), date(2026, 3, 29), date(2026, 10, 25))


def as_recorded(entries: list[Entry], day: date = DAY) -> Comparison:
    return rerun(entries, day, ZONE, None, "")


def simulated(seed: int) -> World:
    return Day(seed, world=World(small_centre(*POLICY_PAIRS[seed % len(POLICY_PAIRS)]))).run()


@pytest.mark.parametrize("seed", range(40))
def test_a_day_under_the_same_configuration_is_the_same_to_the_fact(seed: int) -> None:
    """Crashes, declined and missed offers, hand-overs and censuses included."""
    found = as_recorded(journal_of(simulated(seed)))
    assert found.reproduced
    assert not found.changes
    assert not found.assumed
    assert found.then.queues == found.now.queues


@pytest.mark.parametrize("seed", range(200))
def test_random_commands_are_reproduced_to_the_fact(seed: int) -> None:
    world = random_sequence(seed, length=60)
    found = as_recorded(journal_of(world))
    assert found.reproduced, f"seed {seed}"
    assert not found.changes


def changed(world: World, **changes: object) -> Comparison:
    """The world's day under its centre with these changes."""
    return rerun(journal_of(world), DAY, ZONE, replace(world.centre, **changes), "changed")  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_another_policy_keeps_every_citizen(seed: int) -> None:
    """Whoever came in the record comes here, and the run ends in a sound state."""
    world = simulated(seed)
    queues = tuple(replace(queue, policy="longest-idle") for queue in world.centre.queues)
    found = changed(world, queues=queues)
    assert sum(f.received for f in found.now.queues.values()) == found.contacts
    again = changed(world, queues=queues)
    assert again.plain() == found.plain(), "the same day twice is not the same"


def test_who_is_taken_off_the_roster_gets_nothing_and_others_do() -> None:
    world = simulated(3)
    gone = "bert"
    found = changed(world, agents=tuple(a for a in world.centre.agents if a.id != gone))
    assert gone in found.then.handled_by.values()
    assert gone not in found.now.handled_by.values()
    moved = [change for change in found.changes if change.then == gone]
    assert moved
    assert any(change.now for change in moved)
    assert any("another way than recorded" in line for line in found.assumed)


def test_a_newcomer_works_the_hours_of_the_day() -> None:
    world = simulated(3)
    new = Agent("nieuw", "Nieuw", "Nieuw", {"burgerzaken": 5, "afval": 5, "wmo": 5, "veenstede": 1}, "a9")
    found = changed(world, agents=(*world.centre.agents, new))
    assert [change for change in found.changes if change.now == "nieuw"]


def test_a_version_that_changes_nothing_changes_no_hands() -> None:
    """A new version with the same content: the day goes as it did, but for the fact that says so."""
    found = changed(simulated(5))
    assert found.reproduced
    assert not found.changes
    assert found.now.queues == found.then.queues
    assert not found.assumed


def test_a_day_without_its_commands_is_refused_with_the_reason() -> None:
    pruned = [replace(entry, command=b"") for entry in journal_of(simulated(1))]
    with pytest.raises(InvalidInput, match="pruned"):
        as_recorded(pruned)


def test_a_day_of_which_nothing_is_recorded_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing is recorded of 2001-01-01"):
        as_recorded(journal_of(simulated(1)), date(2001, 1, 1))


def test_a_day_is_as_long_as_the_clock_makes_it() -> None:
    hours = {day: (end - begin) // 3_600_000 for day in CLOCK_DAYS for begin, end in [day_bounds(day, ZONE)]}
    assert list(hours.values()) == [24, 23, 25]


def test_a_second_day_begins_where_the_first_ended() -> None:
    """Agents, waiting contacts and ended ones are carried over from what came before the day."""
    world = Day(8, world=World(small_centre())).run()
    world.pass_time(12 * 3_600_000)
    world.made = 1_000
    world.receive("phone")
    next_day = DAY + timedelta(days=1)
    found = as_recorded(journal_of(world), next_day)
    assert found.reproduced
    assert found.contacts == 1


def test_the_text_shows_so_many_contacts_and_says_how_to_see_the_rest() -> None:
    world = simulated(3)
    found = changed(world, agents=tuple(a for a in world.centre.agents if a.id != "bert"))
    text = found.text(2, 1)
    assert f"{len(found.changes)} contact(s) change hands" in text
    assert "--skip 3" in text
    assert found.changes[0].contact not in text.split("Assumed")[0].splitlines()
    assert json.loads(json.dumps(found.plain()))["changed_hands"][0]["then"] == found.changes[0].then


@pytest.mark.parametrize("seed", range(100))
def test_random_commands_under_another_configuration_break_nothing(seed: int) -> None:
    """Whatever was done, the engine's assertions hold and the books of the run balance."""
    world = random_sequence(seed, length=60)
    other = small_centre(*POLICY_PAIRS[(seed + 1) % len(POLICY_PAIRS)])
    agents = tuple(replace(a, skills={**a.skills, "wmo": 5}) for a in other.agents[seed % 3 :])
    found = changed(world, queues=other.queues, agents=agents)
    promises = [f.promise for _, f in world.record if isinstance(f, facts.ContactReceived) and f.promise]
    again = len(promises) - len(set(promises))  # who was not reached at first, and may be now
    helped = len({id for id in promises if id.startswith("f-back-")})  # who asked on hold, and may be with an agent now
    assert sum(f.received for f in found.now.queues.values()) >= found.contacts - again - helped


def test_a_callback_promised_by_somebody_who_is_not_on_the_roster_is_still_made() -> None:
    centre = small_centre()
    world = World(replace(centre, channels={**centre.channels, "callback": ChannelRules(60)}))
    world.ready("bert")
    world.ask(
        commands.PlanCallback(
            "f-1", "c-1", "k", "sup", "waterland", "z-1", due_at=START + 3_600_000, owner_agent="anna"
        )
    )
    world.pass_time(120_000)
    found = changed(world, agents=world.centre.agents[1:])
    assert sum(f.received for f in found.now.queues.values()) == found.contacts == 1


def test_ticks_that_came_late_come_as_late_again() -> None:
    """A server wakes some milliseconds after the moment the engine named, and reacts to people in between."""
    world = World(small_centre())
    world.ready("anna")
    contacts = [world.receive("chat") for _ in range(3)]
    world.now += 20_000 + 7  # the offers lapsed 7 ms ago
    world.receive("phone")
    world.now += 12
    world.ask(commands.Tick())
    world.ready("anna")
    world.now += 3_007
    world.ask(commands.Tick())
    assert any(isinstance(fact, facts.OfferEnded) for _, fact in world.record)
    assert as_recorded(journal_of(world)).reproduced, contacts


@pytest.mark.parametrize("seed", range(6))
def test_another_roster_still_answers_who_was_answered(seed: int) -> None:
    """Off their paths contacts are finished and wrapped up too: nothing hangs in somebody's hands for the day."""
    world = simulated(seed)
    agents = tuple(replace(a, skills={**a.skills, "burgerzaken": 5}) for a in world.centre.agents)
    found = changed(world, agents=agents)
    then, now = (sum(f.answered for f in account.queues.values()) for account in (found.then, found.now))
    assert now > 0.8 * then
