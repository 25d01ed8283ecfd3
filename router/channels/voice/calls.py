"""What the telephone channel knows of the calls that are up: contact to channel, and who talks. Memory only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from router.channels.voice.ami import LiveChannel


@dataclass(slots=True)
class Call:
    """One citizen's call."""

    contact: str
    channel: str
    talking: bool = False
    ring_seconds: int = 0
    """What KCC_RING was last set to on the channel."""


class Calls:
    """The calls that are up, by contact."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def get(self, contact: str) -> Call | None:
        return self._calls.get(contact)

    def up(self, contact: str, channel: str) -> Call:
        """The call is up on this channel."""
        call = self._calls.get(contact)
        if call is None or call.channel != channel:
            call = self._calls[contact] = Call(contact, channel)
        return call

    def gone(self, contact: str) -> Call | None:
        return self._calls.pop(contact, None)

    def replace(self, found: Mapping[str, str]) -> None:
        """Only these are up: contact -> channel."""
        for contact in set(self._calls) - set(found):
            del self._calls[contact]
        for contact, channel in found.items():
            self.up(contact, channel)


@dataclass(frozen=True, slots=True)
class Census:
    """What Asterisk said is up."""

    channels: dict[str, str]
    """Contact -> the citizen's channel."""
    answered: dict[str, str]
    """Contact -> the endpoint it talks with."""
    numbers: dict[str, tuple[str, str]]
    """Contact -> (uniqueid, number called), for calls that the record might not know."""

    def rename(self, before: str, after: str) -> None:
        """The call goes on under another contact."""
        self.channels[after] = self.channels.pop(before)
        self.numbers[after] = self.numbers.pop(before)
        if before in self.answered:
            self.answered[after] = self.answered.pop(before)


def census_of(rows: Iterable[LiveChannel], endpoint_of: Mapping[str, str]) -> Census:
    """Sort the live channels; `endpoint_of` gives the endpoint of each channel name that is a phone of ours."""
    found = list(rows)
    phones = {row.bridge_id: endpoint_of[row.channel] for row in found if row.bridge_id and row.channel in endpoint_of}
    citizens = [row for row in found if row.kcc_id and row.channel not in endpoint_of]
    return Census(
        {row.kcc_id: row.channel for row in citizens},
        {row.kcc_id: phones[row.bridge_id] for row in citizens if row.bridge_id in phones},
        {row.kcc_id: (row.uniqueid, row.number) for row in citizens},
    )
