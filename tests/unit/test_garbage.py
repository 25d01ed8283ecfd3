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


class Watched(Courtesy):
    """Somebody hurries until `told`; tells how often it was looked whether it is quiet."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: asyncio.Queue[None] = asyncio.Queue()
        self.told = self.hurry()

    @property
    def quiet_seconds(self) -> float:
        self.looks.put_nowait(None)
        return super().quiet_seconds

    async def looked_at(self, times: int) -> None:
        for _ in range(times):
            await self.looks.get()


@pytest.fixture
async def courtesy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    """Looked at all the time; Python's own settings are put back afterwards."""
    for name, value in (("EVERY_SECONDS", 0.0), ("QUIET_SECONDS", 0.0001), ("ENOUGH", 0)):
        monkeypatch.setattr(garbage, name, value)
    before = gc.get_threshold()
    courtesy = Watched()
    collecting = asyncio.create_task(garbage.collect_when_quiet(courtesy))
    await courtesy.looked_at(1)
    yield courtesy
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)
    gc.set_threshold(*before)
    gc.unfreeze()


def old_knot() -> tuple[weakref.ref[Knot], asyncio.Event]:
    """Garbage that the short looks no longer see, and its end."""
    knot, gone = Knot(), asyncio.Event()
    gc.collect(1)
    return weakref.ref(knot, lambda _: gone.set()), gone


async def test_in_the_midst_of_calls_nothing_is_walked_in_full_and_when_it_is_quiet_it_is(courtesy: Watched) -> None:
    _watch, gone = old_knot()
    await courtesy.looked_at(20)
    assert not gone.is_set()
    courtesy.told()
    await asyncio.wait_for(gone.wait(), 10)


async def test_where_it_is_never_quiet_it_is_done_in_the_end(
    courtesy: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    _watch, gone = old_knot()
    monkeypatch.setattr(garbage, "LONGEST_SECONDS", 0.0)
    await asyncio.wait_for(gone.wait(), 10)
