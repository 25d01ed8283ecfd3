"""What the telephone channel knows of the calls that are up, its census, and work in order per call. Memory only."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from router.channels.voice.ami import LiveChannel
from router.channels.voice.events import (
    AFTER_CONTEXT,
    CONSULT_OUTSIDE_CONTEXT,
    DELIVER_CONTEXT,
    NEIGHBOUR_CONTEXT,
    OUTSIDE_CONTEXT,
    Ringing,
    VoiceEvent,
    endpoint_of,
)
from router.channels.voice.funnel import Wish
from router.engine.effects import Announce, OfferCallback, OfferVoicemail, Ring

LOST_MAX = 2_000
MOVING_SECONDS_MAX = 1.0


def _already() -> asyncio.Event:
    """An event that has happened."""
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True, eq=False)
class Call:
    """One citizen's call."""

    contact: str
    channel: str
    uniqueid: str = ""
    caller: str = ""
    """Stands for the caller's number (floods.py)."""
    entry: str = ""
    """The number that was called."""
    trunk: str = field(init=False)
    """The endpoint of its channel."""
    born: int = 0
    """When this channel became known, on the count of `Calls.mark`."""
    carded: bool = False
    """Its card is known to be in the vault."""
    attended: bool = False
    """The router serves its FastAGI connection at this moment: it is up, whatever a census has seen."""
    unsaid: Announce | OfferCallback | OfferVoicemail | None = None
    """What is to be said once the caller, who is told or asked something else, is on hold."""
    asking: bool = False
    """The intake has not said yet where the contact goes."""
    named: bool = True
    """Asterisk has been told whose call it is."""
    farewell: str = ""
    """What its end is called once the intake has turned the citizen away."""
    offer: str | None = None
    """The offer whose phone was last sent for; "" = put back on hold; None = not known, from before a start."""
    moved: asyncio.Event = field(default_factory=_already)
    """Set once Asterisk has told that the call came where it was last sent."""
    came_to: str = ""
    """Where that was: hold or phone."""
    agent: str = ""
    """Who talks with the citizen."""
    settled: int = 0
    """The fact by which that was recorded: orders decided before it no longer stand."""
    mode: str = ""
    """How our phones are in it: dialled by the citizen's leg (""), or legs apart: consult, outside, joining, bridged,
    conference."""
    finished: bool = False
    """That the conversation is over is recorded: how the call ends after that is nobody's concern."""
    owner_leg: str = ""
    """The channel of the phone of `agent`."""
    hung_up: str = ""
    """The last of our phones that was heard to hang up."""
    colleague: str = ""
    colleague_leg: str = ""
    """Who is consulted or in the conference beside `agent`, and their phone's channel once it was answered; of somebody
    outside the channel alone."""
    municipality: str = ""
    """Whom it is for; "" = not known, from before a start."""
    queued: int = 0
    """The last fact when it came into its queue."""
    ring: Ring | None = None
    """The order to ring for an offer made by that same decision."""
    told: str = ""
    """The offer for which the dialplan rings by itself: the last reply to FastAGI told it to."""
    wish: Wish = field(default_factory=Wish)
    """What the citizen has told by keys."""
    ring_seconds: int = 0
    """What KCC_RING was last set to on the channel."""
    record: str = ""
    """The same of KCC_REC: the recording that begins when an agent answers, or has begun."""

    def __post_init__(self) -> None:
        self.trunk = endpoint_of(self.channel)

    def sent(self) -> None:
        """It is on its way: to a phone by the reply to FastAGI, or on hold."""
        self.moved.clear()
        self.came_to = ""

    def came(self, where: str) -> None:
        self.came_to = where
        self.moved.set()

    async def arrived(self) -> None:
        """A call sent on before it has come where it was sent last can be lost in Asterisk: wait for it, a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MOVING_SECONDS_MAX):
                await self.moved.wait()
        self.moved.set()

    @property
    def silent(self) -> bool:
        """Whether the phone whose talk is over did not hang up: it crashed, or lost its network."""
        return bool(self.owner_leg) and self.hung_up != self.owner_leg


class Calls:
    """The calls that are up, by contact."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        self._by_uniqueid: dict[str, Call] = {}
        self._lost: dict[str, str] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls.values())

    def get(self, contact: str) -> Call | None:
        return self._calls.get(contact)

    def up(self, contact: str, channel: str, uniqueid: str = "") -> Call:
        """The call is up on this channel."""
        call = self._calls.get(contact)
        if call is None or call.channel != channel:
            self._count += 1
            self._drop(contact)
            call = self._calls[contact] = Call(contact, channel, born=self._count)
        if uniqueid:
            call.uniqueid = uniqueid
            self._by_uniqueid[uniqueid] = call
        return call

    def _drop(self, contact: str) -> Call | None:
        call = self._calls.pop(contact, None)
        if call is not None and self._by_uniqueid.get(call.uniqueid) is call:
            del self._by_uniqueid[call.uniqueid]
        return call

    def hear(self, event: VoiceEvent | None) -> None:
        """A phone rings for a call: it has come where the intake sent it. Noted before what is in order per call."""
        if isinstance(event, Ringing) and (call := self._calls.get(event.offer.rpartition("-")[0])) is not None:
            call.came("phone")
        elif isinstance(event, Ringing) and not event.channel:
            self._name_leg(event)

    def _name_leg(self, event: Ringing) -> None:
        """A phone that the router rings by itself has its channel now; until then it is known by its uniqueid."""
        for call in self._calls.values():
            if call.owner_leg == event.agent_uniqueid:
                call.owner_leg = event.agent_channel
            elif call.colleague_leg == event.agent_uniqueid:
                call.colleague_leg = event.agent_channel

    def gone(self, contact: str) -> None:
        """It is up no more: nobody need wait for it."""
        if (call := self._drop(contact)) is not None:
            call.moved.set()

    def of(self, uniqueid: str) -> Call | None:
        """The call of a channel that does not say whose it is: Asterisk was not told, or did not hear it."""
        return self._by_uniqueid.get(uniqueid)

    def on(self, channel: str) -> Call | None:
        """The call of this citizen's channel."""
        return next((call for call in self._calls.values() if call.channel == channel), None)

    def with_phone(self, channel: str) -> Call | None:
        """The call in which this channel is one of our phones."""
        return next((c for c in self._calls.values() if channel in (c.owner_leg, c.colleague_leg)), None)

    def forget_phones(self) -> None:
        """Whether the phones that citizens' legs dialled hang up can no longer be heard."""
        for call in self._calls.values():
            if not call.mode:
                call.owner_leg = ""

    # -- channels that left before the router knew them as a call

    def lose(self, uniqueid: str, reason: str) -> None:
        """The channel has gone, or to the fallback phones, before its contact was known."""
        self._lost.pop(uniqueid, None)
        self._lost[uniqueid] = reason
        if len(self._lost) > LOST_MAX:
            del self._lost[next(iter(self._lost))]

    def found(self, uniqueid: str) -> str:
        """Why the channel was lost, and "" when it was not; from now on it is not."""
        return self._lost.pop(uniqueid, "")

    # -- the census

    def mark(self) -> int:
        """Call before the census is asked for; what becomes known after it is younger."""
        return self._count

    def unseen(self, mark: int) -> list[str]:
        """Contacts of calls that are up though a census asked for at `mark` may not show them."""
        return [call.contact for call in self._calls.values() if call.attended or call.born > mark]

    def replace(self, found: Mapping[str, LiveChannel], mark: int) -> None:
        """Only these are up, as of `mark`: contact -> channel."""
        keep = set(self.unseen(mark))
        for contact in set(self._calls) - set(found) - keep:
            self._drop(contact)
        for contact, row in found.items():
            known = contact in self._calls
            call = self.up(contact, row.channel, row.uniqueid)
            if not known:
                call.record = row.record

    def clear(self) -> None:
        self._calls.clear()
        self._by_uniqueid.clear()


@dataclass(frozen=True, slots=True)
class Census:
    """What Asterisk said is up."""

    channels: dict[str, LiveChannel]
    """Contact -> the citizen's channel."""
    answered: dict[str, str]
    """Contact -> the endpoint it talks with."""
    phones: dict[str, tuple[LiveChannel, ...]]
    """Contact -> the channels of our phones that are up for it, the longest first."""
    passed_on: frozenset[str] = frozenset()
    """Contacts of calls that talk with a neighbour."""
    asked: dict[str, str] = field(default_factory=dict)
    """Contact -> the channel of somebody outside, with whom its agent talks while the citizen is on hold."""

    def rename(self, before: str, after: str) -> None:
        """The call goes on under another contact."""
        self.channels[after] = self.channels.pop(before)
        if before in self.answered:
            self.answered[after] = self.answered.pop(before)
        self.phones[after] = self.phones.pop(before, ())

    @property
    def outside(self) -> dict[str, bool]:
        """Contact -> whether it was answered, of the calls that are put through to somebody outside."""
        return {c: bool(row.bridge_id) for c, row in self.channels.items() if row.context == OUTSIDE_CONTEXT or row.out}

    def between(self, contact: str) -> bool:
        """Delivered to a phone and not bridged: it rings, or the agent has hung up this very moment."""
        return self.channels[contact].context == DELIVER_CONTEXT and contact not in self.answered


def census_of(rows: Iterable[LiveChannel], endpoints: Mapping[str, str]) -> Census:
    """Sort the live channels; `endpoints` gives the endpoint of each channel name that is a phone of ours."""
    found = list(rows)
    phones = {row.bridge_id: endpoints[row.channel] for row in found if row.bridge_id and row.channel in endpoints}
    passed = {row.kcc_id for row in found if row.kcc_id and row.context == NEIGHBOUR_CONTEXT and row.bridge_id}
    citizens = [
        row
        for row in found
        if row.kcc_id and row.channel not in endpoints and row.kcc_id not in passed and row.context != AFTER_CONTEXT
    ]
    legs: dict[str, list[LiveChannel]] = {}
    for row in sorted(found, key=lambda row: -row.seconds):
        if row.channel in endpoints:
            legs.setdefault(row.linkedid, []).append(row)
    others = {row.bridge_id: row.channel for row in found if row.bridge_id and row.channel not in endpoints}
    asked = {
        row.linkedid: others[row.bridge_id]
        for row in found
        if row.channel in endpoints and row.context == CONSULT_OUTSIDE_CONTEXT and row.bridge_id in others
    }
    return Census(
        {row.kcc_id: row for row in citizens},
        {row.kcc_id: phones[row.bridge_id] for row in citizens if row.bridge_id in phones},
        {row.kcc_id: tuple(legs.get(row.uniqueid, ())) for row in citizens},
        frozenset(passed),
        {row.kcc_id: asked[row.uniqueid] for row in citizens if row.uniqueid in asked},
    )


class InOrder:
    """Work in order per call, side by side over calls. What it raises is given to `on_fault`."""

    def __init__(self, on_fault: Callable[[Exception], None], at_once_max: int = 500) -> None:
        self._on_fault = on_fault
        self._lines: dict[str, deque[Callable[[], Awaitable[object]]]] = {}
        """Key -> what waits for what is under way; one task goes through each."""
        self._all: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(at_once_max)

    async def put(self, key: str, work: Callable[[], Awaitable[object]]) -> None:
        """Begin it after what was put before under the same key; waits only when too much is under way."""
        await self._room.acquire()
        if key in self._lines:
            self._lines[key].append(work)
            return
        self._lines[key] = deque([work])
        task = asyncio.create_task(self._run(key))
        self._all.add(task)
        task.add_done_callback(self._all.discard)

    async def settle(self) -> None:
        """Wait for all that was put so far."""
        if self._all:
            await asyncio.wait(set(self._all))

    async def stop(self) -> None:
        """Give up what is under way, and what waits for it."""
        for task in self._all:
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)

    async def _run(self, key: str) -> None:
        line = self._lines[key]
        try:
            while line:
                try:
                    await line[0]()
                except Exception as error:  # noqa: BLE001  one bad event must not end the others of its call
                    self._on_fault(error)
                line.popleft()
                self._room.release()
        finally:
            del self._lines[key]
            for _ in line:  # given up
                self._room.release()
