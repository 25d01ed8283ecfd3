"""Large content of the vault: one encrypted file each, whole on disk or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


class Files:
    """Files by reference in one folder. Synchronous; raises OSError. Any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, ref: str, sealed: bytes) -> None:
        """On disk, under its name, when it returns."""
        part = self._folder / f"{ref}.part"
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._folder / ref)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._sync()

    def read(self, ref: str) -> bytes:
        """Raises FileNotFoundError when it was removed."""
        return (self._folder / ref).read_bytes()

    def remove(self, refs: Iterable[str]) -> None:
        """Gone from the folder, and on disk so, when it returns. What is not there is fine."""
        for ref in refs:
            (self._folder / ref).unlink(missing_ok=True)
        self._sync()

    def older_than(self, at: int) -> Iterator[str]:
        """Names of what was last written before this moment, in ms."""
        for entry in os.scandir(self._folder):
            if entry.stat().st_mtime * 1000 < at:
                yield entry.name

    def _sync(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
