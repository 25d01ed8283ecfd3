"""Numbers and lists of numbers as they are written in a workload file."""

from __future__ import annotations

from router.settings_table import Table


def number(table: Table, key: str, default: float | None, low: float, high: float) -> float:
    """A number within bounds; `default` None = it must be there."""
    if default is not None and key not in table:
        return default
    return table.number(key, low, high, f"write {low:g} to {high:g}")


def numbers(
    table: Table, key: str, default: tuple[float, ...], low: float, high: float, length: int = 0
) -> tuple[float, ...]:
    """A list of numbers within bounds, of this length where it matters (above 0)."""
    if key not in table:
        return default
    values = table.raw(key)
    good = isinstance(values, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and low <= v <= high for v in values
    )
    if not good or not values or (length and len(values) != length):
        table.mistake(key, f"write a list of {length or ''} numbers from {low:g} to {high:g}".replace("  ", " "))
        return default
    return tuple(float(v) for v in values)
