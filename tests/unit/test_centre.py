"""The loop: one append, then everything visible; faults of the journal; commands that cannot be decided."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from router import centre as centre_module
from router import wire
from router.centre import Centre, Clock
from router.courtesy import Courtesy
from router.engine import commands, facts
from router.engine.decide import advance
from router.engine.decision import Decision
from router.engine.effects import Ring
from router.engine.state import State
from router.errors import Deposed, Fault, InvalidInput, JournalDamaged, Unavailable, UnknownThing
from router.journal.interface import Entry, Record
from router.journal.memory import MemoryJournal, MemoryRecord
from router.port import Numbered
from router.replay import restore
from tests.properties.world import small_centre


class SlowJournal(MemoryJournal):
    """A journal whose disk can be held still, filled up, or taken by another owner."""

    def __init__(self, record: MemoryRecord) -> None:
        super().__init__(record)
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.appends = 0

    def append(self, entries: Sequence[Entry]) -> None:
        self.reached.set()
        assert self.gate.wait(10)
        super().append(entries)
        self.appends += 1


@pytest.fixture
def record() -> MemoryRecord:
    return MemoryRecord("test")


@pytest.fixture
def journal(record: MemoryRecord) -> SlowJournal:
    return SlowJournal(record)


@pytest.fixture
async def centre(journal: SlowJournal) -> AsyncIterator[Centre]:
    running = Centre(journal, small_centre(), "1", (), Clock())
    await running.start()
    yield running
    journal.gate.set()
    await running.stop()


def receive(key: str, channel: str = "chat") -> commands.Receive:
    return commands.Receive(f"c-{key}", channel, "waterland", key)


async def first_facts(centre: Centre, after: int) -> list[Numbered]:
    async for batch in centre.facts(after):
        return list(batch)
    return []


async def test_nothing_is_visible_before_it_is_on_disk(centre: Centre, journal: SlowJournal) -> None:
    """Invariant 6: acknowledgements, refusals, reads and facts all wait for the append."""
    before = centre._visible
    journal.gate.clear()
    journal.reached.clear()
    accepted = asyncio.create_task(centre.submit(receive("1")))
    refused = asyncio.create_task(centre.submit(commands.Receive("c-x", "chat", "atlantis", "x")))
    await asyncio.to_thread(journal.reached.wait, 5)
    news = asyncio.create_task(first_facts(centre, before))
    asked = asyncio.create_task(centre.explain("c-1"))
    done, _ = await asyncio.wait({accepted, refused, news, asked}, timeout=0.05)
    assert not done
    journal.gate.set()
    assert (await accepted).answer == "c-1"
    with pytest.raises(InvalidInput, match="atlantis"):
        await refused
    assert isinstance((await news)[0].fact, facts.ContactReceived)
    assert (await asked).contact == "c-1"


async def test_what_arrives_during_an_append_goes_into_the_next_one_together(
    centre: Centre, journal: SlowJournal
) -> None:
    """Group commit."""
    journal.gate.clear()
    journal.reached.clear()
    first = asyncio.create_task(centre.submit(receive("first")))
    await asyncio.to_thread(journal.reached.wait, 5)
    others = [asyncio.create_task(centre.submit(receive(str(n)))) for n in range(50)]
    await asyncio.wait(others, timeout=0.01)
    appends = journal.appends
    journal.gate.set()
    await asyncio.gather(first, *others)
    assert journal.appends == appends + 2


async def test_a_call_on_its_way_in_goes_before_what_others_ask_unless_somebody_waits_for_it(
    journal: SlowJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.courtesy.LONGEST_SECONDS", 600.0)
    courtesy = Courtesy()
    centre = Centre(journal, small_centre(), "1", (), Clock(), courtesy)
    await centre.start()
    told = courtesy.hurry()
    kept_back = asyncio.create_task(centre.submit(commands.AnnounceCalamity("waterland", "sup", {"nl": "Brand"})))
    await asyncio.sleep(0)  # it is asked
    first = await centre.submit(commands.Receive("c-1", "phone", "waterland", "one", classify=False))
    assert not kept_back.done()
    told()
    assert (await kept_back).number > first.number
    courtesy.hurry()
    await centre.submit(receive("two"))  # nobody is there for it: it waits
    await asyncio.wait_for(centre.submit(commands.WithdrawCalamity("waterland", "sup")), 10)
    await centre.stop()


async def test_a_restart_continues_where_it_was(centre: Centre, record: MemoryRecord, journal: SlowJournal) -> None:
    await centre.submit(receive("1"))
    outcome = await centre.submit(commands.AddMessage("c-1", "m-1", "citizen", "v-1"))
    await centre.stop()
    again = Centre(MemoryJournal(record), small_centre(), "1", (), Clock())
    await again.start()
    try:
        assert (await again.submit(receive("1"))).news is False
        repeated = await again.submit(commands.AddMessage("c-1", "m-1", "citizen", "v-1"))
        assert (repeated.answer, repeated.news) == (outcome.answer, False)
        all_facts = [n async for n in _until(again, again._visible)]
        assert [n.number for n in all_facts] == list(range(1, again._visible + 1))
    finally:
        await again.stop()


async def _until(centre: Centre, last: int) -> AsyncIterator[Numbered]:
    async for batch in centre.facts(0):
        for numbered in batch:
            yield numbered
            if numbered.number == last:
                return


async def test_a_full_disk_refuses_visibly_and_heals_without_a_restart(centre: Centre, record: MemoryRecord) -> None:
    record.fault = "no space left"
    with pytest.raises(Unavailable):
        await centre.submit(receive("1"))
    record.fault = ""
    await _healthy(centre)
    assert (await centre.submit(receive("1"))).news
    assert (await centre.submit(receive("2"))).news


async def test_an_overdue_alarm_on_a_full_disk_keeps_nobody_waiting_and_costs_no_storm_of_replays(
    centre: Centre, journal: SlowJournal, record: MemoryRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    await centre.submit(receive("1"))
    replays = 0

    def counted(record: Record) -> State:
        nonlocal replays
        replays += 1
        return restore(record)

    monkeypatch.setattr(centre_module, "restore", counted)
    monkeypatch.setattr(centre_module, "due", lambda _state: 0)  # an alarm that is due and cannot be recorded
    monkeypatch.setattr(centre_module, "advance", lambda state, command, now: advance(state, receive("2"), now))
    record.fault = "no space left"
    for _ in range(50):
        with pytest.raises(Unavailable):
            await asyncio.wait_for(centre.submit(receive("3")), 5)
    assert replays <= 3
    assert not centre.healthy
    await asyncio.wait_for(centre.stop(), 5)


async def test_a_record_that_cannot_have_been_is_told_with_its_number(record: MemoryRecord) -> None:
    first = Centre(MemoryJournal(record), small_centre(), "1", (), Clock())
    await first.start()
    await first.submit(receive("1"))
    await first.stop()
    journal = MemoryJournal(record)
    journal.open()
    arrival = next(e for e in journal.read() if isinstance(wire.decode(e.fact), facts.ContactReceived))
    last = journal.last()
    journal.append([Entry(last + 1, record.rows[-1].at, arrival.fact, b"", b"", "")])
    journal.close()
    with pytest.raises(JournalDamaged, match=f"fact {last + 1}: "):
        await Centre(MemoryJournal(record), small_centre(), "1", (), Clock()).start()


async def _healthy(centre: Centre) -> None:
    async with asyncio.timeout(5):
        while not centre.healthy:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def test_a_deposed_owner_stops(centre: Centre, record: MemoryRecord) -> None:
    record.epoch += 1
    waiting = asyncio.create_task(centre.submit(receive("1")))
    assert centre.ended is not None
    with pytest.raises(Deposed):
        await asyncio.wait_for(asyncio.shield(centre.ended), 5)
    with pytest.raises(Unavailable):
        await centre.submit(receive("2"))
    with pytest.raises(Unavailable):
        await waiting


async def test_a_command_that_breaks_an_assertion_is_set_aside_and_the_rest_goes_on(
    centre: Centre, journal: SlowJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(state: State, command: commands.Command, now: int) -> Decision:
        decision = advance(state, command, now)
        if getattr(command, "source_key", "") == "bad":
            raise AssertionError("half way")
        return decision

    monkeypatch.setattr(centre_module, "advance", breaking)
    good, bad, also = await asyncio.gather(
        centre.submit(receive("1")), centre.submit(receive("bad")), centre.submit(receive("2")), return_exceptions=True
    )
    assert isinstance(bad, Fault)
    assert bad.code == "set_aside"
    assert not isinstance(good, BaseException)
    assert not isinstance(also, BaseException)
    assert "c-bad" not in centre._state.contacts
    assert set(centre._state.contacts) == {"c-1", "c-2"}


async def test_orders_reach_the_channel_and_explanations_are_kept(centre: Centre) -> None:
    await centre.submit(commands.SetPresence("anna", "ready"))
    await centre.submit(receive("1", "phone"))
    order = await asyncio.wait_for(anext(centre.orders("phone")), 5)
    assert order.effect == Ring("c-1", "c-1-1", "anna", "a1", 20)
    decisions = await centre.decisions("c-1")
    assert [(d.chosen, d.offer) for d in decisions] == [("anna", "c-1-1")]


async def test_explaining_what_does_not_exist_is_refused(centre: Centre) -> None:
    with pytest.raises(UnknownThing):
        await centre.explain("c-never")


@pytest.mark.parametrize("behind_seconds", [0.5, 3600.0, 10 * 365 * 86400.0])
def test_a_wall_clock_that_was_set_back_neither_runs_back_nor_stands_still(behind_seconds: float) -> None:
    """A machine that starts an hour early: offers must still lapse after their seconds, not after an hour."""
    seconds = [5.0]
    clock = Clock(lambda: 1000.0, lambda: seconds[0])
    last = int((1000 + behind_seconds) * 1000)
    clock.not_before(last)
    assert clock() == pytest.approx(last, abs=1)
    seconds[0] += 20
    assert clock() == pytest.approx(last + 20_000, abs=1)


def test_the_clock_of_a_machine_whose_time_is_right_is_left_alone() -> None:
    clock = Clock(lambda: 1000.0, lambda: 5.0)
    clock.not_before(999_000)
    assert clock() == 1_000_000


async def test_a_tick_that_keeps_breaking_does_not_turn_in_circles(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = 0

    def breaking(state: State, command: commands.Command, now: int) -> Decision:
        nonlocal ticks
        if isinstance(command, commands.Tick):
            ticks += 1
            raise AssertionError("this alarm cannot be decided")
        return advance(state, command, now)

    monkeypatch.setattr(centre_module, "advance", breaking)
    monkeypatch.setattr(centre_module, "due", lambda state: 0)
    for number in range(3):
        assert (await centre.submit(receive(str(number)))).news
    assert ticks < 30, "a pause after each broken alarm, or these would be thousands"
