"""PURE  Exact results of queueing theory, for the linter and as oracles of the simulation: Erlang B, C, A and M/M/c/K.

`load` is in erlang (arrivals a second times mean handling time), times are in seconds. Erlang 1917; Palm 1946 for
impatience. Each is a plain recursion or sum, good for some ten thousand servers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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


def erlang_a(servers: int, per_second: float, handling: float, patience: float, target: float) -> Expected:
    """Exponential patience, first come first served, every server the same.

    Who finds all servers busy is answered within the target when the wait that awaits them (its density as in Zeltyn
    and Mandelbaum 2005, section 9) is over by then and their patience is not.
    """
    serve, leave = 1 / handling, 1 / patience
    logs = _log_chances(servers, per_second, serve, leave)
    all_busy = [math.exp(log) for log in logs[servers:]]
    waits = sum(all_busy)
    waiting = sum(n * chance for n, chance in enumerate(all_busy))
    # Of the wait that awaits a citizen, the density at 0 is that of finding one server fewer busy, and one more coming.
    start = logs[servers] + math.log(servers * serve)
    steep = servers * serve + leave
    likeliest = math.log(per_second / steep) / leave if per_second > steep else 0.0
    hardly_ever = likeliest + 40 / steep + patience
    if per_second < steep:
        hardly_ever = min(hardly_ever, 40 / (steep - per_second))

    def answered_at(wait: float) -> float:
        came = per_second * (1 - math.exp(-leave * wait)) / leave
        return math.exp(start + came - steep * wait)

    later = _integral(answered_at, min(target, hardly_ever))
    return Expected(waits, leave * waiting / per_second, waiting / per_second, min(1.0, max(0.0, 1 - waits + later)))


def _integral(f: Callable[[float], float], end: float, steps: int = 2000) -> float:
    """Simpson's rule from 0 to `end`."""
    step = end / steps
    inner = sum((4 if n % 2 else 2) * f(n * step) for n in range(1, steps))
    return step / 3 * (f(0.0) + inner + f(end))


def _log_chances(servers: int, per_second: float, serve: float, leave: float) -> list[float]:
    """Logarithms of the chances of 0, 1, 2 … citizens in the system, as far as they count: overload spans too much."""
    logs, peak = [0.0], 0.0
    while len(logs) <= servers or logs[-1] > peak - 28:  # one in 10^12
        n = len(logs)
        pace = min(n, servers) * serve + max(0, n - servers) * leave
        logs.append(logs[-1] + math.log(per_second / pace))
        peak = max(peak, logs[-1])
    total = peak + math.log(sum(math.exp(log - peak) for log in logs))
    return [log - total for log in logs]


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
