"""Asterisk's events as small values, and the names the dialplan and the router share. Pure; never raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

Frame = Mapping[str, str | list[str]]

HOLD_CONTEXT = "kcc-hold"
DELIVER_CONTEXT = "kcc-deliver"
CONSULT_CONTEXT = "kcc-consult"
OUTSIDE_CONTEXT = "kcc-outside"
OVERFLOW_CONTEXT = "kcc-overflow"
CONFERENCE_CONTEXT = "kcc-conf"
NEIGHBOUR_CONTEXT = "kcc-neighbour"
AFTER_CONTEXT = "kcc-after"
BACK_CONTEXTS = ("kcc-back", "kcc-back-citizen")
"""Callbacks: whose leg is dialled first, the agent's or the citizen's."""
HOLD_EXTEN = "s"
CONSULT_OUTSIDE_CONTEXT = "kcc-consult-outside"
OUTSIDE_EXTEN = "s"
"""In kcc-outside: dials KCC_DIAL."""
LIMIT_EXTEN = "limit"
"""In kcc-hold: asks for a message, the wait has reached its limit."""
ANNOUNCE_EXTEN = "announce"
"""In kcc-hold: says KCC_POS."""
SAY_EXTEN = "say"
"""In kcc-hold: plays kcc/<KCC_SAY>."""

KCC_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAME: Final = re.compile(r"[A-Za-z0-9_]{1,30}")
OFFER: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
DIAL_EXTEN: Final = re.compile(r"d-([A-Za-z0-9_]{1,30})-([A-Za-z0-9_-]{1,40})")
CHANNEL_ENDPOINT: Final = re.compile(r"PJSIP/([A-Za-z0-9_.-]+)-[0-9a-f]{8}")
STATUSES: Final = frozenset({
    "ANSWER", "BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL", "DONTCALL", "TORTURE", "INVALIDARGS", "ABORT",
    "CONTINUE", "GOTO",
})  # fmt: skip
DEVICE_STATE: Final = re.compile(r"[A-Z_]{1,20}")
STAMP: Final = re.compile(r"([0-9]{1,11})\.([0-9]{3})[0-9]*")


def dial_exten(endpoint: str, offer: str) -> str:
    """The extension, in kcc-deliver or kcc-consult, that rings an endpoint and carries the offer's token.

    Both are letters, digits and underscores, the offer may have dashes too; else ValueError.
    """
    if not NAME.fullmatch(endpoint) or not OFFER.fullmatch(offer):
        raise ValueError("an endpoint or offer that the dialplan cannot carry")
    return f"d-{endpoint}-{offer}"


def contact_exten(letter: str, contact: str) -> str:
    """In kcc-conf of the citizen (c) and of ours (a), in kcc-consult-outside (o). ValueError for a strange id."""
    if not OFFER.fullmatch(contact):
        raise ValueError("a contact that the dialplan cannot carry")
    return f"{letter}-{contact}"


@dataclass(frozen=True, slots=True)
class Held:
    """The citizen is on music, for the first time or again."""

    kcc_id: str
    channel: str
    uniqueid: str
    linkedid: str


@dataclass(frozen=True, slots=True)
class Digit:
    """The citizen pressed a digit while on hold; the dialplan asks FastAGI `digit` at the same time."""

    kcc_id: str
    channel: str
    digit: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """A phone is being rung. `offer` is "" when no offer of the router is behind it (fallback, agent to agent)."""

    channel: str
    """Who is connected if the phone is answered: the citizen; in a consult, the agent."""
    linkedid: str
    """The Uniqueid of the citizen's channel."""
    agent_channel: str
    agent_uniqueid: str
    endpoint: str
    offer: str
    context: str


@dataclass(frozen=True, slots=True)
class DialEnded:
    """Ringing is over. Status ANSWER: they talk."""

    channel: str
    linkedid: str
    agent_channel: str
    endpoint: str
    offer: str
    context: str
    status: str


@dataclass(frozen=True, slots=True)
class DialResult:
    """The delivery is over and the citizen is still there: refused, not answered, or the agent hung up (ANSWER).

    After ANSWER the citizen's call ends a second later unless it is taken elsewhere; else Held follows.
    """

    kcc_id: str
    channel: str
    offer: str
    endpoint: str
    status: str


@dataclass(frozen=True, slots=True)
class ConsultEnded:
    """The colleague's side of a consult is over; `channel` is the asking agent's."""

    channel: str
    linkedid: str
    offer: str
    endpoint: str
    status: str


@dataclass(frozen=True, slots=True)
class Back:
    """A callback's first leg has answered and the other is being rung (`begin`), or that is over (`end` + status)."""

    channel: str
    uniqueid: str
    step: str
    status: str


@dataclass(frozen=True, slots=True)
class OutsideEnded:
    """Nobody outside answered, and the citizen is on hold again; or they did (ANSWER), and have hung up."""

    kcc_id: str
    channel: str
    status: str
    asked: bool = False
    """It was the agent's leg that dialled them, and waits."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The citizen's call has ended, whoever ended it. `kcc_id` is "" when the router never had it."""

    kcc_id: str
    channel: str
    uniqueid: str


@dataclass(frozen=True, slots=True)
class LegGone:
    """A channel has ended: the citizen's (uniqueid = linkedid) or a phone's."""

    channel: str
    uniqueid: str
    linkedid: str
    cause: int
    """16 normal, 17 busy, 19 no answer, 26 answered elsewhere or cancelled, 44 no audio any more."""

    @property
    def endpoint(self) -> str:
        return endpoint_of(self.channel)


@dataclass(frozen=True, slots=True)
class HangupAsked:
    """One side has hung up: it names who did, before the channels go."""

    channel: str
    uniqueid: str
    linkedid: str
    cause: int


@dataclass(frozen=True, slots=True)
class LateAgi:
    """FastAGI did not finish before the dialplan's deadline. With a `kcc_id` the call is held, else in overflow."""

    kcc_id: str
    channel: str
    uniqueid: str
    script: str


@dataclass(frozen=True, slots=True)
class Overflow:
    """The call went to the fallback phones (`begin`), came back (`end` + status), or nobody was there (`nobody`)."""

    kcc_id: str
    channel: str
    uniqueid: str
    number: str
    step: str
    attempt: int
    status: str


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A telephone is registered or not, free, ringing or in a call, whoever's: NOT_INUSE, INUSE, UNAVAILABLE …"""

    endpoint: str
    state: str


@dataclass(frozen=True, slots=True)
class PhoneHeld:
    """A phone has put who it talks with on hold, with music, or taken them off it."""

    channel: str
    held: bool


VoiceEvent = (
    Held | Digit | Ringing | DialEnded | DialResult | ConsultEnded | Back | OutsideEnded
    | Gone | LegGone | HangupAsked | LateAgi | Overflow | DeviceChanged | PhoneHeld
)  # fmt: skip


class Decoded(NamedTuple):
    """`event` is None for what does not concern the router, and, with a `reason`, for what is malformed."""

    event: VoiceEvent | None
    reason: str = ""
    at_ms: int = 0
    """When, in UTC milliseconds by Asterisk's clock; 0 when it does not say."""


class _Malformed(Exception):
    pass


def endpoint_of(channel: str) -> str:
    """PJSIP/a1-0000002f -> a1; "" for another kind of channel."""
    found = CHANNEL_ENDPOINT.fullmatch(channel)
    return found.group(1) if found else ""


def _one(frame: Frame, name: str) -> str:
    value = frame.get(name, "")
    if isinstance(value, str):
        return value
    raise _Malformed(f"{name} is repeated")


def _must(frame: Frame, name: str) -> str:
    value = _one(frame, name)
    if not value:
        raise _Malformed(f"{name} is missing")
    return value


def _match(frame: Frame, name: str, pattern: re.Pattern[str], *, empty: bool = False) -> str:
    value = _one(frame, name)
    if pattern.fullmatch(value) or (empty and not value):
        return value
    raise _Malformed(f"{name} is not one")


def _id(frame: Frame, *, empty: bool = False) -> str:
    return _match(frame, "KccId", KCC_ID, empty=empty)


def _number(frame: Frame, name: str) -> int:
    value = _one(frame, name)
    if not value:
        return 0
    if value.isascii() and value.isdigit() and len(value) < 9:
        return int(value)
    raise _Malformed(f"{name} is no number")


def _status(frame: Frame, name: str, *, empty: bool = False) -> str:
    value = _one(frame, name)
    if value in STATUSES or (empty and not value):
        return value
    raise _Malformed(f"{name} is not one")


def _offer(frame: Frame) -> str:
    """The offer behind a dialling channel, told by the extension it is in."""
    if _one(frame, "Context") not in (DELIVER_CONTEXT, CONSULT_CONTEXT):
        return ""
    found = DIAL_EXTEN.fullmatch(_one(frame, "Exten"))
    return found.group(2) if found else ""


def _held(frame: Frame) -> VoiceEvent:
    return Held(_id(frame), _must(frame, "Channel"), _must(frame, "Uniqueid"), _must(frame, "Linkedid"))


def _digit(frame: Frame) -> VoiceEvent:
    return Digit(_id(frame), _must(frame, "Channel"), _match(frame, "Digit", re.compile(r"[0-9*#]")))


def _dial_begin(frame: Frame) -> VoiceEvent:
    phone = _must(frame, "DestChannel")
    return Ringing(
        channel=_one(frame, "Channel"),
        linkedid=_must(frame, "DestLinkedid"),
        agent_channel=phone,
        agent_uniqueid=_must(frame, "DestUniqueid"),
        endpoint=endpoint_of(phone),
        offer=_offer(frame),
        context=_one(frame, "Context"),
    )


def _dial_end(frame: Frame) -> VoiceEvent:
    phone = _must(frame, "DestChannel")
    return DialEnded(
        channel=_one(frame, "Channel"),
        linkedid=_must(frame, "DestLinkedid"),
        agent_channel=phone,
        endpoint=endpoint_of(phone),
        offer=_offer(frame),
        context=_one(frame, "Context"),
        status=_status(frame, "DialStatus"),
    )


def _dial_result(frame: Frame) -> VoiceEvent:
    return DialResult(
        kcc_id=_id(frame),
        channel=_must(frame, "Channel"),
        offer=_match(frame, "Offer", OFFER, empty=True),
        endpoint=_match(frame, "Agent", NAME),
        status=_status(frame, "Status"),
    )


def _consult_end(frame: Frame) -> VoiceEvent:
    return ConsultEnded(
        channel=_must(frame, "Channel"),
        linkedid=_must(frame, "Linkedid"),
        offer=_match(frame, "Offer", OFFER, empty=True),
        endpoint=_match(frame, "Agent", NAME),
        status=_status(frame, "Status"),
    )


def _back(frame: Frame) -> VoiceEvent:
    return Back(
        channel=_must(frame, "Channel"),
        uniqueid=_must(frame, "Uniqueid"),
        step=_match(frame, "Step", re.compile(r"begin|end")),
        status=_status(frame, "Status", empty=True),
    )


def _outside_end(frame: Frame) -> VoiceEvent:
    asked = _one(frame, "UserEvent") == "KccOutsideLeft"
    return OutsideEnded(_id(frame), _must(frame, "Channel"), _status(frame, "Status"), asked)


def _gone(frame: Frame) -> VoiceEvent:
    return Gone(_id(frame, empty=True), _must(frame, "Channel"), _must(frame, "Uniqueid"))


def _hangup(frame: Frame) -> VoiceEvent:
    return LegGone(_must(frame, "Channel"), _must(frame, "Uniqueid"), _must(frame, "Linkedid"), _number(frame, "Cause"))


def _hangup_request(frame: Frame) -> VoiceEvent:
    return HangupAsked(
        _must(frame, "Channel"), _must(frame, "Uniqueid"), _must(frame, "Linkedid"), _number(frame, "Cause")
    )


def _late(frame: Frame) -> VoiceEvent:
    return LateAgi(
        _id(frame, empty=True), _must(frame, "Channel"), _must(frame, "Uniqueid"), _match(frame, "Script", NAME)
    )


def _overflow(frame: Frame) -> VoiceEvent:
    return Overflow(
        kcc_id=_id(frame, empty=True),
        channel=_must(frame, "Channel"),
        uniqueid=_must(frame, "Uniqueid"),
        number=_match(frame, "Number", re.compile(r"[0-9]{1,20}"), empty=True),
        step=_match(frame, "Step", re.compile(r"begin|end|nobody")),
        attempt=_number(frame, "Try"),
        status=_status(frame, "Status", empty=True),
    )


def _device(frame: Frame) -> VoiceEvent:
    return DeviceChanged(_must(frame, "Device").removeprefix("PJSIP/"), _match(frame, "State", DEVICE_STATE))


def _phone_held(frame: Frame) -> VoiceEvent:
    return PhoneHeld(_must(frame, "Channel"), _one(frame, "Event") == "Hold")


EVENTS: Final[dict[str, Callable[[Frame], VoiceEvent]]] = {
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "DeviceStateChange": _device,
    "Hold": _phone_held,
    "Unhold": _phone_held,
    "Hangup": _hangup,
    "HangupRequest": _hangup_request,
}
USER_EVENTS: Final[dict[str, Callable[[Frame], VoiceEvent]]] = {
    "KccHeld": _held,
    "KccDigit": _digit,
    "KccDialResult": _dial_result,
    "KccConsultEnd": _consult_end,
    "KccBack": _back,
    "KccOutsideEnd": _outside_end,
    "KccOutsideLeft": _outside_end,
    "KccGone": _gone,
    "KccAgiLate": _late,
    "KccOverflow": _overflow,
}


def decode(frame: Frame) -> Decoded:
    """One AMI event. The reason names the header at fault, never its value."""
    try:
        name = _one(frame, "Event")
        if name == "UserEvent":
            name = _one(frame, "UserEvent")
            read = USER_EVENTS.get(name)
        else:
            read = EVENTS.get(name)
        if read is None:
            return Decoded(None)
        event = read(frame)
        stamp = STAMP.fullmatch(_one(frame, "Timestamp"))
        return Decoded(event, at_ms=int(stamp.group(1) + stamp.group(2)) if stamp else 0)
    except _Malformed as bad:
        return Decoded(None, str(bad))
