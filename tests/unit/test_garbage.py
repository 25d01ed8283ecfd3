"""What refers to itself is collected when it is quiet."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from router import garbage
from router.courtesy import Courtesy


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
async def courtesy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Courtesy]:
    """Collecting at every look, and with it Python's own settings put back afterwards."""
    for name, value in (("EVERY_SECONDS", 0.001), ("QUIET_SECONDS", 0.002), ("ENOUGH", 0)):
        monkeypatch.setattr(garbage, name, value)
    before = gc.get_threshold()
    courtesy = Courtesy()
    collecting = asyncio.create_task(garbage.collect_when_quiet(courtesy))
    yield courtesy
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)
    gc.set_threshold(*before)
    gc.unfreeze()


async def old_knot() -> weakref.ref[Knot]:
    """Garbage that the short looks no longer see."""
    await asyncio.sleep(0)  # begun
    knot = Knot()
    gc.collect(1)
    return weakref.ref(knot)


async def looks(count: int) -> int:
    """Wait for so many of the timer's rounds; how many full collections there were meanwhile."""
    before = gc.get_stats()[2]["collections"]
    for _ in range(count):
        await asyncio.sleep(garbage.EVERY_SECONDS)
    return gc.get_stats()[2]["collections"] - before


async def test_in_the_midst_of_calls_nothing_is_walked_in_full_and_when_it_is_quiet_it_is(courtesy: Courtesy) -> None:
    told = courtesy.hurry()
    knot = await old_knot()
    assert (await looks(20), knot() is None) == (0, False)
    told()
    async with asyncio.timeout(10):
        while knot() is not None:
            await looks(1)


async def test_where_it_is_never_quiet_it_is_done_in_the_end(
    courtesy: Courtesy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "LONGEST_SECONDS", 0.01)
    courtesy.hurry()
    knot = await old_knot()
    async with asyncio.timeout(10):
        while knot() is not None:
            await looks(1)
