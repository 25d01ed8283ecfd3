"""Presence as a lease, with sleeping and the centre in the test's hands: no agent is lost for a reload of the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.engine.commands import Command, LoseAgent, RegainAgent, ReportCensus
from router.errors import Unavailable, WrongState
from router.gateways.leases import LEASE_SECONDS, RETRY_SECONDS, Leases


class Hands:
    """Sleeps end when the test says so; the centre hears what is submitted."""

    def __init__(self) -> None:
        self.sleeping: list[tuple[float, asyncio.Future[None]]] = []
        self.heard: list[Command] = []
        self.faults: list[Exception] = []
        self.busy: asyncio.Event | None = None
        self.lost: set[str] = set()
        self.leases = Leases(self.submit, self.lost.__contains__, self.sleep)

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleeping.append((seconds, future))
        await future

    async def submit(self, command: Command) -> None:
        if self.busy is not None:
            await self.busy.wait()
        if self.faults:
            raise self.faults.pop(0)
        self.heard.append(command)

    async def settle(self) -> list[float]:
        """Let everything run until it sleeps or waits; gives how long each sleeper means to."""
        for _ in range(20):
            await asyncio.sleep(0)
        return [seconds for seconds, future in self.sleeping if not future.done()]

    async def wake(self) -> list[float]:
        """End every sleep."""
        for _, future in self.sleeping:
            if not future.done():
                future.set_result(None)
        return await self.settle()


@pytest.fixture
async def hands() -> AsyncIterator[Hands]:
    hands = Hands()
    yield hands
    await hands.leases.stop()


async def test_gone_for_a_lease_is_lost(hands: Hands) -> None:
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    assert await hands.settle() == [LEASE_SECONDS]
    assert hands.heard == []
    await hands.wake()
    assert hands.heard == [LoseAgent("ada")]
    hands.leases.arrive("ada")
    await hands.settle()
    assert hands.heard == [LoseAgent("ada"), RegainAgent("ada")]


@pytest.mark.parametrize("begun", [True, False], ids=["while it sleeps", "before it begins"])
async def test_back_within_the_lease_is_not_lost(hands: Hands, begun: bool) -> None:
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    if begun:
        await hands.settle()
    hands.leases.arrive("ada")
    assert await hands.settle() == [], "nobody watches any more"
    await hands.wake()
    assert hands.heard == []


async def test_each_time_gone_is_a_whole_lease(hands: Hands) -> None:
    """Gone, back, gone again: the first watch does not end the second lease early."""
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    await hands.settle()
    first = hands.sleeping[0][1]
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    assert await hands.settle() == [LEASE_SECONDS]
    assert first.cancelled()
    assert hands.heard == []
    await hands.wake()
    assert hands.heard == [LoseAgent("ada")]


async def test_one_of_two_screens_gone_is_nothing(hands: Hands) -> None:
    hands.leases.arrive("ada")
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    assert await hands.settle() == []
    assert hands.leases.connected == ("ada",)


async def test_back_while_the_loss_is_being_recorded_is_regained(hands: Hands) -> None:
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    await hands.settle()
    hands.busy = asyncio.Event()
    await hands.wake()
    hands.leases.arrive("ada")
    await hands.settle()
    hands.busy.set()
    await hands.settle()
    assert hands.heard == [LoseAgent("ada"), RegainAgent("ada")]


async def test_what_could_not_be_recorded_is_tried_again(hands: Hands) -> None:
    hands.faults = [Unavailable()]
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    await hands.settle()
    assert await hands.wake() == [RETRY_SECONDS]
    assert hands.heard == []
    await hands.wake()
    assert hands.heard == [LoseAgent("ada")]


async def test_a_refusal_is_an_answer(hands: Hands) -> None:
    hands.faults = [WrongState()]
    hands.leases.arrive("ada")
    hands.leases.leave("ada")
    await hands.settle()
    assert await hands.wake() == []


async def test_lost_before_a_restart_is_regained_at_the_first_screen(hands: Hands) -> None:
    hands.lost.add("ada")
    hands.leases.arrive("ada")
    await hands.settle()
    assert hands.heard == [RegainAgent("ada")]


async def test_the_census_comes_after_one_lease(hands: Hands) -> None:
    hands.leases.start()
    assert await hands.settle() == [LEASE_SECONDS]
    for agent in ("bob", "ada", "cem"):
        hands.leases.arrive(agent)
    hands.leases.leave("cem")
    await hands.settle()
    hands.faults = [Unavailable()]
    hands.sleeping[0][1].set_result(None)
    await hands.settle()
    assert hands.heard == []
    hands.sleeping[-1][1].set_result(None)
    await hands.settle()
    assert hands.heard == [ReportCensus("desk", alive=("ada", "bob"))]


async def test_nobody_is_lost_because_the_server_stops(hands: Hands) -> None:
    hands.leases.arrive("ada")
    await hands.leases.stop()
    hands.leases.leave("ada")
    assert await hands.settle() == []
    assert hands.heard == []
