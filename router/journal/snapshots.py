"""Folded states of a journal as files: written whole or not at all, checked when read, the newest two kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"kcc-snapshot 1\n"
_HEAD = struct.Struct(">QIH")
_NAME = re.compile(r"snapshot-(\d+)\.bin")
_DIGEST_BYTES = 32
KEPT = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state as of fact `number`, whose row had `checksum`: so it cannot be taken for one of another history."""

    number: int
    checksum: int
    state: bytes


class Snapshots:
    """The snapshot files of one centre in one folder. Safe for several processes."""

    def __init__(self, folder: Path, centre: str) -> None:
        self._folder = folder
        self._centre = centre

    def save(self, snapshot: Snapshot) -> None:
        """On disk when it returns. Raises OSError; then no file of that name has changed."""
        centre = self._centre.encode()
        body = _HEAD.pack(snapshot.number, snapshot.checksum, len(centre)) + centre + snapshot.state
        temporary = self._folder / "snapshot.part"
        lock = os.open(self._folder / "snapshot.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_MAGIC + hashlib.sha256(body).digest())
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._folder / f"snapshot-{snapshot.number}.bin")
            sync_folder(self._folder)
            for number in self.numbers()[KEPT:]:
                self.remove(number)
        finally:
            os.close(lock)

    def numbers(self) -> list[int]:
        """Newest first."""
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def remove(self, number: int) -> None:
        (self._folder / f"snapshot-{number}.bin").unlink(missing_ok=True)

    def sound(self) -> Iterator[Snapshot]:
        """Those whose checksum holds, newest first."""
        for number in self.numbers():
            snapshot = self._read(number)
            if snapshot is not None:
                yield snapshot

    def _read(self, number: int) -> Snapshot | None:
        try:
            data = (self._folder / f"snapshot-{number}.bin").read_bytes()
        except FileNotFoundError:
            return None  # a newer one has just pushed it out
        start = len(_MAGIC) + _DIGEST_BYTES
        body = memoryview(data)[start:]
        if not data.startswith(_MAGIC) or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
            return None
        stated, checksum, length = _HEAD.unpack_from(body)
        if stated != number or bytes(body[_HEAD.size : _HEAD.size + length]) != self._centre.encode():
            return None
        return Snapshot(number, checksum, bytes(body[_HEAD.size + length :]))


def sync_folder(folder: Path) -> None:
    """Names made, replaced or removed in the folder are on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
