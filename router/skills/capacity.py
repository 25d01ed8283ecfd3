"""PURE  How much one agent may have at once: listed combinations of channels, and which work gives way to which.

A combination says how many of each channel go together: `{"phone": 1}`, `{"chat": 3}`, `{"post": 1, "chat": 1}`.
What an agent has fits when one of the combinations covers it. Work of a channel that another in hand interrupts is
parked: it lies still and takes no room, and it must fit again as soon as what interrupted it is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations

from router.nouns import ChannelRules

Combination = Mapping[str, int]


class Capacity:
    """What agents who share the same combinations may have; what was worked out once is remembered."""

    def __init__(self, allowed: Sequence[Combination], rules: Mapping[str, ChannelRules]) -> None:
        self._allowed = allowed
        self._interrupted_by = {channel: frozenset(rule.interrupted_by) for channel, rule in rules.items()}
        self._room: dict[tuple[str, ...], frozenset[str]] = {}

    def room(self, held: Iterable[str]) -> frozenset[str]:
        """The channels of which one more fits beside what is held (one channel for each contact).

        What would lie still from the beginning is not among them.
        """
        key = tuple(sorted(held))
        found = self._room.get(key)
        if found is None:
            found = self._room[key] = frozenset(c for c in self._interrupted_by if self._takes(key, c))
        return found

    def _takes(self, held: tuple[str, ...], channel: str) -> bool:
        with_it = (*held, channel)
        return channel not in self.parked(with_it) and self.carries(with_it)

    def carries(self, held: Iterable[str]) -> bool:
        """Whether this fits, now and whichever of the interrupting contacts end first."""
        counts = Counter(held)
        interrupting = {by for channel in counts for by in self._interrupted_by.get(channel, ()) if by in counts}
        return all(
            self._fits({c: n for c, n in counts.items() if c not in over}) for over in _subsets(sorted(interrupting))
        )

    def _fits(self, counts: Mapping[str, int]) -> bool:
        parked = self.parked(counts)
        worked = {channel: many for channel, many in counts.items() if channel not in parked}
        return any(all(one.get(channel, 0) >= many for channel, many in worked.items()) for one in self._allowed)

    def parked(self, in_hand: Iterable[str]) -> frozenset[str]:
        """The channels of which work lies still beside what is in hand."""
        there = set(in_hand)
        return frozenset(channel for channel in there if not there.isdisjoint(self._interrupted_by.get(channel, ())))


def _subsets(of: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(of, many) for many in range(len(of) + 1))


def from_slots(slots: Mapping[str, int], apart: Collection[frozenset[str]]) -> tuple[dict[str, int], ...]:
    """Combinations from slots per channel and pairs that exclude one another: the largest sets without such a pair."""
    channels = [channel for channel, many in slots.items() if many]
    found: list[set[str]] = []
    for size in range(len(channels), 0, -1):
        for group in map(set, combinations(channels, size)):
            excluded = any(pair <= group for pair in apart)
            if not excluded and not any(group <= larger for larger in found):
                found.append(group)
    return tuple({channel: slots[channel] for channel in channels if channel in group} for group in found)
