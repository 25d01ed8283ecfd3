"""The process that takes mails apart: started by parsing.py, one mail at a time, killed when one takes too much.

On standard input a frame per mail (4 bytes length, then the raw mail); on standard output a frame per answer,
`["inside", Inside]` or `["unreadable", code]` in msgpack. Limits are set by the process on itself, before each mail.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from typing import BinaryIO

import msgspec

from router.channels.email.codec import Inside, Unreadable, parse

CPU_SECONDS = 2
MEMORY_BYTES = 256 * 1024 * 1024
MEMORY_PER_BYTE = 6
"""A mail of 25 MB is held some six times while it is decoded: it gets that on top."""

INSIDE, UNREADABLE, READY = "inside", "unreadable", "ready"


def _limit(size: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    memory = MEMORY_BYTES + MEMORY_PER_BYTE * size
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))


def answer_to(raw: bytes) -> tuple[str, Inside | str]:
    """What is in the mail, or why it cannot be read."""
    try:
        return INSIDE, parse(raw)
    except Unreadable as refused:
        return UNREADABLE, refused.code
    except RecursionError:
        return UNREADABLE, "too_deep"
    except MemoryError:
        return UNREADABLE, "too_large"
    except Exception:  # noqa: BLE001  whatever strangers send may raise anything: it ends as an unreadable mail
        return UNREADABLE, "malformed"


def _read(source: BinaryIO) -> bytes | None:
    size = source.read(4)
    if len(size) < 4:
        return None
    length = int.from_bytes(size, "big")
    _limit(length)
    raw = source.read(length)
    return raw if len(raw) == length else None


def _write(sink: BinaryIO, said: tuple[str, Inside | str]) -> None:
    frame = msgspec.msgpack.encode(said)
    sink.write(len(frame).to_bytes(4, "big"))
    sink.write(frame)
    sink.flush()


def main() -> None:
    """Answer until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server's Ctrl-C is the server's to handle
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(BrokenPipeError):
        _write(sys.stdout.buffer, (READY, ""))
        while (raw := _read(sys.stdin.buffer)) is not None:
            _write(sys.stdout.buffer, answer_to(raw))


if __name__ == "__main__":
    main()
