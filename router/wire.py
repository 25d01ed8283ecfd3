"""How commands, facts, effects and explanations cross a boundary: JSON `[name, version, fields]`, upcast when read."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from router.engine import commands, effects, explanation, facts
from router.errors import InvalidInput
from router.skills.capacity import from_slots

Upcast = Callable[[dict[str, Any]], dict[str, Any]]


def _slots_become_combinations(fields: dict[str, Any]) -> dict[str, Any]:
    """A configuration of before there were combinations: slots per channel, and channels that exclude one another."""
    centre = fields["centre"]
    rules = centre["channels"]
    slots = {channel: rule["slots"] for channel, rule in rules.items()}
    apart = {frozenset((channel, other)) for channel, rule in rules.items() for other in rule.get("not_with", ())}
    agents = [
        {**agent, "combinations": from_slots(slots | agent["slots"], apart) if agent.get("slots") else ()}
        for agent in centre["agents"]
    ]
    return {**fields, "centre": {**centre, "agents": agents, "combinations": from_slots(slots, apart)}}


UPCASTS: dict[tuple[str, int], Upcast] = {
    ("CentreConfigured", 1): _slots_become_combinations,
    ("Configure", 1): _slots_become_combinations,
    # Before there was a norm in business time, the first reminder came at the norm.
    ("ContactQueued", 1): lambda fields: {"due_at": fields["remind_at"], **fields},
}
"""(name, old version) -> a function that turns its fields into those of the next version."""

VERSIONS: dict[str, int] = {"CentreConfigured": 2, "Configure": 2, "ContactQueued": 2}
"""Names whose present version is not 1."""


def _classes() -> dict[str, type[Any]]:
    named = [*typing.get_args(commands.Command), *typing.get_args(facts.Fact), *typing.get_args(effects.Effect)]
    return {cls.__name__: cls for cls in [*named, explanation.Explanation]}


_CLASSES = _classes()
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(cls, strict=True) for name, cls in _CLASSES.items()
}
_ENCODER = msgspec.json.Encoder(order="deterministic")
_ENVELOPE: msgspec.json.Decoder[tuple[str, int, msgspec.Raw]] = msgspec.json.Decoder(tuple[str, int, msgspec.Raw])


class Unreadable(ValueError):
    """The bytes are not a message of ours."""


def encode(message: Any) -> bytes:
    """Any command, fact, effect or explanation as bytes; the same value gives the same bytes.

    Raises InvalidInput when a text in it holds half a surrogate pair, which has no bytes.
    """
    name = type(message).__name__
    assert _CLASSES.get(name) is type(message), f"{name} is no message of ours"
    version = VERSIONS.get(name, 1)
    try:
        try:
            return _ENCODER.encode((name, version, message))
        except (
            TypeError
        ):  # a dictionary with numbers as keys (opening hours) must become one of texts to be put in order
            return _ENCODER.encode((name, version, msgspec.to_builtins(message, str_keys=True)))
    except UnicodeEncodeError as error:
        raise InvalidInput("a text that cannot be written as UTF-8") from error


def decode(data: bytes) -> Any:
    """The value that `encode` was given. Raises Unreadable, also for a version newer than this program knows."""
    try:
        name, version, body = _ENVELOPE.decode(data)
        current = VERSIONS.get(name, 1)
        if version == current:
            return _DECODERS[name].decode(body)
        if version > current:
            raise Unreadable(f"{name} of version {version}, newer than {current}")
        fields = msgspec.json.decode(body, type=dict[str, Any])
        for old in range(version, current):
            fields = UPCASTS[(name, old)](fields)
        return msgspec.convert(fields, _CLASSES[name], str_keys=True)
    except (msgspec.MsgspecError, KeyError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def plain(value: Any) -> Any:
    """Dataclasses, tuples and dicts as JSON-ready builtins, for REST answers and tables."""
    return msgspec.to_builtins(value, str_keys=True)


def fields_of(message: Any) -> tuple[str, ...]:
    """Names of the fields of a message."""
    return tuple(f.name for f in dataclasses.fields(message))
