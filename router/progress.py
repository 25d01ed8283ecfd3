"""Progress of a long command, on standard error: one line that is rewritten; nothing where nobody looks."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

REWRITE = "\r\033[K"
"""Back to the beginning of the line, and empty it."""


class Progress:
    """Call it once a step with what was done; it adds the share of the whole and the time that is left."""

    def __init__(self, total: int = 0, shown: bool = False) -> None:
        """`total` steps will come (0 = unknown). `shown`: also without a terminal, as one line at most every 10 s."""
        self._total = total
        self._terminal = sys.stderr.isatty()
        self._every_seconds = 0.2 if self._terminal else 10.0
        self._shown = shown or self._terminal
        self._done = 0
        self._begun = time.monotonic()
        self._said = -self._every_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._terminal:
            self._write(REWRITE)

    def __call__(self, what: str) -> None:
        self._done += 1
        spent = time.monotonic() - self._begun
        if not self._shown or spent - self._said < self._every_seconds:
            return
        self._said = spent
        line = what + self._left(spent)
        self._write(f"{REWRITE}{line}" if self._terminal else f"{line}\n")

    def _left(self, spent: float) -> str:
        if not self._total:
            return ""
        left = round(spent / self._done * (self._total - self._done))
        return f" ({100 * self._done // self._total}%, about {left // 60}:{left % 60:02} left)"

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
