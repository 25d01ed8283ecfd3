"""The loop of one contact centre: inbox, decide, one append on disk, and only then everything that anybody can see."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import structlog

from router import wire
from router.courtesy import Courtesy
from router.engine import commands
from router.engine.decide import advance, due, explain
from router.engine.decision import Decision
from router.engine.effects import Ring
from router.engine.explanation import Explanation
from router.engine.react import effects_of, interrupted_deliveries, owed_deliveries
from router.engine.state import State
from router.errors import Deposed, Fault, JournalDamaged, JournalFault, Refusal, Unavailable
from router.inbox import Inbox
from router.journal.interface import Entry, Journal
from router.nouns import LIVE_CHANNELS
from router.nouns import Centre as CentreConfiguration
from router.port import Numbered, Order, Outcome
from router.replay import restore
from router.worker import Worker

log = structlog.get_logger()

T = TypeVar("T")

RECENT_MAX = 20_000
READ_CHUNK = 5_000
FAILURES_MAX = 2
"""A command that breaks an assertion so often is set aside."""
PRESSING = commands.Receive | commands.Classify
"""What somebody on the line waits for."""
TICK = commands.Tick()
TICK_WRITTEN = wire.encode(TICK)
BACKOFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)


class Clock:
    """UTC milliseconds: the wall clock once, the monotonic clock from then on, never before what was seen last."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self._last = 0

    def not_before(self, moment: int) -> None:
        """Go on from `moment` at least. A clock that was set back does not stand still until it has caught up:
        alarms, offers and wrap-ups go on at their pace, and the next start takes the wall clock anew."""
        behind = moment / 1000 - (self._monotonic() + self._offset)
        if behind > 0:
            self._offset += behind
        self._last = max(self._last, moment)

    def __call__(self) -> int:
        self._last = max(self._last, int((self._monotonic() + self._offset) * 1000))
        return self._last


@dataclass(slots=True)
class _Asked:
    """A command in the inbox, and who waits for it."""

    command: commands.Command
    written: bytes
    """The command as the journal keeps it."""
    reply: asyncio.Future[Outcome]
    failures: int = 0


def _tick() -> _Asked:
    """The engine's own wish: nobody waits for its reply."""
    reply: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    reply.cancel()
    return _Asked(TICK, TICK_WRITTEN, reply)


@dataclass(slots=True)
class _Batch:
    """What one round has decided and nobody may see yet."""

    entries: list[Entry] = field(default_factory=list)
    news: list[Numbered] = field(default_factory=list)
    orders: list[tuple[str, Order]] = field(default_factory=list)
    settle: list[Callable[[], None]] = field(default_factory=list)


class Centre:
    """One contact centre, running: implements `CentrePort` on the process that owns the journal."""

    def __init__(
        self,
        journal: Journal,
        configuration: CentreConfiguration,
        version: str,
        census: tuple[str, ...],
        clock: Clock,
        courtesy: Courtesy | None = None,
    ) -> None:
        self._journal = journal
        self._configuration, self._version, self._census = configuration, version, census
        self.clock = clock
        self._writer = Worker("journal")
        self._inbox: Inbox[_Asked] = Inbox(courtesy or Courtesy(), self._may_wait)
        self._state = State()
        self._recent: list[Numbered] = []
        self._visible = 0
        self._changed = asyncio.Event()
        self._orders: dict[str, asyncio.Queue[Order]] = {}
        self._loop_task: asyncio.Task[None] | None = None
        self._queries: list[Callable[[], None]] = []
        self._leaving = asyncio.Event()
        self._refused_rounds = 0
        self._broken_ticks = 0
        """How many rounds in a row could not be recorded."""
        self.healthy = False
        self.ended: asyncio.Future[None] | None = None
        """Fails when this process may no longer run the centre."""

    # -- life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Own the journal, replay it, put the configuration in force. Raises Deposed or JournalDamaged."""
        self.ended = asyncio.get_running_loop().create_future()
        epoch = await self._writer.ask(self._journal.open)
        self._state = await self._writer.ask(partial(restore, self._journal))
        self._visible = self._state.number
        self.clock.not_before(self._state.at)
        log.info("centre.restored", epoch=epoch, facts=self._state.number, open=len(self._state.contacts))
        owed, interrupted = owed_deliveries(self._state), interrupted_deliveries(self._state)
        for channel, effect in owed:
            self._queue(channel).put_nowait(Order(self._state.number, effect))
        self._loop_task = asyncio.create_task(self._run(), name="centre")
        self.healthy = True
        await self.submit(commands.Configure(self._configuration, self._version))
        await self.submit(commands.StartCentre(self._census))
        for contact, number in interrupted:
            await self.submit(commands.NoteDelivery(contact, number, "unknown", "restart"))

    async def stop(self) -> None:
        """Finish the round under way and close the journal. What is still in the inbox is refused as unavailable."""
        self.healthy = False
        if self._loop_task is None:
            return
        task, self._loop_task = self._loop_task, None
        self._leaving.set()
        self._inbox.wake()
        await asyncio.gather(task, return_exceptions=True)
        for one in self._inbox.empty():
            _refuse(one.reply, Unavailable("the centre is stopping"))
        await self._writer.ask(self._journal.close)
        self._writer.end()

    # -- the port -------------------------------------------------------------------------------------------

    async def submit(self, command: commands.Command) -> Outcome:
        if not self.healthy:
            raise Unavailable("the centre takes nothing in at the moment")
        written = wire.encode(command)
        asked = _Asked(wire.decode(written), written, asyncio.get_running_loop().create_future())
        try:
            self._inbox.put(asked, presses=isinstance(command, PRESSING))
        except asyncio.QueueFull:
            raise Unavailable("the centre is too busy") from None
        return await asked.reply

    async def facts(self, after: int) -> AsyncIterator[tuple[Numbered, ...]]:
        while True:
            changed = self._changed
            if after >= self._visible:
                await changed.wait()
                continue
            batch = await self._facts_after(after)
            yield batch
            after = batch[-1].number

    async def _facts_after(self, after: int) -> tuple[Numbered, ...]:
        if self._recent and self._recent[0].number <= after + 1:
            skip = after + 1 - self._recent[0].number
            return tuple(self._recent[skip : skip + READ_CHUNK])
        limit = min(READ_CHUNK, self._visible - after)
        entries = await self._writer.ask(lambda: list(self._journal.read(after, limit)))
        return tuple(Numbered(e.number, e.at, wire.decode(e.fact)) for e in entries)

    async def orders(self, channel: str) -> AsyncIterator[Order]:
        queue = self._queue(channel)
        while True:
            yield await queue.get()

    async def explain(self, contact: str) -> Explanation:
        return await self._ask(lambda: explain(self._state, contact, self.clock()))

    async def decisions(self, contact: str) -> list[Explanation]:
        return await self._writer.ask(lambda: [wire.decode(e) for e in self._journal.explanations(contact)])

    @property
    def position(self) -> int:
        """Number of the last fact that anybody can see."""
        return self._visible

    async def _ask(self, read: Callable[[], T]) -> T:
        """Read the state between two rounds, when all of it is on disk."""
        reply: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def answer() -> None:
            if reply.done():
                return
            try:
                reply.set_result(read())
            except Refusal as refusal:
                reply.set_exception(refusal)

        self._queries.append(answer)
        self._inbox.wake()
        return await reply

    # -- the loop -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while self._loop_task is not None:
                asked = await self._gather()
                await self._round(asked)
                queries, self._queries = self._queries, []
                for answer in queries:
                    answer()
        except (Deposed, JournalDamaged) as error:
            self.healthy = False
            log.error("centre.ended", code=error.code)
            if self.ended is not None and not self.ended.done():
                self.ended.set_exception(error)

    async def _gather(self) -> list[_Asked]:
        """A Tick when the engine wants one, and what is in the inbox; neither ever keeps the other waiting."""
        moment = due(self._state)
        left = None if moment is None else (moment - self.clock()) / 1000
        asked = await self._inbox.take(left)
        return [_tick(), *asked] if left is not None and left <= 0 else asked

    def _may_wait(self) -> bool:
        """Nobody waits on the line whom an agent could be free for."""
        books = self._state.books
        return not any(books[channel].waiting for channel in LIVE_CHANNELS & books.keys())

    async def _round(self, asked: list[_Asked]) -> None:
        batch = self._decide(asked)
        while batch is None:
            await self._reload()
            aside = [one.command for one in asked if self._set_aside(one)]
            asked = [one for one in asked if one.failures < FAILURES_MAX]
            if commands.Tick() in aside:
                # Its alarm stands as it stood: without a pause it would be back at once, and again, and again.
                self._broken_ticks += 1
                await self._rest(self._broken_ticks)
            batch = self._decide(asked)
        if any(isinstance(one.command, commands.Tick) for one in asked):
            self._broken_ticks = 0
        if batch.entries:
            try:
                await self._writer.ask(partial(self._journal.append, batch.entries))
            except JournalFault as fault:
                log.error("centre.not_recorded", cause=fault.message, refused=len(asked))
                await self._refuse(asked)
                return
            except Deposed:
                self._refuse_all(asked)
                raise
            self._refused_rounds = 0
        self._publish(batch)

    def _decide(self, asked: list[_Asked]) -> _Batch | None:
        """Decide and evolve each; None when one of them broke an assertion and the state must be dropped."""
        batch = _Batch()
        for one in asked:
            now = self.clock()
            try:
                decision = advance(self._state, one.command, now)
            except Refusal as refusal:
                batch.settle.append(partial(_refuse, one.reply, refusal))
            except Exception:
                one.failures += 1
                log.exception("centre.assertion", command=type(one.command).__name__, failures=one.failures)
                return None
            else:
                first = len(batch.orders)
                self._record(batch, one.written, decision, now)
                ring = _ring(batch.orders[first:], getattr(one.command, "contact", ""))
                outcome = Outcome(self._state.number, decision.answer, bool(decision.facts), ring)
                batch.settle.append(partial(_answer, one.reply, outcome))
        return batch

    def _record(self, batch: _Batch, command: bytes, decision: Decision, now: int) -> None:
        first = self._state.number - len(decision.facts) + 1
        for position, fact in enumerate(decision.facts):
            number = first + position
            explanation = decision.explanations.get(position)
            cause = command if position == 0 else b""
            why = wire.encode(explanation) if explanation else b""
            about = explanation.contact if explanation else ""
            batch.entries.append(Entry(number, now, wire.encode(fact), cause, why, about))
            batch.news.append(Numbered(number, now, fact))
            for channel, effect in effects_of(self._state, fact):
                batch.orders.append((channel, Order(number, effect)))

    def _publish(self, batch: _Batch) -> None:
        if batch.news:
            self._recent.extend(batch.news)
            if len(self._recent) > 2 * RECENT_MAX:
                del self._recent[:-RECENT_MAX]
            self._visible = batch.news[-1].number
        for settle in batch.settle:
            settle()
        for channel, order in batch.orders:
            self._queue(channel).put_nowait(order)
        if batch.news:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()  # after the replies: a telephone rings before that is drawn

    # -- when things break ------------------------------------------------------------------------------------

    def _set_aside(self, one: _Asked) -> bool:
        """A command that broke an assertion twice is put where it can be seen."""
        if one.failures < FAILURES_MAX:
            return False
        log.error("centre.set_aside", command=type(one.command).__name__)
        if not one.reply.done():
            one.reply.set_exception(Fault("this could not be decided", code="set_aside"))
        return True

    async def _refuse(self, asked: list[_Asked]) -> None:
        """The record could not be written: nothing of this round has happened. Refuse for a while, then try again."""
        self._refuse_all(asked)
        await self._reload()
        await self._rest(self._refused_rounds)
        self._refused_rounds += 1
        self._refuse_all(self._inbox.empty())
        self.healthy = not self._leaving.is_set()

    def _refuse_all(self, asked: list[_Asked]) -> None:
        self.healthy = False
        for one in asked:
            _refuse(one.reply, Unavailable("could not be recorded: try again later"))

    async def _reload(self) -> None:
        """Back to what is on disk, however long that takes."""
        attempt = 0
        while True:
            try:
                self._state = await self._writer.ask(partial(restore, self._journal))
                return
            except JournalFault:
                log.warning("centre.journal_unreachable", attempt=attempt)
                await self._rest(attempt)
                attempt += 1

    async def _rest(self, tries: int) -> None:
        """A pause before the next try, longer each time; a stop ends it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)])

    def _queue(self, channel: str) -> asyncio.Queue[Order]:
        return self._orders.setdefault(channel, asyncio.Queue())


def _ring(orders: list[tuple[str, Order]], contact: str) -> Ring | None:
    """The order among these to ring for this contact."""
    effects = (order.effect for _, order in orders)
    return next((effect for effect in effects if isinstance(effect, Ring) and effect.contact == contact), None)


def _answer(reply: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not reply.done():
        reply.set_result(outcome)


def _refuse(reply: asyncio.Future[Outcome], error: Exception) -> None:
    if not reply.done():
        reply.set_exception(error)
        reply.exception()  # nobody waits for a Tick: without this, asyncio would report that nobody looked
