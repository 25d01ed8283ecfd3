"""The wire: everything that crosses a boundary comes back the same, and nothing else is let in."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router import wire
from router.engine import commands, effects, facts
from router.engine.explanation import Candidate, Explanation
from router.engine.facts import ContactForgotten
from router.errors import InvalidInput
from router.nouns import ChannelRules
from router.wire import Unreadable, decode, encode
from tests.properties.world import small_centre

COMMANDS = typing.get_args(commands.Command)
FACTS = typing.get_args(facts.Fact)
EFFECTS = typing.get_args(effects.Effect)
MESSAGES = [*COMMANDS, *FACTS, *EFFECTS, Explanation]

st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


def values(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Values of a message class, made from its types; small, because a configuration holds a great deal."""
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: _of(hints[field.name]) for field in dataclasses.fields(cls)})


def _of(kind: Any) -> st.SearchStrategy[Any]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        return values(kind)
    if origin is dict:
        return st.dictionaries(_of(inner[0]), _of(inner[1]), max_size=2)
    if origin is tuple and inner[-1] is ...:
        return st.lists(_of(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_of, inner))
    if kind is str:
        return st.text(max_size=8)
    found: st.SearchStrategy[Any] = st.from_type(kind)
    return found


def turned(value: Any) -> Any:
    """The same value with every dictionary filled in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(list(value))}
    if isinstance(value, tuple):
        return tuple(map(turned, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{f.name: turned(getattr(value, f.name)) for f in dataclasses.fields(value)})
    return value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_every_message_has_a_name_of_its_own() -> None:
    names = [cls.__name__ for cls in MESSAGES]
    assert len(set(names)) == len(names)
    assert {cls.__name__: cls for cls in MESSAGES} == wire._CLASSES


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_every_message_comes_back_the_same(cls: type[Any], data: st.DataObject) -> None:
    message = data.draw(values(cls))
    sent = encode(message)
    received = decode(sent)
    assert received == message
    assert type(received) is cls
    assert encode(received) == sent
    assert encode(turned(message)) == sent
    assert json.loads(sent)[:2] == [cls.__name__, wire.VERSIONS.get(cls.__name__, 1)]


@given(data=st.data())
@settings(max_examples=50)
def test_a_message_survives_no_cut(data: st.DataObject) -> None:
    sent = encode(data.draw(values(facts.ContactReceived)))
    with pytest.raises(Unreadable):
        decode(sent[: data.draw(st.integers(0, len(sent) - 1))])


@given(st.binary(max_size=60))
@settings(max_examples=300)
def test_garbage_is_unreadable(garbage: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(garbage)


@given(
    name=st.sampled_from([cls.__name__ for cls in MESSAGES]) | st.text(max_size=10),
    version=st.integers() | JSON,
    body=JSON,
    more=st.lists(JSON, max_size=1),
)
@settings(max_examples=300)
def test_what_only_looks_like_a_message_is_unreadable_or_one(
    name: str, version: Any, body: Any, more: list[Any]
) -> None:
    try:
        found = decode(json.dumps([name, version, body, *more]).encode())
    except Unreadable:
        return
    assert type(found).__name__ == name
    assert version == wire.VERSIONS.get(name, 1)
    assert not more


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b'["Tick",1]',
        b'["Tick",1,{}] ["Tick",1,{}]',
        b'["Tick",1,[]]',
        b'["Tick",true,{}]',
        b'["Tick","1",{}]',
        b'["NoSuchThing",1,{}]',
        b'["ContactForgotten",1,{}]',
        b'["ContactForgotten",1,{"contact":7}]',
        b'["ContactForgotten",1,{"contact":null}]',
        b'["ContactForgotten",0,{"contact":"c-1"}]',
        b'["ContactForgotten",-1,{"contact":"c-1"}]',
        b'["ContactForgotten",2,{"contact":"c-1"}]',
        b'["Tick",1,{"deep":' + b"[" * 5_000 + b"]" * 5_000 + b"}]",
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_of_ours_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_fields_that_are_not_known_are_passed_over() -> None:
    assert decode(b'["ContactForgotten",1,{"contact":"c-1","later":[1]}]') == ContactForgotten("c-1")


def test_only_messages_of_ours_are_sent() -> None:
    for stranger in (3, "text", None, {"contact": "c-1"}, dataclasses.make_dataclass("Tick", [])()):
        with pytest.raises(AssertionError):
            encode(stranger)


def test_a_text_without_bytes_is_refused() -> None:
    with pytest.raises(InvalidInput):
        encode(ContactForgotten("c-\ud800"))


# -- what was written by an earlier program -------------------------------------------------------------------


@pytest.fixture
def third_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ContactForgotten` was `{"id": …}`, then `{"name": …}`, and is `{"contact": …}` now."""
    monkeypatch.setitem(wire.VERSIONS, "ContactForgotten", 3)
    monkeypatch.setitem(wire.UPCASTS, ("ContactForgotten", 1), lambda old: {"name": old["id"]})
    monkeypatch.setitem(wire.UPCASTS, ("ContactForgotten", 2), lambda old: {"contact": old["name"]})


@pytest.mark.usefixtures("third_version")
@pytest.mark.parametrize("field", ["id", "name", "contact"])
def test_each_earlier_version_is_read_step_by_step(field: str) -> None:
    version = ["id", "name", "contact"].index(field) + 1
    old = json.dumps(["ContactForgotten", version, {field: "c-1"}]).encode()
    assert decode(old) == ContactForgotten("c-1")
    assert encode(ContactForgotten("c-1")) == b'["ContactForgotten",3,{"contact":"c-1"}]'


@pytest.mark.usefixtures("third_version")
@pytest.mark.parametrize(
    "sent", [(1, {}), (1, {"id": 7}), (2, {"id": "c-1"}), (4, {"contact": "c-1"}), (2, []), (0, {})]
)
def test_an_earlier_version_that_is_not_right_is_unreadable(sent: tuple[int, Any]) -> None:
    with pytest.raises(Unreadable):
        decode(json.dumps(["ContactForgotten", *sent]).encode())


def test_an_earlier_version_of_what_holds_much_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    message = Explanation(
        "c-1", 5, "q", "t", {"nl": 2}, "a1", (Candidate("a1", 3, 4),), {"busy": 2}, "level", "1", "v"
    )  # fmt: skip
    old = encode(message).replace(b'"rule":', b'"policy":')
    monkeypatch.setitem(wire.VERSIONS, "Explanation", 2)
    monkeypatch.setitem(wire.UPCASTS, ("Explanation", 1), lambda was: {**was, "rule": was["policy"]})
    assert decode(old) == message


def test_plain_gives_what_json_can_hold() -> None:
    shown = wire.plain({"candidates": (Candidate("a1", 3, 4),), 1: "one"})
    assert shown == {"candidates": ({"agent": "a1", "level": 3, "idle_since": 4, "chance": 0, "score": 0},), "1": "one"}
    assert json.loads(json.dumps(shown))["candidates"] == [
        {"agent": "a1", "level": 3, "idle_since": 4, "chance": 0, "score": 0}
    ]
    assert wire.fields_of(Candidate("a1", 3, 4)) == ("agent", "level", "idle_since", "chance", "score")


def test_journals_of_before_the_policies_still_read() -> None:
    """Fields that came later have defaults: a queue is `skill-level`, nobody is judged, nothing was overtaken."""
    queue = {"id": "q", "title": {}, "targets": {}, "priority": 5, "wrap_up_seconds": 60}
    centre = {
        "id": "c",
        "name": "C",
        "time_zone": "Europe/Amsterdam",
        "municipalities": [],
        "topics": [],
        "queues": [queue],
        "agents": [],
        "channels": {},
        "classification": [],
        "default_topic": "t",
        "skills": [],
    }
    configured = decode(json.dumps(["CentreConfigured", 1, {"centre": centre, "version": "1"}]).encode())
    assert configured.centre.queues[0].policy == "skill-level"
    assert configured.centre.learning == "off"
    offered = {"offer": "c-1-1", "contact": "c-1", "agent": "a", "purpose": "answer", "expires_at": 1, "lapses_at": 2}
    assert decode(json.dumps(["ContactOffered", 1, offered]).encode()).overtook == ()
    candidate = {"agent": "a", "level": 3, "idle_since": 4}
    explained = {
        "contact": "c-1",
        "at": 1,
        "queue": "q",
        "topic": "t",
        "needs": {},
        "chosen": "a",
        "excluded": {},
        "candidates": [candidate],
        "rule": "r",
        "engine": "1",
        "configuration": "1",
    }
    assert decode(json.dumps(["Explanation", 1, explained]).encode()).candidates[0].score == 0


def test_a_configuration_of_before_there_were_combinations_allows_what_it_allowed() -> None:
    """Written by version 0.1.0: slots per channel, and channels that exclude one another."""
    sent = encode(facts.CentreConfigured(small_centre(), "1"))
    _, _, fields = json.loads(sent)
    centre = fields["centre"]
    del centre["combinations"]
    for agent in centre["agents"]:
        del agent["combinations"]
    centre["agents"][0]["slots"] = {"chat": 1, "phone": 0}
    centre["channels"] = {
        "phone": {"slots": 1, "offer_seconds": 20, "not_with": ["chat"]},
        "chat": {"slots": 3, "offer_seconds": 20, "not_with": []},
        "email": {"slots": 2, "offer_seconds": 60, "not_with": []},
    }
    read = decode(json.dumps(["CentreConfigured", 1, fields]).encode())
    assert read.centre.combinations == ({"phone": 1, "email": 2}, {"chat": 3, "email": 2})
    assert read.centre.agents[0].combinations == ({"chat": 1, "email": 2},)
    assert read.centre.agents[1].combinations == ()
    assert read.centre.channels["phone"] == ChannelRules(20)
