"""Exact results of queueing theory that the simulated engine must meet: Erlang B, C and A, and M/M/c/K.

`load` is in erlang (arrivals a second times mean handling time), times are in seconds. Erlang 1917; Palm 1946 for
impatience. Each is a plain recursion or sum, good for some thousand servers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expected:
    """What theory says of one queue."""

    waits: float
    """Chance of having to wait."""
    lost: float
    """Chance of giving up, or of being turned away."""
    wait_seconds: float
    """Mean wait, over all who get in."""
    in_target: float
    """Chance of being answered within the target, of all who come."""


def erlang_b(servers: int, load: float) -> float:
    """Blocking of a loss system."""
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def erlang_c(servers: int, per_second: float, handling: float, target: float) -> Expected:
    """Endless patience. Raises ValueError when the load is too high for a steady state."""
    load = per_second * handling
    if load >= servers:
        raise ValueError("the load is not below the number of servers")
    blocking = erlang_b(servers, load)
    waits = blocking / (1 - load / servers * (1 - blocking))
    pace = (servers - load) / handling
    return Expected(waits, 0.0, waits / pace, 1 - waits * math.exp(-pace * target))


def erlang_a(
    servers: int, per_second: float, handling: float, patience: float, target: float, steps: int = 2000
) -> Expected:
    """Exponential patience. The service level is integrated backwards over the places in the queue."""
    serve, leave = 1 / handling, 1 / patience
    weights, queue = _weights(servers, per_second, serve, leave)
    total = sum(weights) + sum(queue)
    waiting = sum(n * weight for n, weight in enumerate(queue, 1)) / total
    waits = (weights[-1] + sum(queue)) / total
    lost = leave * waiting / per_second
    # in_time[n]: chance that who finds n before them in the queue is served within what is left of the target.
    depth = len(queue) + 1
    in_time = [0.0] * depth
    step = target / steps
    rates = [(servers * serve + n * leave, servers * serve + (n + 1) * leave) for n in range(depth)]
    for _ in range(steps):
        before = 1.0
        new = []
        for n in range(depth):
            ahead, all_of_us = rates[n]
            # One event among those ahead moves us up; our own patience takes us out.
            value = in_time[n] + step * (ahead * before - all_of_us * in_time[n])
            before = in_time[n]
            new.append(min(1.0, value))
        in_time = new
    found = [weights[-1], *queue]
    at_once = sum(weights[:-1]) / total
    later = sum(weight * chance for weight, chance in zip(found, in_time, strict=True)) / total
    return Expected(waits, lost, waiting / per_second, at_once + later)


def _weights(servers: int, per_second: float, serve: float, leave: float) -> tuple[list[float], list[float]]:
    """Relative chances of 0 … all servers busy, and of 1, 2, 3 … waiting, scaled to the fullest."""
    weights = [1.0]
    for k in range(1, servers + 1):
        weights.append(weights[-1] * per_second / (k * serve))
        if weights[-1] > 1e200:
            weights = [w / 1e200 for w in weights]
    queue: list[float] = []
    last = weights[-1]
    while last > 1e-12 * sum(weights):
        last *= per_second / (servers * serve + (len(queue) + 1) * leave)
        queue.append(last)
    return weights, queue


def limited(servers: int, places: int, per_second: float, handling: float, target: float) -> Expected:
    """M/M/c/K: endless patience, `places` to wait, the rest is turned away."""
    load = per_second * handling
    weights = [1.0]
    for k in range(1, servers + places + 1):
        weights.append(weights[-1] * load / min(k, servers))
    total = sum(weights)
    lost = weights[-1] / total
    entered = 1 - lost
    waiting = sum(n * weights[servers + n] for n in range(1, places + 1)) / total
    # Who finds n waiting is served after n + 1 departures, each at the full pace.
    pace = servers / handling
    in_time = sum(weights[:servers]) / total
    for n in range(places):
        in_time += weights[servers + n] / total * _within(n + 1, pace * target)
    waits = sum(weights[servers:-1]) / total / entered
    return Expected(waits, lost, waiting / (per_second * entered), in_time)


def _within(departures: int, expected: float) -> float:
    """Chance of at least so many departures when so many are expected (Poisson)."""
    term, total = math.exp(-expected), 0.0
    for n in range(departures):
        total += term
        term *= expected / (n + 1)
    return max(0.0, 1 - total)
