"""PURE  How long somebody who waits still has to, from what was handled lately by those who are on. Never a guess."""

from __future__ import annotations

from collections.abc import Collection, Sequence

HANDLED_MIN = 5
"""With fewer contacts behind it, it is not known."""


def expected_seconds(place: int, handled: Sequence[int], shares: Collection[float]) -> int | None:
    """Seconds until whoever has this place (1 = first) is helped; None = nobody knows.

    `handled` are the seconds that the queue's last contacts took, wrap-up included; `shares` has, for each agent who is
    on and took such contacts lately, the share of the agent's contacts that came from this queue. Each of the `place`
    contacts up to this one takes the mean, and the shares work side by side.
    """
    at_work = sum(shares)
    if len(handled) < HANDLED_MIN or not at_work:
        return None
    return round(place * sum(handled) / len(handled) / at_work)
