"""One owner of a folder at a time: an advisory lock on a file, let go by the kernel when its process dies."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from router.errors import Deposed

_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()


class FolderLock:
    """`take` and `release` of an exclusive lock. A forked child does not keep it when its parent dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    @property
    def held(self) -> bool:
        return self._descriptor >= 0

    def take(self) -> None:
        """Raises Deposed at once when another holds it, in this process or another."""
        assert not self.held, "the lock is held already"
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise Deposed(f"the journal is in use by process {holder}") from error
        except OSError:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        _held.add(self)

    def release(self) -> None:
        """Let go; nothing happens when it is not held. The file stays, so that nobody locks a file that is gone."""
        if self.held:
            os.close(self._descriptor)
            self._descriptor = -1
            _held.discard(self)


def _after_fork() -> None:
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_after_fork)
