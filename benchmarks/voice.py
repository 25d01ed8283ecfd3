"""Voice: the router beside app_queue on one real Asterisk, timed by a third manager user; JSON as the last line."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import uvloop

from benchmarks.voice_parts import (
    AGENTS,
    FEW,
    QUEUES,
    THROUGH_ROUTER,
    BenchDesk,
    BenchPbx,
    Meter,
    Phones,
    Sipp,
    Tally,
    call,
    configure,
)  # fmt: skip
from tests.parts.callcentre import joined
from tests.parts.where import asterisk_command, missing, sipp_command

SIDES = ("router", "app_queue")
RATES = (10, 50, 100)
HIGHER = (150, 200, 250, 300)
"""Calls a second at which either may fail; the first that does is the last step."""
CALLERS = 25
WAITING_TALK_MS = (1_500, 2_500)
SHORT_TALK_MS = (300, 300)
RESENT_SHARE_MAX = 0.01


@dataclass
class Step:
    """What one side did at one step, all its repeats together."""

    to_ring: list[float] = field(default_factory=list)
    free_to_ring: list[float] = field(default_factory=list)
    calls: int = 0
    lost: int = 0
    failed: int = 0
    resent: int = 0
    fifo_breaks: int = 0

    def add(self, tally: Tally, sipp: Sipp) -> None:
        self.to_ring += tally.to_ring
        self.free_to_ring += tally.free_to_ring
        self.calls += sipp.made
        self.lost += max(tally.lost, sipp.made - sum(seen.answered for seen in tally.calls.values()))
        self.failed += sipp.failed
        self.resent += sipp.resent
        self.fifo_breaks += tally.fifo_breaks

    @property
    def broken(self) -> bool:
        """Not slow but broken: a call was not answered, or signalling had to be sent again and again."""
        return bool(self.lost or self.failed) or self.resent > RESENT_SHARE_MAX * self.calls

    def line(self, name: str, times: list[float]) -> str:
        p50, p99 = (f"{median(times):.1f}", f"{_p99(times):.1f}") if times else ("-", "-")
        verdict = "broken" if self.broken else ""
        return f"{name:32}{self.calls:>7}{p50:>9}{p99:>9}{self.fifo_breaks:>7}{self.lost:>7}{self.resent:>9}  {verdict}"


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]


class Bench:
    """One Asterisk, one router and its desks, both ways side by side."""

    def __init__(self, pbx: BenchPbx, folder: Path) -> None:
        self._pbx, self._folder = pbx, folder
        own = {"KCC_PROCESSOR": str(max(os.sched_getaffinity(0)))}
        self._router = joined(pbx, folder / "data", configure(folder / "config"), environ=own)
        self._desks = [BenchDesk(self._router.base, number) for number in range(1, AGENTS + 1)]
        self._stack = AsyncExitStack()
        self._meter = Meter(pbx)

    async def __aenter__(self) -> Bench:
        await asyncio.to_thread(self._router.start)
        self._stack.push_async_callback(asyncio.to_thread, self._router.stop)
        await self._stack.enter_async_context(self._meter)
        for desk in self._desks:
            await desk.sit_down()
            self._stack.push_async_callback(desk.leave)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def waiting(self, repeats: int) -> dict[str, Step]:
        """A few agents, many callers at once: what happens when an agent becomes free."""
        steps = {side: Step() for side in SIDES}
        numbers = {"router": THROUGH_ROUTER, "app_queue": QUEUES["few"]}
        for desk in self._desks[:FEW]:
            await desk.presence("ready")
        async with Phones(self._pbx, self._folder, WAITING_TALK_MS):
            for _ in range(repeats):
                for side, step in steps.items():
                    await self._measure(step, numbers[side], 50, CALLERS)
        return steps

    async def idle(self, rates: tuple[int, ...], repeats: int, seconds: int) -> dict[int, dict[str, Step]]:
        """Agents enough: from INVITE to the first ring. Stops after the first rate at which a side breaks."""
        found: dict[int, dict[str, Step]] = {}
        numbers = {"router": THROUGH_ROUTER, "app_queue": QUEUES["many"]}
        async with Phones(self._pbx, self._folder, SHORT_TALK_MS):
            for rate in rates:
                found[rate] = {side: Step() for side in SIDES}
                for _ in range(repeats):
                    for side, step in found[rate].items():
                        await self._measure(step, numbers[side], rate, rate * seconds)
        return found

    async def all_ready(self) -> None:
        for desk in self._desks[FEW:]:
            await desk.presence("ready")

    async def _measure(self, step: Step, number: str, rate: int, count: int) -> None:
        await self._meter.finish()
        sipp = await call(self._pbx, self._folder, number, rate, count)
        step.add(await self._meter.finish(), sipp)

    def recorded(self) -> dict[str, object]:
        """The router's own books, checked: contacts received, how they ended, what `verify` finds wrong. A call that
        has waited longer than the dialplan's deadline ends as `technical` and comes back as another contact."""
        report = self._router.verify()
        row = report["channels"]["phone"]
        return {"received": row["received"], "ended": row["ended"], "violations": len(report["violations"])}


async def measure(quick: bool) -> dict[str, object]:
    """Run everything, print the table; the figures."""
    repeats, seconds = (1, 3) if quick else (3, 4)
    with BenchPbx() as pbx, tempfile.TemporaryDirectory(prefix="kcc-bench-") as place:
        async with Bench(pbx, Path(place)) as bench:
            print(f"{'':32}{'calls':>7}{'p50 ms':>9}{'p99 ms':>9}{'FIFO':>7}{'lost':>7}{'resent':>9}", flush=True)
            waiting = await bench.waiting(repeats)
            for side, step in waiting.items():
                print(step.line(f"agent free -> ring, {side}", step.free_to_ring), flush=True)
            await bench.all_ready()
            idle = await bench.idle(RATES, repeats, seconds)
            _print(idle)
            higher: dict[int, dict[str, Step]] = {}
            for rate in HIGHER[:1] if quick else HIGHER:
                higher |= await bench.idle((rate,), 1, seconds)
                _print({rate: higher[rate]})
                if any(step.broken for step in higher[rate].values()):
                    break
        books = bench.recorded()
    return figures(waiting, idle, higher, repeats) | {"books": books}


def _print(found: dict[int, dict[str, Step]]) -> None:
    for rate, steps in found.items():
        for side, step in steps.items():
            print(step.line(f"INVITE -> ring at {rate}/s, {side}", step.to_ring), flush=True)


def figures(
    waiting: dict[str, Step], idle: dict[int, dict[str, Step]], higher: dict[int, dict[str, Step]], runs: int
) -> dict[str, object]:
    """What the last line says. `lost` and `calls_per_second` are the router's at the rate where either first broke,
    or at the highest that was tried."""
    ours, theirs = waiting["router"], waiting["app_queue"]
    hardest = max(higher)
    router, queue = idle[RATES[-1]]["router"], idle[RATES[-1]]["app_queue"]
    free = median(ours.free_to_ring)
    return {
        "free_to_ring_ratio": round(median(theirs.free_to_ring) / free, 1),
        "free_to_ring_p50_ms": round(free, 2),
        "fifo_breaks": ours.fifo_breaks,
        "invite_to_ring_ratio": round(median(router.to_ring) / median(queue.to_ring), 2),
        "invite_to_ring_p99_ms": round(_p99(router.to_ring), 1),
        "calls_per_second": hardest,
        "lost": higher[hardest]["router"].lost,
        "runs": runs,
        "app_queue": {
            "free_to_ring_p50_ms": round(median(theirs.free_to_ring), 1),
            "fifo_breaks": theirs.fifo_breaks,
            "invite_to_ring_p50_ms": round(median(queue.to_ring), 2),
            "invite_to_ring_p99_ms": round(_p99(queue.to_ring), 1),
            "lost": higher[hardest]["app_queue"].lost,
        },
        "invite_to_ring_p50_ms": round(median(router.to_ring), 2),
        "broken_at": [side for side, step in higher[hardest].items() if step.broken],
    }


def main(quick: bool) -> int:
    """Print the tables and, as the last line, one JSON object."""
    for part, command in (("asterisk", asterisk_command()), ("sipp", sipp_command())):
        if command is None:
            print(missing(part))
            return 1
    started = time.monotonic()
    load, *_ = os.getloadavg()
    print(f"one Asterisk, {AGENTS} agents; {os.cpu_count()} processors, load before the run {load:.1f}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(measure(quick))
    found |= {"load_before": round(load, 1), "seconds": round(time.monotonic() - started)}
    print()
    print(json.dumps(found))
    return 0
