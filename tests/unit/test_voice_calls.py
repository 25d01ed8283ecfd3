"""The calls that are up, found by contact and by channel, and work in order per call."""

from __future__ import annotations

import asyncio
from functools import partial

from router.channels.voice.calls import Calls, InOrder


def test_a_call_is_found_by_its_channel_as_long_as_it_is_up() -> None:
    calls = Calls()
    call = calls.up("c-1", "PJSIP/trunk-00000001")
    assert calls.of("kcc-1.0") is None
    assert calls.up("c-1", "PJSIP/trunk-00000001", "kcc-1.0") is call is calls.of("kcc-1.0")
    later = calls.up("c-1", "PJSIP/trunk-00000002", "kcc-1.1")
    assert (calls.of("kcc-1.0"), calls.of("kcc-1.1")) == (None, later)
    calls.gone("c-1")
    assert calls.of("kcc-1.1") is None
    calls.up("c-2", "PJSIP/trunk-00000003", "kcc-1.2")
    calls.replace({}, calls.mark())
    assert calls.of("kcc-1.2") is None


async def test_work_goes_in_order_per_call_and_side_by_side_over_calls() -> None:
    done: list[str] = []
    faults: list[Exception] = []
    go_on, beside = asyncio.Event(), asyncio.Event()
    work = InOrder(faults.append)

    async def waits(name: str) -> None:
        await go_on.wait()
        done.append(name)

    async def notes(name: str) -> None:
        done.append(name)

    async def tells() -> None:
        beside.set()

    async def fails() -> None:
        raise RuntimeError

    await work.put("one", partial(waits, "first"))
    await work.put("one", fails)
    await work.put("one", partial(notes, "last"))
    await work.put("other", tells)
    await beside.wait()
    assert done == []
    go_on.set()
    await work.settle()
    assert done == ["first", "last"]
    assert [type(fault) for fault in faults] == [RuntimeError]


async def test_only_so_much_is_under_way_and_what_is_given_up_leaves_room() -> None:
    done: list[int] = []

    async def never() -> None:
        await asyncio.Event().wait()

    async def note() -> None:
        done.append(1)

    work = InOrder(lambda _: None, at_once_max=2)
    await work.put("one", never)
    await work.put("one", note)
    waiting = asyncio.create_task(work.put("other", note))
    await asyncio.sleep(0)
    assert not waiting.done()
    await work.stop()
    await waiting
    await work.settle()
    assert done == [1]
