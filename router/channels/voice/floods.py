"""Floods: how much of the telephone one caller, one number called and one trunk may take. The rest is for others."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from router.channels.voice.calls import Call
from router.channels.voice.events import endpoint_of
from router.settings import CallLimits

MINUTE = 60.0
CALLERS_MAX = 10_000
"""Callers whose last minute is remembered; beyond it the one that called longest ago is forgotten."""

Origin = tuple[str, str, str]
"""Caller (a keyed hash of the number, "" = withheld), number called, trunk."""


class Floods:
    """Counts the calls that are up by where they come from. What is turned away, or says goodbye, takes no room."""

    def __init__(
        self, limits: CallLimits, up: Callable[[], Iterable[Call]], now: Callable[[], float] = time.monotonic
    ) -> None:
        """`up` gives the calls that are up, on all PBXs."""
        self._limits, self._up, self._now = limits, up, now
        self._key = secrets.token_bytes(32)
        self._coming: list[Origin] = []
        """Calls that are being put on disk."""
        self._lately: OrderedDict[str, deque[float]] = OrderedDict()

    def caller(self, number: str) -> str:
        """What stands for a number here: a keyed hash that nobody else, and no later process, can make."""
        return hashlib.blake2b(number.encode(), key=self._key, digest_size=16).hexdigest() if number else ""

    @contextmanager
    def room(self, number: str, entry: str, channel: str) -> Iterator[str]:
        """Take room for a call until it is among the `calls`: "", or the limit it would break (`caller`, `line`)."""
        origin = self.caller(number), entry, endpoint_of(channel)
        broken = self._broken(origin)
        if broken:
            yield broken
            return
        self._coming.append(origin)
        try:
            yield ""
        finally:
            self._coming.remove(origin)

    def _broken(self, origin: Origin) -> str:
        limits, (caller, entry, trunk) = self._limits, origin
        callers = entries = trunks = 0
        for other in (*self._coming, *((c.caller, c.entry, c.trunk) for c in self._up() if not c.farewell)):
            callers += other[0] == caller
            entries += other[1] == entry
            trunks += other[2] == trunk
        if 0 < limits.entry_at_once <= entries or 0 < limits.trunk_at_once <= trunks:
            return "line"
        if caller and (0 < limits.caller_at_once <= callers or not self._in_rate(caller)):
            return "caller"
        return ""

    def _in_rate(self, caller: str) -> bool:
        """Note a call of this caller, unless there were too many in the last minute."""
        now, most = self._now(), self._limits.caller_per_minute
        times = self._lately.setdefault(caller, deque())
        self._lately.move_to_end(caller)
        if len(self._lately) > CALLERS_MAX:
            self._lately.popitem(last=False)
        while times and times[0] <= now - MINUTE:
            times.popleft()
        if 0 < most <= len(times):
            return False
        times.append(now)
        return True
