"""The fluid upper bound: what could be settled at best if calls and time could be shared out like water.

A linear programme over x(agent, topic) >= 0: as many as possible answered, each settled one counting one more; no agent
above the share of their time that may be used, no topic above its rate. It is solved exactly, by the simplex method on
a dense table (Bland's rule guards against cycling): some fifty rows and a hundred columns take a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Sequence

from router.simulation.workload import Person, Workload

TIME_USED_MAX = 0.97
_NOTHING = 1e-9


def fluid_bound(workload: Workload, people: tuple[Person, ...], used: float = TIME_USED_MAX) -> float:
    """The highest share of answered contacts that could be settled in the first one, by these people's true chances."""
    topics = [t.id for t in workload.topics]
    pairs = [(n, topics.index(topic), topic) for n, person in enumerate(people) for topic in person.levels]
    seconds = {t.id: t.seconds for t in workload.topics}
    rates = [t.share * workload.per_hour / 3600 for t in workload.topics]
    # Rows: agents, then topics. Contacts are counted in tens of minutes of work, to keep the numbers near 1.
    rows = [[0.0] * len(pairs) for _ in range(len(people) + len(topics))]
    gains = []
    for column, (agent, topic, name) in enumerate(pairs):
        person = people[agent]
        rows[agent][column] = seconds[name] * person.pace[name]
        rows[len(people) + topic][column] = 1.0
        gains.append(person.chance[name] + 1.0)
    limits = [used] * len(people) + rates
    solution = maximise(gains, rows, limits)
    answered = sum(solution)
    settled = sum(x * (gain - 1.0) for x, gain in zip(solution, gains, strict=True))
    return settled / answered if answered else 0.0


def maximise(gains: Sequence[float], rows: Sequence[Sequence[float]], limits: Sequence[float]) -> list[float]:
    """x >= 0 that maximises gains·x under rows·x <= limits (all limits >= 0). Raises ValueError when unbounded."""
    columns, height = len(gains), len(rows)
    table = [
        [*row, *(1.0 if n == own else 0.0 for n in range(height)), limit]
        for own, (row, limit) in enumerate(zip(rows, limits, strict=True))
    ]
    goal = [-gain for gain in gains] + [0.0] * (height + 1)
    basis = list(range(columns, columns + height))
    steps = 0
    while True:
        steps += 1
        entering = _entering(goal, careful=steps > 20 * (columns + height))
        if entering < 0:
            break
        leaving = _leaving(table, basis, entering)
        if leaving < 0:
            raise ValueError("the programme has no bound")
        _pivot(table, goal, leaving, entering)
        basis[leaving] = entering
    solution = [0.0] * (columns + height)
    for row, column in enumerate(basis):
        solution[column] = table[row][-1]
    return solution[:columns]


def _entering(goal: list[float], careful: bool) -> int:
    best, found = -_NOTHING, -1
    for column, value in enumerate(goal[:-1]):
        if value < best:
            if careful:
                return column
            best, found = value, column
    return found


def _leaving(table: list[list[float]], basis: list[int], entering: int) -> int:
    best: tuple[float, int] | None = None
    found = -1
    for row, values in enumerate(table):
        if values[entering] > _NOTHING:
            ratio = (values[-1] / values[entering], basis[row])
            if best is None or ratio < best:
                best, found = ratio, row
    return found


def _pivot(table: list[list[float]], goal: list[float], leaving: int, entering: int) -> None:
    pivot = table[leaving][entering]
    row = table[leaving] = [value / pivot for value in table[leaving]]
    used = [n for n, value in enumerate(row) if value]
    for other in (*(t for n, t in enumerate(table) if n != leaving), goal):
        factor = other[entering]
        if factor:
            for n in used:
                other[n] -= factor * row[n]
