"""The codec from Asterisk's events to values: it reads what Asterisk sends, and never raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channels.voice.events import (
    EVENTS,
    USER_EVENTS,
    Back,
    ConsultEnded,
    DeviceChanged,
    DialEnded,
    DialResult,
    Digit,
    Gone,
    HangupAsked,
    Held,
    LateAgi,
    LegGone,
    OutsideEnded,
    Overflow,
    PhoneHeld,
    Ringing,
    VoiceEvent,
    decode,
    dial_exten,
    endpoint_of,
)

CITIZEN = {
    "Channel": "PJSIP/trunk-0000000a", "Uniqueid": "kcc-1700000000.10", "Linkedid": "kcc-1700000000.10",
    "CallerIDNum": "0612345678", "Context": "kcc-deliver", "Exten": "d-a1-o-77", "Timestamp": "1700000001.234567",
}  # fmt: skip
PHONE = {
    "DestChannel": "PJSIP/a1-0000000b", "DestUniqueid": "kcc-1700000001.11", "DestLinkedid": "kcc-1700000000.10",
    "DialString": "a1",
}  # fmt: skip
T, A, U = CITIZEN["Channel"], PHONE["DestChannel"], CITIZEN["Uniqueid"]


def user(name: str, **fields: str) -> dict[str, str]:
    return {"Event": "UserEvent", "UserEvent": name, **CITIZEN, **fields}


CASES: list[tuple[dict[str, str], VoiceEvent]] = [
    (user("KccHeld", KccId="c-1"), Held("c-1", T, U, U)),
    (user("KccDigit", KccId="c-1", Digit="1"), Digit("c-1", T, "1")),
    ({"Event": "Hold", **CITIZEN, "Channel": A, "MusicClass": "default"}, PhoneHeld(A, True)),
    ({"Event": "Unhold", **CITIZEN, "Channel": A}, PhoneHeld(A, False)),
    ({"Event": "DeviceStateChange", "Device": "PJSIP/a1", "State": "INUSE"}, DeviceChanged("a1", "INUSE")),
    (
        {"Event": "DialBegin", **CITIZEN, **PHONE},
        Ringing(T, U, A, "kcc-1700000001.11", "a1", "o-77", "kcc-deliver"),
    ),
    (
        {"Event": "DialBegin", **CITIZEN, **PHONE, "Context": "kcc-overflow", "Exten": "s"},
        Ringing(T, U, A, "kcc-1700000001.11", "a1", "", "kcc-overflow"),
    ),
    (
        {"Event": "DialBegin", **PHONE},
        Ringing("", U, A, "kcc-1700000001.11", "a1", "", ""),
    ),
    (
        {"Event": "DialEnd", **CITIZEN, **PHONE, "DialStatus": "BUSY"},
        DialEnded(T, U, A, "a1", "o-77", "kcc-deliver", "BUSY"),
    ),
    (
        user("KccDialResult", KccId="c-1", Offer="o-77", Agent="a1", Status="NOANSWER"),
        DialResult("c-1", T, "o-77", "a1", "NOANSWER"),
    ),
    (
        user("KccConsultEnd", Offer="o-78", Agent="a2", Status="ANSWER"),
        ConsultEnded(T, U, "o-78", "a2", "ANSWER"),
    ),
    (user("KccBack", Step="begin"), Back(T, U, "begin", "")),
    (user("KccBack", Step="end", Status="BUSY"), Back(T, U, "end", "BUSY")),
    (user("KccOutsideEnd", KccId="c-1", Status="BUSY"), OutsideEnded("c-1", T, "BUSY")),
    (user("KccOutsideLeft", KccId="c-1", Status="ANSWER"), OutsideEnded("c-1", T, "ANSWER", asked=True)),
    (user("KccGone", KccId="c-1"), Gone("c-1", T, U)),
    (user("KccGone", KccId=""), Gone("", T, U)),
    ({"Event": "Hangup", **CITIZEN, "Cause": "17"}, LegGone(T, U, U, 17)),
    ({"Event": "HangupRequest", **CITIZEN}, HangupAsked(T, U, U, 0)),
    (user("KccAgiLate", KccId="", Script="intake"), LateAgi("", T, U, "intake")),
    (
        user("KccOverflow", KccId="", Number="140591", Step="end", Try="2", Status="ANSWER"),
        Overflow("", T, U, "140591", "end", 2, "ANSWER"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "event"), CASES)
def test_what_asterisk_sends(frame: dict[str, str], event: VoiceEvent) -> None:
    decoded = decode(frame)
    assert (decoded.event, decoded.reason) == (event, "")
    assert decoded.at_ms == (1700000001234 if "Timestamp" in frame else 0)


def test_every_event_the_codec_knows_has_a_case() -> None:
    names = {frame["Event"] for frame, _ in CASES} | {frame.get("UserEvent", "") for frame, _ in CASES}
    assert names >= EVENTS.keys() | USER_EVENTS.keys()


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (user("KccHeld", KccId=""), "KccId is not one"),
        (user("KccHeld", KccId="c 1"), "KccId is not one"),
        (user("KccDigit", KccId="c-1", Digit="12"), "Digit is not one"),
        (user("KccDialResult", KccId="c-1", Offer="o", Agent="a1", Status="MAYBE"), "Status is not one"),
        (user("KccOverflow", Step="begin", Try="many"), "Try is no number"),
        ({"Event": "Hangup", "Channel": "x", "Uniqueid": "u", "Linkedid": "", "Cause": "16"}, "Linkedid is missing"),
        ({"Event": "Hangup", **CITIZEN, "Cause": "-1"}, "Cause is no number"),
        ({"Event": "DialBegin", **CITIZEN}, "DestChannel is missing"),
    ],
)
def test_what_is_malformed_has_a_reason_without_the_value(frame: dict[str, str], reason: str) -> None:
    assert decode(frame) == (None, reason, 0)


def test_a_repeated_header_is_malformed() -> None:
    frame: dict[str, str | list[str]] = {**user("KccHeld"), "KccId": ["c-1", "c-2"]}
    assert decode(frame) == (None, "KccId is repeated", 0)


@pytest.mark.parametrize("frame", [{}, {"Event": "Newchannel"}, user("Other"), {"Response": "Success"}])
def test_what_is_of_no_concern(frame: dict[str, str]) -> None:
    assert decode(frame) == (None, "", 0)


words = st.text("ac1d-_.:/PJSI \0\xe9\u2028", max_size=20)


@given(
    st.dictionaries(
        st.sampled_from([*CITIZEN, *PHONE, "KccId", "Status", "DialStatus", "Cause", "Try", "Step", "Agent", "Offer"]),
        st.one_of(words, st.lists(words, min_size=2, max_size=3)),
    ),
    st.sampled_from([*EVENTS, "UserEvent"]),
    st.sampled_from([*USER_EVENTS, ""]),
)
def test_never_raises(fields: dict[str, str | list[str]], event: str, user_event: str) -> None:
    decoded = decode({**fields, "Event": event, "UserEvent": user_event})
    assert decoded.event is None or decoded.reason == ""


def test_the_dial_extension_carries_endpoint_and_offer() -> None:
    exten = dial_exten("a1", "o-77")
    assert exten == "d-a1-o-77"
    decoded = decode({"Event": "DialBegin", **CITIZEN, **PHONE, "Exten": exten})
    assert isinstance(decoded.event, Ringing)
    assert (decoded.event.endpoint, decoded.event.offer) == ("a1", "o-77")
    for bad in [("a-1", "o77"), ("a1", "o,77"), ("", "o"), ("a1", ""), ("a1", "o" * 41), ("a1\n", "o")]:
        with pytest.raises(ValueError):
            dial_exten(*bad)


@pytest.mark.parametrize(
    ("channel", "endpoint"),
    [("PJSIP/a1-0000002f", "a1"), ("Local/1@x-1;2", ""), ("", ""), ("PJSIP/w-2-0000002f", "w-2")],
)
def test_the_endpoint_of_a_channel(channel: str, endpoint: str) -> None:
    assert endpoint_of(channel) == endpoint
