"""What every journal must do: one suite, held against each implementation."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.errors import Deposed, JournalDamaged, JournalFault
from router.journal.interface import Entry
from tests.conformance.journals import Bench, MemoryBench, Owned, SqliteBench, entries, entry


@pytest.fixture(params=["memory", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return MemoryBench() if request.param == "memory" else SqliteBench(tmp_path)


@pytest.fixture
def journal(bench: Bench):
    owner = bench.journal()
    owner.open()
    yield owner
    owner.close()


def recorded(bench: Bench, last: int) -> None:
    """Facts 1 to `last` stand in the record, and nobody owns it."""
    owner = bench.journal()
    owner.open()
    owner.append(entries(1, last))
    owner.close()


def test_a_new_journal_is_empty(journal: Owned) -> None:
    assert journal.last() == 0
    assert journal.cut == 0
    assert list(journal.read()) == []
    assert journal.load_snapshot() is None
    assert journal.explanations("c-1") == []


def test_facts_come_back_in_order_and_whole(journal: Owned) -> None:
    written = [
        entry(1, b"\x00\xff", command=b"the command"),
        entry(2, command=b"another", explanation=b"why", about="c-1"),
        entry(3, b"x" * 100_000),
    ]
    journal.append(written[:2])
    journal.append(written[2:])
    assert list(journal.read()) == written
    assert journal.last() == 3


def test_reading_starts_after_a_number_and_stops_at_a_limit(journal: Owned) -> None:
    journal.append(entries(1, 4500))
    assert list(journal.read(after=4498)) == entries(4499, 4500)
    assert list(journal.read(after=1, limit=2)) == entries(2, 3)
    assert list(journal.read(limit=4100)) == entries(1, 4100)
    assert list(journal.read(limit=0)) == []
    assert list(journal.read(after=4500)) == []
    assert list(journal.read(after=9999)) == []


def test_another_owner_reads_what_the_one_before_wrote(bench: Bench) -> None:
    recorded(bench, 5)
    successor = bench.journal()
    successor.open()
    assert successor.last() == 5
    successor.append(entries(6, 6))
    assert list(successor.read()) == entries(1, 6)
    successor.close()


@given(batches=st.lists(st.lists(st.binary(min_size=1, max_size=40), max_size=5), max_size=6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_batches_give_the_same_facts(batches: list[list[bytes]], tmp_path_factory: pytest.TempPathFactory) -> None:
    for bench in (MemoryBench(), SqliteBench(tmp_path_factory.mktemp("batches"))):
        owner = bench.journal()
        owner.open()
        written: list[Entry] = []
        for batch in batches:
            facts = [entry(len(written) + n, fact) for n, fact in enumerate(batch, start=1)]
            owner.append(facts)
            written += facts
        assert list(owner.read()) == written
        assert owner.last() == len(written)
        owner.close()


@pytest.mark.parametrize(
    "wrong",
    [entries(4, 4), entries(2, 3), entries(0, 1), [entry(3), entry(5)], [entry(3), entry(3)]],
    ids=["gap", "again", "zero", "gap within", "twice within"],
)
def test_numbers_continue_without_a_gap(journal: Owned, wrong: list[Entry]) -> None:
    journal.append(entries(1, 2))
    with pytest.raises(AssertionError):
        journal.append(wrong)
    assert list(journal.read()) == entries(1, 2)
    journal.append(entries(3, 3))
    assert journal.last() == 3


def test_time_never_runs_backwards(journal: Owned) -> None:
    journal.append([Entry(1, 1000, b"a")])
    with pytest.raises(AssertionError):
        journal.append([Entry(2, 999, b"b")])
    journal.append([Entry(2, 1000, b"b")])
    assert journal.last() == 2


def test_time_never_runs_backwards_for_the_next_owner_either(bench: Bench) -> None:
    recorded(bench, 1)
    successor = bench.journal()
    successor.open()
    with pytest.raises(AssertionError):
        successor.append([Entry(2, entry(1).at - 1, b"b")])
    successor.close()


def test_a_batch_that_fails_leaves_nothing_and_the_next_one_succeeds(bench: Bench, journal: Owned) -> None:
    journal.append(entries(1, 2))
    with bench.failing():
        for _ in range(3):
            with pytest.raises(JournalFault):
                journal.append([entry(3, command=b"c", explanation=b"e", about="c-1"), entry(4)])
    assert journal.last() == 2
    assert list(journal.read()) == entries(1, 2)
    assert journal.explanations("c-1") == []
    journal.append(entries(3, 5))
    assert list(journal.read()) == entries(1, 5)


def test_each_owner_has_a_higher_epoch(bench: Bench) -> None:
    epochs = []
    for _ in range(3):
        owner = bench.journal()
        epochs.append(owner.open())
        owner.close()
    assert epochs == [1, 2, 3]


def test_one_object_may_close_and_open_again(journal: Owned) -> None:
    journal.append(entries(1, 2))
    journal.close()
    assert journal.open() == 2
    journal.append(entries(3, 3))
    assert list(journal.read()) == entries(1, 3)


def test_a_second_owner_is_refused_while_the_first_lives(bench: Bench, journal: Owned) -> None:
    second = bench.journal()
    with pytest.raises(Deposed):
        second.open()
    journal.append(entries(1, 1))
    journal.close()
    assert second.open() == 2
    assert second.last() == 1
    second.close()


def test_a_deposed_owner_writes_nothing(bench: Bench, journal: Owned) -> None:
    journal.append(entries(1, 2))
    journal.append([])
    bench.depose()
    for batch in (entries(3, 3), [], entries(3, 4)):
        with pytest.raises(Deposed):
            journal.append(batch)
    assert list(journal.read()) == entries(1, 2)
    journal.close()
    successor = bench.journal()
    assert successor.open() == 3
    assert successor.last() == 2
    successor.close()


def test_reading_goes_on_while_facts_are_appended(journal: Owned) -> None:
    journal.append(entries(1, 3000))
    seen = []
    reading = journal.read()
    for found in reading:
        if found.number == 10:
            journal.append(entries(3001, 3002))
        seen.append(found)
    assert seen[:3000] == entries(1, 3000)
    assert seen == entries(1, len(seen))
    assert list(journal.read(after=len(seen))) == entries(len(seen) + 1, 3002)


def test_explanations_of_a_contact_come_oldest_first_and_pruned_ones_are_left_out(journal: Owned) -> None:
    asked = ["c-1", "c-2", "c-1", "c-2", "c-1", "c-1"]
    journal.append([entry(n, command=b"c%d" % n, explanation=b"e%d" % n, about=a) for n, a in enumerate(asked, 1)])
    assert journal.explanations("c-1") == [b"e1", b"e3", b"e5", b"e6"]
    assert journal.explanations("c-2") == [b"e2", b"e4"]
    assert journal.explanations("c-3") == []
    assert journal.prune(below=4) == 6
    assert journal.explanations("c-1") == [b"e5", b"e6"]
    kept = list(journal.read())
    assert [(e.command, e.explanation, e.about) for e in kept[2:4]] == [(b"", b"", ""), (b"c4", b"e4", "c-2")]
    assert [e.fact for e in kept] == [e.fact for e in entries(1, 6)]


def test_pruning_has_a_limit(journal: Owned) -> None:
    journal.append([entry(n, command=b"c", explanation=b"e") for n in range(1, 7)])
    assert [journal.prune(below=6, limit=4) for _ in range(4)] == [4, 4, 2, 0]


def test_the_newest_two_snapshots_are_kept(bench: Bench, journal: Owned) -> None:
    journal.save_snapshot(0, b"nothing")
    assert journal.load_snapshot() == (0, b"nothing")
    journal.append(entries(1, 9))
    for number in (3, 6, 9):
        journal.save_snapshot(number, b"state %d" % number)
    assert journal.load_snapshot() == (9, b"state 9")
    bench.damage_snapshot(9)
    assert journal.load_snapshot() == (6, b"state 6")
    bench.damage_snapshot(6)
    assert journal.load_snapshot() is None


def test_a_snapshot_outlives_its_owner(bench: Bench, journal: Owned) -> None:
    journal.append(entries(1, 3))
    journal.save_snapshot(2, b"\x00state")
    journal.close()
    successor = bench.journal()
    successor.open()
    assert successor.load_snapshot() == (2, b"\x00state")
    assert list(successor.read(after=2)) == entries(3, 3)
    successor.close()


def test_there_is_no_snapshot_of_what_has_not_happened(journal: Owned) -> None:
    journal.append(entries(1, 3))
    with pytest.raises(AssertionError):
        journal.save_snapshot(4, b"state")
    assert journal.load_snapshot() is None


@pytest.mark.parametrize("number", [1, 2, 4])
def test_damage_in_the_middle_is_refused_with_its_number(bench: Bench, number: int) -> None:
    recorded(bench, 5)
    bench.damage(number)
    owner = bench.journal()
    for _ in range(2):
        with pytest.raises(JournalDamaged, match=rf"^fact {number}\b"):
            owner.open()


def test_damage_while_it_is_open_is_met_in_reading(bench: Bench, journal: Owned) -> None:
    journal.append(entries(1, 5))
    bench.damage(3)
    reading = journal.read()
    assert [next(reading), next(reading)] == entries(1, 2)
    with pytest.raises(JournalDamaged, match=r"^fact 3\b"):
        next(reading)
    assert list(journal.read(after=3)) == entries(4, 5)


@pytest.mark.parametrize("number", [1, 3])
def test_a_fact_missing_in_the_middle_is_refused_with_its_number(bench: Bench, number: int) -> None:
    recorded(bench, 5)
    bench.lose(number)
    with pytest.raises(JournalDamaged, match=rf"^fact {number}\b"):
        bench.journal().open()


@pytest.mark.parametrize("torn", [1, 3, 5])
def test_a_torn_tail_is_cut_and_the_journal_goes_on(bench: Bench, torn: int) -> None:
    recorded(bench, 5)
    for number in range(6 - torn, 6):
        bench.damage(number)
    owner = bench.journal()
    owner.open()
    assert owner.cut == torn
    assert owner.last() == 5 - torn
    again = [entry(n, b"another %d" % n) for n in range(6 - torn, 8)]
    owner.append(again)
    assert list(owner.read()) == entries(1, 5 - torn) + again
    owner.close()
    owner.open()
    assert owner.cut == 0
    assert owner.last() == 7
    owner.close()
