"""Who comes in, at the vault on disk: told before it is written, at once, and never mixed up with somebody else."""

from __future__ import annotations

import asyncio
import threading

import pytest

from router.errors import Erased, Unavailable, UnknownThing
from router.vault.interface import CARD_TYPE, Card
from router.vault.store import SqliteVault

TOWN = "waterland"


async def test_one_that_is_refused_does_not_harm_the_others(vault: SqliteVault) -> None:
    await vault.erase(await vault.recognise(TOWN, "c-5", phone="+31612345678"))
    cards = (Card(phone=f"+3161234567{n % 10}") for n in range(50))
    outcomes = await asyncio.gather(*(vault.take_in(TOWN, f"c-{n}", card) for n, card in enumerate(cards)))
    ends = await asyncio.gather(*(one.keep() for one in outcomes), return_exceptions=True)
    assert [n for n, end in enumerate(ends) if isinstance(end, Erased)] == [5]
    taken = [one for one, end in zip(outcomes, ends, strict=True) if not isinstance(end, Exception)]
    assert len(taken) == 49
    assert len({one.citizen for one in taken}) == 10
    assert [(await vault.read_unattended(one.ref)).type for one in taken] == [CARD_TYPE] * 49


async def test_who_comes_in_is_told_before_the_card_is_kept(vault: SqliteVault) -> None:
    known = await vault.recognise(TOWN, "c-1", phone="+31612345678")
    go = threading.Event()
    busy = vault._writer.submit(lambda connection: go.wait())
    taken = [
        await vault.take_in(TOWN, f"c-{n}", Card(phone=phone))
        for n, phone in enumerate(("+31612345678", "+31687654321", ""), 2)
    ]
    assert (taken[0].citizen, taken[2].citizen) == (known, "")
    assert not any(one.done() for one in (busy, *(one.keep() for one in taken)))
    go.set()
    await asyncio.gather(*(one.keep() for one in taken))
    assert [(await vault.read_unattended(one.ref)).type for one in taken] == [CARD_TYPE] * 3
    assert await vault.find(TOWN, phone="+31687654321") == taken[1].citizen


async def test_a_card_is_written_once_when_it_is_asked_for_and_before_whatever_is_written_after(
    vault: SqliteVault,
) -> None:
    given = [await vault.take_in(TOWN, f"c-{n}", Card(phone="+31612345678")) for n in range(3)]
    first, second, third = given
    assert first.keep() is first.keep()
    await first.keep()
    with pytest.raises(UnknownThing):
        await vault.read_unattended(third.ref)
    await vault.put_draft("c-9", "a1", "of somebody else")
    assert second.keep().done()
    assert (await vault.read_unattended(third.ref)).type == CARD_TYPE


async def test_a_card_that_the_vault_has_no_room_for_says_so_where_it_is_kept(vault: SqliteVault) -> None:
    taken = await vault.take_in(TOWN, "c-1", Card(phone="+31612345678"))
    await vault.close()
    with pytest.raises(Unavailable):
        await taken.keep()


async def test_who_comes_in_several_times_at_once_for_the_first_time_is_one(vault: SqliteVault) -> None:
    """Also where one of them looks before the first is on disk, and learns afterwards that nobody was there."""
    looked, on = asyncio.Event(), asyncio.Event()
    find = vault.find

    async def late(*given: str, **more: str) -> str:
        found = await find(*given, **more)
        looked.set()
        await on.wait()
        return found

    vault.find = late  # type: ignore[method-assign]
    second = asyncio.create_task(vault.take_in(TOWN, "c-2", Card(phone="+31612345678")))
    await looked.wait()
    vault.find = find  # type: ignore[method-assign]
    first = await vault.take_in(TOWN, "c-1", Card(phone="+31612345678"))
    await first.keep()
    on.set()
    others = [await second, await vault.take_in(TOWN, "c-3", Card(phone="+31612345678"))]
    await asyncio.gather(*(one.keep() for one in others))
    assert {one.citizen for one in others} == {first.citizen} == {await vault.find(TOWN, phone="+31612345678")}


async def test_the_second_at_once_is_kept_also_when_the_first_is_not(vault: SqliteVault) -> None:
    await vault.erase(await vault.recognise(TOWN, "c-1", phone="+31687654321"))
    first, second = [await vault.take_in(TOWN, f"c-{n}", Card(phone="+31612345678")) for n in (1, 2)]
    with pytest.raises(Erased):
        await first.keep()
    await second.keep()
    assert second.citizen == await vault.find(TOWN, phone="+31612345678")


async def test_who_is_made_elsewhere_meanwhile_is_not_mixed_up(vault: SqliteVault) -> None:
    go = threading.Event()
    vault._writer.submit(lambda connection: go.wait())
    made = asyncio.create_task(vault.recognise(TOWN, "c-1", phone="+31612345678"))
    await asyncio.sleep(0)  # it stands in line
    taken = await vault.take_in(TOWN, "c-2", Card(phone="+31612345678"))
    go.set()
    with pytest.raises(Unavailable):
        await taken.keep()
    assert await vault.find(TOWN, phone="+31612345678") == await made


async def test_a_card_is_kept_also_when_whoever_waited_for_it_is_gone(vault: SqliteVault) -> None:
    """The fact that refers to it may be on disk by then."""
    await vault.recognise(TOWN, "c-1", phone="+31612345678")
    go = threading.Event()
    vault._writer.submit(lambda connection: go.wait())
    _, ref, keep = await vault.take_in(TOWN, "c-2", Card(phone="+31612345678"))
    keep().cancel()
    go.set()
    await vault.put_draft("c-2", "a1", "after it")
    assert (await vault.read_unattended(ref)).type == CARD_TYPE


async def test_who_is_erased_while_they_come_in_again_is_not_mixed_up_with_themselves(vault: SqliteVault) -> None:
    """The citizen that was told is another one than who calls from then on."""
    citizen = await vault.recognise(TOWN, "c-1", phone="+31612345678")
    erasing = asyncio.create_task(vault.erase(citizen))
    go = threading.Event()
    vault._writer.submit(lambda connection: go.wait())
    await asyncio.sleep(0)  # it stands in line
    _, ref, keep = await vault.take_in(TOWN, "c-2", Card(phone="+31612345678"))
    go.set()
    await erasing
    with pytest.raises(Unavailable):
        await keep()
    with pytest.raises(UnknownThing):
        await vault.read_unattended(ref)


async def test_who_calls_is_looked_up_while_the_thread_that_reads_is_busy(vault: SqliteVault) -> None:
    known = await vault.recognise(TOWN, "c-1", phone="+31612345678")
    go = threading.Event()
    busy = vault._reader.ask(lambda connection: go.wait(10))
    assert await vault.find(TOWN, phone="+31612345678") == known
    assert not busy.done()
    go.set()
    assert await busy


async def test_who_cannot_be_looked_up_at_once_is_looked_up_all_the_same(vault: SqliteVault) -> None:
    known = await vault.recognise(TOWN, "c-1", phone="+31612345678")
    vault._at_once.close()
    assert await vault.find(TOWN, phone="+31612345678") == known
    assert await vault.find(TOWN, phone="+31687654321") == ""
