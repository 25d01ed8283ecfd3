"""Tells a torn tail of SQLite's write-ahead log from damage in its middle, which SQLite itself cuts off in silence.

SQLite reads a log up to the first frame whose checksum fails and forgets all after it: right for a torn last
transaction, a silent loss of acknowledged ones otherwise. With `synchronous=FULL` at most one transaction is
not yet synced, so a commit that is followed by more of the same log had been acknowledged.
Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct(">8I")
"""Magic, version, page size, checkpoint sequence, two salts, two checksums."""
_FRAME = struct.Struct(">6I")
"""Page, size of the database after a commit (else 0), two salts, two checksums."""
_MAGIC = 0x377F0682
"""Plus one when the checksums are big-endian."""
_WORD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Log:
    """What a write-ahead log holds."""

    committed: int
    """Frames up to and including the last commit that can be read."""
    tail: int
    """Frames of the same log after it, which SQLite will drop."""
    damaged: bool
    """Among them are transactions that had been acknowledged."""


def _sums(data: bytes, order: str, s0: int, s1: int) -> tuple[int, int]:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        s0 = (s0 + even + s1) & _WORD
        s1 = (s1 + odd + s0) & _WORD
    return s0, s1


def inspect(path: Path) -> Log:
    """Reads the log without touching it. An absent or empty log is a sound one."""
    if not path.exists():
        return Log(0, 0, False)
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return Log(0, 0, False)
        magic, _, page, _, salt0, salt1, *stated = _HEADER.unpack(head)
        order = ">" if magic == _MAGIC + 1 else "<"
        sums = _sums(head[:24], order, 0, 0)
        reading = magic & ~1 == _MAGIC and list(sums) == stated
        if not reading:
            page, salt0, salt1 = _guess(file.read(_FRAME.size), page)
            file.seek(_HEADER.size)
        frames = committed = 0
        after: list[bool] = []
        while len(frame := file.read(_FRAME.size + page)) == _FRAME.size + page:
            _, size, own0, own1, *stated = _FRAME.unpack(frame[: _FRAME.size])
            same = (own0, own1) == (salt0, salt1)
            if reading:
                sums = _sums(frame[:8] + frame[_FRAME.size :], order, *sums)
                reading = same and list(sums) == stated
            if reading:
                frames += 1
                committed = frames if size else committed
            elif same and any(stated):
                after.append(size > 0)
    commits = after.count(True)
    return Log(committed, frames - committed + len(after), commits > 1 or (commits == 1 and not after[-1]))


def _guess(frame: bytes, page: int) -> tuple[int, int, int]:
    """Page size and salts when the header cannot be read: the page is 4,096 unless it says another power of two."""
    page = page if page in {512, 1024, 2048, 8192, 16384, 32768, 65536} else 4096
    if len(frame) < _FRAME.size:
        return page, 0, 0
    _, _, salt0, salt1, *_ = _FRAME.unpack(frame)
    return page, salt0, salt1
