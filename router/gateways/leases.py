"""Presence as a lease: an agent whose last screen has been gone for 15 s is lost, and regained when one is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from router.engine.commands import Command, LoseAgent, RegainAgent, ReportCensus
from router.errors import Fault, Refusal

LEASE_SECONDS = 15.0
RETRY_SECONDS = 2.0

log = structlog.get_logger()
Submit = Callable[[Command], Awaitable[object]]
Sleep = Callable[[float], Awaitable[None]]


class Leases:
    """Counts the screens of each agent and tells the centre what that means."""

    def __init__(self, submit: Submit, is_lost: Callable[[str], bool], sleep: Sleep = asyncio.sleep) -> None:
        self._submit, self._is_lost, self._sleep = submit, is_lost, sleep
        self._screens: dict[str, int] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._sleeping: set[str] = set()
        self._reported_lost: set[str] = set()
        self._regaining: set[asyncio.Task[None]] = set()
        self._census: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def connected(self) -> tuple[str, ...]:
        """Agents with at least one screen, sorted."""
        return tuple(sorted(self._screens))

    def start(self) -> None:
        """After one lease, report who is here: the census of the channel `desk`."""
        self._census = asyncio.create_task(self._report_census(), name="desk census")

    async def stop(self) -> None:
        """Stop watching; nobody is called lost because the server stops."""
        self._stopped = True
        tasks = [*self._watches.values(), *self._regaining, *([self._census] if self._census else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watches.clear()

    def arrive(self, agent: str) -> None:
        """A screen of this agent has connected."""
        self._screens[agent] = self._screens.get(agent, 0) + 1
        if agent in self._sleeping:
            self._sleeping.discard(agent)
            self._watches.pop(agent).cancel()
        if agent not in self._watches and (agent in self._reported_lost or self._is_lost(agent)):
            task = asyncio.create_task(self._regain(agent), name="desk regain")
            self._regaining.add(task)
            task.add_done_callback(self._regaining.discard)

    def leave(self, agent: str) -> None:
        """A screen of this agent has gone."""
        left = self._screens.get(agent, 0) - 1
        if left > 0:
            self._screens[agent] = left
            return
        self._screens.pop(agent, None)
        if agent not in self._watches and not self._stopped:
            self._sleeping.add(agent)
            self._watches[agent] = asyncio.create_task(self._watch(agent), name="desk lease")

    async def _watch(self, agent: str) -> None:
        await self._sleep(LEASE_SECONDS)
        self._sleeping.discard(agent)
        while agent not in self._screens and not await self._report(LoseAgent(agent)):
            await self._sleep(RETRY_SECONDS)
        self._reported_lost.add(agent)
        del self._watches[agent]
        if agent in self._screens:
            await self._regain(agent)

    async def _regain(self, agent: str) -> None:
        while agent in self._screens and not await self._report(RegainAgent(agent)):
            await self._sleep(RETRY_SECONDS)
        self._reported_lost.discard(agent)

    async def _report_census(self) -> None:
        await self._sleep(LEASE_SECONDS)
        while not await self._report(ReportCensus("desk", alive=self.connected)):
            await self._sleep(RETRY_SECONDS)

    async def _report(self, command: Command) -> bool:
        """Whether the centre has heard it; a refusal is an answer too."""
        try:
            await self._submit(command)
        except Refusal as refusal:
            log.info("lease not taken", command=type(command).__name__, code=refusal.code)
        except Fault as fault:
            log.warning("lease not recorded", command=type(command).__name__, code=fault.code)
            return False
        return True
