"""Citizens who are called back: the agent's phone and the citizen's are rung one after the other, and connected.

The first leg is made by Originate and carries the callback in its Uniqueid; the dialplan rings the second from it, so
that Asterisk ends both together and a router that dies takes nobody's call away.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from router.channels.channel import Surroundings
from router.channels.voice import events
from router.channels.voice.ami import AmiLink, LiveChannel
from router.channels.voice.calls import InOrder
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.together import Tell
from router.engine import commands
from router.engine.effects import DialBack, EndDial
from router.errors import Erased, UnknownThing
from router.port import Order
from router.telephone_numbers import dialable

log = structlog.get_logger()

LEG: Final = re.compile(r"kcc-back-([A-Za-z0-9_-]{1,40})-([0-9]{1,4})")
BUSY = 17
UNANSWERED = frozenset({18, 19})
"""Causes of a hang-up: no answer."""
CITIZEN = {"BUSY": "busy", "NOANSWER": "no_answer", "CANCEL": "cancelled"}
AGENT = {"BUSY": "agent_busy", "CANCEL": "cancelled"}
"""What Dial reports -> how the dialling ended."""


@dataclass(slots=True)
class Dial:
    """The telephones of one callback."""

    contact: str
    number: int
    agent: str
    citizen_first: bool
    leg: str
    """Uniqueid of the first leg."""
    begun: bool = False
    """The first leg has answered."""
    reached: bool = False
    over: bool = False
    """What became of it has been told."""


class CallbackDials:
    """Those of one PBX. What is up is known from Asterisk; the record says what it is for."""

    def __init__(
        self,
        around: Surroundings,
        ami: AmiLink,
        agents: Mapping[str, str],
        prefixes: tuple[str, ...],
        tell: Tell,
        work: InOrder,
    ) -> None:
        """`agents` is endpoint -> agent."""
        self._around, self._ami, self._agents, self._prefixes = around, ami, agents, prefixes
        self._tell, self._work = tell, work
        self._dials: dict[str, Dial] = {}
        """By contact."""

    # -- orders -----------------------------------------------------------------------------------------------

    async def perform(self, order: Order) -> None:
        match order.effect:
            case DialBack() as effect:
                await self._begin(effect)
            case EndDial(contact=contact):
                dial = self._dials.pop(contact, None)
                if dial is not None:
                    await self._hang_up(dial.leg)

    async def _begin(self, effect: DialBack) -> None:
        leg = f"kcc-back-{effect.contact}-{effect.number}"
        dial = Dial(effect.contact, effect.number, effect.agent, effect.citizen_first, leg)
        number = dialable(await self._number(effect), self._prefixes)
        if not number:
            log.warning("voice.number_not_dialled", contact=effect.contact)
            await self._end(dial, "refused")
            return
        self._dials[effect.contact] = dial
        try:
            await self._ring(effect, dial, number)
        except (AmiDown, AmiTimeout, AmiRefused, ChannelGone, ValueError) as error:
            log.warning("voice.callback_failed", contact=effect.contact, error=type(error).__name__)
            await self._hang_up(leg)
            await self._end(dial, "technical")

    async def _ring(self, effect: DialBack, dial: Dial, number: str) -> None:
        municipality = self._around.centre.municipality(effect.municipality)
        ours = next(iter(municipality.entry_points), "0") if municipality else "0"
        if effect.citizen_first:
            phone, seconds, shown = f"{number}@trunk", effect.citizen_seconds, ours
            variables = {"KCC_PHONE": effect.endpoint, "KCC_RING": str(effect.agent_seconds)}
        else:
            phone, seconds, shown = effect.endpoint, effect.agent_seconds, "0"
            variables = {"KCC_NR": number, "KCC_RING": str(effect.citizen_seconds), "KCC_FROM": ours}
        context = events.BACK_CONTEXTS[effect.citizen_first]
        await self._ami.originate(
            phone, context, "s", channel_id=dial.leg, seconds=seconds, variables=variables, shown=shown
        )

    async def _number(self, effect: DialBack) -> str:
        """E.164, or "" when it is not known (any more)."""
        vault = self._around.vault
        try:
            if effect.number_ref:
                return (await vault.read_unattended(effect.number_ref)).content.decode()
            known = await vault.read_citizen(
                effect.citizen, contact=effect.contact, who=effect.agent, purpose="callback"
            )
        except (Erased, UnknownThing):
            return ""
        return known.phone

    async def _hang_up(self, leg: str) -> None:
        try:
            with contextlib.suppress(ChannelGone):
                await self._ami.hangup(leg)
        except (AmiDown, AmiTimeout, AmiRefused) as error:
            log.warning("voice.callback_not_ended", error=type(error).__name__)

    # -- what Asterisk tells ------------------------------------------------------------------------------------

    async def heard(self, event: events.VoiceEvent | None) -> bool:
        """Whether the event was about a callback: its first leg, or what is dialled from it."""
        match event:
            case events.Back(uniqueid=leg) | events.LegGone(uniqueid=leg) | events.DialEnded(linkedid=leg):
                found = LEG.fullmatch(leg)
            case _:
                found = None
        if found is None or event is None:
            return False
        await self._work.put(found[1], partial(self._take, found[1], event))
        return True

    async def _take(self, contact: str, event: events.VoiceEvent) -> None:
        dial = self._dials.get(contact)
        if dial is None:
            return
        match event:
            case events.Back(uniqueid=leg, step="begin") if leg == dial.leg:
                dial.begun = True
            case events.DialEnded(context=context, status="ANSWER", linkedid=leg) if leg == dial.leg:
                if context in events.BACK_CONTEXTS:
                    dial.begun = dial.reached = True
                    await self._tell(commands.ReportDial(contact, dial.number, "answered"))
            case events.Back(uniqueid=leg, step="end", status=status) if leg == dial.leg:
                await self._second_over(dial, status)
            case events.LegGone(uniqueid=leg, cause=cause) if leg == dial.leg:
                del self._dials[contact]
                await self._first_gone(dial, cause)

    async def _second_over(self, dial: Dial, status: str) -> None:
        """The other side could not be had, or has hung up."""
        if status == "ANSWER":
            await self._left(dial, by_agent=dial.citizen_first)
        elif dial.citizen_first:
            await self._end(dial, AGENT.get(status, "agent_no_answer"))
        else:
            await self._end(dial, CITIZEN.get(status, "unreachable"))

    async def _first_gone(self, dial: Dial, cause: int) -> None:
        if dial.reached:
            await self._left(dial, by_agent=not dial.citizen_first)
        elif dial.begun:
            await self._end(dial, "cancelled")
        elif dial.citizen_first:
            await self._end(dial, "busy" if cause == BUSY else "no_answer" if cause in UNANSWERED else "unreachable")
        else:
            await self._end(dial, "agent_busy" if cause == BUSY else "agent_no_answer")

    async def _left(self, dial: Dial, *, by_agent: bool) -> None:
        """They have talked, and one of them has hung up."""
        if dial.over:
            return
        dial.over = True
        done = commands.FinishConversation(dial.contact, dial.agent)
        await self._tell(done if by_agent else commands.EndContact(dial.contact, "citizen_left"))

    async def _end(self, dial: Dial, how: str) -> None:
        if not dial.over:
            dial.over = True
            await self._tell(commands.ReportDial(dial.contact, dial.number, how))

    # -- the census -----------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """What is up can no longer be heard; the next census tells."""
        self._dials.clear()

    async def census(
        self, rows: Iterable[LiveChannel], is_open: Callable[[str], Awaitable[bool]]
    ) -> tuple[set[str], dict[str, str]]:
        """Contacts of the callbacks that are up, and who talks in which. What is up for no open contact is hung up."""
        seen = list(rows)
        phones = {row.linkedid: found for row in seen if (found := events.endpoint_of(row.channel)) in self._agents}
        for row in seen:
            leg = LEG.fullmatch(row.uniqueid)
            if leg is not None and await is_open(leg[1]):
                self._restore(row, leg[1], int(leg[2]), self._agents.get(phones.get(row.uniqueid, ""), ""))
            elif leg is not None:
                await self._hang_up(row.uniqueid)
        up = {dial.contact: dial for dial in self._dials.values() if not dial.over}
        return set(up), {contact: dial.agent for contact, dial in up.items() if dial.reached}

    def _restore(self, row: LiveChannel, contact: str, number: int, agent: str) -> None:
        dial = self._dials.get(contact)
        if dial is None or dial.leg != row.uniqueid:
            citizen_first = row.context == events.BACK_CONTEXTS[True]
            dial = self._dials[contact] = Dial(contact, number, agent, citizen_first, row.uniqueid, row.state == "Up")
        dial.reached = dial.reached or bool(row.bridge_id)
        dial.agent = dial.agent or agent
