"""The read models together: fed by the port's facts, told on when something changed, waited for by number."""

from __future__ import annotations

import asyncio
import heapq
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from router.courtesy import Courtesy
from router.engine import facts
from router.errors import Fault
from router.nouns import Centre
from router.port import CentrePort, Numbered
from router.projections import shapes
from router.projections.board import Board
from router.projections.contacts import Contacts
from router.projections.estimates import EstimateView
from router.projections.follow_ups import FollowUps
from router.projections.history import History
from router.projections.openings import Openings
from router.projections.outcomes import Outcomes
from router.projections.people import People
from router.projections.recordings import Recordings
from router.projections.standings import Standings
from router.projections.transfers import Transfers

WAIT_SECONDS = 5.0
WAITERS_MAX = 10_000
RETRY_SECONDS = 1.0

log = structlog.get_logger()
Listener = Callable[[Sequence[Numbered]], None]


class Model(Protocol):
    """Anything that facts are folded into."""

    def apply(self, numbered: Numbered) -> None: ...


class Views:
    """Holds the read models. One task folds; listeners are called after each batch, on the loop, and must be quick."""

    def __init__(
        self, port: CentrePort, centre: Centre, now: Callable[[], int], courtesy: Courtesy | None = None
    ) -> None:
        self._port, self._now = port, now
        self.courtesy = courtesy or Courtesy()
        """Who waits on the line goes before what is shown."""
        self.centre = centre
        """The configuration in force, as the facts say."""
        self.version = ""
        self.contacts = Contacts()
        self.history = History()
        self.follow_ups = FollowUps()
        self.people = People()
        self.outcomes = Outcomes(centre, self.contacts)
        self.transfers = Transfers(centre, self.contacts)
        self.recordings = Recordings(self.contacts)
        self.openings = Openings(centre)
        self.standings = Standings()
        self.estimates = EstimateView(centre)
        self._board = Board(centre, self.contacts, self.outcomes, self.transfers)
        self._models: tuple[Model, ...] = (
            self.recordings, self.transfers, self.contacts, self.history, self.follow_ups, self.people, self.outcomes,
            self.openings, self.standings, self.estimates, self._board,
        )  # fmt: skip
        self._beside: list[Model] = []
        self._listeners: list[Listener] = []
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._ticket = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """Number of the last fact folded."""
        return self._board.position

    def board(self) -> shapes.Board:
        return self._board.view(self._now(), self.people, self.follow_ups, self.openings)

    @property
    def running(self) -> bool:
        """Whether facts are being folded; False means the screens show the past."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._consume(), name="views")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def attach(self, model: Model) -> None:
        """Have a model folded beside these, each fact after them; before `start`, or it misses some."""
        self._beside.append(model)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with every batch from now on; gives how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def reached(self, number: int, seconds: float = WAIT_SECONDS) -> bool:
        """Wait until fact `number` is folded. False when that took too long: the views then lag behind."""
        if self.position >= number:
            return True
        self._ticket += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(self._waiters) >= WAITERS_MAX:
            return False
        heapq.heappush(self._waiters, (number, self._ticket, future))
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        return True

    def apply(self, batch: Sequence[Numbered]) -> None:
        """Fold a batch and tell everybody who waits for it."""
        for numbered in batch:
            if isinstance(numbered.fact, facts.CentreConfigured):
                self.centre, self.version = numbered.fact.centre, numbered.fact.version
            for model in self._models:
                model.apply(numbered)
            for beside in self._beside:
                beside.apply(numbered)
        while self._waiters and self._waiters[0][0] <= self.position:
            future = heapq.heappop(self._waiters)[2]
            if not future.done():
                future.set_result(None)
        for listener in tuple(self._listeners):
            try:
                listener(batch)
            except Exception as error:  # noqa: BLE001 - a screen's trouble must not stop the views
                log.error("listener failed", error=type(error).__name__, where=where(error))

    async def _consume(self) -> None:
        while True:
            try:
                async for batch in self._port.facts(after=self.position):
                    await self.courtesy.turn()
                    self.apply(batch)
            except Fault as fault:
                log.warning("facts stopped coming", code=fault.code, position=self.position)
            except Exception as error:
                log.error("views stopped", error=type(error).__name__, where=where(error), position=self.position)
                raise
            await asyncio.sleep(RETRY_SECONDS)


def where(error: BaseException) -> list[str]:
    """File and line of an unexpected exception; its message may hold personal data and is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
