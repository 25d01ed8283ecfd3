"""PURE  Shadow prices: what a second of each agent's time is worth when everybody's time is shared out well.

The linear programme shares agents' time out over topics: maximise the settled contacts (every answered one counts one
more), no agent above their time, no topic above its demand. Its dual gives each agent's time and each topic a price.
It is solved softly (with a little entropy), by which prices stay finite, unique and steady from day to day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

SOFTNESS = 0.01
"""How much worse a choice may be and still be made: about one hundredth of a chance."""
SWEEPS = 200
EVENNESS = 0.0017
"""What an agent's second costs more for each point of occupancy above the mean (1.0 = always busy): it keeps the work
even, as a quadratic penalty on the spread of occupancy would."""
USED_MAX = 0.97
PRICE_MAX = 0.02
"""Of a second, in settled contacts: beyond this nobody's time is worth more."""


def prices(
    chances: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, Mapping[str, float]],
    demand: Mapping[str, float],
    capacity: Mapping[str, float],
    evenness: float = EVENNESS,
) -> tuple[dict[str, float], dict[str, float]]:
    """Prices of agents (settled contacts a second) and of topics (settled contacts a contact).

    `chances` and `seconds` are topic -> agent -> value; `demand` topic -> contacts a second; `capacity` agent -> share
    of their time that may be used.
    """
    agents = dict.fromkeys(capacity, 0.0)
    topics = dict.fromkeys(demand, 0.0)
    pairs: dict[str, list[tuple[str, float, float]]] = {agent: [] for agent in agents}
    for topic, row in chances.items():
        if demand.get(topic, 0.0) > 0:
            for agent, chance in row.items():
                if agent in pairs:
                    pairs[agent].append((topic, chance + 1.0, seconds[topic][agent]))
    mean = _mean_occupancy(seconds, demand, capacity)
    for _ in range(SWEEPS):
        for topic in topics:
            topics[topic] = _topic_price(topic, chances.get(topic, {}), seconds, demand[topic], agents)
        moved = 0.0
        for agent, own in pairs.items():
            price = _agent_price(own, topics, capacity[agent], mean, evenness)
            moved = max(moved, abs(price - agents[agent]))
            agents[agent] = price
        if moved < 1e-7:
            break
    return agents, topics


def _topic_price(
    topic: str,
    chances: Mapping[str, float],
    seconds: Mapping[str, Mapping[str, float]],
    demand: float,
    agents: Mapping[str, float],
) -> float:
    """The price at which agents want just as much of the topic as there is."""
    worths = [c + 1.0 - agents[a] * seconds[topic][a] for a, c in chances.items() if a in agents]
    if not worths or demand <= 0:
        return 0.0
    top = max(worths)
    total = sum(math.exp((worth - top) / SOFTNESS) for worth in worths)
    # One agent alone takes RATE contacts a second at no loss: a scale that drops out but for the softness.
    return max(0.0, top + SOFTNESS * math.log(total / (demand * _SCALE)))


_SCALE = 300.0
"""Contacts a second -> agents kept busy, roughly: gives the softness its unit."""


def _mean_occupancy(
    seconds: Mapping[str, Mapping[str, float]], demand: Mapping[str, float], capacity: Mapping[str, float]
) -> float:
    work = sum(rate * sum(seconds[t].values()) / len(seconds[t]) for t, rate in demand.items() if seconds.get(t))
    return min(USED_MAX, work / max(1e-9, sum(capacity.values())))


def _agent_price(
    own: list[tuple[str, float, float]], topics: Mapping[str, float], there: float, mean: float, evenness: float
) -> float:
    """The price at which the topics want just as much of the agent's time as that price makes fair."""
    if not own:
        return 0.0

    def too_much(price: float) -> bool:
        wanted = sum(
            taken * math.exp(min(50.0, (worth - price * taken - topics[topic]) / SOFTNESS)) / _SCALE
            for topic, worth, taken in own
        )
        fair = USED_MAX if evenness <= 0 else min(USED_MAX, mean + price / evenness)
        return wanted > fair * there

    low, high = (0.0 if evenness <= 0 else -mean * evenness), PRICE_MAX
    if not too_much(low):
        return low
    for _ in range(26):
        middle = (low + high) / 2
        if too_much(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
