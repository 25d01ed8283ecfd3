"""Which agents' telephones are in a call that is none of ours, or out of reach, as the devices of all PBXs say it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from router.channels.voice.events import DeviceChanged, LegGone, Ringing, VoiceEvent, endpoint_of
from router.channels.voice.timing import CallLater, Timer, loop_timer
from router.engine.commands import Command, ReportTelephones

FREE, ELSEWHERE, UNREGISTERED = "free", "elsewhere", "unregistered"
BUSY = frozenset({"INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"})
AWAY = frozenset({"UNAVAILABLE", "INVALID"})
SETTLE_SECONDS = {ELSEWHERE: 0.5, UNREGISTERED: 3.0}
"""How long it must last before it is told: a call of ours is known by then, a desk that is loaded again is back."""
QUALIFIED_SECONDS = 40
"""An Asterisk that has just started holds every telephone for unavailable until it has answered: it asks each within
30 s (qualify_frequency in pjsip.conf). They ring all the same."""


class Telephones:
    """Told to the centre when it changes; that a telephone is free again is told at once.

    A telephone that our own offer or call keeps busy is free as far as this goes. It is unregistered when no PBX that
    is known can reach it, and elsewhere when it is so at any of them. Of a PBX that says nothing of its devices, or is
    out of reach, nothing is known.
    """

    def __init__(
        self,
        agents: Mapping[str, str],
        tell: Callable[[Command], Awaitable[object]],
        call_later: CallLater = loop_timer,
    ) -> None:
        """`agents` is endpoint -> agent."""
        self._agents, self._tell, self._call_later = agents, tell, call_later
        self._devices: dict[str, dict[str, str]] = {}
        """PBX -> endpoint -> state of the device there."""
        self._young: dict[str, Timer] = {}
        self._unasked: dict[str, set[str]] = {}
        """PBX that has just started -> endpoints of which it does not know yet whether they are there."""
        self._ours: dict[str, set[tuple[str, str]]] = {}
        """Endpoint -> (PBX, channel) of its legs in an offer or call of ours."""
        self._told: dict[str, str] = {}
        """Endpoint -> what the centre knows; not there while it is elsewhere, which the centre may know better."""
        self._settling: dict[str, tuple[str, Timer]] = {}
        self._pending: dict[str, str] = {}
        self._sending: asyncio.Task[None] | None = None

    def heard(self, pbx: str, event: VoiceEvent | None, listens: Callable[[str], object]) -> None:
        """Something happened at this PBX; `listens`: whether the leg of a uniqueid is there to listen to a call."""
        match event:
            case Ringing(endpoint=endpoint, agent_channel=channel) if endpoint in self._agents:
                if event.offer or not (event.channel or listens(event.agent_uniqueid)):
                    self._ours.setdefault(endpoint, set()).add((pbx, channel))
                    self._judge(endpoint)
            case LegGone(channel=channel) if endpoint_of(channel) in self._agents:
                self._ours.get(endpoint_of(channel), set()).discard((pbx, channel))
                self._judge(endpoint_of(channel))
            case DeviceChanged(endpoint=endpoint, state=state) if endpoint in self._agents:
                if state not in AWAY:
                    self._unasked.get(pbx, set()).discard(endpoint)
                self._devices.setdefault(pbx, {})[endpoint] = state
                self._judge(endpoint)

    async def census(self, pbx: str, devices: Mapping[str, str], up_seconds: int | None = None) -> None:
        """What all devices of this PBX are, at the beginning of a connection; returns when the centre knows.
        `up_seconds` is how long it has been up; None = not known, long enough.

        Which of the busy ones are in a call of ours the centre knows; where that call turns out to be over, it is told
        again a moment later.
        """
        self._forget(pbx)
        self._devices[pbx] = {endpoint: state for endpoint, state in devices.items() if endpoint in self._agents}
        if up_seconds is not None and up_seconds < QUALIFIED_SECONDS:
            self._unasked[pbx] = {endpoint for endpoint, state in self._devices[pbx].items() if state in AWAY}
            self._young[pbx] = self._call_later(QUALIFIED_SECONDS - up_seconds, lambda: self._qualified(pbx))
        await self._report({endpoint: self._of(endpoint) for endpoint in self._agents})
        for endpoint in self._agents:
            self._judge(endpoint)

    def lost(self, pbx: str) -> None:
        """The connection is gone: what the other PBXs say counts. Without one, all stays as it was last known."""
        self._forget(pbx)
        for endpoint in self._agents if self._devices else ():
            self._judge(endpoint)

    async def stop(self) -> None:
        """Tell nothing any more."""
        for timer in (*self._young.values(), *(timer for _, timer in self._settling.values())):
            timer.cancel()
        self._young.clear()
        self._settling.clear()
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    def _qualified(self, pbx: str) -> None:
        del self._young[pbx], self._unasked[pbx]
        for endpoint in self._agents:
            self._judge(endpoint)

    def _forget(self, pbx: str) -> None:
        self._devices.pop(pbx, None)
        self._unasked.pop(pbx, None)
        if (young := self._young.pop(pbx, None)) is not None:
            young.cancel()
        for legs in self._ours.values():
            legs.difference_update([leg for leg in legs if leg[0] == pbx])

    def _of(self, endpoint: str) -> str:
        known = {pbx: devices[endpoint] for pbx, devices in self._devices.items() if endpoint in devices}
        ours = {pbx for pbx, _ in self._ours.get(endpoint, ())}
        if any(state in BUSY and pbx not in ours for pbx, state in known.items()):
            return ELSEWHERE
        unasked = any(endpoint in self._unasked.get(pbx, ()) for pbx in known)
        return UNREGISTERED if known and AWAY.issuperset(known.values()) and not unasked else FREE

    def _judge(self, endpoint: str) -> None:
        now = self._of(endpoint)
        before = self._settling.get(endpoint)
        if before is not None and before[0] == now:
            return
        if before is not None:
            before[1].cancel()
            del self._settling[endpoint]
        if now == self._told.get(endpoint):
            return
        if now == FREE:
            self._report({endpoint: FREE})
        else:
            self._settling[endpoint] = now, self._call_later(SETTLE_SECONDS[now], lambda: self._settled(endpoint, now))

    def _settled(self, endpoint: str, now: str) -> None:
        del self._settling[endpoint]
        self._report({endpoint: now})

    def _report(self, telephones: dict[str, str]) -> asyncio.Task[None]:
        """One report after the other; what changes meanwhile goes with the next."""
        for endpoint, telephone in telephones.items():
            self._told.pop(endpoint, None)
            if telephone != ELSEWHERE:
                self._told[endpoint] = telephone
            self._pending[self._agents[endpoint]] = telephone
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="voice telephones")
        return self._sending

    async def _send(self) -> None:
        while self._pending:
            telephones, self._pending = self._pending, {}
            await self._tell(ReportTelephones(telephones))
