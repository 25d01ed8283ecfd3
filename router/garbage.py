"""Garbage that refers to itself is looked for in full when it is quiet, not in the midst of calls."""

from __future__ import annotations

import asyncio
import gc

from router.courtesy import Courtesy

EVERY_SECONDS = 5.0
QUIET_SECONDS = 0.5
LONGEST_SECONDS = 600.0
"""Without any quiet it is done all the same: memory has an end too."""
YOUNG = (700, 3)
"""Python's own beginning, and a second step in smaller pieces than its 10: a piece is a pause of some milliseconds."""
NEVER_BY_ITSELF = 1_000_000
ENOUGH = 30
"""Second steps after which a full look is worth it: about 60,000 things that have stayed."""


async def collect_when_quiet(courtesy: Courtesy) -> None:
    """From the end of the start until cancelled. What is loaded by then stays, and is not walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*YOUNG, NEVER_BY_ITSELF)
    loop = asyncio.get_running_loop()
    last = loop.time()
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        if gc.get_count()[2] < ENOUGH:
            last = loop.time()
        elif courtesy.quiet_seconds >= QUIET_SECONDS or loop.time() - last >= LONGEST_SECONDS:
            gc.collect()
            last = loop.time()
