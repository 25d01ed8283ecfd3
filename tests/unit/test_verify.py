"""`verify` finds a contact that was taken out of a journal, put in twice, or tampered with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from router.engine import facts
from router.errors import JournalDamaged
from router.journal.interface import Entry
from router.verify import verify
from router.wire import decode, encode
from tests.simulation.day import Day


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    world = Day(3).run()
    return [Entry(n, at, encode(fact)) for n, (at, fact) in enumerate(world.record, 1)]


def renumbered(entries: list[Entry]) -> list[Entry]:
    return [replace(entry, number=number) for number, entry in enumerate(entries, 1)]


def about(entry: Entry) -> str:
    return getattr(decode(entry.fact), "contact", "")


def test_a_sound_journal_is_sound(entries: list[Entry]) -> None:
    report = verify(entries)
    assert report.sound
    for row in report.channels.values():
        ended = row["ended"]
        assert isinstance(ended, dict)
        open_now = sum(int(str(row[name])) for name in ("intake", "waiting", "offered", "active", "wrap_up"))
        assert row["received"] == open_now + sum(ended.values())


def test_a_removed_contact_is_found(entries: list[Entry]) -> None:
    victim = about(entries[60])
    assert victim
    without = [entry for entry in entries if about(entry) != victim]
    assert not verify(without).sound, "the numbers have gaps"


def test_a_removed_arrival_is_found_also_when_the_rest_is_numbered_anew(entries: list[Entry]) -> None:
    arrival = next(i for i, e in enumerate(entries) if isinstance(decode(e.fact), facts.ContactReceived))
    assert not verify(renumbered(entries[:arrival] + entries[arrival + 1 :])).sound


def test_a_doubled_contact_is_found(entries: list[Entry]) -> None:
    arrival = next(i for i, e in enumerate(entries) if isinstance(decode(e.fact), facts.ContactReceived))
    twice = renumbered([*entries[: arrival + 1], *entries[arrival:]])
    report = verify(twice)
    assert not report.sound
    assert "received before" in report.violations[0]


def test_a_doubled_source_is_found(entries: list[Entry]) -> None:
    """Another contact id for the same call or mail is the same contact twice."""
    arrival = next(i for i, e in enumerate(entries) if isinstance(decode(e.fact), facts.ContactReceived))
    copy = replace(entries[arrival], fact=encode(replace(decode(entries[arrival].fact), contact="c-copy")))
    assert not verify(renumbered([*entries[: arrival + 1], copy, *entries[arrival + 1 :]])).sound


def test_an_end_that_is_missing_or_comes_twice_is_found(entries: list[Entry]) -> None:
    end = next(i for i, e in enumerate(entries) if isinstance(decode(e.fact), facts.ContactEnded))
    assert not verify(renumbered([*entries[: end + 1], *entries[end:]])).sound


def test_garbage_is_reported_not_raised() -> None:
    report = verify([Entry(1, 1, b"nonsense")])
    assert report.violations
    assert not report.sound


def test_a_record_that_cannot_be_read_on_is_reported_not_raised(entries: list[Entry]) -> None:
    def read() -> Iterator[Entry]:
        yield from entries[:5]
        raise JournalDamaged("fact 6: its checksum does not hold")

    report = verify(read())
    assert not report.sound
    assert report.facts == 5
    assert report.violations == ["fact 6: its checksum does not hold"]
