"""PURE  Widening: what a contact needs is relaxed while it waits, in configured steps and never below a floor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from router.nouns import Widening


def widened(needs: Mapping[str, int], step: Widening, floor: Mapping[str, int]) -> dict[str, int]:
    """The needs (skill -> level) after one step.

    `floor` holds skill -> level: such a need is not lowered below that level, and neither dropped nor replaced.
    """
    after = dict(needs)
    for skill, levels in step.lower.items():
        if skill in after:
            after[skill] = max(after[skill] - levels, min(after[skill], floor.get(skill, 1)))
    for skill in step.drop:
        if skill not in floor:
            after.pop(skill, None)
    for skill, other in step.replace.items():
        if skill in after and skill not in floor:
            level = after.pop(skill)
            after[other] = max(level, after.get(other, 0))
    return after


def widest(needs: Mapping[str, int], steps: Iterable[Widening], floor: Mapping[str, int]) -> dict[str, int]:
    """The needs after all these steps."""
    after = dict(needs)
    for step in steps:
        after = widened(after, step, floor)
    return after
