"""How the measurement beside app_queue counts who was overtaken."""

from __future__ import annotations

import pytest

from benchmarks.voice_parts import Seen, Tally


@pytest.mark.parametrize(
    ("calls", "overtaken"),
    [
        ([(0, 10), (1, 11), (2, 12)], 0),
        ([(0, 12), (1, 11), (2, 10)], 2),  # both earlier ones still waited
        ([(0, 12), (1, 10), (2, 11)], 1),
        ([(0, 10.05), (1, 10)], 0),  # at the same moment
        ([(0, 11), (1, 10)], 1),  # no longer so
        ([(0, 0), (1, 10)], 0),  # never rang: that is a lost call, and counted as such
    ],
)
def test_who_was_overtaken(calls: list[tuple[float, float]], overtaken: int) -> None:
    tally = Tally({str(n): Seen(arrived, rang) for n, (arrived, rang) in enumerate(calls)})
    assert tally.fifo_breaks == overtaken
