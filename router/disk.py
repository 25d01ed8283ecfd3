"""Whether the disk still takes what is written: asked every few seconds, so that `/health/ready` tells it at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import structlog

log = structlog.get_logger()

LOOK_SECONDS = 5.0
ANSWER_SECONDS_MAX = 4.0
ROOM_BYTES = 1 << 20
"""What must be free: less than this is full, for the journal and the vault write in pieces of such a size."""
FILE = ".room"


def takes_writes(folder: Path) -> str:
    """Reserve, write and sync a little in the folder, and take it away again; gives why not, or ""."""
    path = folder / FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, ROOM_BYTES)
            os.write(descriptor, b"room\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            path.unlink()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


class DiskWatch:
    """`well` is what the last look found. A disk that does not answer in time is not well either."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looking: asyncio.Future[str] | None = None
        self.well = True

    async def look(self) -> None:
        """Ask once. While an earlier question is still without an answer, no other is asked."""
        if self._looking is None:
            self._looking = asyncio.ensure_future(asyncio.to_thread(takes_writes, self._folder))
        why = "no answer"
        with contextlib.suppress(TimeoutError):
            why = await asyncio.wait_for(asyncio.shield(self._looking), ANSWER_SECONDS_MAX)
            self._looking = None
        if why and self.well:
            log.error("disk.refuses", why=why)
        elif not why and not self.well:
            log.info("disk.takes_writes")
        self.well = not why

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)
