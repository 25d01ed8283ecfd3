"""What the vault on disk must stand besides the common suite: crashes, tampering, erasure to the byte."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from router.errors import Erased, Fault, InvalidInput, Unavailable, UnknownThing
from router.vault import store, writer
from router.vault.interface import CARD_TYPE, Card, Citizen, Item, card_bytes
from router.vault.keys import VaultDamaged, unseal
from router.vault.store import SqliteVault
from tests.conformance.power import Power, child, content, ended, killed_after

TOWN = "waterland"
LARGE = 100_000

STORING = """
import asyncio, sys
from pathlib import Path
from router.vault.store import SqliteVault
async def one(vault, worker):
    turn = 0
    while True:
        turn += 1
        size = 100_000 if turn % 10 == 0 else 10 * turn
        ref = await vault.store(f"c-{worker}", "text/plain", bytes([turn % 256]) * size)
        print(ref, turn, size, flush=True)
async def run():
    vault = SqliteVault(Path(sys.argv[1]))
    await asyncio.gather(*(one(vault, worker) for worker in range(4)))
asyncio.run(run())
"""
ERASING = """
import asyncio, sys
from pathlib import Path
from router.vault.store import SqliteVault
async def run():
    vault = SqliteVault(Path(sys.argv[1]))
    print(await vault.erase(sys.argv[2], who="beheer"))
    await vault.close()
asyncio.run(run())
"""


@contextlib.contextmanager
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(folder / "vault.sqlite")) as connection, connection:
        yield connection


def raw(folder: Path) -> bytes:
    """Every byte of every file, the key's own and the index of the log apart."""
    apart = {"vault.key", "vault.sqlite-shm"}
    return content(*(path for path in folder.rglob("*") if path.is_file() and path.name not in apart))


async def reads(vault: SqliteVault, ref: str) -> bytes:
    return (await vault.read(ref, who="a1", purpose="contact")).content


# -- erasure to the byte --------------------------------------------------------------------------------------


async def test_no_byte_of_an_erased_citizen_is_left(tmp_path: Path, vault: SqliteVault) -> None:
    count, marks = 120, {}
    for n in range(count):
        mark = f"MARK-{n:04}-OF-CITIZEN"
        citizen = await vault.recognise(TOWN, f"c-{n}", name=mark, phone=f"+3161{n:07}", email=f"{mark}@x.nl")
        await asyncio.gather(
            vault.store(f"c-{n}", "text/plain", mark.encode() * 20),
            vault.store(f"c-{n}", "text/plain", mark.encode() * (LARGE // 10) if n % 10 == 0 else b""),
            vault.put_draft(f"c-{n}", "a1", mark),
        )
        marks[citizen] = mark.encode()
    with database(tmp_path) as connection:
        holders = (
            "SELECT citizen, key FROM citizens UNION ALL SELECT citizen, key FROM contacts JOIN links USING (contact)"
        )
        keys = {
            citizen: [row[1] for row in connection.execute(
                f"SELECT citizen, wrapped FROM ({holders}) JOIN keys ON keys.id = key WHERE citizen = ?", (citizen,)
            )]
            for citizen in marks
        }  # fmt: skip
        digests = {
            citizen: [row[0] for row in connection.execute("SELECT digest FROM blind WHERE citizen = ?", (citizen,))]
            for citizen in marks
        }
    assert all(len(found) == 2 for found in [*keys.values(), *digests.values()])
    assert not [mark for mark in marks.values() if mark in raw(tmp_path)], "in clear on the disk"
    erased = list(marks)[::3]
    for citizen in erased:
        assert await vault.erase(citizen) == 1
    running = raw(tmp_path)
    await vault.close()
    for bytes_left in (running, raw(tmp_path)):
        for citizen in erased:
            assert not [secret for secret in keys[citizen] + digests[citizen] if secret in bytes_left]
        for citizen in set(marks) - set(erased):
            assert all(secret in bytes_left for secret in keys[citizen] + digests[citizen])
    assert len(list((tmp_path / "vault").iterdir())) == 8


async def test_no_byte_of_what_was_kept_for_a_time_is_left(tmp_path: Path) -> None:
    vault = SqliteVault(tmp_path, clock=lambda: now[0])
    now = [1_000]
    for size in (3, LARGE):
        await vault.store("c-1", "audio/wav", bytes(size), keep_until=2_000)
    with database(tmp_path) as connection:
        sealed = connection.execute("SELECT sealed FROM items WHERE NOT file").fetchone()[0]
    assert sealed in raw(tmp_path)
    now[0] = 2_000
    assert await vault.expire() == 2
    assert list((tmp_path / "vault").iterdir()) == []
    assert sealed not in raw(tmp_path)
    await vault.close()


async def test_another_process_erases_while_the_server_runs(tmp_path: Path, vault: SqliteVault) -> None:
    citizen = await vault.recognise(TOWN, "c-1", name="Jan", phone="+31612345678")
    refs = [await vault.store("c-1", "t", bytes(size)) for size in (10, LARGE)]
    for ref in refs:
        await reads(vault, ref)
    with database(tmp_path) as connection:
        keys = [row[0] for row in connection.execute("SELECT wrapped FROM keys")]
    process = child(ERASING, tmp_path, citizen)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "1\n"
    assert await asyncio.to_thread(ended, process) == 0
    assert not [key for key in keys if key in raw(tmp_path)]
    for ref in refs:
        with pytest.raises(Erased):
            await vault.read_unattended(ref)
    with pytest.raises(Erased):
        await vault.store("c-1", "t", b"more")
    assert await vault.find(TOWN, phone="+31612345678") == ""
    assert await vault.verify_audit() == 3


async def test_an_interrupted_erasure_is_finished_later(
    tmp_path: Path, vault: SqliteVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await vault.recognise(TOWN, "c-1", phone="+31612345678")
    ref = await vault.store("c-1", "t", bytes(LARGE))

    def refuse(refs: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(vault._files, "remove", refuse)
        with pytest.raises(Unavailable):
            await vault.erase(citizen)
    with pytest.raises(Erased):
        await vault.read_unattended(ref)
    assert (tmp_path / "vault" / ref).exists()
    await SqliteVault(tmp_path).close()
    assert not (tmp_path / "vault" / ref).exists()
    assert await vault.erase(citizen) == 0


async def test_a_large_item_whose_contact_is_erased_meanwhile_leaves_no_file(
    tmp_path: Path, vault: SqliteVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await vault.recognise(TOWN, "c-1", phone="+31612345678")
    written, erased = asyncio.Event(), asyncio.Event()
    move = vault._move

    async def slow(work):
        done = await move(work)
        written.set()
        await erased.wait()
        return done

    monkeypatch.setattr(vault, "_move", slow)
    storing = asyncio.create_task(vault.store("c-1", "t", bytes(LARGE)))
    await written.wait()
    assert await vault.erase(citizen) == 1
    erased.set()
    with pytest.raises(Erased):
        await storing
    assert not list((tmp_path / "vault").iterdir())


async def test_files_without_a_row_are_swept(tmp_path: Path) -> None:
    now = [0]
    vault = SqliteVault(tmp_path, clock=lambda: now[0])
    ref = await vault.store("c-1", "t", bytes(LARGE))
    stray = tmp_path / "vault" / "v-stray"
    stray.write_bytes(b"x")
    now[0] = int(stray.stat().st_mtime * 1000)
    await vault.sweep({"c-1": True})
    assert stray.exists()
    now[0] += 2 * 86_400_000
    await vault.sweep({"c-1": True})
    assert [path.name for path in (tmp_path / "vault").iterdir()] == [ref]
    await vault.close()


async def test_content_cannot_be_put_under_another_reference_or_type(tmp_path: Path, vault: SqliteVault) -> None:
    small = [await vault.store("c-1", "t", bytes([n]) * 10) for n in range(2)]
    large = [await vault.store("c-1", "t", bytes([n]) * LARGE) for n in range(2)]
    with database(tmp_path) as connection:
        sealed = connection.execute("SELECT sealed FROM items WHERE ref = ?", (small[0],)).fetchone()[0]
        connection.execute("UPDATE items SET sealed = ? WHERE ref = ?", (sealed, small[1]))
        connection.execute("UPDATE items SET type = 'text/html' WHERE ref = ?", (large[0],))
    (tmp_path / "vault" / large[1]).write_bytes((tmp_path / "vault" / large[0]).read_bytes())
    for ref in (small[1], *large):
        with pytest.raises(VaultDamaged):
            await vault.read_unattended(ref)
    assert (await vault.read_unattended(small[0])).content == bytes(10)


async def test_an_erasure_that_could_not_empty_the_log_is_finished_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_BUSY_SECONDS", 0.05)
    vault = SqliteVault(tmp_path)
    citizen = await vault.recognise(TOWN, "c-1", phone="+31612345678")
    assert await vault.find(TOWN, phone="+31612345678") == citizen
    with database(tmp_path) as reader:
        keys = [row[0] for row in reader.execute("SELECT wrapped FROM keys")]
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM items").fetchone()
        with pytest.raises(Unavailable):
            await vault.erase(citizen)
        await SqliteVault(tmp_path).close()
    assert [key for key in keys if key in raw(tmp_path)]
    await SqliteVault(tmp_path).close()
    assert not [key for key in keys if key in raw(tmp_path)]
    await vault.close()


# -- the audit comes first ------------------------------------------------------------------------------------


async def test_without_an_audit_record_nothing_is_read(
    tmp_path: Path, vault: SqliteVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await vault.recognise(TOWN, "c-1", name="Jan", phone="+31612345678")
    ref = await vault.store("c-1", "t", b"text")
    with database(tmp_path) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk full'); END")
    opened: list[object] = []
    for module in ("store", "index"):
        monkeypatch.setattr(f"router.vault.{module}.unseal", lambda *given: opened.append(given))
    with pytest.raises(Unavailable):
        await reads(vault, ref)
    with pytest.raises(Unavailable):
        await vault.read_citizen(citizen, contact="c-1", who="a1", purpose="contact")
    with pytest.raises(Unavailable):
        await vault.read_contact("c-1", citizen, ref, who="a1", purpose="contact")
    assert not opened


async def test_the_record_is_on_disk_before_the_content_is_opened(
    tmp_path: Path, vault: SqliteVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await vault.store("c-1", "t", b"text")
    seen: list[tuple[str, ...]] = []

    def watched(*given):
        with database(tmp_path) as connection:
            seen.extend(connection.execute("SELECT who, action, purpose, contact, ref FROM audit"))
        return unseal(*given)

    monkeypatch.setattr(store, "unseal", watched)
    assert await reads(vault, ref) == b"text"
    assert seen == [("a1", "read", "contact", "c-1", ref)]


async def test_both_records_are_on_disk_before_anything_of_a_contact_is_opened(
    tmp_path: Path, vault: SqliteVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(phone="+31612345678")
    citizen, ref, _ = await vault.take_in(TOWN, "c-1", card)
    seen: list[list[tuple[str, ...]]] = []

    def watched(*given):
        with database(tmp_path) as connection:
            seen.append(connection.execute("SELECT who, action, purpose, contact, citizen, ref FROM audit").fetchall())
        return unseal(*given)

    for module in ("store", "index"):
        monkeypatch.setattr(f"router.vault.{module}.unseal", watched)
    found = await vault.read_contact("c-1", citizen, ref, who="a1", purpose="offer")
    assert found == (Citizen(citizen, TOWN, "", card.phone, ""), Item("c-1", CARD_TYPE, card_bytes(card)))
    records = [("a1", "read_citizen", "offer", "c-1", citizen, ""), ("a1", "read", "offer", "c-1", "", ref)]
    assert seen == [records, records]


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("UPDATE audit SET who = 'a9' WHERE number = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE number = 5", 5),
        ("UPDATE audit SET link = zeroblob(32) WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 5", 5),
        ("DELETE FROM audit", 1),
        ("INSERT INTO audit SELECT 0, at, who, action, purpose, contact, citizen, ref, link FROM audit LIMIT 1", 1),
    ],
)
async def test_no_audit_record_changes_unseen(tmp_path: Path, vault: SqliteVault, change: str, number: int) -> None:
    ref = await vault.store("c-1", "t", b"text")
    for _ in range(5):
        await reads(vault, ref)
    assert await vault.verify_audit() == 5
    with database(tmp_path) as connection:
        connection.execute(change)
    with pytest.raises(Fault, match=rf"^audit record {number}\b") as told:
        await vault.verify_audit()
    assert told.value.code == "audit_damaged"


# -- the disk -------------------------------------------------------------------------------------------------


async def check(folder: Path, said: list[str]) -> None:
    vault = SqliteVault(folder)
    for line in said:
        ref, turn, size = line.split()
        assert (await vault.read_unattended(ref)).content == bytes([int(turn) % 256]) * int(size)
    await vault.close()


async def test_what_was_stored_is_there_after_a_kill(tmp_path: Path) -> None:
    for turn in range(4):
        said = await asyncio.to_thread(killed_after, child(STORING, tmp_path), 5 + 40 * turn)
        await check(tmp_path, said)


@pytest.mark.skipif(not Power.possible(), reason="needs a C compiler")
async def test_what_was_stored_is_there_after_a_power_cut(tmp_path: Path) -> None:
    power = Power(tmp_path)
    process = child(STORING, power.folder, **power.environment())
    said = await asyncio.to_thread(killed_after, process, 150)
    left = power.what_is_left(tmp_path / "left")
    (left / "vault.key").chmod(0o600)
    await check(left, said)


async def test_what_waits_together_shares_a_commit(vault: SqliteVault) -> None:
    statements: list[str] = []
    await vault._write(lambda connection: connection.set_trace_callback(statements.append))
    await asyncio.gather(*(vault.store("c-1", "t", b"text") for _ in range(500)))
    assert statements.count("COMMIT") <= 10


async def test_one_that_cannot_be_written_does_not_harm_the_others(tmp_path: Path, vault: SqliteVault) -> None:
    with database(tmp_path) as connection:
        connection.execute(
            "CREATE TRIGGER one BEFORE INSERT ON items WHEN new.contact = 'c-5' BEGIN SELECT raise(ABORT, 'no'); END"
        )
    outcomes = await asyncio.gather(*(vault.store(f"c-{n}", "t", b"t") for n in range(10)), return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Unavailable)] == [5]
    for outcome in outcomes[:5] + outcomes[6:]:
        assert isinstance(outcome, str)
        assert await reads(vault, outcome) == b"t"


async def test_what_goes_outside_a_transaction_keeps_its_place_among_the_others(vault: SqliteVault) -> None:
    seen: list[tuple[int, bool]] = []

    def work(number: int, connection: sqlite3.Connection) -> None:
        seen.append((number, connection.in_transaction))

    alone = [False, False, True, True, False]
    await asyncio.gather(*(vault._write(partial(work, n), alone=by_itself) for n, by_itself in enumerate(alone)))
    assert seen == [(n, not by_itself) for n, by_itself in enumerate(alone)]


async def test_a_database_that_refuses_is_tried_again_on_another_connection(
    vault: SqliteVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> sqlite3.Connection:
        raise sqlite3.OperationalError("disk I/O error")

    ref = await vault.store("c-1", "t", b"text")
    with monkeypatch.context() as broken:
        broken.setattr(vault._writer, "_connect", refuse)
        await vault._write(lambda connection: connection.close(), alone=True)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await vault.store("c-1", "t", b"text")
        assert (await vault.read_unattended(ref)).content == b"text"
    assert await reads(vault, await vault.store("c-1", "t", b"again")) == b"again"


async def test_there_are_limits(vault: SqliteVault, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput):
        await vault.store("c-1", "t", bytes(store.CONTENT_BYTES_MAX + 1))
    monkeypatch.setattr(store, "HELD_BYTES_MAX", 1000)
    outcomes = await asyncio.gather(*(vault.store("c-1", "t", bytes(300)) for _ in range(5)), return_exceptions=True)
    assert [isinstance(outcome, Unavailable) for outcome in outcomes] == [False] * 3 + [True] * 2
    await vault.store("c-1", "t", bytes(1000))


async def test_no_more_waits_for_the_disk_than_may(vault: SqliteVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_MAX", 3)
    begun, go = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        begun.set()
        go.wait()

    first = asyncio.create_task(vault._write(slow))
    await asyncio.to_thread(begun.wait)
    rest = [asyncio.create_task(vault.store("c-1", "t", b"text")) for _ in range(5)]
    await asyncio.wait(rest, timeout=0)
    assert [task.done() for task in rest] == [False] * 3 + [True] * 2
    go.set()
    outcomes = await asyncio.gather(first, *rest, return_exceptions=True)
    assert [isinstance(outcome, Unavailable) for outcome in outcomes] == [False] * 4 + [True] * 2


def test_a_loop_that_ended_leaves_the_vault_to_the_next(tmp_path: Path) -> None:
    begun, go, vault = threading.Event(), threading.Event(), SqliteVault(tmp_path)

    def slow(connection: sqlite3.Connection) -> None:
        begun.set()
        go.wait()

    async def leave() -> None:
        vault._writer.submit(slow)
        await asyncio.to_thread(begun.wait)
        vault._writer.submit(lambda connection: None)

    async def again() -> bytes:
        storing = asyncio.create_task(vault.store("c-1", "t", b"again"))
        await asyncio.wait([storing], timeout=0)
        go.set()
        found = await reads(vault, await storing)
        await vault.close()
        return found

    asyncio.run(leave())
    assert asyncio.run(again()) == b"again"


async def test_closing_finishes_what_was_begun(
    tmp_path: Path, vault: SqliteVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go, write = threading.Event(), threading.Event(), vault._files.write

    def slow(ref: str, sealed: bytes) -> None:
        begun.set()
        go.wait()
        write(ref, sealed)

    monkeypatch.setattr(vault._files, "write", slow)
    large = asyncio.create_task(vault.store("c-1", "t", bytes(LARGE)))
    await asyncio.to_thread(begun.wait)
    small = [asyncio.create_task(vault.store("c-1", "t", bytes(10))) for _ in range(300)]
    await asyncio.wait(small, timeout=0)
    closing = asyncio.create_task(vault.close())
    await asyncio.wait([closing], timeout=0)
    go.set()
    refs = await asyncio.gather(large, *small)
    await closing
    again = SqliteVault(tmp_path)
    assert [len((await again.read_unattended(ref)).content) for ref in refs] == [LARGE] + [10] * 300
    await again.close()


async def test_a_closed_vault_says_so(tmp_path: Path) -> None:
    vault = SqliteVault(tmp_path)
    ref = await vault.store("c-1", "t", b"text")
    await vault.close()
    await vault.close()
    for ask in (vault.store("c-1", "t", b"x"), vault.read_unattended(ref), vault.find(TOWN, phone="+31612345678")):
        with pytest.raises(Unavailable):
            await ask


async def test_a_cancelled_wait_harms_nobody(vault: SqliteVault) -> None:
    tasks = [asyncio.create_task(vault.store("c-1", "t", b"text")) for _ in range(20)]
    await asyncio.wait(tasks, timeout=0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes[::2])
    for outcome in outcomes[1::2]:
        assert isinstance(outcome, str)
        assert await reads(vault, outcome) == b"text"


async def test_errors_say_nothing_personal(tmp_path: Path, vault: SqliteVault) -> None:
    citizen = await vault.recognise(TOWN, "c-1", name="Jan Jansen", phone="+31612345678", email="jan@voorbeeld.nl")
    with database(tmp_path) as connection:
        connection.execute("UPDATE citizens SET identity = x'00'")
    with pytest.raises(VaultDamaged) as told:
        await vault.read_citizen(citizen, contact="c-1", who="a1", purpose="contact")
    assert not [word for word in ("Jan", "0612", "612345678", "voorbeeld") if word in repr(told.value)]
    with pytest.raises(UnknownThing) as unknown:
        await vault.erase("+31612345678")
    assert "612345678" not in repr(unknown.value)
