"""PURE  Rivals: who is there but not free, best score first; what a wait for one of them brings is a sum over the best.

The lists beside the order make that sum cheap: it is taken at every decision, over everybody who is better.
"""

from __future__ import annotations

from bisect import bisect_left

Rival = tuple[int, int, str]
"""Negative score, how often in a million seconds this agent comes free, id. Lowest is best."""


class Rivals:
    """Each agent once. `order`, `_rates` and `_weights` keep step: of the same agent at the same place."""

    __slots__ = ("_rates", "_taken", "_weights", "order")

    def __init__(self) -> None:
        self.order: list[Rival] = []
        self._taken: dict[str, Rival] = {}
        self._rates: list[int] = []
        self._weights: list[int] = []
        """Score times rate."""

    def __contains__(self, agent: str) -> bool:
        return agent in self._taken

    def put(self, agent: str, score: int, seconds: int) -> None:
        """The agent has this score now, and comes free once in so many seconds."""
        self.drop(agent)
        rate = 1_000_000 // max(seconds, 1)
        found = self._taken[agent] = (-score, rate, agent)
        at = bisect_left(self.order, found)
        self.order.insert(at, found)
        self._rates.insert(at, rate)
        self._weights.insert(at, score * rate)

    def drop(self, agent: str) -> None:
        """The agent is none of them any more."""
        found = self._taken.pop(agent, None)
        if found is not None:
            at = bisect_left(self.order, found)
            del self.order[at], self._rates[at], self._weights[at]

    def gain(self, score: int) -> int:
        """What a second's wait for the better ones brings over this score, in millionths of 1/10,000."""
        better = bisect_left(self.order, (-score,))
        return sum(self._weights[:better]) - score * sum(self._rates[:better])
