"""AmiLink: the supervised control connection to Asterisk. It heals by itself and says when it is up or down."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from router.channels.voice.faults import AmiDown, AmiGarbled, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.frames import Frame, header
from router.channels.voice.pyst import AmiActions, refuse_control
from router.channels.voice.timing import CallLater, loop_timer, pause, within
from router.settings import AmiTls

__all__ = ["AmiAccess", "AmiDown", "AmiLink", "AmiRefused", "AmiTimeout", "ChannelGone", "Leg", "LiveChannel"]

PING_SECONDS = 5.0
ACTION_SECONDS = 4.0
PING_MISSES_MAX = 2
"""With the two above a silent peer is found 13 s after its last reply."""
BACKOFF_SECONDS_MIN = 0.2
BACKOFF_SECONDS_MAX = 5.0
INBOX_MAX = 10_000
"""Events nobody has taken yet; beyond it the connection is dropped and the next one starts with a census."""

ON_HOLD = "CHANNEL(onhold)"
"""Whether who the channel talks with has put it on hold."""
CENSUS_VARIABLES = ("KCC_ID", "KCC_NUMBER", "KCC_OFFER", "KCC_OVERFLOW", "KCC_REC", "KCC_OUT", ON_HOLD)
NOT_UP: Final = re.compile(r"channel not up", re.IGNORECASE)
"""The channel is about to end, or on its way to where it was sent just before: Asterisk says the same of both."""
GONE: Final = re.compile(rf"no such channel|does(n't| not) exists?|{NOT_UP.pattern}", re.IGNORECASE)
ON_ITS_WAY_SECONDS = 0.02
ON_ITS_WAY_TRIES = 10
CHANNEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:;@/+-]{0,127}")
EXTENSION: Final = re.compile(r"[A-Za-z0-9_*#-]{1,79}")
VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
PHONE: Final = re.compile(r"[A-Za-z0-9_]{1,30}|\+[1-9][0-9]{6,14}@trunk")
SHOWN: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class AmiAccess:
    """Where Asterisk's manager listens, and who the router is there."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    tls: AmiTls | None = None
    """None = in the open."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A channel and where in the dialplan it is to go on."""

    channel: str
    context: str
    exten: str


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """One channel of the census."""

    channel: str
    uniqueid: str
    linkedid: str
    state: str
    """Up, Ringing, Ring, Down …"""
    context: str
    exten: str
    application: str
    """AGI, WaitExten, Dial, AppDial (an agent's leg) …"""
    bridge_id: str
    caller_number: str = field(repr=False)
    caller_name: str = field(repr=False)
    seconds: int
    """Since the channel was made."""
    kcc_id: str
    number: str
    """The 14+ number that was called; only on a citizen's channel."""
    offer: str
    """The last offer made for this call; over when `context` is not kcc-deliver."""
    overflow: bool
    """It went to the fallback phones."""
    out: bool = False
    """The citizen was left to somebody outside: when that is over, so is the call."""
    record: str = ""
    """The recording that began, or begins, with the answer of an agent."""
    on_hold: bool = False
    """The phone that it talks with has put it on hold."""


class AmiLink:
    """Keeps one connection to Asterisk's manager up while `run` runs.

    `on_up(link)`, `on_event(frame)` and `on_down()` are awaited one after the other, in the order things happened:
    events of a connection always stand between its up and its down. What a callback raises is given to `on_fault`
    (with where it happened) and the next one follows. `epoch` counts connections; each starts with a new object
    and, in `on_up`, with the caller's census.
    """

    def __init__(
        self,
        access: AmiAccess,
        *,
        on_up: Callable[[AmiLink], Awaitable[None]],
        on_down: Callable[[], Awaitable[None]],
        on_event: Callable[[Frame], Awaitable[None]],
        on_fault: Callable[[str, Exception], None],
        call_later: CallLater = loop_timer,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._access = access
        self._on_up, self._on_down, self._on_event, self._on_fault = on_up, on_down, on_event, on_fault
        self._call_later = call_later
        self._jitter = jitter
        self._actions: AmiActions | None = None
        self._began: float | None = None
        self._inbox = deque[Callable[[], Awaitable[None]]]()
        """What has happened and was not taken to its end yet, the oldest first."""
        self._news, self._quiet = asyncio.Event(), asyncio.Event()
        self.epoch = 0

    @property
    def is_up(self) -> bool:
        return self._actions is not None and self._actions.connected()

    @property
    def up_seconds(self) -> int | None:
        """How long this Asterisk has been up; None when it did not say. Known once it has answered an action."""
        return None if self._began is None else int(asyncio.get_running_loop().time() - self._began)

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        consumer = asyncio.get_running_loop().create_task(self._consume())
        failures = 0
        try:
            while True:
                failures = 0 if await self._attend() else failures + 1
                await self._quiet.wait()  # nothing of this connection is left over when the next one comes
                await pause(self._backoff_seconds(failures), self._call_later)
        finally:
            consumer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await consumer

    def _backoff_seconds(self, failures: int) -> float:
        most = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_MIN * 2.0 ** min(failures, 10))
        return most * (0.5 + self._jitter() / 2)

    async def _attend(self) -> bool:
        """One connection, from its start to its end. False when it did not come about."""
        early: list[Frame] = []
        announced = False

        def take(frame: Frame) -> None:
            if header(frame, "Event") == "FullyBooted":
                self._booted(header(frame, "Uptime"))
            elif announced:
                self._take(actions, frame)
            else:
                early.append(frame)

        actions = AmiActions(take, timeout_seconds=ACTION_SECONDS, call_later=self._call_later)
        try:
            self._began = asyncio.get_running_loop().time()  # who is let in before it has fully booted is not told so
            await actions.open(self._access.host, self._access.port, self._access.tls)
            await actions.login(self._access.username, self._access.secret)
            self.epoch += 1
            self._actions = actions
            self._put(lambda: self._on_up(self))
            announced = True
            for frame in early:
                self._take(actions, frame)
        except (AmiDown, AmiTimeout, AmiRefused, AmiGarbled) as error:
            self._on_fault("connect", error)
            return False
        else:
            try:
                await self._watch(actions)
            finally:
                self._actions = None
                self._put(self._on_down)
            return True
        finally:
            actions.close()

    def _booted(self, uptime: str) -> None:
        now = asyncio.get_running_loop().time()
        self._began = now - int(uptime) if uptime.isascii() and uptime.isdigit() else None

    async def _watch(self, actions: AmiActions) -> None:
        misses = 0
        while misses < PING_MISSES_MAX:
            if misses == 0:
                with contextlib.suppress(TimeoutError):
                    await within(PING_SECONDS, actions.lost.wait(), self._call_later)
            if actions.lost.is_set():
                if actions.why is not None:
                    self._on_fault("connection", actions.why)
                return
            try:
                await actions.ping()
                misses = 0
            except AmiTimeout:
                misses += 1
            except AmiDown:
                continue
        self._on_fault("connection", AmiTimeout("Asterisk's manager no longer answers"))

    def _take(self, actions: AmiActions, frame: Frame) -> None:
        if len(self._inbox) < INBOX_MAX:
            self._put(lambda: self._on_event(frame))
        elif not actions.lost.is_set():
            actions.why = AmiGarbled("more events than could be taken in")
            actions.lost.set()  # the supervisor ends it; what is missed now, the next census finds

    def _put(self, call: Callable[[], Awaitable[None]]) -> None:
        self._inbox.append(call)
        self._news.set()
        self._quiet.clear()

    async def _consume(self) -> None:
        while True:
            self._quiet.set()
            await self._news.wait()
            self._news.clear()
            while self._inbox:  # all that is there by one wake-up
                try:
                    await self._inbox[0]()
                except Exception as error:  # noqa: BLE001  one bad event must not end all the others
                    self._on_fault("consumer", error)
                self._inbox.popleft()

    # -- what the router asks of Asterisk: each raises ChannelGone, AmiRefused, AmiTimeout or AmiDown

    async def redirect(self, channel: str, context: str, exten: str, *, also: Leg | None = None) -> None:
        """Send a channel elsewhere in the dialplan, at once and whatever it does; `also` moves a second one with it.

        One that is still on its way from a Redirect just before is sent on as soon as it can be.
        """
        fields = {"Action": "Redirect", **_leg("", Leg(channel, context, exten))}
        if also is not None:
            fields |= _leg("Extra", also)
        for left in reversed(range(ON_ITS_WAY_TRIES)):
            try:
                await self._act(fields)
                return
            except ChannelGone as gone:
                if not left or not NOT_UP.search(gone.message):
                    raise
            await pause(ON_ITS_WAY_SECONDS, self._call_later)

    async def hangup(self, channel: str) -> None:
        """End a channel."""
        await self._act({"Action": "Hangup", "Channel": _channel(channel)})

    async def setvar(self, channel: str, name: str, value: str) -> None:
        """Set a channel variable, never a function or a global one."""
        if not VARIABLE.fullmatch(name):
            raise ValueError("not a channel variable's name")
        await self._act({
            "Action": "Setvar", "Channel": _channel(channel), "Variable": name, "Value": refuse_control(value, name),
        })  # fmt: skip

    async def originate(
        self,
        phone: str,
        context: str,
        exten: str,
        *,
        channel_id: str,
        seconds: int,
        variables: Mapping[str, str],
        shown: str = "0",
    ) -> None:
        """Ring one of our phones, or +NUMBER@trunk, and send it to a place in the dialplan once it answers.

        `channel_id` names the leg, `shown` (digits) is the number that it shows.
        """
        if not PHONE.fullmatch(phone) or not EXTENSION.fullmatch(channel_id) or not SHOWN.fullmatch(shown):
            raise ValueError("not a phone, a name for its channel or a number")
        place = _leg("", Leg(f"PJSIP/{phone}", context, exten))
        await self._act({
            "Action": "Originate", **place, "Async": "true", "ChannelId": channel_id, "Timeout": str(seconds * 1000),
            "CallerID": f'"KCC" <{shown}>', "Variable": [_variable(*one) for one in variables.items()],
        })  # fmt: skip

    async def bridge(self, channel: str, other: str) -> None:
        """Let two channels talk with each other."""
        await self._act({"Action": "Bridge", "Channel1": _channel(channel), "Channel2": _channel(other)})

    async def mute_recording(self, channel: str, *, muted: bool) -> None:
        """Let silence be recorded in the place of what is said; refused when the channel is not recorded."""
        state = "1" if muted else "0"
        await self._act({
            "Action": "MixMonitorMute", "Channel": _channel(channel), "Direction": "both", "State": state,
        })  # fmt: skip

    async def stop_recording(self, channel: str) -> None:
        """End its recording; the file is complete then. Refused when the channel is not recorded."""
        await self._act({"Action": "StopMixMonitor", "Channel": _channel(channel)})

    async def status(self) -> list[LiveChannel]:
        """The census: every channel there is, with the router's own variables and whether it is on hold."""
        fields = {"Action": "Status", "Variables": ",".join(CENSUS_VARIABLES)}
        rows = await self._connection().collect(fields, last="StatusComplete")
        return [live_channel(row) for row in rows if header(row, "Event") == "Status"]

    async def devices(self) -> dict[str, str]:
        """Endpoint -> state of its device (NOT_INUSE, INUSE, UNAVAILABLE …), of all that this Asterisk knows."""
        rows = await self._connection().collect({"Action": "DeviceStateList"}, last="DeviceStateListComplete")
        named = ((header(row, "Device"), header(row, "State")) for row in rows)
        return {device.removeprefix("PJSIP/"): state for device, state in named if device.startswith("PJSIP/")}

    def _connection(self) -> AmiActions:
        if self._actions is None:
            raise AmiDown("not connected")
        return self._actions

    async def _act(self, fields: Mapping[str, str | list[str]]) -> None:
        reply = await self._connection().send_action(fields)
        if header(reply, "Response") != "Success":
            message = header(reply, "Message") or "refused"
            raise (ChannelGone if GONE.search(message) else AmiRefused)(message)


def _channel(name: str) -> str:
    """A channel's name. An empty one would mean a global variable, one that begins with / every channel it matches."""
    if not CHANNEL.fullmatch(name):
        raise ValueError("not a channel's name")
    return name


def _variable(name: str, value: str) -> str:
    if not VARIABLE.fullmatch(name) or "," in value:
        raise ValueError("not a variable that a call can carry")
    return f"{name}={refuse_control(value, name)}"


def _leg(prefix: str, leg: Leg) -> dict[str, str]:
    if not EXTENSION.fullmatch(leg.context) or not EXTENSION.fullmatch(leg.exten):
        raise ValueError("not a place in the dialplan")
    return {
        f"{prefix}Channel": _channel(leg.channel),
        f"{prefix}Context": leg.context,
        f"{prefix}Exten": leg.exten,
        f"{prefix}Priority": "1",
    }


def live_channel(row: Frame) -> LiveChannel:
    """One Status event. What is missing becomes empty."""
    given = row.get("Variable", [])
    pairs = (text.partition("=") for text in ([given] if isinstance(given, str) else given))
    variables = {name: value for name, _, value in pairs if value != "(null)"}  # Asterisk's word for "not set"
    seconds = header(row, "Seconds")
    return LiveChannel(
        channel=header(row, "Channel"),
        uniqueid=header(row, "Uniqueid"),
        linkedid=header(row, "Linkedid"),
        state=header(row, "ChannelStateDesc"),
        context=header(row, "Context"),
        exten=header(row, "Exten"),
        application=header(row, "Application"),
        bridge_id=header(row, "BridgeID"),
        caller_number=header(row, "CallerIDNum"),
        caller_name=header(row, "CallerIDName"),
        seconds=int(seconds) if seconds.isascii() and seconds.isdigit() else 0,
        kcc_id=variables.get("KCC_ID", ""),
        number=variables.get("KCC_NUMBER", ""),
        offer=variables.get("KCC_OFFER", ""),
        overflow=variables.get("KCC_OVERFLOW", "") == "1",
        out=variables.get("KCC_OUT", "") == "1",
        record=variables.get("KCC_REC", ""),
        on_hold=variables.get(ON_HOLD, "") == "1",
    )
