"""PURE  What a contact asks, put together and in words."""

from __future__ import annotations

from collections.abc import Mapping


def together(*several: Mapping[str, int]) -> dict[str, int]:
    """The highest of what each asks."""
    needs: dict[str, int] = {}
    for more in several:
        for skill, level in more.items():
            needs[skill] = max(level, needs.get(skill, 0))
    return needs


def asked(needs: Mapping[str, int]) -> str:
    """`engels 2 and wmo 3`."""
    return " and ".join(f"{skill} {level}" for skill, level in sorted(needs.items()))
