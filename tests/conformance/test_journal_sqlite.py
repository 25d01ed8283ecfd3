"""What the journal on disk must stand besides the common suite: crashes, power cuts, full disks, damaged files."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.errors import ConfigurationInvalid, Deposed, JournalDamaged, JournalFault
from router.journal import wal
from router.journal.sqlite import FILE, SqliteJournal
from tests.conformance.journals import CENTRE, Faults, FaultyJournal, entries, entry, flipped
from tests.conformance.power import Power, child, content, ended, killed_after

LOG = f"{FILE}-wal"
ROUNDS = 12

APPENDING = """
import sys
from pathlib import Path
from router.journal.sqlite import SqliteJournal
from tests.conformance.journals import CENTRE, entries
journal = SqliteJournal(Path(sys.argv[1]), CENTRE)
journal.open()
while True:
    last = journal.last() + int(sys.argv[2])
    journal.append(entries(journal.last() + 1, last))
    print(last, flush=True)
"""
HOLDING = """
import os, sys
from pathlib import Path
from router.journal.sqlite import SqliteJournal
from tests.conformance.journals import CENTRE, entries
journal = SqliteJournal(Path(sys.argv[1]), CENTRE)
journal.open()
journal.append(entries(1, 3))
if sys.argv[2] == "alone" or os.fork() == 0:
    os.write(1, b"open" + bytes([10]))
sys.stdin.read()
os._exit(0)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    owner = SqliteJournal(tmp_path, CENTRE)
    owner.open()
    yield owner
    owner.close()


def copied(folder: Path, place: Path) -> Path:
    """The folder as a killed process would leave it: the shared-memory index is not part of the record."""
    place.mkdir()
    for path in folder.iterdir():
        if path.suffix != ".lock" and not path.name.endswith("-shm"):
            (place / path.name).write_bytes(content(path))
    return place


def holds(folder: Path, last: int) -> int:
    """Everything up to `last` is there and in order; gives how much more is."""
    owner = SqliteJournal(folder, CENTRE)
    owner.open()
    found = list(owner.read())
    owner.append(entries(len(found) + 1, len(found) + 1))
    owner.close()
    assert found == entries(1, len(found))
    assert len(found) >= last
    return len(found) - last


# -- crashes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 150])
def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path, size: int) -> None:
    for turn in range(ROUNDS // 3):
        said = killed_after(child(APPENDING, tmp_path, size), 5 + 17 * turn)
        assert holds(tmp_path, int(said[-1])) <= size + 1


def test_a_copy_at_any_moment_holds_what_was_acknowledged_and_whole_batches(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    owner = SqliteJournal(folder, CENTRE)
    owner.open()
    for batch in range(1, 21):
        owner.append(entries(batch * 10 - 9, batch * 10))
        assert holds(copied(folder, tmp_path / f"copy{batch}"), batch * 10) == 0
    owner.close()


@pytest.mark.skipif(not Power.possible(), reason="needs a C compiler")
@pytest.mark.parametrize("size", [1, 40])
def test_what_was_acknowledged_is_there_after_a_power_cut(tmp_path: Path, size: int) -> None:
    power = Power(tmp_path)
    for turn in range(ROUNDS // 4):
        said = killed_after(child(APPENDING, power.folder, size, **power.environment()), 10 + 40 * turn)
        left = power.what_is_left(tmp_path / f"left{turn}")
        torn = power.what_is_left(tmp_path / f"torn{turn}")
        with (torn / LOG).open("ab") as log:  # some of what was never synced may have reached the disk all the same
            log.write((power.folder / LOG).read_bytes()[log.tell() :][: 1000 * (turn + 1)])
        for image in (left, torn):
            assert holds(image, int(said[-1])) <= size + 1


def test_every_way_to_tear_the_last_transaction_leaves_the_others(tmp_path: Path) -> None:
    owner = SqliteJournal(tmp_path / "live", CENTRE)
    owner.open()
    owner.append(entries(1, 50))
    before = (tmp_path / "live" / LOG).stat().st_size
    owner.append(entries(51, 60))
    whole = (tmp_path / "live" / LOG).read_bytes()
    for number, length in enumerate(range(before, len(whole), 700)):
        image = copied(tmp_path / "live", tmp_path / f"torn{number}")
        (image / LOG).write_bytes(whole[:length])
        assert holds(image, 50) == 0
    owner.close()


# -- one owner ----------------------------------------------------------------------------------------------


def test_a_second_process_is_refused_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    first = child(HOLDING, tmp_path, "alone")
    assert first.stdout is not None
    assert first.stdout.readline() == "open\n"
    second = SqliteJournal(tmp_path, CENTRE)
    with pytest.raises(Deposed, match=str(first.pid)):
        second.open()
    first.kill()
    ended(first)
    assert second.open() == 2
    assert second.last() == 3
    second.close()


def test_a_forked_child_does_not_keep_the_lock_of_a_dead_owner(tmp_path: Path) -> None:
    first = child(HOLDING, tmp_path, "fork")
    assert first.stdout is not None
    assert first.stdout.readline() == "open\n"
    first.kill()
    first.wait()
    second = SqliteJournal(tmp_path, CENTRE)
    assert second.open() == 2
    second.close()
    ended(first)


def test_a_folder_belongs_to_one_centre(tmp_path: Path, journal: SqliteJournal) -> None:
    journal.append(entries(1, 2))
    journal.close()
    with pytest.raises(ConfigurationInvalid, match=CENTRE):
        SqliteJournal(tmp_path, "another").open()
    assert journal.open() == 2


def test_another_owner_that_came_past_the_lock_is_met_by_the_epoch(journal: SqliteJournal) -> None:
    journal.append(entries(1, 2))
    with contextlib.closing(sqlite3.connect(journal.path)) as stranger, stranger:
        stranger.execute("UPDATE owners SET epoch = 2")
        stranger.execute("INSERT INTO facts SELECT centre, 3, at, 2, fact, checksum FROM facts WHERE number = 2")
    with pytest.raises(Deposed):
        journal.append(entries(3, 3))


# -- another process reads ----------------------------------------------------------------------------------


def test_a_reader_follows_the_owner_and_makes_snapshots(tmp_path: Path, journal: SqliteJournal) -> None:
    journal.append(entries(1, 5))
    reader = SqliteJournal.reader(tmp_path, CENTRE)
    assert list(reader.read()) == entries(1, 5)
    journal.append([entry(6, explanation=b"why", about="c-1")])
    assert reader.last() == 6
    assert reader.explanations("c-1") == [b"why"]
    reader.save_snapshot(6, b"state")
    reader.close()
    assert journal.load_snapshot() == (6, b"state")
    with reader._use() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM facts")
    reader.close()
    journal.append(entries(7, 7))


def test_a_reader_cuts_nothing(tmp_path: Path, journal: SqliteJournal) -> None:
    journal.append(entries(1, 3))
    journal.close()
    with contextlib.closing(sqlite3.connect(journal.path)) as stranger, stranger:
        stranger.execute("UPDATE facts SET fact = x'00' WHERE number = 3")
    reader = SqliteJournal.reader(tmp_path, CENTRE)
    with pytest.raises(JournalDamaged, match=r"^fact 3\b"):
        list(reader.read())
    assert reader.last() == 3
    reader.close()


def test_there_is_nothing_to_read_without_a_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalFault):
        SqliteJournal.reader(tmp_path, CENTRE).last()
    assert not list(tmp_path.iterdir())


# -- the disk refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "count"), [("INSERT", 1), ("INSERT", 3), ("BEGIN", 250), ("INSERT", 250), ("COMMIT", 250)]
)
@pytest.mark.parametrize("afterwards", [False, True], ids=["not done", "done all the same"])
def test_after_an_error_nothing_of_the_batch_stays(
    tmp_path: Path, statement: str, count: int, afterwards: bool
) -> None:
    faults = Faults()
    owner = FaultyJournal(tmp_path, CENTRE, faults)
    owner.open()
    owner.append(entries(1, 2))
    connections = owner.plugged
    faults.on, faults.afterwards = statement, afterwards
    with pytest.raises(JournalFault):
        owner.append(entries(3, 2 + count))
    assert faults.told == 1
    faults.on = ""
    assert list(owner.read()) == entries(1, 2)
    assert owner.plugged == connections + 1, "the connection that failed was used again"
    owner.append([entry(3, b"instead")])
    owner.close()
    owner.open()
    assert list(owner.read()) == [*entries(1, 2), entry(3, b"instead")]
    owner.close()


def test_a_snapshot_of_what_was_taken_back_goes_with_it(tmp_path: Path) -> None:
    faults = Faults()
    owner = FaultyJournal(tmp_path, CENTRE, faults)
    owner.open()
    owner.append(entries(1, 2))
    faults.on, faults.afterwards = "INSERT", True
    with pytest.raises(JournalFault):
        owner.append(entries(3, 3))
    reader = SqliteJournal.reader(tmp_path, CENTRE)
    reader.save_snapshot(3, b"too soon")
    reader.close()
    faults.on = ""
    owner.append([entry(3, b"instead")])
    assert owner.load_snapshot() is None
    owner.close()


def test_a_file_that_may_not_grow_refuses_and_recovers(tmp_path: Path, journal: SqliteJournal) -> None:
    journal.append(entries(1, 2))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / LOG).stat().st_size + 30_000, hard))
    try:
        with pytest.raises(JournalFault):
            journal.append([entry(3, os.urandom(200_000))])
        assert list(journal.read()) == entries(1, 2)
        journal.append(entries(3, 3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.append([entry(4, b"x" * 200_000)])
    assert journal.last() == 4
    journal.close()
    journal.open()
    assert list(journal.read())[:3] == entries(1, 3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("may not mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_and_recovers_when_there_is_room(small_disk: Path) -> None:
    owner = SqliteJournal(small_disk, CENTRE)
    owner.open()
    with contextlib.suppress(JournalFault):
        while True:
            last = owner.last()
            owner.append([entry(last + n, b"x" * 2000) for n in range(1, 21)])
    for _ in range(2):
        with pytest.raises(JournalFault):
            owner.append([entry(last + n, b"x" * 2000) for n in range(1, 21)])
    assert owner.last() == last
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    owner.append(entries(last + 1, last + 1))
    assert [found.number for found in owner.read()] == list(range(1, last + 2))
    owner.close()


# -- damaged files ------------------------------------------------------------------------------------------


def test_damage_in_the_middle_of_the_log_is_not_cut_in_silence(tmp_path: Path) -> None:
    owner = SqliteJournal(tmp_path / "live", CENTRE)
    owner.open()
    for batch in range(10):
        owner.append(entries(batch * 5 + 1, batch * 5 + 5))
    image = copied(tmp_path / "live", tmp_path / "image")
    owner.close()
    log = (image / LOG).read_bytes()
    for place in (20, len(log) // 4, len(log) // 2):
        (image / LOG).write_bytes(flipped(log, place))
        for _ in range(2):
            with pytest.raises(JournalDamaged):
                SqliteJournal(image, CENTRE).open()
        assert (image / LOG).read_bytes() == flipped(log, place), "the evidence stays as it is"
    (image / LOG).write_bytes(log)
    assert holds(image, 50) == 0


def test_the_log_is_read_as_sqlite_reads_it(tmp_path: Path, journal: SqliteJournal) -> None:
    for batch in range(30):
        journal.append([entry(batch * 3 + n, bytes(500 * n)) for n in range(1, 4)])
        with journal._use() as connection:
            _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        assert wal.inspect(tmp_path / LOG) == wal.Log(frames, 0, False)


def test_a_damaged_page_is_refused_with_the_number_of_its_first_fact(journal: SqliteJournal) -> None:
    journal.append([entry(n, b"%4d" % n * 100) for n in range(1, 400)])
    journal.close()
    file = bytearray(journal.path.read_bytes())
    hit = 0
    for start in range(4096, len(file), 4096):
        if file[start] == 0x0A and b" 200 200" in file[start : start + 4096]:  # a leaf with fact 200 in it
            file[start : start + 8] = bytes(8)
            hit += 1
    assert hit
    journal.path.write_bytes(file)
    with pytest.raises(JournalDamaged, match=r"^fact (19|20)\d: .*malformed"):
        journal.open()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"something else altogether, and long enough" * 100)
    with pytest.raises(JournalDamaged):
        SqliteJournal(tmp_path, CENTRE).open()


def test_a_fact_taken_from_the_end_is_missed(tmp_path: Path, journal: SqliteJournal) -> None:
    """Its command is still there; without the check the next append would fail for ever on that row."""
    journal.append([*entries(1, 2), entry(3, command=b"[]")])
    journal.close()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as tampered:
        tampered.execute("DELETE FROM facts WHERE number = 3")
        tampered.commit()
    with pytest.raises(JournalDamaged, match="fact 3: missing"):
        list(SqliteJournal.reader(tmp_path, CENTRE).read())


def test_a_journal_that_ends_before_its_snapshot_is_refused(tmp_path: Path, journal: SqliteJournal) -> None:
    journal.append(entries(1, 5))
    journal.save_snapshot(5, b"state")
    journal.close()
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    with pytest.raises(JournalDamaged, match=r"^fact 1\b"):
        journal.open()


def test_a_snapshot_of_another_history_is_not_used(tmp_path: Path, journal: SqliteJournal) -> None:
    journal.append(entries(1, 5))
    journal.save_snapshot(5, b"state")
    journal.close()
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    aside = (tmp_path / "snapshot-5.bin").rename(tmp_path / "aside")
    journal.open()
    journal.append([entry(n, b"other") for n in range(1, 7)])
    aside.rename(tmp_path / "snapshot-5.bin")
    assert journal.load_snapshot() is None


def test_what_was_cut_is_kept_for_inspection(journal: SqliteJournal) -> None:
    journal.append(entries(1, 3))
    journal.close()
    with contextlib.closing(sqlite3.connect(journal.path)) as stranger, stranger:
        stranger.execute("UPDATE facts SET fact = x'00' WHERE number >= 2")
    journal.open()
    assert journal.cut == 2
    with journal._use() as connection:
        assert connection.execute("SELECT number, fact FROM torn").fetchall() == [(2, b"\0"), (3, b"\0")]


def test_the_settings_that_durability_stands_on(journal: SqliteJournal) -> None:
    with journal._use() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
