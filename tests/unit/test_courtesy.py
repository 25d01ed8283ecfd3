"""Who hurries goes first, and nobody is kept waiting for long by that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from router import courtesy
from router.app import App
from router.courtesy import Courtesy
from router.settings_reader import load
from tests.parts.where import ROOT


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, nobody has waited too long."""
    monkeypatch.setattr(courtesy, "LONGEST_SECONDS", 600.0)


class Turns:
    """Who went on, in order."""

    def __init__(self) -> None:
        self.courtesy = Courtesy()
        self.gone: list[int] = []

    async def wait(self, number: int) -> None:
        await self.courtesy.turn()
        self.gone.append(number)

    def all(self, count: int) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.wait(number)) for number in range(count)]


async def rounds(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_waits_goes_on_when_nobody_hurries_any_more() -> None:
    turns = Turns()
    done = [turns.courtesy.hurry(), turns.courtesy.hurry()]
    waiting = turns.all(3)
    await rounds(10)
    done[0]()
    done[0]()  # said again: it does not count for the other one
    await rounds(10)
    assert turns.gone == []
    done[1]()
    await asyncio.gather(*waiting)
    assert turns.gone == [0, 1, 2]


async def test_one_by_one_and_who_comes_in_between_goes_before_the_rest() -> None:
    turns = Turns()
    done: list[Callable[[], None]] = []
    first = asyncio.create_task(turns.wait(0))
    first.add_done_callback(lambda _: done.append(turns.courtesy.hurry()))
    waiting = turns.all(3)
    await rounds(20)
    assert len(turns.gone) == 2  # the next was on its way when somebody came
    done[0]()
    await asyncio.gather(*waiting)
    assert len(turns.gone) == 4


async def test_nobody_waits_longer_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "LONGEST_SECONDS", 0.001)
    turns = Turns()
    turns.courtesy.hurry()
    await asyncio.wait_for(asyncio.gather(*turns.all(5)), 10)
    assert turns.gone == [0, 1, 2, 3, 4]


async def test_who_has_waited_too_long_does_not_wait_for_the_others_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "LONGEST_SECONDS", 0.0)
    turns = Turns()
    turns.courtesy.hurry()
    waiting = turns.all(200)
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert len(turns.gone) == 200
    await asyncio.gather(*waiting)


async def test_who_no_longer_waits_keeps_nobody_up() -> None:
    turns = Turns()
    done = turns.courtesy.hurry()
    waiting = turns.all(3)
    await rounds(2)
    waiting[0].cancel()
    await rounds(2)
    done()
    await asyncio.gather(*waiting[1:])
    assert turns.gone == [1, 2]


async def test_who_comes_again_and_again_does_not_keep_the_first_from_going_on() -> None:
    turns = Turns()
    waiting: list[asyncio.Task[None]] = []
    for number in range(50):
        waiting.append(asyncio.create_task(turns.wait(number)))
        await rounds(1)
    assert len(turns.gone) > 40
    await asyncio.gather(*waiting)
    assert turns.gone == list(range(50))


async def test_centre_channels_and_screens_are_courteous_together(tmp_path: Path) -> None:
    app = App(load(ROOT / "config" / "demo", {"KCC_DATA": str(tmp_path)}), ROOT / "config" / "demo")
    try:
        told = app.counter._around.hurry()
        assert app.views.courtesy.hurried
        assert app.centre._inbox._courtesy is app.views.courtesy
        told()
        assert not app.views.courtesy.hurried
    finally:
        await app.vault.close()
