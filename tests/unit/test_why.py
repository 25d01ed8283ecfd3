"""Explanations: in words, and derived again from the record."""

from __future__ import annotations

from dataclasses import replace

from router import __version__
from router.engine import commands
from router.why import in_words, recheck
from router.wire import decode, encode
from tests.properties.world import World, journal_of, small_centre


def day() -> World:
    here = World(small_centre("resolution", "skill-level"))
    here.ready("anna", "bert", "eef")
    for channel in ("chat", "phone", "chat"):
        contact = here.receive(channel)
        here.ask(commands.Decline(here.offer_of(contact)[0], here.offer_of(contact)[1]))
    here.pass_time(40_000)
    return here


def test_all_come_out_the_same() -> None:
    here = day()
    found = recheck(journal_of(here))
    assert (found.same, found.differing, found.older) == (len(here.explained), [], 0)
    assert found.same > 3


def test_one_that_was_touched_is_found_and_another_versions_is_not_compared() -> None:
    record = journal_of(day())
    at = [i for i, entry in enumerate(record) if entry.explanation]
    first, second = (decode(record[i].explanation) for i in at[:2])
    record[at[0]] = replace(record[at[0]], explanation=encode(replace(first, chosen="dia")))
    record[at[1]] = replace(record[at[1]], explanation=encode(replace(second, engine="0.0.1")))
    found = recheck(record)
    assert found.differing == [(record[at[0]].number, first.contact)]
    assert found.older == 1


def test_pruned_explanations_are_passed_over() -> None:
    record = [replace(entry, explanation=b"") for entry in journal_of(day())]
    assert recheck(record).same == 0


def test_words_say_who_how_likely_until_when_and_by_which_rule() -> None:
    here = day()
    number = min(here.explained)
    words = in_words(replace(decode(here.explained[number]), reserved_until=1_800_000_012_000), "Europe/Amsterdam")
    for said in (
        "offered to anna",
        "chance 74%",
        "burgerzaken from level 2",
        "until 09:00:12",
        __version__,
        "2 signed off",
    ):
        assert said in words, (said, words)
